"""Asks every operation as everybody with every class of id, and has each answer judged."""

import io
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

import httpx2
from PIL import Image

from support.access_cases import Operation, Slot, put
from support.access_judge import judge
from support.access_world import Asker, Cast, another_session, export_of, make, word
from support.world import PASSWORD
from sync2gear_platform.kit.context import SELF

PUBLIC_ASKERS: Final = frozenset({"anonymous", "client", "device"})
"""Who asks what everybody may ask: the answer depends on nobody."""

USES_UP: Final = frozenset(
    {
        "POST /auth/logout/",
        "POST /auth/change-password/",
        "POST /auth/switch/",
        "POST /auth/me/deletion/",
    }
)
"""Operations after which an asker is not signed in as it was."""


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "PNG")
    return out.getvalue()


FORM: Final = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--b--\r\n'
)
IS_FORM: Final = {"Content-Type": "multipart/form-data; boundary=b"}

CALENDAR: Final = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"

RAW: Final[Mapping[str, bytes]] = {
    "POST /calendars/{row_id}/import/": CALENDAR,
    "PUT /auth/me/avatar/": _picture(),
    "POST /music/files/{track_id}/cover/": _picture(),
    "POST /music/folders/{folder_id}/cover/": _picture(),
    "POST /music/folders/{folder_id}/import/": b"#EXTM3U\n",
    "PATCH /music/uploads/{upload_id}/": b"",
    "POST /music/upload/": FORM,
    "POST /music/upload/batch/": FORM,
    "PATCH /announcements/uploads/{upload_id}/": b"",
    "POST /announcements/upload/": FORM,
    "POST /announcements/recording/": FORM,
}
"""Bodies that are no JSON."""

TUS: Final = {"Tus-Resumable": "1.0.0"}
PIECE: Final = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
SAID: Final[Mapping[str, Mapping[str, str]]] = {
    "POST /music/upload/": IS_FORM,
    "POST /music/upload/batch/": IS_FORM,
    "POST /music/uploads/": {**TUS, "Upload-Length": "10"},
    "PATCH /music/uploads/{upload_id}/": PIECE,
    "POST /announcements/upload/": IS_FORM,
    "POST /announcements/recording/": IS_FORM,
    "POST /announcements/uploads/": {**TUS, "Upload-Length": "10"},
    "PATCH /announcements/uploads/{upload_id}/": PIECE,
}
"""Headers without which an operation is none."""


@dataclass
class Report:
    """What was asked and what was wrong."""

    asked: Counter[str] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    faults: list[tuple[str, str]] = field(default_factory=list)

    def table(self) -> str:
        """Cases and faults by who asked."""
        wrong = Counter(who for who, _ in self.faults)
        lines = [f"{'as':<32}{'cases':>8}{'failures':>10}"]
        lines += [f"{who:<32}{n:>8}{wrong[who]:>10}" for who, n in self.asked.items()]
        total = sum(self.asked.values())
        lines.append(f"{len(self.operations)} operations{'':<18}{total:>8}{len(self.faults):>10}")
        return "\n".join(lines)


