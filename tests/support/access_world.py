"""Two clients with one of everything, one of everything elsewhere, and everybody who may ask."""

import base64
import hashlib
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import httpx2
from sqlmodel import col, select

from support.world import PASSWORD, Tenant, World
from sync2gear_platform.announcements.speech_tables import AiProvider
from sync2gear_platform.identity import rules
from sync2gear_platform.identity import service as identity
from sync2gear_platform.identity.rules import Grant
from sync2gear_platform.identity.tables import Avatar, Client, User
from sync2gear_platform.kit import rows
from sync2gear_platform.kit.context import Places
from sync2gear_platform.library import uploads
from sync2gear_platform.library.tables import Import, Media, Track
from sync2gear_platform.library.tus import Wish
from sync2gear_platform.notifications.tables import Mail
from sync2gear_platform.playback.tables import ProgrammeRow
from sync2gear_platform.privacy.tables import Export

_NUMBERS: Final = itertools.count(1)

GRANTED: Final = frozenset({"zones.read", "devices.write"})
"""What the API tokens of the matrix may do."""


@dataclass
class Populated:
    """A client with one of every kind: ``here``, at another location (``there``), and gone."""

    tenant: Tenant
    here: dict[str, str] = field(default_factory=dict)
    there: dict[str, str] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)
    basic: str = ""


@dataclass
class Asker:
    """Somebody who asks, and what the matrix says that it may."""

    name: str
    http: httpx2.AsyncClient
    permissions: frozenset[str]
    home: Populated
    confined: Mapping[str, Places] = field(default_factory=dict)
    email: str = ""
    withheld: frozenset[str] = frozenset()
    is_member: bool = True

    @property
    def above(self) -> bool:
        """Whether this is one of sync2gear's own people, outside any client."""
        return self.name in rules.STAFF_ROLES


async def populate(world: World, name: str) -> Populated:
    """A new client with one of everything."""
    tenant = await world.tenant(name)
    place = Populated(tenant)
    location = (await tenant.read("/locations/"))["results"][0]["id"]
    place.here |= {"client": str(tenant.id), "location": location}
    place.there["location"] = await make(world, place, "location")
    for kind in ("facility", "floor", "zone", "device"):
        place.there[kind] = await make(world, place, kind, place.there)
    for kind in MAKERS:
        if kind != "location":
            place.here[kind] = await make(world, place, kind)
    for kind in (*REMOVED, "location"):
        place.gone[kind] = await make(world, place, kind)
        path = REMOVED.get(kind, "/locations/")
        answer = await tenant.http.delete(f"/api/v1{path}{place.gone[kind]}/")
        assert answer.status_code == 204, answer.text
    place.basic = await _credential(place)
    return place


async def make(
    world: World, place: Populated, kind: str, at: Mapping[str, str] | None = None
) -> str:
    """One more of ``kind`` in a client; returns its id."""
    return await MAKERS[kind](world, place, at or place.here)


Maker = Callable[[World, Populated, Mapping[str, str]], Awaitable[str]]


def word() -> str:
    """A name that nothing else has."""
    return f"thing {next(_NUMBERS)}"


def _over_http(path: str, *keys: str, **body: Any) -> Maker:
    async def maker(_: World, place: Populated, at: Mapping[str, str]) -> str:
        ids = {f"{key}_id": at[key] for key in keys}
        return str((await place.tenant.make(path, **{"name": word()} | body | ids))["id"])

    return maker


async def _account(_: World, place: Populated, __: Mapping[str, str]) -> str:
    made = await place.tenant.make("/integrations/mqtt/", name=word())
    return str(made["account"]["id"])


async def _device(_: World, place: Populated, at: Mapping[str, str]) -> str:
    made = await place.tenant.make(
        "/devices/register/", name=word(), hardware_id=word(), zone_id=at["zone"]
    )
    return str(made["device"]["id"])


