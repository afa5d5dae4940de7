"""Google Cloud Text-to-Speech on a socket, over REST and over gRPC, as its reference describes it.

It knows nothing of our adapters: it checks what Google checks (key, voice, length, one input) and
answers a tone, the longer the more characters it is given. ``trouble`` makes the next answers bad.
"""

import base64
import io
import json
import math
import struct
import threading
import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from xml.etree import ElementTree as ET

import grpc
from google.cloud.texttospeech_v1.types import cloud_tts

KEY = "AIza-a-key-of-the-simulator-0123456789"
VOICES = {"en-US-Neural2-C": "en-US", "de-DE-Wavenet-F": "de-DE", "en-GB-Standard-A": "en-GB"}
MAX_BYTES = 5000
Trouble = Literal["", "down", "quota", "garbage", "hang"]


class RefusedError(Exception):
    """An answer that is an error, with Google's name of it."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


HTTP = {
    "INVALID_ARGUMENT": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429, "UNAVAILABLE": 503,
}  # fmt: skip


def tone(characters: int, rate: float, hertz: int) -> bytes:
    """A WAV of 50 ms for each character at the usual pace."""
    frames = int(24_000 * 0.05 * characters / rate)
    samples = (int(9000 * math.sin(2 * math.pi * hertz * n / 24_000)) for n in range(frames))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(24_000)
        writer.writeframes(b"".join(struct.pack("<h", one) for one in samples))
    return file.getvalue()


@dataclass
class GoogleSpeech:
    """What the service remembers: who asked what. ``pause`` is how long an answer takes."""

    endpoint: str = ""
    trouble: Trouble = ""
    pause: float = 0.0
    spoken: list[dict[str, Any]] = field(default_factory=list)
    lists: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _end: threading.Event = field(default_factory=threading.Event)

    def _admit(self, key: str | None) -> None:
        if self.trouble == "down":
            raise RefusedError("UNAVAILABLE", "The service is currently unavailable.")
        if self.trouble == "quota":
            raise RefusedError("RESOURCE_EXHAUSTED", "Quota exceeded for quota metric.")
        if self.trouble == "hang":
            self._end.wait(30)
        if not key:
            raise RefusedError("PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        if key != KEY:
            raise RefusedError(
                "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."
            )

    def voices(self, key: str | None) -> list[dict[str, Any]]:
        with self._lock:
            self.lists += 1
        self._admit(key)
        return [
            {"name": name, "languageCodes": [language], "ssmlGender": "FEMALE",
             "naturalSampleRateHertz": 24000}
            for name, language in VOICES.items()
        ]  # fmt: skip

    def synthesize(self, key: str | None, asked: dict[str, Any]) -> bytes:
        with self._lock:
            self.spoken.append(asked)
        self._admit(key)
        time.sleep(self.pause)
        given = {k: v for k, v in asked["input"].items() if v}
        if len(given) != 1 or set(given) - {"text", "ssml"}:
            raise RefusedError("INVALID_ARGUMENT", "One of input.text or input.ssml must be set.")
        ((kind, text),) = given.items()
        if len(text.encode()) > MAX_BYTES:
            raise RefusedError(
                "INVALID_ARGUMENT",
                "Either `input.text` or `input.ssml` is longer than the limit of 5000 bytes.",
            )
        if kind == "ssml":
            try:
                root = ET.fromstring(text)
            except ET.ParseError:
                raise RefusedError("INVALID_ARGUMENT", "Invalid SSML.") from None
            if root.tag != "speak":
                raise RefusedError("INVALID_ARGUMENT", "Invalid SSML.")
        name = asked["voice"]["name"]
        if name not in VOICES or VOICES[name] != asked["voice"]["language"]:
            raise RefusedError("INVALID_ARGUMENT", f"Voice '{name}' does not exist.")
        audio = asked["audio"]
        if audio["encoding"] != "LINEAR16" or not 0.25 <= audio["rate"] <= 4.0:
            raise RefusedError("INVALID_ARGUMENT", "Invalid audio config.")
        if self.trouble == "garbage":
            return b"<html>this is no sound</html>"
        return tone(len(text), audio["rate"], 300 + 40 * list(VOICES).index(name))


@contextmanager
def rest() -> Iterator[GoogleSpeech]:
    """The service over HTTP/JSON."""
    service = GoogleSpeech()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def answer(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def attempt(self, work: Callable[[], dict[str, Any]]) -> None:
            try:
                self.answer(200, work())
            except RefusedError as no:
                code = HTTP[no.status]
                told = {"code": code, "message": no.message, "status": no.status}
                self.answer(code, {"error": told})
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/v1/voices":
                self.answer(404, {})
                return
            key = self.headers.get("x-goog-api-key")
            self.attempt(lambda: {"voices": service.voices(key)})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.partition("?")[0] != "/v1/text:synthesize":
                self.answer(404, {})
                return
            key = self.headers.get("x-goog-api-key")
            asked = {
                "input": body["input"],
                "voice": {
                    "name": body["voice"]["name"], "language": body["voice"]["languageCode"],
                },
                "audio": {
                    "encoding": body["audioConfig"]["audioEncoding"],
                    "rate": body["audioConfig"].get("speakingRate", 1.0),
                    "pitch": body["audioConfig"].get("pitch", 0.0),
                    "volume": body["audioConfig"].get("volumeGainDb", 0.0),
                },
            }  # fmt: skip

            def work() -> dict[str, Any]:
                audio = service.synthesize(key, asked)
                return {"audioContent": base64.b64encode(audio).decode()}

            self.attempt(work)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield service
    finally:
        service._end.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def over_grpc() -> Iterator[GoogleSpeech]:
    """The service over gRPC, by generic handlers and Google's own messages."""
    service = GoogleSpeech()
    codes = grpc.StatusCode

    def key_of(context: Any) -> str | None:
        return dict(context.invocation_metadata()).get("x-goog-api-key")

    def list_voices(_: Any, context: Any) -> Any:
        try:
            found = service.voices(key_of(context))
        except RefusedError as no:
            context.abort(getattr(codes, no.status), no.message)
        return cloud_tts.ListVoicesResponse(
            voices=[
                cloud_tts.Voice(name=one["name"], language_codes=one["languageCodes"])
                for one in found
            ]
        )

    def synthesize(request: Any, context: Any) -> Any:
        asked = {
            "input": {"text": request.input.text, "ssml": request.input.ssml},
            "voice": {"name": request.voice.name, "language": request.voice.language_code},
            "audio": {
                "encoding": cloud_tts.AudioEncoding(request.audio_config.audio_encoding).name,
                "rate": request.audio_config.speaking_rate or 1.0,
                "pitch": request.audio_config.pitch,
                "volume": request.audio_config.volume_gain_db,
            },
        }
        try:
            audio = service.synthesize(key_of(context), asked)
        except RefusedError as no:
            context.abort(getattr(codes, no.status), no.message)
        return cloud_tts.SynthesizeSpeechResponse(audio_content=audio)

    def handler(work: Any, takes: Any, gives: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(
            work, request_deserializer=takes.deserialize, response_serializer=gives.serialize
        )

    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "google.cloud.texttospeech.v1.TextToSpeech",
                {
                    "ListVoices": handler(
                        list_voices, cloud_tts.ListVoicesRequest, cloud_tts.ListVoicesResponse
                    ),
                    "SynthesizeSpeech": handler(
                        synthesize,
                        cloud_tts.SynthesizeSpeechRequest,
                        cloud_tts.SynthesizeSpeechResponse,
                    ),
                },
            ),
        )
    )
    service.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield service
    finally:
        service._end.set()
        server.stop(0).wait(5)
