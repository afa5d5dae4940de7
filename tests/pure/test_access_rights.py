"""Who may say and hear what: the data, the access file, mosquitto.conf and the matrix agree."""

import re
from pathlib import Path

import pytest

from sync2gear_broker import access, topics
from sync2gear_broker.access import LIMITS, RIGHTS
from sync2gear_platform.identity import rules

CONFIGURATION = "".join(
    (Path(__file__).parents[2] / "mosquitto" / name).read_text()
    for name in ("mosquitto.conf", "tls.conf")
)
CLIENT = "0190aaaa-0000-7000-8000-000000000001"
ACCOUNT = "0190aaaa-0000-7000-8000-0000000000ac"


@pytest.mark.parametrize("who", ["device", "integration"])
def test_the_matrix_and_the_access_file_give_the_same(who: str) -> None:
    granted = {p for p in rules.permissions(who) if p.startswith("mqtt.")}
    assert granted == {right.permission for right in RIGHTS if right.who == who}
    assert granted, "otherwise this test says nothing"


def test_nobody_else_holds_a_permission_of_the_broker() -> None:
    holders = {
        role
        for role, held in rules.ROLES.items()
        for p in held.permissions
        if p.startswith("mqtt.")
    }
    assert holders == {"device", "integration"}


def test_who_may_give_an_integration_the_zones_may_see_them_too() -> None:
    for role, held in rules.ROLES.items():
        if "integrations.write" in held.permissions:
            assert {"zones.read", "playback.read"} <= held.permissions, role


@pytest.mark.parametrize("channel", topics.CHANNELS, ids=lambda c: c.name)
def test_a_channel_is_said_by_its_sender_and_heard_by_somebody_else(
    channel: topics.Channel,
) -> None:
    sayers = {r.who for r in RIGHTS if r.act == "say" and r.covers(channel)}
    assert sayers - {"platform"} == {channel.sender} - {"platform"}
    hearers = set(access.hearers(channel))
    if channel.sender == "device":
        assert hearers == {"platform"}
    elif "{device}" in channel.template:
        assert hearers == {"platform", "device"}
    elif "{zone}" in channel.template:
        assert hearers == {"platform", "integration"}
    else:
        assert hearers == {"platform"}


def test_the_access_file_says_exactly_what_the_data_says() -> None:
    text = access.acl_file(["platform"], [(CLIENT, ACCOUNT)])
    lines = text.splitlines()
    written = [line.split(" ")[2] for line in lines if line.startswith("pattern write ")]
    devices = [c for c in topics.CHANNELS if c.sender == "device"]
    assert written == [f"s2g/1/%u/up/{c.template.rpartition('/')[2]}" for c in devices]
    assert [line for line in lines if line.startswith("pattern read ")] == [
        "pattern read s2g/1/%u/dn/#"
    ]
    section = text[text.index("user integration-") :].splitlines()
    assert section[1:] == [
        f"topic deny s2g/1/integration-{ACCOUNT}/#",
        f"topic read s2g/1/{CLIENT}/_z/#",
    ]


@pytest.mark.parametrize(
    ("client", "account"),
    [("+", ACCOUNT), (CLIENT, "#"), (f"{CLIENT}\nuser x", ACCOUNT), (CLIENT.upper(), ACCOUNT)],
)
def test_what_is_no_id_never_reaches_the_access_file(client: str, account: str) -> None:
    with pytest.raises(ValueError, match="not a lower-case UUID"):
        access.acl_file(["platform"], [(client, account)])


def listeners() -> dict[str, dict[str, str]]:
    """The listeners of the template by their port's name, each with its settings."""
    found: dict[str, dict[str, str]] = {}
    for block in re.split(r"^listener ", CONFIGURATION, flags=re.MULTILINE)[1:]:
        head, *rest = [line for line in block.splitlines() if line and line[0] != "#"]
        found[head.split()[0]] = dict(line.split(" ", 1) for line in rest)
    return found


def test_every_listener_for_devices_has_the_limits_of_the_data() -> None:
    found = {name: body for name, body in listeners().items() if "platform" not in name}
    assert {"${device_port}", "${tls_port}"} <= found.keys()
    for name, body in found.items():
        assert {k: v for k, v in body.items() if k in LIMITS} == LIMITS, name
        assert body["acl_file"] == "${acl}", name
        assert body["password_file"] == "${device_passwords}", name


def test_the_broker_takes_every_channels_largest_message_and_nothing_above_its_limit() -> None:
    assert f"\nmessage_size_limit {access.MESSAGE_SIZE_LIMIT}\n" in CONFIGURATION
    assert max(c.max_bytes for c in topics.CHANNELS) <= access.MESSAGE_SIZE_LIMIT
    assert listeners()["${platform_port}"]["allow_anonymous"] == "false"