async def _track(world: World, place: Populated, at: Mapping[str, str]) -> str:
    name = word()
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    async with world.ctx(place.tenant.id) as ctx:
        media = Media(
            client_id=place.tenant.id, sha256=sha256, bytes=10, frames=48_000 * 60, codec="flac",
            created_at=ctx.now,
        )  # fmt: skip
        ctx.db.add(media)
        await ctx.db.flush()
        row = rows.new(
            ctx, Track, folder_id=UUID(at["folder"]), sha256=sha256, filename=f"{name}.flac",
            title=name, duration_millis=60_000,
        )  # fmt: skip
    return str(row.id)


async def _announcement(_: World, place: Populated, __: Mapping[str, str]) -> str:
    return str((await place.tenant.make("/announcements/tts/", text=f"Say {word()}."))["id"])


async def _offered_provider(world: World, _: Populated, __: Mapping[str, str]) -> str:
    async with world.ctx() as ctx:
        row = AiProvider(kind="espeak", name=word(), created_at=ctx.now, updated_at=ctx.now)
        ctx.db.add(row)
    return str(row.id)


async def _pronunciation(_: World, place: Populated, __: Mapping[str, str]) -> str:
    made = await place.tenant.make("/announcements/pronunciations/", word=word(), replacement="x")
    return str(made["id"])


async def _variant(world: World, place: Populated, at: Mapping[str, str]) -> str:
    path = f"/announcements/{at['announcement']}/variants/"
    sound = await _announcement(world, place, at)
    return str((await place.tenant.make(path, sound_id=sound))["id"])


async def _media(_: World, place: Populated, at: Mapping[str, str]) -> str:
    found = await place.tenant.read(f"/announcements/{at['announcement']}/")
    return str(found["sha256"])


async def _programme(world: World, place: Populated, at: Mapping[str, str]) -> str:
    await place.tenant.make("/playback/play/", zone_id=at["zone"], folder_id=at["folder"])
    async with world.ctx(place.tenant.id) as ctx:
        found = select(ProgrammeRow.sha256).where(col(ProgrammeRow.client_id) == place.tenant.id)
        return str((await ctx.db.exec(found)).first())


async def _event(_: World, place: Populated, at: Mapping[str, str]) -> str:
    await place.tenant.make("/playback/queue/clear/", zone_id=at["zone"])  # a zone can be full
    text = "This goes on for longer than a loaded machine takes to cancel it. " * 8
    made = await place.tenant.make("/announcements/say/", text=text, zone_ids=[at["zone"]])
    return str(made["plays"][0]["event_id"])


async def _play(_: World, place: Populated, at: Mapping[str, str]) -> str:
    made = await place.tenant.make("/announcements/say/", text=word(), zone_ids=[at["zone"]])
    return str(made["plays"][0]["play_id"])


async def _import(world: World, place: Populated, _: Mapping[str, str]) -> str:
    async with world.ctx(place.tenant.id) as ctx:
        return str(rows.new(ctx, Import, source=word(), state="done").id)


async def _upload(world: World, place: Populated, at: Mapping[str, str]) -> str:
    async with world.ctx(place.tenant.id) as ctx:
        wish = Wish("track", word(), 100, folder_id=UUID(at["folder"]))
        return str((await uploads.create(ctx, wish)).id)


async def _spoken_upload(world: World, place: Populated, _: Mapping[str, str]) -> str:
    async with world.ctx(place.tenant.id) as ctx:
        return str((await uploads.create(ctx, Wish("recording", word(), 100))).id)


async def _user(world: World, place: Populated, _: Mapping[str, str]) -> str:
    async with world.ctx() as ctx:
        user = await identity.create_user(
            ctx, world.passwords, client_id=place.tenant.id, email=f"{uuid4().hex}@example.test",
            name=word(), password=PASSWORD, role="viewer",
        )  # fmt: skip
    return str(user.id)


