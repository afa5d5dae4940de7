"""A speaker's world without a platform: a real broker, a small HTTP server, documents by hand."""

import base64
import http.server
import io
import json
import os
import secrets
import ssl
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from support.services import MosquittoServer
from sync2gear_broker import topics
from sync2gear_broker.messages import (
    Anchor,
    Block,
    Document,
    EventsAck,
    Media,
    PlayEvent,
    PlayEvents,
    Programme,
    ProgrammeRef,
    TimeReply,
    TimeRequest,
    ZoneState,
    sha256_hex,
)
from sync2gear_broker.units import FRAME_RATE, frames_from_micros
from sync2gear_cli.services.mosquitto import password_line

Samples = NDArray[np.int16]
T = TypeVar("T")
D = TypeVar("D", bound=Document)


def noise(seed: int, seconds: float, level: float = 0.3) -> Samples:
    """Noise of its own for every seed: what cross-correlation finds exactly; (n, 2) int16."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * FRAME_RATE)
    return (rng.uniform(-level, level, (frames, 2)) * 32767).astype(np.int16)


def wav(samples: Samples) -> bytes:
    """``samples`` as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(FRAME_RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return out.getvalue()


def read_wav(path: Path) -> Samples:
    """The samples of a recording, (n, 2) int16, as far as its header says."""
    with wave.open(str(path), "rb") as file:
        data = file.readframes(file.getnframes())
    return np.frombuffer(data, "<i2").reshape(-1, 2)


def media_of(data: bytes, frames: int, **about: Any) -> Media:
    """The media that ``data`` is."""
    return Media(sha256=sha256_hex(data), bytes=len(data), frames=frames, **about)


def zone_frame() -> int:
    """The zone clock as the lab's platform has it."""
    return frames_from_micros(time.time_ns() // 1000)


def eventually(look: Callable[[], T], seconds: float = 15.0) -> T:
    """The first true thing that ``look`` gives within ``seconds``; AssertionError otherwise."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, f"nothing within {seconds} s"
        time.sleep(0.02)
    return found


@dataclass
class Shelf:
    """What the HTTP server gives: bodies by path, and its faults."""

    username: str = ""
    secret: str = ""
    bodies: dict[str, bytes] = field(default_factory=dict)
    cut_once: dict[str, int] = field(default_factory=dict)
    drip_once: set[str] = field(default_factory=set)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    status: int | None = None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        shelf: Shelf = self.server.shelf  # type: ignore[attr-defined]  # our server
        wanted = self.headers.get("Range")
        shelf.requests.append((self.path, wanted))
        expected = base64.b64encode(f"{shelf.username}:{shelf.secret}".encode()).decode()
        body = shelf.bodies.get(self.path)
        if self.headers.get("Authorization") != f"Basic {expected}":
            self._answer(401, b"")
        elif shelf.status is not None:
            self._answer(shelf.status, b"")
        elif body is None:
            self._answer(404, b"")
        elif wanted is not None:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self._answer(206, body[start:], f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self._answer(200, body)

    def _answer(self, status: int, body: bytes, content_range: str = "") -> None:
        shelf: Shelf = self.server.shelf  # type: ignore[attr-defined]  # our server
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        cut = shelf.cut_once.pop(self.path, None) if status in (200, 206) else None
        if cut is not None:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            self.close_connection = True
            return
        if status in (200, 206) and self.path in shelf.drip_once:
            shelf.drip_once.discard(self.path)
            for one in body:  # until who fetches hangs up
                self.wfile.write(bytes([one]))
                time.sleep(0.02)
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing: `Shelf.requests` has it all."""


class _Server(http.server.ThreadingHTTPServer):
    shelf: Shelf

    def handle_error(self, *_args: Any) -> None:
        """A speaker that ends in the middle of a download is no error of the server's."""


@contextmanager
def shelf_server(shelf: Shelf) -> Iterator[str]:
    """The address of an HTTP server that gives what is on ``shelf``."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.shelf = shelf
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class Lab:
    """One device's platform: publishes its documents, answers time, acknowledges its events.

    With ``pair``, a certificate and its key, over HTTPS and the broker's TLS listener.
    """

    def __init__(
        self, broker: MosquittoServer, folder: Path, pair: tuple[Path, Path] | None = None
    ) -> None:
        self.broker = broker
        self.folder = folder
        self.client_id, self.device, self.zone = (str(uuid4()) for _ in range(3))
        self.secret = secrets.token_urlsafe(32)
        self.shelf = Shelf(topics.username(self.client_id, self.device), self.secret)
        self.src = str(uuid4())
        self.answers_time = True
        self.acknowledges = True
        self.time_offset = 0
        self.heard: list[tuple[topics.Address, bytes]] = []
        self.events: dict[tuple[str, int], PlayEvent] = {}
        self.rev = 0
        self.music: dict[str, Any] = {}
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.shelf = self.shelf
        self._tls: ssl.SSLContext | None = None
        if pair is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*pair)
            self._http.socket = self._tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._mqtt = self._connect()
        self.processes: list[subprocess.Popen[str]] = []

    # -- the platform's side ------------------------------------------------------------------

    def _connect(self) -> Client:
        url = urlsplit(self.broker.platform_url)
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"lab-{self.device[:8]}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        client.username_pw_set(url.username or "", url.password)
        client.on_message = self._on_message
        client.on_connect = lambda c, *_: c.subscribe(
            f"{topics.ROOT}/{self.client_id}/{self.device}/up/#", 1
        )
        client.on_socket_open = lambda _c, _u, sock: sock.setsockopt(6, 1, 1)
        client.connect(url.hostname or "", url.port or 1883)
        client.loop_start()
        return client

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        now = time.time_ns() // 1000
        address = topics.parse(message.topic)
        assert address is not None
        payload = bytes(message.payload)
        if address.channel is topics.TIME_REQUEST:
            if self.answers_time:
                ask = TimeRequest.parse(payload)
                t = now + self.time_offset
                self.send(
                    topics.TIME_REPLY, TimeReply(t1=ask.t1, n=ask.n, t2=t, t3=t, src=self.src)
                )
            return
        self.heard.append((address, payload))
        if address.channel is topics.PLAY_EVENTS:
            batch = PlayEvents.parse(payload)
            for event in batch.events:
                self.events.setdefault((batch.log, event.seq), event)
            if self.acknowledges:
                n = max(s for log, s in self.events if log == batch.log)
                self.send(topics.EVENTS_ACK, EventsAck(log=batch.log, n=n))

    def send(self, channel: topics.Channel, document: Document) -> None:
        """Publish a document to the device."""
        self.send_raw(channel, document.canonical())

    def send_raw(self, channel: topics.Channel, payload: bytes) -> None:
        """Publish whatever bytes on one of the device's channels."""
        topic = topics.build(channel, client=self.client_id, device=self.device)
        self._mqtt.publish(topic, payload, channel.qos, channel.retained)

    def said(self, channel: topics.Channel, body: type[D]) -> list[D]:
        """What the device said on one of its channels."""
        return [body.parse(p) for address, p in list(self.heard) if address.channel is channel]

    def plays(self, kind: str | None = None) -> list[PlayEvent]:
        """The play events, each once, in order."""
        events = [event for _, event in sorted(self.events.items(), key=lambda e: e[1].seq)]
        return [e for e in events if kind is None or e.kind == kind]

    def offer(self, data: bytes, frames: int, **about: Any) -> Media:
        """Put a media on the shelf."""
        media = media_of(data, frames, **about)
        self.shelf.bodies[f"/api/v1/media/{media.sha256}/"] = data
        return media

    def publish_music(
        self, media: tuple[Media, ...], start: int | None = None, **changes: Any
    ) -> ZoneState:
        """Publish a zone state whose programme loops ``media`` from ``start`` on."""
        at = zone_frame() - FRAME_RATE if start is None else start
        programme = Programme(
            media=media,
            blocks=(Block(id="b1", source="s1", at=at, items=tuple(range(len(media)))),),
        )
        sha = programme.sha256()
        self.shelf.bodies[f"/api/v1/programmes/{sha}/"] = programme.canonical()
        self.music = {
            "programmes": (ProgrammeRef.model_validate({"sha256": sha, "from": 0}),),
            "anchor": Anchor(at=at, block="b1", pos=0),
        }
        return self.publish_zone(**self.music, **changes)

    def publish_zone(self, **parts: Any) -> ZoneState:
        """Publish the next revision of the zone's state."""
        self.rev += 1
        parts = {"zone": self.zone, "epoch": 1, "rev": self.rev, "volume": 100, **parts}
        state = ZoneState.model_validate(parts)
        self.send(topics.DEVICE_ZONE, state)
        return state

    # -- the speaker's side -------------------------------------------------------------------

    def renew(self, pair: tuple[Path, Path]) -> None:
        """Show another certificate from now on."""
        assert self._tls is not None
        self._tls.load_cert_chain(*pair)

    def register(self, **more: str) -> Path:
        """Give the device its account and its credential file, with ``more`` in it."""
        lines = self.broker.password_file.read_text()
        lines += password_line(self.shelf.username, self.secret) + "\n"
        temp = self.broker.password_file.with_suffix(".tmp")
        temp.write_text(lines)
        temp.chmod(0o640)
        temp.replace(self.broker.password_file)
        self.broker.reload()
        path = self.folder / "credential.json"
        path.touch(0o600)
        host, port = self._http.server_address[:2]
        mqtt_url, http_url = self.broker.device_url, f"http://{host!s}:{port}"
        if self._tls is not None and self.broker.service.tls is not None:
            mqtt_url = f"mqtts://127.0.0.1:{self.broker.service.tls.port}"
            http_url = f"https://{host!s}:{port}"
        path.write_text(
            json.dumps(
                {
                    "client": self.client_id,
                    "device": self.device,
                    "secret": self.secret,
                    "mqtt_url": mqtt_url,
                    "http_url": http_url,
                    **more,
                }
            )
        )
        return path

    def environment(self, **more: str) -> dict[str, str]:
        """What a speaker process of this device is given."""
        return {
            **os.environ,
            "S2G_SPEAKER_CREDENTIAL": str(self.folder / "credential.json"),
            "S2G_SPEAKER_DATA_DIR": str(self.folder / "data"),
            "S2G_SPEAKER_SINK": "file",
            "S2G_SPEAKER_FILE": str(self.folder / "heard.wav"),
            **more,
        }

    def speak(
        self,
        *,
        no_disk: bool = False,
        program: tuple[str, ...] = ("-m", "sync2gear_firmware"),
        **more: str,
    ) -> subprocess.Popen[str]:
        """Start the speaker; its log goes to ``speaker.log``, with ``no_disk`` nowhere.

        Then every write that would make a file longer fails, as on a full disk.
        """
        command = [sys.executable, "-W", "error", *program]
        if no_disk:
            command = ["prlimit", "--fsize=0", *command]
        with Path(os.devnull if no_disk else self.folder / "speaker.log").open("a") as log:
            process = subprocess.Popen(command, env=self.environment(**more), stderr=log, text=True)
        self.processes.append(process)
        return process

    def log(self) -> str:
        """What the speakers of this lab logged."""
        return (self.folder / "speaker.log").read_text()

    def recording(self, name: str = "heard.wav") -> tuple[Samples, dict[str, Any]]:
        """What the file sink wrote, and its description."""
        path = self.folder / name
        return read_wav(path), json.loads(path.with_name(path.name + ".json").read_text())

    def heard_at(self, frame: int, frames: int, name: str = "heard.wav") -> Samples:
        """The recorded samples of zone frames [frame, frame + frames)."""
        samples, about = self.recording(name)
        for (sample, at), end in zip(
            about["segments"], [*(s for s, _ in about["segments"][1:]), len(samples)], strict=True
        ):
            start = sample + frame - at
            if sample <= start and start + frames <= end:
                return samples[start : start + frames]
        raise AssertionError(f"frames {frame} + {frames} were not recorded: {about}")

    def recorded_until(self, frame: int) -> bool:
        """Whether the recording has come past a zone frame."""
        try:
            samples, about = self.recording()
        except (FileNotFoundError, EOFError):
            return False
        sample, at = about["segments"][-1]
        return bool(at + len(samples) - sample >= frame)

    def close(self) -> None:
        """End all that was started."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
            process.wait(15)
        self._mqtt.loop_stop()
        self._mqtt.disconnect()
        self._http.shutdown()
        self._http.server_close()

    def serve(self) -> None:
        """Begin to answer HTTP."""
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()


@contextmanager
def open_lab(
    broker: MosquittoServer, folder: Path, pair: tuple[Path, Path] | None = None, **more: str
) -> Iterator[Lab]:
    """A registered device with its world; everything is ended at the end."""
    lab = Lab(broker, folder, pair)
    lab.serve()
    lab.register(**more)
    try:
        yield lab
    finally:
        lab.close()
