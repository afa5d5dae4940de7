"""Who may say and hear what on the broker; renders Mosquitto's ACL file."""

from collections.abc import Iterable

from sync2gear_broker.topics import ROOT


def acl_file(platform_users: Iterable[str]) -> str:
    """The text of ``acl_file``: one section per platform user, then two patterns for devices.

    A device's username is ``{client}/{device}``, so that ``%u`` fences the tenant as well
    (mosquitto.conf(5), ``acl_file``, ``pattern``).
    """
    lines: list[str] = []
    for user in platform_users:
        if not user.replace("-", "").isalnum():
            raise ValueError(f"not a platform username: {user!r}")
        lines += [f"user {user}", f"topic readwrite {ROOT}/#", "topic read $SYS/#", ""]
    lines += [f"pattern read {ROOT}/%u/dn/#", f"pattern write {ROOT}/%u/up/#", ""]
    return "\n".join(lines)