async def _invitation(_: World, place: Populated, __: Mapping[str, str]) -> str:
    email = f"{uuid4().hex}@example.test"
    return str((await place.tenant.make("/invitations/", role="viewer", email=email))["id"])


async def _session(world: World, place: Populated, _: Mapping[str, str]) -> str:
    return await another_session(world, place.tenant.email)


async def another_session(world: World, email: str) -> str:
    """The id of one more sign-in of a person."""
    http = await world.http(await world.token(email))
    listed = (await http.get("/api/v1/auth/sessions/")).json()["results"]
    return next(str(one["id"]) for one in listed if one["current"])


async def _picture(world: World, place: Populated, at: Mapping[str, str]) -> str:
    async with world.ctx() as ctx:
        image = word().encode()
        row = Avatar(
            user_id=UUID(at["user"]), sha256=hashlib.sha256(image).hexdigest(), image=image,
            updated_at=ctx.now,
        )  # fmt: skip
        ctx.db.add(row)
    return at["user"]


async def _export(world: World, place: Populated, _: Mapping[str, str]) -> str:
    async with world.ctx() as ctx:
        until = ctx.now + timedelta(days=1)
        row = Export(client_id=place.tenant.id, created_at=ctx.now, expires_at=until)
        ctx.db.add(row)
    return str(row.id)


async def _my_export(world: World, place: Populated, _: Mapping[str, str]) -> str:
    return await export_of(world, place.tenant.email)


async def export_of(world: World, email: str) -> str:
    """The id of an archive of one person's own."""
    async with world.ctx() as ctx:
        user = await identity.find_user(ctx, email)
        assert user is not None
        until = ctx.now + timedelta(days=1)
        row = Export(user_id=user.id, created_at=ctx.now, expires_at=until, state="failed")
        ctx.db.add(row)
    return str(row.id)


async def _spare_client(world: World, _: Populated, __: Mapping[str, str]) -> str:
    return str((await world.tenant(word())).id)


async def _gone_client(world: World, place: Populated, at: Mapping[str, str]) -> str:
    made = await _spare_client(world, place, at)
    async with world.ctx() as ctx:
        (await ctx.db.get_one(Client, UUID(made))).deleted_at = ctx.now
    return made


async def _gone_user(world: World, place: Populated, at: Mapping[str, str]) -> str:
    made = await _user(world, place, at)
    async with world.ctx() as ctx:
        (await ctx.db.get_one(User, UUID(made))).deleted_at = ctx.now
    return made


async def _mail(world: World, place: Populated, _: Mapping[str, str]) -> str:
    async with world.ctx() as ctx:
        mail = Mail(
            job_id=1_000_000 + next(_NUMBERS), client_id=place.tenant.id, state="dead",
            recipient="x@example.test", template="password_reset", locale="en",
            content=world.db.vault.seal("{}") if world.db.vault else None,
            created_at=ctx.now, ended_at=ctx.now,
        )  # fmt: skip
        ctx.db.add(mail)
    return str(mail.id)


async def _channel_item(world: World, place: Populated, at: Mapping[str, str]) -> str:
    path = f"/channels/{at['channel']}/items/"
    return str((await place.tenant.make(path, folder_id=at["folder"]))["id"])


async def _schedule(world: World, place: Populated, at: Mapping[str, str]) -> str:
    made = await place.tenant.make(
        "/schedules/", name=word(), type="music", folder_id=at["folder"], zone_ids=[at["zone"]]
    )
    return str(made["id"])


async def _rotation(world: World, place: Populated, _: Mapping[str, str]) -> str:
    if "rotation" in place.here:
        return place.here["rotation"]
    staff = await world.staff("admin")
    answer = await staff.post("/api/v1/admin/vault/rotate/")
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def _emergency_message(_: World, place: Populated, at: Mapping[str, str]) -> str:
    path = "/emergencies/messages/"
    made = await place.tenant.make(path, name=word(), announcement_id=at["announcement"])
    return str(made["id"])


