"""What this machine is called on its network: host names and addresses that certificates carry."""

import contextlib
import fcntl
import ipaddress
import os
import re
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Name = str | Address

LOCAL: Final = ("local", "localhost", "lan", "internal", "home.arpa")
"""Domains that no public authority gives out (RFC 6762, RFC 6761, RFC 8375, ICANN)."""

PRIVATE: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
        "100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""Networks that are not of the Internet (RFC 6890)."""

_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")
_ADDRESSES: Final = ("S2G_PUBLIC_URL", "S2G_MQTT_DEVICE_URL")
_GET_ADDRESS: Final = 0x8915
_NOWHERE: Final = ("192.0.2.1", 9)


def parse(text: str) -> Name:
    """A host name (ASCII, lower case) or an address; ValueError for anything else."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(text)
    name = text.lower().rstrip(".")
    labels = name.removeprefix("*.").split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is neither a host name nor an address")
    return name


def own() -> list[Name]:
    """Every name and address of this machine, in a stable order: loopback first.

    With them the hosts of ``S2G_PUBLIC_URL`` and ``S2G_MQTT_DEVICE_URL``, should they differ.
    """
    names: list[Name] = ["localhost", *map(ipaddress.ip_address, ("127.0.0.1", "::1"))]
    with contextlib.suppress(ValueError):  # a host name that no certificate could carry
        whole = str(parse(socket.gethostname()))
        host = whole.partition(".")[0]
        names += [host, f"{host}.local", whole]
    names += _told()
    found = [a for a in addresses() if not (a.is_loopback or a.is_link_local or a.is_unspecified)]
    return list(dict.fromkeys([*names, *sorted(found, key=lambda a: (a.version, int(a)))]))


def _told() -> list[Name]:
    """The hosts that the environment says browsers and devices use."""
    hosts = (urlsplit(os.environ.get(name, "")).hostname for name in _ADDRESSES)
    found: list[Name] = []
    for host in hosts:
        with contextlib.suppress(ValueError):
            found.append(parse(host or ""))
    return found


def addresses() -> set[Address]:
    """The addresses of this machine's interfaces."""
    found: set[Address] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, interface in socket.if_nameindex():
            question = struct.pack("256s", interface.encode()[:15])
            # an interface without an address, or a system that asks otherwise
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(probe.fileno(), _GET_ADDRESS, question)
                found.add(ipaddress.IPv4Address(answer[20:24]))
    with contextlib.suppress(OSError):  # netdevice(7): a line of each address in hexadecimal
        for line in Path("/proc/net/if_inet6").read_text().splitlines():
            found.add(ipaddress.IPv6Address(bytes.fromhex(line.split()[0])))
    if (address := outward()) is not None:
        found.add(address)
    return found


def outward() -> Address | None:
    """The address with which this machine speaks to others; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_NOWHERE)  # no packet: it only asks for the route
        except OSError:
            return None
        address = ipaddress.ip_address(probe.getsockname()[0])
    return None if address.is_unspecified else address


def is_within(name: Name, permitted: Iterable[str]) -> bool:
    """Whether ``name`` is one of ``permitted`` domains and networks, or below one."""
    for one in permitted:
        try:
            network = ipaddress.ip_network(one)
        except ValueError:
            if isinstance(name, str) and f".{name.removeprefix('*.')}".endswith(f".{one}"):
                return True
            continue
        if not isinstance(name, str) and name.version == network.version and name in network:
            return True
    return False