@dataclass
class Checker:
    """Lets ``cast`` ask; every ``share``-th combination, always the same ones of one ``seed``."""

    cast: Cast
    share: int = 1
    seed: int = 0
    report: Report = field(default_factory=Report)

    async def run(self, operations: Sequence[Operation]) -> Report:
        """Ask everything as everybody."""
        for asker in self.cast.askers:
            for operation in operations:
                if operation.policy == "public" and asker.name not in PUBLIC_ASKERS:
                    continue
                for slot in operation.slots or (None,):
                    key = f"{self.seed} {asker.name} {operation} {slot}"
                    if zlib.crc32(key.encode()) % self.share == 0:
                        await self.check(asker, operation, slot)
        return self.report

    async def check(self, asker: Asker, operation: Operation, slot: Slot | None) -> None:
        """Ask with each class of id in one place, and compare."""
        self.report.operations.add(str(operation))
        answers: dict[str, tuple[httpx2.Response, str]] = {}
        for which, value in (await self._values(asker, operation, slot)).items():
            used = await self._fit(asker, operation)
            answer = await self._ask(used, operation, slot, value, own=which == "own")
            answers[which] = (answer, value)
            self.report.asked[asker.name] += 1
        where = f"{operation} {slot}" if slot else str(operation)
        for fault in judge(asker, operation, where, answers):
            self.report.faults.append((asker.name, f"{asker.name}: {where}: {fault}"))

    async def _fit(self, asker: Asker, operation: Operation) -> Asker:
        if str(operation) in USES_UP and SELF in asker.permissions:
            return await self.cast.renewed(asker)
        return asker

    async def _values(
        self, asker: Asker, operation: Operation, slot: Slot | None
    ) -> dict[str, str]:
        """An id of each class for ``slot``."""
        if slot is None:
            return {"own": ""}
        home, kind = asker.home, slot.kind
        values = {"own": await self._own(asker, operation, kind)}
        values |= {"random": FORMS.get(kind, str)(uuid4())}
        if not operation.policy.startswith("admin."):
            values["other"] = self.cast.theirs.here[kind]
            if home is self.cast.theirs:
                raise AssertionError("nobody of theirs asks")
        left = kind == "user" and operation.policy.startswith("admin.")
        if kind in home.gone and not left:  # who left a client is still one of the installation's
            values["deleted"] = home.gone[kind]
        if asker.confined.get(operation.policy) is not None and kind in home.there:
            values["elsewhere"] = home.there[kind]
        return values

    async def _own(self, asker: Asker, operation: Operation, kind: str) -> str:
        may = operation.policy in asker.permissions
        if kind == "session" and may and asker.email:
            return await another_session(self.cast.world, asker.email)
        if kind == "my export" and may and asker.email:
            return await export_of(self.cast.world, asker.email)
        used_up = kind in USED_UP and operation.method != "GET"  # who reads uses nothing up
        if may and (operation.method == "DELETE" or used_up):
            if kind == "location" and asker.confined.get(operation.policy) is not None:
                return asker.home.gone[kind]  # its own location holds everything: not that one
            if kind in MADE_ANEW:
                return await make(self.cast.world, asker.home, kind)
        return asker.home.here[kind]

    async def _ask(
        self, asker: Asker, operation: Operation, slot: Slot | None, value: str, *, own: bool
    ) -> httpx2.Response:
        path, query, body, headers = operation.path, dict(operation.query), operation.body(), {}
        headers |= SAID.get(str(operation), {})
        for one in operation.slots:
            if one.where == "path":
                chosen = value if one == slot else asker.home.here[one.kind]
                path = path.replace(f"{{{one.name}}}", chosen)
        if slot is not None and slot.where == "query":
            query[slot.name] = value
        if slot is not None and slot.where == "header":
            headers[slot.name] = value
        if slot is not None and slot.where == "body":
            body = put(body, slot.steps, value)
        fresh = own and operation.policy in asker.permissions
        body = await self._filled(asker, body, fresh=fresh)
        content: dict[str, Any] = {} if body is None else {"json": body}
        if str(operation) in RAW:
            content = {"content": RAW[str(operation)]}
        return await asker.http.request(
            operation.method, path, params=query, headers=headers, **content
        )

    async def _filled(self, asker: Asker, body: Any, *, fresh: bool) -> Any:
        if body is None:
            return None
        own = asker.home.here | {"manager": asker.home.tenant.email, "password": PASSWORD}
        if fresh and "@event" in json.dumps(body):
            own["event"] = await make(self.cast.world, asker.home, "event")
        return _replaced(body, own, word().split()[1])


def _digest(some: UUID) -> str:
    return some.hex * 2


FORMS: Final = {"media": _digest, "programme": _digest, "event": lambda some: some.hex}
"""How an id of a kind looks, where it is not written as a UUID."""

USED_UP: Final = frozenset({"mail", "event", "gone client", "gone user", "emergency"})
"""Kinds of which each can be asked for once only."""

MADE_ANEW: Final = frozenset(
    {"location", "facility", "floor", "zone", "device", "folder", "track", "announcement", "user",
     "invitation", "token", "account", "mail", "event", "spare client", "gone client", "gone user",
     "upload", "spoken upload", "calendar", "day part", "priority level", "channel",
     "channel item", "schedule", "feed", "report", "provider", "offered provider", "template",
     "word", "variant", "emergency message", "spoken folder"}
)  # fmt: skip


def _replaced(value: Any, own: Mapping[str, str], number: str) -> Any:
    if isinstance(value, dict):
        return {k: _replaced(v, own, number) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, own, number) for v in value]
    if isinstance(value, str):
        return own[value[1:]] if value[:1] == "@" else value.replace("{n}", number)
    return value