async def _emergency(_: World, place: Populated, at: Mapping[str, str]) -> str:
    body = {"message_id": at["emergency message"], "zone_ids": [at["zone"]]}
    return str((await place.tenant.make("/emergencies/", **body))["id"])


MAKERS: Final[Mapping[str, Maker]] = {
    "location": _over_http("/locations/"),
    "facility": _over_http("/facilities/", "location"),
    "floor": _over_http("/floors/", "location"),
    "zone": _over_http("/zones/", "location"),
    "device": _device,
    "folder": _over_http("/music/folders/"),
    "spoken folder": _over_http("/music/folders/", type="announcement"),
    "track": _track,
    "announcement": _announcement,
    "provider": _over_http("/ai-providers/", kind="espeak"),
    "offered provider": _offered_provider,
    "template": _over_http("/announcements/templates/", texts=[{"language": "en", "text": "Hi."}]),
    "word": _pronunciation,
    "variant": _variant,
    "calendar": _over_http("/calendars/"),
    "day part": _over_http("/day-parts/", start_time="09:00", end_time="17:00"),
    "priority level": _over_http("/priority-levels/", priority=40),
    "channel": _over_http("/channels/"),
    "channel item": _channel_item,
    "schedule": _schedule,
    "feed": _over_http("/schedules/feeds/"),
    "report": _over_http("/proof/templates/", grain="work", columns=[{"key": "title"}]),
    "media": _media,
    "programme": _programme,
    "event": _event,
    "play": _play,
    "import": _import,
    "upload": _upload,
    "spoken upload": _spoken_upload,
    "user": _user,
    "picture": _picture,
    "invitation": _invitation,
    "token": _over_http("/tokens/", permissions=["zones.read"]),
    "account": _account,
    "session": _session,
    "export": _export,
    "my export": _my_export,
    "spare client": _spare_client,
    "gone client": _gone_client,
    "gone user": _gone_user,
    "mail": _mail,
    "rotation": _rotation,
    "emergency message": _emergency_message,
    "emergency": _emergency,
}
"""How one of each kind is made, in an order in which each finds what it needs."""

REMOVED: Final[Mapping[str, str]] = {
    "facility": "/facilities/", "floor": "/floors/", "zone": "/zones/", "device": "/devices/",
    "folder": "/music/folders/", "track": "/music/files/", "announcement": "/announcements/",
    "template": "/announcements/templates/", "word": "/announcements/pronunciations/",
    "user": "/users/", "invitation": "/invitations/", "token": "/tokens/",
    "emergency message": "/emergencies/messages/",
    "account": "/integrations/mqtt/", "provider": "/ai-providers/", "calendar": "/calendars/",
    "day part": "/day-parts/", "priority level": "/priority-levels/", "channel": "/channels/",
    "schedule": "/schedules/", "feed": "/schedules/feeds/",
    "report": "/proof/templates/",
}  # fmt: skip
"""Kinds that can be removed, and where."""


async def _credential(place: Populated) -> str:
    made = await place.tenant.make("/devices/register/", name=word(), hardware_id=word())
    c = made["credential"]
    return base64.b64encode(f"{c['client']}/{c['device']}:{c['secret']}".encode()).decode()


@dataclass
class Cast:
    """An installation with two clients, two that no longer pay, and everybody who may ask."""

    world: World
    ours: Populated
    theirs: Populated
    askers: list[Asker]

    async def renewed(self, asker: Asker) -> Asker:
        """The same kind of person with an account or a session that may be used up."""
        if asker.name in {"staff", "admin"} or "viewing" in asker.name:
            return await _staff(self.world, self.ours, asker.name)
        role, _, where = asker.name.partition(" of one ")
        if role in {"suspended", "cancelled"}:
            role = "client"
        return await member(self.world, asker.home, role, where, asker)


