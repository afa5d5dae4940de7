"""Who may say and hear what on the broker, as data; its access file and limits follow from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from sync2gear_broker import topics
from sync2gear_broker.topics import CHANNELS, ROOT, Channel

Who = Literal["platform", "device", "integration"]
Act = Literal["say", "hear"]

PLATFORM_USER: Final = "platform"


@dataclass(frozen=True, slots=True)
class Right:
    """``who`` may do ``act`` on ``filters``, templates below the root of the contract.

    ``permission`` is its name in the platform's matrix: an account has the right because its row
    there holds the permission. The platform itself has no row.
    """

    who: Who
    act: Act
    filters: tuple[str, ...]
    permission: str = ""

    def covers(self, channel: Channel) -> bool:
        """Whether ``channel`` is among what this right is over."""
        return any(
            channel.template.startswith(f[:-1]) if f.endswith("#") else channel.template == f
            for f in self.filters
        )


RIGHTS: Final = (
    Right("platform", "say", ("#",)),
    Right("platform", "hear", ("#",)),
    # The agent of a site's gear is a device like any other.
    Right("device", "hear", ("{client}/{device}/dn/#",), "mqtt.hear"),
    # Topic by topic: one that may write a branch could fill the broker with what it retains there.
    Right("device", "say", tuple(c.template for c in CHANNELS if c.sender == "device"), "mqtt.say"),
    Right("integration", "hear", ("{client}/_z/#",), "mqtt.read"),
)

LIMITS: Final = {
    "allow_anonymous": "false",
    "max_qos": str(max(c.qos for c in CHANNELS)),
    "use_username_as_clientid": "true",
    "allow_zero_length_clientid": "false",
}
"""What every listener for devices and integrations says in mosquitto.conf."""

MESSAGE_SIZE_LIMIT: Final = 65_536
"""Bytes of any message: the broker's own bound, above that of each channel."""


def hearers(channel: Channel) -> tuple[Who, ...]:
    """Who may hear ``channel``."""
    return tuple(r.who for r in RIGHTS if r.act == "hear" and r.covers(channel))


def acl_file(platform_users: Iterable[str], integrations: Iterable[tuple[str, str]] = ()) -> str:
    """The text of ``acl_file``: the platform, patterns for devices, a section per integration.

    A device's username is ``{client}/{device}``, so that ``%u`` fences the tenant as well.
    ``integrations`` are ``(client, account)``. The patterns hold for their usernames too, so each
    is denied what they would give (mosquitto.conf(5), ``acl_file``; a ``deny`` of the user's own
    section is looked at first).
    """
    lines: list[str] = []
    for user in platform_users:
        if not user.replace("-", "").isalnum():
            raise ValueError(f"not a platform username: {user!r}")
        lines += [f"user {user}", f"topic readwrite {ROOT}/#", "topic read $SYS/#", ""]
    for act, verb in (("hear", "read"), ("say", "write")):
        for f in _filters("device", act):
            lines.append(f"pattern {verb} {ROOT}/" + f.replace("{client}/{device}", "%u"))
    lines.append("")
    for client, account in integrations:
        user = topics.integration_username(account)
        lines += [f"user {user}", f"topic deny {ROOT}/{user}/#"]
        for f in _filters("integration", "hear"):
            own = f.format(client=topics.identity(client))
            lines.append(f"topic read {ROOT}/{own}")
        lines.append("")
    return "\n".join(lines)


def _filters(who: Who, act: str) -> tuple[str, ...]:
    return tuple(f for r in RIGHTS if (r.who, r.act) == (who, act) for f in r.filters)
