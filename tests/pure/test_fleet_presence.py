"""Who is online: what statuses, heartbeats and states make of what was known."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sync2gear_broker.messages import DeviceState, DeviceStatus, Heartbeat
from sync2gear_platform.fleet.rules import Heard, Presence, presence

T0 = datetime(2026, 1, 1, tzinfo=UTC)
T1 = T0 + timedelta(seconds=10)
BOOT, OLD, NEW = str(uuid4()), str(uuid4()), str(uuid4())


def status(state: str, sess: str) -> DeviceStatus:
    return DeviceStatus.model_validate({"state": state, "boot": BOOT, "sess": sess})


def after(before: Presence, *said: tuple[str, str], retained: bool = False) -> Presence:
    statuses = tuple((status(state, sess), retained) for state, sess in said)
    return presence(before, Heard(statuses=statuses, live=not retained), T1)


ONLINE = Presence(online=True, boot=UUID(BOOT), sess=UUID(NEW), last_seen_at=T0)


def test_the_first_word_of_a_session_makes_it_the_current_one() -> None:
    seen = after(Presence(), ("online", NEW))
    assert (seen.online, seen.sess, seen.last_seen_at) == (True, UUID(NEW), T1)


def test_only_the_current_session_can_end() -> None:
    assert after(ONLINE, ("lost", OLD)).online
    assert after(ONLINE, ("bye", OLD)).online
    assert not after(ONLINE, ("lost", NEW)).online
    assert not after(ONLINE, ("bye", NEW)).online
    assert after(ONLINE, ("bye", NEW), ("online", OLD)).online, "a new session, whatever its name"


def test_a_retained_word_is_no_sign_of_life() -> None:
    silent = Presence(online=False, boot=UUID(BOOT), sess=UUID(NEW), last_seen_at=T0)
    seen = after(silent, ("online", NEW), retained=True)
    assert (seen.online, seen.last_seen_at) == (False, T0)
    assert after(silent, ("online", NEW)).online
    assert after(silent, ("online", OLD), retained=True).online, "a session not known yet"
    assert after(ONLINE, ("online", NEW), retained=True).online


def test_a_heartbeat_proves_that_it_lives_and_tells_how_it_is() -> None:
    beat = Heartbeat(boot=BOOT, uptime=5, version="1.2\0.3", load=0.5)
    seen = presence(Presence(), Heard(heartbeat=beat, live=True), T1)
    assert (seen.online, seen.firmware_version, seen.last_seen_at) == (True, "1.2.3", T1)
    assert seen.heartbeat is not None
    assert seen.heartbeat["load"] == 0.5


def test_a_state_is_kept_as_it_was_said() -> None:
    state = DeviceState(applied=(1, 5), volume=40)
    seen = presence(ONLINE, Heard(state=state), T1)
    assert seen.state == state.model_dump(mode="json")
    assert (seen.online, seen.last_seen_at) == (True, T0)