async def member(
    world: World, place: Populated, role: str, where: str = "", like: Asker | None = None
) -> Asker:
    """A member of a client with one role, in the whole of it or at its place ``here``."""
    at = (where, UUID(place.here[where])) if where else None
    email = f"{uuid4().hex}@example.test"
    async with world.ctx() as ctx:
        await identity.create_user(
            ctx, world.passwords, client_id=place.tenant.id, email=email, name=role,
            password=PASSWORD, role=role, place=at,
        )  # fmt: skip
    http = await world.http(await world.token(email))
    may, confined = rules.allowed([Grant(role, at[1] if at else None)])
    if like is not None:
        return Asker(like.name, http, like.permissions, place, like.confined, email, like.withheld)
    name = f"{role} of one {where}" if where else role
    return Asker(name, http, may, place, confined, email)


async def _staff(world: World, ours: Populated, name: str) -> Asker:
    role = name.partition(" ")[0]
    email = f"{uuid4().hex}@example.test"
    async with world.ctx() as ctx:
        await identity.create_staff(
            ctx, world.passwords, email=email, name=role, password=PASSWORD, role=role
        )
    http = await world.http(await world.token(email))
    may, _ = rules.allowed([Grant(role)])
    if "viewing" in name:
        answer = await http.post("/api/v1/auth/switch/", json={"client_id": ours.here["client"]})
        assert answer.status_code == 200, answer.text
        http = await world.http(answer.json()["access"])
        may -= rules.INSTALLATION
    return Asker(name, http, may, ours, email=email, is_member=False)


async def _token(world: World, ours: Populated, name: str, where: str = "") -> Asker:
    body: dict[str, Any] = {f"{where}_id": ours.here[where]} if where else {}
    made = await ours.tenant.make("/tokens/", name=name, permissions=sorted(GRANTED), **body)
    places = frozenset({UUID(ours.here[where])} if where else ())
    confined = dict.fromkeys(GRANTED, places) if where else {}
    return Asker(name, await world.http(made["token"]), GRANTED, ours, confined)


async def _device_asker(world: World, place: Populated, name: str) -> Asker:
    http = await world.http()
    http.headers["Authorization"] = f"Basic {place.basic}"
    return Asker(name, http, rules.permissions("device"), place)


async def _unpaid(world: World, name: str, standing: rules.Standing) -> tuple[Populated, Asker]:
    place = await populate(world, name)
    asker = await member(world, place, "client")
    async with world.ctx() as ctx:
        client = await ctx.db.get_one(Client, place.tenant.id)
        if standing == "suspended":  # by its subscription's dates, as most are
            client.subscription_end = (ctx.now - timedelta(days=1)).date()
        else:
            client.status = standing
    asker.name = standing
    left = rules.remaining(asker.permissions, standing)
    asker.permissions, asker.withheld = left, asker.permissions - left
    return place, asker


async def assemble(world: World) -> Cast:
    """Everybody: nobody, each role, the confined, tokens, unpaid clients, staff and speakers."""
    ours, theirs = await populate(world, "Ours"), await populate(world, "Theirs")
    askers = [Asker("anonymous", await world.http(), frozenset(), ours, is_member=False)]
    askers += [await member(world, ours, role) for role in sorted(rules.MEMBER_ROLES)]
    for role, where in (
        ("floor", "zone"), ("technician", "location"), ("facility_manager", "location"),
    ):  # fmt: skip
        askers.append(await member(world, ours, role, where))
    askers.append(await _token(world, ours, "token"))
    askers.append(await _token(world, ours, "token of one zone", "zone"))
    names = ("staff", "admin", "staff viewing", "admin viewing")
    askers += [await _staff(world, ours, name) for name in names]
    askers.append(await _device_asker(world, ours, "device"))
    for standing in ("suspended", "cancelled"):
        place, asker = await _unpaid(world, f"A {standing} one", standing)
        askers += [asker, await _device_asker(world, place, f"device, {standing}")]
    return Cast(world, ours, theirs, askers)
