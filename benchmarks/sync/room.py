"""A room of virtual cards behind one PulseAudio, played to by our speakers or by Snapcast's."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from support.services import running, start_mosquitto
from support.sound import sound_server
from support.speaker_lab import Lab, wav, zone_frame
from sync2gear_cli.services.process import free_port

HERE = Path(__file__).parent
CARDS = 4
PIPE = 16_384
"""Bytes that a card holds: 43 ms."""
UP_WITHIN = 60.0
WAITING = 60.0
"""Seconds between the speakers' start and that of the zone."""


@dataclass(frozen=True)
class Scene:
    """What is wrong: ppm of cards and clocks, seconds of clocks, jitter of the network in ms.

    ``outage`` are the seconds after the zone's start from and to which nothing gets through.
    """

    cards: tuple[float, ...] = (0.0,) * CARDS
    clocks: tuple[float, ...] = (0.0,) * CARDS
    ahead: tuple[float, ...] = (0.0,) * CARDS
    jitter: float = 0.0
    outage: tuple[float, float] | None = None


OFF = (100.0, -100.0, 40.0, -60.0)
DRIFT = (-100.0, 100.0, -35.0, 70.0)
AHEAD = (3.0, 0.5, 7.0, 1.5)
SCENES = {
    "calm": Scene(),
    "ppm": Scene(cards=OFF),
    "jitter": Scene(jitter=30.0),
    "drift": Scene(clocks=DRIFT, ahead=AHEAD),
    "all": Scene(OFF, DRIFT, AHEAD, 30.0),
    "rejoin": Scene(OFF, DRIFT, AHEAD, outage=(32.0, 47.0)),
}


class MissingError(Exception):
    """Something of the room did not come in time, or ended; the text says what."""


def wait_for(what: str, look: Callable[[], object], seconds: float) -> None:
    """Until ``look`` gives something true; ``MissingError`` after so long."""
    until = time.monotonic() + seconds
    while not look():
        if time.monotonic() > until:
            raise MissingError(f"{what}: not within {seconds:g} s")
        time.sleep(0.02)


@contextmanager
def piped(folder: Path) -> Iterator[dict[str, str]]:
    """A private PulseAudio with a pipe sink for each card; the environment that reaches it."""
    modules, pipes = [], []
    try:
        for name in (f"card{k}" for k in range(CARDS)):
            fifo = folder / f"{name}.fifo"
            os.mkfifo(fifo)
            # a pipe that PulseAudio has filled cannot be made smaller any more
            pipes.append(os.open(fifo, os.O_RDWR | os.O_NONBLOCK))
            fcntl.fcntl(pipes[-1], fcntl.F_SETPIPE_SZ, PIPE)
            modules.append(
                f"module-pipe-sink file={fifo} sink_name={name} format=float32le rate=48000"
                " channels=2"
            )
        with sound_server(folder, tuple(modules), first=True) as server:
            yield server.where
    finally:
        for pipe in pipes:
            os.close(pipe)


class Cards:
    """The process of the cards, which records from now on."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process, self._folder = process, folder
        self.began = time.monotonic()

    @property
    def passed(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    def recorded(self, until: float) -> Path:
        """The recording of so many seconds; ``MissingError`` if the cards fell over."""
        code: int | None = None
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(max(0.0, until - self.passed))
        if code is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                code = self._process.wait(UP_WITHIN)
        out = self._folder / "heard.npz"
        if code != 0 or not out.exists():
            words = (self._folder / "cards.log").read_text()[-1000:]
            raise MissingError(f"the recording of cards.py (exit {code}): {words}")
        return out


@contextmanager
def cards(folder: Path, scene: Scene) -> Iterator[Cards]:
    """The cards of a scene."""
    names = [f"{folder}/card{k}.fifo:{ppm}" for k, ppm in enumerate(scene.cards)]
    command = [sys.executable, str(HERE / "cards.py"), f"{folder}/heard.npz", *names]
    with (
        (folder / "cards.log").open("w") as log,
        running(command, stdout=log, stderr=log) as process,
    ):
        yield Cards(process, folder)


def clock_of(scene: Scene, card: int, folder: Path) -> dict[str, str]:
    """What makes the clocks of a process run off as the scene says."""
    if not any(scene.clocks):
        return {}
    library = folder / "drift.so"
    if not library.exists():
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O2", "-o", library, HERE / "drift.c", "-ldl"], check=True
        )
    drift = f"{scene.clocks[card]} {scene.ahead[card]}"
    return {"LD_PRELOAD": str(library), "S2G_DRIFT": drift}


class Network:
    """The way to a server through a scene."""

    def __init__(self, scene: Scene, port: int, stack: ExitStack) -> None:
        self.port = port
        self._outage, self._stack = scene.outage, stack
        if not (scene.jitter or scene.outage):
            return
        self.port = free_port()
        command = [sys.executable, HERE / "jitter.py", self.port, port, scene.jitter]
        self._relay = stack.enter_context(running([str(word) for word in command]))
        wait_for("the relay", lambda: answers(("127.0.0.1", self.port)), UP_WITHIN)

    def begin(self) -> None:
        """The zone starts now."""
        for seconds, number in zip(
            self._outage or (), (signal.SIGSTOP, signal.SIGCONT), strict=False
        ):
            timer = threading.Timer(seconds, self._relay.send_signal, (number,))
            self._stack.callback(timer.cancel)
            timer.start()


def answers(at: tuple[str, int]) -> bool:
    """Whether something listens at a host's port."""
    with socket.socket() as connection:
        return connection.connect_ex(at) == 0


