"""One example of every document of the contract, shown in its documentation."""

from typing import Final

from sync2gear_broker.messages import (
    Anchor,
    Block,
    Command,
    DeviceConfig,
    DeviceState,
    DeviceStatus,
    Document,
    EmergencyOrder,
    Event,
    EventsAck,
    Fault,
    Generation,
    Heartbeat,
    LiveEvent,
    Media,
    PlayEvent,
    PlayEvents,
    Prefetch,
    PrefetchItem,
    Programme,
    ProgrammeRef,
    Receipt,
    Reply,
    TimeReply,
    TimeRequest,
    Window,
    ZoneState,
)
from sync2gear_broker.units import FRAME_RATE

CLIENT: Final = "0199aa00-0000-7000-8000-000000000001"
DEVICE: Final = "0199aa00-0000-7000-8000-00000000000d"
ZONE: Final = "0199aa00-0000-7000-8000-00000000002e"
ACCOUNT: Final = "0199aa00-0000-7000-8000-0000000000ac"
_LOG: Final = "0199aa00-0000-7000-8000-000000000109"
_BOOT: Final = "0199aa00-0000-7000-8000-0000000000b0"
_SESSION: Final = "0199aa00-0000-7000-8000-0000000005e5"
_COMMAND: Final = "0199aa00-0000-7000-8000-000000000c0d"
_SOURCE: Final = "0199aa00-0000-7000-8000-0000000005bc"

_EPOCH_SECONDS: Final = 1_800_000_000
_AT: Final = _EPOCH_SECONDS * FRAME_RATE
_SONG: Final = Media(
    sha256="4f" * 32,
    bytes=4_812_331,
    frames=183 * FRAME_RATE,
    gain=-320,
    title="Morning Light",
    artist="The Examples",
)
_SPOKEN: Final = Media(
    sha256="a7" * 32,
    bytes=96_044,
    frames=4 * FRAME_RATE,
    kind="announcement",
    title="The shop closes in ten minutes",
)
_PROGRAMME: Final = Programme(
    media=(_SONG, _SPOKEN),
    blocks=(Block(id="base", source="folder.pop", at=_AT, items=(0,), crossfade=2 * FRAME_RATE),),
    events=(
        Event(id="closing", start=_AT + 600 * FRAME_RATE, media=1, when="wait", max_wait=1_440_000),
    ),
)
_ANNOUNCEMENT: Final = LiveEvent(
    id="say.1", start=_AT + 12 * FRAME_RATE, media=_SPOKEN, mode="duck", duck=-1800, fade_in=9600
)

_EXAMPLES: Final[tuple[Document, ...]] = (
    _PROGRAMME,
    ZoneState(
        zone=ZONE,
        epoch=1,
        rev=4711,
        volume=65,
        programmes=(ProgrammeRef.model_validate({"sha256": _PROGRAMME.sha256(), "from": _AT}),),
        anchor=Anchor(at=_AT, block="base", pos=0),
        hold=Window.model_validate({"from": _AT + 90 * FRAME_RATE}),
        live=(_ANNOUNCEMENT,),
    ),
    DeviceConfig(
        epoch=1,
        rev=4702,
        name="Bar, left",
        volume_max=85,
        trim_millis=-12,
        fetch_rate=250_000,
        fetch_window="22:00-06:00",
        timezone="Europe/Berlin",
    ),
    Prefetch(epoch=1, rev=4709, items=(PrefetchItem(sha256=_SPOKEN.sha256, bytes=_SPOKEN.bytes),)),
    Command(id=_COMMAND, exp=_EPOCH_SECONDS * 1000 + 20_000, do="identify"),
    Reply(id=_COMMAND, ok=False, code="expired", detail="The command came too late"),
    EventsAck(log=_LOG, n=128),
    TimeRequest(t1=93_204_118_733, n=17),
    TimeReply(
        t1=93_204_118_733,
        t2=_EPOCH_SECONDS * 1_000_000 + 118_903,
        t3=_EPOCH_SECONDS * 1_000_000 + 118_977,
        src=_SOURCE,
        n=17,
    ),
    DeviceStatus(state="online", boot=_BOOT, sess=_SESSION),
    Heartbeat(
        boot=_BOOT,
        uptime=86_400_000,
        version="0.1.0",
        load=0.42,
        temperature=51.5,
        disk_free=21_474_836_480,
        cache_bytes=734_003_200,
        clock_error=0.4,
        level=-18.2,
        sync_error=0.2,
        underruns=0,
        wall_error=-3.1,
        ntp=True,
        dead_letters=0,
    ),
    DeviceState(
        applied=(1, 4711),
        zone=ZONE,
        programme=_PROGRAMME.sha256(),
        volume=65,
        clock="synced",
        cache_24h=100,
        cache_72h=96,
        ahead=100,
        trust=_PROGRAMME.sha256(),
        faults=(Fault(code="media_missing", detail="one track of 214 is not yet here"),),
        receipts=(Receipt(event="say.1", received=_AT + 5 * FRAME_RATE, cached=_AT),),
        prefetched=(_SPOKEN.sha256[:12],),
    ),
    PlayEvents(
        log=_LOG,
        events=(
            PlayEvent(
                id="0199aa00-0000-7000-8000-00000000eeee",
                seq=128,
                kind="finished",
                zone=ZONE,
                item="say.1",
                media=_SPOKEN.sha256,
                media_kind="announcement",
                at=_AT + 16 * FRAME_RATE,
                planned=_AT + 16 * FRAME_RATE,
                frames=_SPOKEN.frames,
            ),
        ),
    ),
    EmergencyOrder(
        zone=ZONE, gen=_EPOCH_SECONDS * 1000, active=True, start=_AT, sha256=_SPOKEN.sha256
    ),
    Generation(gen="0199aa00-0000-7000-8000-000000009e17", at=_EPOCH_SECONDS * 1000),
)
_BY_TYPE: Final = {type(one): one for one in _EXAMPLES}


def example(body: type[Document]) -> Document:
    """The example of ``body``; KeyError for a document that has none yet (add one above)."""
    return _BY_TYPE[body]
