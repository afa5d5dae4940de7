"""A PulseAudio of our own, that nobody else's sound reaches."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.services import running

NULL_SINK = "module-null-sink rate=48000 channels=2 format=s16le sink_name={}"
_UP_WITHIN = 60.0


@dataclass(frozen=True)
class SoundServer:
    """A server that runs: what reaches it, as a process's environment, and its own process."""

    where: dict[str, str]
    process: "subprocess.Popen[bytes]"


@contextmanager
def sound_server(
    folder: Path, modules: tuple[str, ...], *, first: bool = False
) -> Iterator[SoundServer]:
    """A server with these modules.

    Each sink is an ALSA device by its name, too. ``first``: before all else on the machine.
    """
    door = folder / "pulse.socket"
    words = [word for module in modules for word in module.split()]
    names = [word.removeprefix("sink_name=") for word in words if word.startswith("sink_name=")]
    asound = "".join(f"pcm.{name} {{ type pulse device {name} }}\n" for name in names)
    (folder / ".asoundrc").write_text(asound)
    where = {
        "HOME": str(folder),
        "PULSE_RUNTIME_PATH": str(folder / "pulse"),
        "PULSE_SERVER": f"unix:{door}",
    }
    command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"]
    native = f"module-native-protocol-unix auth-anonymous=1 socket={door}"
    command += [word for module in (native, *modules) for word in ("-L", module)]
    if first and os.geteuid() == 0:
        command = ["nice", "-n", "-15", *command, "--high-priority=yes", "--realtime=yes"]
    with (
        (folder / "pulse.log").open("w") as log,
        running(command, env={**os.environ, **where}, stdout=log, stderr=log) as server,
    ):
        until = time.monotonic() + _UP_WITHIN
        while not _answers(door):
            alive = server.poll() is None and time.monotonic() < until
            assert alive, (folder / "pulse.log").read_text()[-1000:]
            time.sleep(0.02)
        yield SoundServer(where, server)


def _answers(door: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(door)) == 0