def ours(
    folder: Path, scene: Scene, track: NDArray[np.int16], seconds: float
) -> tuple[Path, float]:
    """The recording of four of our speakers, and when the zone's state was published in it."""
    with ExitStack() as stack:
        where = stack.enter_context(piped(folder))
        broker = start_mosquitto()
        stack.callback(broker.stop)
        port = int(broker.device_url.rsplit(":", 1)[1])
        network = Network(scene, port, stack)
        url = f"mqtt://127.0.0.1:{network.port}"
        labs = []
        for k in range(CARDS):
            place = folder / f"speaker{k}"
            place.mkdir()
            lab = Lab(broker, place)
            stack.callback(lab.close)
            lab.serve()
            lab.register(mqtt_url=url)
            labs.append(lab)
            lab.speak(
                S2G_SPEAKER_SINK="pulse",
                S2G_SPEAKER_CARD=f"card{k}",
                S2G_SPEAKER_LOG_LEVEL="DEBUG",
                OPENBLAS_NUM_THREADS="1",
                **where,
                **clock_of(scene, k, folder),
            )
        heard = stack.enter_context(cards(folder, scene))
        for k, lab in enumerate(labs):
            wait_for(
                f"speaker {k} with a broker and a card",
                lambda lab=lab: "link.up" in lab.log() and "card.open" in lab.log(),
                UP_WITHIN,
            )
        time.sleep(WAITING)  # a speaker waits for its zone longer than for its card
        start = zone_frame()
        media = [lab.offer(wav(track), len(track)) for lab in labs]
        published = heard.passed
        for lab, one in zip(labs, media, strict=True):
            lab.publish_music((one,), start)
        network.begin()
        wait_for("half of the seconds", lambda: heard.passed > published + seconds / 2, seconds)
        first, since = [used(lab) for lab in labs], heard.passed
        out = heard.recorded(published + seconds)
        shares = [
            (used(lab) - was) / (heard.passed - since) for lab, was in zip(labs, first, strict=True)
        ]
        print(f"    CPU of a speaker: {[round(100 * s, 1) for s in shares]} % of a core")
        return out, published


def used(lab: Lab) -> float:
    """Seconds of CPU that the speakers of a lab have used."""
    stats = [Path(f"/proc/{p.pid}/stat").read_text().split() for p in lab.processes]
    return sum(int(s[13]) + int(s[14]) for s in stats) / os.sysconf("SC_CLK_TCK")


def snapcast(
    folder: Path, scene: Scene, track: NDArray[np.int16], seconds: float
) -> tuple[Path, float]:
    """The recording of four of Snapcast's clients on its server, and when they began in it."""
    with ExitStack() as stack:
        where = stack.enter_context(piped(folder))
        raw = folder / "track.raw"
        rounds = int(seconds * 48_000 / len(track)) + 2
        raw.write_bytes(np.concatenate([track] * rounds).tobytes())
        port = free_port()
        source = f"file://{raw}?name=default&sampleformat=48000:16:2&codec=pcm"
        command = [
            "snapserver", "-c", os.devnull, "--stream.source", source, "--stream.port", str(port),
            "--tcp.enabled", "false", "--http.enabled", "false", f"--server.datadir={folder}",
        ]  # fmt: skip
        log = stack.enter_context((folder / "snapcast.log").open("w"))
        to = {"stdout": log, "stderr": log}
        env = {**os.environ, **where}
        stack.enter_context(running(command, env=env, **to))
        wait_for("snapserver", lambda: answers(("127.0.0.1", port)), UP_WITHIN)
        network = Network(scene, port, stack)
        heard = stack.enter_context(cards(folder, scene))
        for k in range(CARDS):
            command = [
                "snapclient", "-h", "127.0.0.1", "-p", str(network.port), "-i", str(k + 1),
                "--hostID", f"card{k}", "-s", f"card{k}", "--player", "alsa",
            ]  # fmt: skip
            mine = {**env, **clock_of(scene, k, folder)}
            stack.enter_context(running(command, env=mine, **to))
            time.sleep(0.3)  # of several at once PulseAudio sometimes refuses one, which then ends
        began = heard.passed
        network.begin()
        return heard.recorded(began + seconds), began


def have_snapcast() -> None:
    """Install Debian's Snapcast where it is missing; its services are not started."""
    if shutil.which("snapserver") and shutil.which("snapclient"):
        return
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    subprocess.run([*sudo, *command, "snapserver", "snapclient"], check=True)
