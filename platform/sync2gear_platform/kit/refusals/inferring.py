"""Which classes an expression of the product can be of, as far as annotations tell.

No type checker: parameters, attributes and results are believed, what is not annotated is unknown.
"""

import ast
import contextlib
import inspect
import sys
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

PRODUCT: Final = __name__.partition(".")[0]

Names = Mapping[str, Any]


class Scope:
    """What the names within one function mean: things of its module, and classes of its own."""

    def __init__(self, function: types.FunctionType) -> None:
        self.names: dict[str, Any] = dict(function.__globals__)
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            with contextlib.suppress(ValueError):  # not filled yet
                self.names[name] = cell.cell_contents
        self._said: dict[str, list[ast.expr]] = {}
        self._bound: dict[str, list[ast.expr]] = {}
        self._owner: tuple[str, tuple[type, ...]] = ("", ())
        node = node_of(function)
        if node is None:
            return
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for one in arguments:
            self.names.pop(one.arg, None)
            if one.annotation is not None:
                self._said.setdefault(one.arg, []).append(one.annotation)
        owner = owner_of(function)
        if owner is not None and arguments:
            self._owner = arguments[0].arg, (owner,)
        for part in ast.walk(node):
            self._learn(part)

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.ImportFrom(module=str(module)):
                for alias in node.names:
                    found = getattr(sys.modules.get(module), alias.name, None)
                    found = found or sys.modules.get(f"{module}.{alias.name}")
                    self.names[alias.asname or alias.name] = found
            case ast.AnnAssign(target=ast.Name(id=name), annotation=said):
                self.names.pop(name, None)
                self._said.setdefault(name, []).append(said)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
                | ast.withitem(context_expr=value, optional_vars=ast.Name(id=name))
            ):
                self.names.pop(name, None)
                self._bound.setdefault(name, []).append(value)

    def _local(self, name: str) -> tuple[type, ...]:
        """Of which classes a name within the function may be."""
        if name == self._owner[0]:
            return self._owner[1]
        found = [c for said in self._said.get(name, ()) for c in self.annotated(said)]
        bound = self._bound.pop(name, [])  # what is bound to itself says nothing
        found += [c for value in bound for c in self.of(value)]
        if bound:
            self._bound[name] = bound
        return tuple(found)

    def value(self, node: ast.AST) -> Any:
        """The very thing that ``node`` names, if it is one of a module or a class."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.value(node.value)
            if isinstance(owner, types.ModuleType | type):
                return inspect.getattr_static(owner, node.attr, None)
        return None

    def of(self, node: ast.AST) -> tuple[type, ...]:
        """The classes that ``node`` may be of; none when unknown."""
        match node:
            case ast.Await(value=inner) | ast.Subscript(value=inner):
                return self.of(inner)
            case ast.IfExp(body=one, orelse=other):
                return (*self.of(one), *self.of(other))
            case ast.BoolOp(values=values):
                return tuple(found for one in values for found in self.of(one))
            case ast.Call(func=ast.Name(id="cast"), args=[said, _]):
                return self.annotated(said)
            case ast.Call(func=function):
                return self._result(function)
            case ast.Name(id=name) if name not in self.names:
                return self._local(name)
            case ast.Attribute(value=inner, attr=attr) if self.value(node) is None:
                return tuple(c for owner in self.of(inner) for c in attribute(owner, attr))
        value = self.value(node)
        own = value is not None and not isinstance(value, type) and is_ours(type(value))
        return (type(value),) if own else ()

    def _result(self, function: ast.AST) -> tuple[type, ...]:
        value = self.value(function)
        if isinstance(value, type):
            return (value,)
        if isinstance(function, ast.Attribute) and value is None:
            found = [m for owner in self.of(function.value) for m in method(owner, function.attr)]
        else:
            found = list(functions(value))
        return tuple(one for f in found for one in returned(f))

    def annotated(self, node: ast.AST) -> tuple[type, ...]:
        """The product's classes in an annotation, however wrapped."""
        return annotated(node, self.names)


def annotated(node: ast.AST, names: Names) -> tuple[type, ...]:
    """The product's classes in an annotation, however wrapped."""
    found: list[type] = []
    for part in ast.walk(node):
        match part:
            case ast.Constant(value=str(text)):
                with contextlib.suppress(SyntaxError):
                    found += annotated(ast.parse(text, mode="eval").body, names)
            case ast.Name(id=name):
                found += mentioned(names.get(name)) if name in names else _named(name)
            case ast.Attribute(value=ast.Name(id=name), attr=attr):
                found += mentioned(getattr(names.get(name), attr, None))
    return tuple(found)


