"""Which refusals a function can come to, read off its source and off that of all it calls.

An upper bound: every branch counts. Names are looked up in the loaded modules, so that tables of
functions and closures are followed too.
"""

import ast
import types
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeGuard, cast

from starlette.exceptions import HTTPException

from sync2gear_platform.kit.errors import HTTP_CODES, STATUS, Kind, Refusal
from sync2gear_platform.kit.refusals.inferring import Scope, functions, method, node_of


class Reason(NamedTuple):
    """One way to be refused."""

    status: int
    code: str


Reasons = Mapping[Reason, frozenset[str]]
"""Each with what it says to people."""


class _Body(NamedTuple):
    """What one function says itself."""

    reasons: Reasons
    calls: tuple[types.FunctionType, ...]


def reasons(roots: Iterable[Any], but: Iterable[Any] = ()) -> Reasons:
    """Every reason for which ``roots`` can refuse, by themselves or by what they call.

    What ``but`` can come to is left out, unless it is called from elsewhere too.
    """
    found: dict[Reason, frozenset[str]] = {}
    seen: set[types.FunctionType] = {one for left in but for one in functions(left)}
    waiting = [one for root in roots for one in functions(root)]
    while waiting:
        function = waiting.pop()
        if function not in seen:
            seen.add(function)
            body = _body(function)
            for reason, says in body.reasons.items():
                found[reason] = found.get(reason, frozenset()) | says
            waiting += body.calls
    return found


@cache
def _body(function: types.FunctionType) -> _Body:
    node = node_of(function)
    if node is None:
        return _Body({}, ())
    reader = _Reader(Scope(function))
    for part in node.body:
        reader.visit(part)
    said = {reason: frozenset(says) for reason, says in reader.reasons.items()}
    return _Body(said, tuple(reader.calls))


class _Reader(ast.NodeVisitor):
    """Collects what one function names."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.reasons: dict[Reason, set[str]] = {}
        self.calls: dict[types.FunctionType, None] = {}

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """What is caught is not raised."""
        for part in node.body:
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Nor is what an annotation names."""
        if node.value is not None:
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """A refusal that is made, with a code of its own perhaps; anything else is called."""
        made = self.scope.value(node.func)
        if _is_refusal(made):
            self._refuses(made, node.args, node.keywords)
        elif made is HTTPException:
            self._fails(node.args)
        else:
            self.visit(node.func)
            self._orders(node)
        if made is not isinstance:
            for part in (*node.args, *(one.value for one in node.keywords)):
                self.visit(part)

    def visit_Name(self, node: ast.Name) -> None:
        """A thing of the module, or of the function around."""
        self._names(self.scope.value(node))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """A thing of another module or class; or else something of an object."""
        value = self.scope.value(node)
        if value is not None:
            self._names(value)
            return
        for owner in self.scope.of(node.value):
            self.calls |= dict.fromkeys(method(owner, node.attr))
        self.visit(node.value)

    def _names(self, value: Any) -> None:
        if _is_refusal(value):
            self._refuses(value, [], [])
        elif isinstance(value, dict):
            for one in value.values():
                self._names(one)
        elif value is not None:
            self.calls |= dict.fromkeys(functions(value))

    def _refuses(
        self, kind: type[Refusal], arguments: list[ast.expr], keywords: list[ast.keyword]
    ) -> None:
        said = {k.arg: _text(k.value) for k in keywords}
        status = _status(kind, said.get("kind"))
        says = _text(arguments[0]) if arguments else ""
        others = [k.value for k in keywords if k.arg == "code" and not said["code"]]
        reached = _reached_by(others, self.scope)
        for reason, texts in reached.items():  # it has the code of another refusal
            for text in texts:
                self._add(status, reason.code, text)
        if not reached:
            self._add(status, said.get("code") or kind.code, says or (kind.__doc__ or "").strip())

    def _orders(self, node: ast.Call) -> None:
        """What a function that makes refusals is asked to make."""
        for function in self._called(node.func):
            for kind, name, position in _makes(function):
                given = [k.value for k in node.keywords if k.arg == name]
                given += node.args[position : position + 1]
                for code in map(_text, given):
                    if code:
                        self._add(_status(kind), code, (kind.__doc__ or "").strip())

    def _called(self, node: ast.expr) -> Iterable[types.FunctionType]:
        value = self.scope.value(node)
        if value is None and isinstance(node, ast.Attribute):
            return [m for owner in self.scope.of(node.value) for m in method(owner, node.attr)]
        return functions(value)

    def _fails(self, arguments: list[ast.expr]) -> None:
        match arguments:
            case [ast.Constant(value=int(status)), *rest]:
                says = _text(rest[0]) if rest else ""
                self._add(status, HTTP_CODES.get(status, "http_error"), says)

    def _add(self, status: int, code: str, says: str) -> None:
        self.reasons.setdefault(Reason(status, code), set()).add(says)


def _text(node: ast.expr) -> str:
    """What is written; an ellipsis for what is put in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "…" for part in parts)
        case ast.BinOp(left=left, right=right):
            return _text(left) + (_text(right) or "…")
    return ""


def _status(kind: type[Refusal], said: str | None = None) -> int:
    """The status of a refusal of ``kind``, which may have one of its own."""
    return STATUS[cast("Kind", said)] if said else kind.__new__(kind).status


@cache
def _makes(function: types.FunctionType) -> tuple[tuple[type[Refusal], str, int], ...]:
    """Of a function whose argument is a refusal's code: its class, that argument and its place."""
    node = node_of(function)
    if node is None:
        return ()
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    scope, bound = Scope(function), names[:1] == ["self"]
    found = []
    for part in ast.walk(node):
        kind = scope.value(part.func) if isinstance(part, ast.Call) else None
        if isinstance(part, ast.Call) and _is_refusal(kind):
            found += [
                (kind, one.value.id, names.index(one.value.id) - bound)
                for one in part.keywords
                if one.arg == "code" and isinstance(one.value, ast.Name) and one.value.id in names
            ]
    return tuple(found)


def _reached_by(nodes: Iterable[ast.expr], scope: Scope) -> Reasons:
    """What expressions can come to."""
    reader = _Reader(scope)
    for node in nodes:
        reader.visit(node)
    return reasons(reader.calls)


def _is_refusal(value: Any) -> TypeGuard[type[Refusal]]:
    return isinstance(value, type) and issubclass(value, Refusal)