def mentioned(value: Any) -> Iterator[type]:
    """The product's classes in an evaluated annotation."""
    if isinstance(value, type) and is_ours(value):
        yield value
    for one in typing.get_args(value):
        yield from mentioned(one)


def is_ours(owner: type) -> bool:
    """Whether a class is the product's."""
    return owner.__module__.partition(".")[0] == PRODUCT


@cache
def node_of(function: types.FunctionType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The source of ``function``; of a lambda there is none."""
    return _sources(function.__code__.co_filename).get(function.__code__.co_firstlineno)


_CACHED: Final = type(node_of)
"""What ``@cache`` makes of a function."""


@cache
def _sources(file: str) -> dict[int, ast.FunctionDef | ast.AsyncFunctionDef]:
    try:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    except OSError:
        return {}
    return {
        min([node.lineno, *(one.lineno for one in node.decorator_list)]): node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def owner_of(function: types.FunctionType) -> type | None:
    """The class in whose body ``function`` was written."""
    found: Any = sys.modules.get(function.__module__)
    for step in function.__qualname__.split(".")[:-1]:
        found = getattr(found, step, None)
    return found if isinstance(found, type) else None


@cache
def attribute(owner: type, name: str) -> tuple[type, ...]:
    """Of which classes the attribute ``name`` of an ``owner`` may be."""
    for base in owner.__mro__:
        if not is_ours(base):
            continue
        said = vars(base).get("__annotations__", {}).get(name)
        if said is not None:
            if not isinstance(said, str):
                return tuple(mentioned(said))
            return annotated(ast.parse(said, mode="eval"), vars(sys.modules[base.__module__]))
        found = vars(base).get(name)
        if isinstance(found, property) and isinstance(found.fget, types.FunctionType):
            return returned(found.fget)
        begin = vars(base).get("__init__")
        if isinstance(begin, types.FunctionType) and (found := _set_in(begin, name)):
            return found
    return ()


def _set_in(begin: types.FunctionType, name: str) -> tuple[type, ...]:
    """Of which classes ``self.name`` may be, by how ``__init__`` sets it."""
    node = node_of(begin)
    for part in ast.walk(node) if node is not None else ():
        match part:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=attr)], value=value
            ) if attr == name:
                return Scope(begin).of(value)
    return ()


@cache
def returned(function: types.FunctionType) -> tuple[type, ...]:
    """Of which classes a result may be, by the annotation."""
    node = node_of(function)
    if node is None or node.returns is None:
        return ()
    return Scope(function).annotated(node.returns)


@cache
def method(owner: type, name: str) -> tuple[types.FunctionType, ...]:
    """The methods that ``name`` may mean of an ``owner``: its own, its heirs', its likes'."""
    if not is_ours(owner):
        return ()
    found = dict.fromkeys(functions(inspect.getattr_static(owner, name, None)))
    for heir in _classes():
        likes = getattr(owner, "_is_protocol", False) and all(
            hasattr(heir, one) for one in vars(owner) if not one.startswith("_")
        )
        if heir is not owner and (owner in heir.__mro__ or likes):
            found |= dict.fromkeys(functions(vars(heir).get(name)))
    return tuple(found)


def _named(name: str) -> list[type]:
    """The product's class of a name that its module knows only while types are checked."""
    return [one for one in _classes() if one.__name__ == name]


@cache
def _classes() -> tuple[type, ...]:
    modules = [m for n, m in list(sys.modules.items()) if n.partition(".")[0] == PRODUCT]
    return tuple(
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and one.__module__ == module.__name__
    )


def functions(value: Any, depth: int = 3) -> Iterator[types.FunctionType]:
    """The product's functions in ``value``: itself, how a class begins, a table's values."""
    if isinstance(value, types.FunctionType | _CACHED):
        value = inspect.unwrap(value)
    if isinstance(value, types.FunctionType):
        if value.__module__.partition(".")[0] == PRODUCT:
            yield value
    elif isinstance(value, staticmethod | classmethod | types.MethodType):
        yield from functions(value.__func__)
    elif isinstance(value, property):
        yield from functions(value.fget)
    elif isinstance(value, type):
        if is_ours(value):
            for name in ("__init__", "__post_init__", "__aenter__", "__enter__"):
                yield from functions(vars(value).get(name))
    elif depth and isinstance(value, dict):
        yield from _all(value.values(), depth)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        yield from _all(value, depth)
    elif is_ours(type(value)):
        yield from functions(vars(type(value)).get("__call__"))


def _all(values: Iterable[Any], depth: int) -> Iterator[types.FunctionType]:
    for one in values:
        yield from functions(one, depth - 1)
