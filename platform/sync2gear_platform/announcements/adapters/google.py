"""Google Cloud Text-to-Speech by Google's own client, over REST or gRPC.

The client is synchronous and works in threads of its own; every call has a deadline, and nothing is
repeated by it: who repeats what is paid for is decided above. The key travels in
``x-goog-api-key``, as Google's documentation of API keys has it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

from sync2gear_platform.announcements import ssml
from sync2gear_platform.announcements.adapters import sound
from sync2gear_platform.announcements.ports import (
    PLAIN,
    Prosody,
    Said,
    SpeechGarbled,
    SpeechKeyRefused,
    SpeechQuota,
    SpeechTimedOut,
    SpeechTooLong,
    SpeechUnavailable,
    UnknownVoice,
    Voice,
)
from sync2gear_platform.kit import log

if TYPE_CHECKING:
    from google.cloud.texttospeech import TextToSpeechClient

logger = log.get(__name__)
T = TypeVar("T")

HOST: Final = "https://texttospeech.googleapis.com"
TIMEOUT: Final = 20.0
RATE: Final = 24_000
MAX_INPUT: Final = 5_000
"""Bytes that Google takes of one text, tags included."""

AT_ONCE: Final = 4
Transport = Literal["rest", "grpc"]


class Google:
    """Speech by Google. ``endpoint`` is an address with a scheme; ``http`` is for tests only."""

    def __init__(
        self,
        key: str,
        *,
        transport: Transport = "rest",
        endpoint: str = "",
        timeout: float = TIMEOUT,
    ) -> None:
        self._metadata = (("x-goog-api-key", key),)
        self._transport = transport
        self._endpoint = endpoint or HOST
        self._timeout = timeout
        self._client: TextToSpeechClient | None = None
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="google-tts")

    async def voices(self) -> list[Voice]:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        answer = await self._ask(
            lambda client: client.list_voices(
                timeout=self._timeout, retry=None, metadata=self._metadata
            )
        )
        return [
            Voice(voice.name, language, voice.name)
            for voice in answer.voices
            for language in list(voice.language_codes)[:1]
        ]

    async def render(self, said: Said, voice: str, prosody: Prosody = PLAIN) -> bytes:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        text = said.canonical if isinstance(said, ssml.Markup) else said
        if len(text.encode()) > MAX_INPUT:
            raise SpeechTooLong(f"Google takes at most {MAX_INPUT} bytes: say it in parts.")
        field = "ssml" if isinstance(said, ssml.Markup) else "text"
        request = {
            "input": {field: text},
            "voice": {"name": voice, "language_code": "-".join(voice.split("-")[:2])},
            "audio_config": {
                "audio_encoding": "LINEAR16",
                "sample_rate_hertz": RATE,
                "speaking_rate": prosody.rate / 100,
                "pitch": float(prosody.pitch),
                "volume_gain_db": float(prosody.volume),
            },
        }
        answer = await self._ask(
            lambda client: client.synthesize_speech(
                request, timeout=self._timeout, retry=None, metadata=self._metadata
            )
        )
        return sound.written(*sound.read(answer.audio_content))

    def price(self, said: Said) -> int:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`; Google counts tags too."""
        return len(said.canonical if isinstance(said, ssml.Markup) else said)

    async def close(self) -> None:
        """See :class:`~sync2gear_platform.announcements.ports.Speech`."""
        client, self._client = self._client, None
        self._threads.shutdown(wait=False, cancel_futures=True)
        if client is not None:
            await asyncio.to_thread(client.transport.close)

    async def _ask(self, call: "Callable[[TextToSpeechClient], T]") -> T:
        loop = asyncio.get_running_loop()
        try:
            # The client's own deadline is for each read; this one is for all of it.
            async with asyncio.timeout(self._timeout + 1):
                return await loop.run_in_executor(self._threads, self._asked, call)
        except TimeoutError as error:
            raise SpeechTimedOut from error

    def _asked(self, call: "Callable[[TextToSpeechClient], T]") -> T:
        try:
            if self._client is None:
                self._client = self._opened()
            return call(self._client)
        except ImportError as error:
            logger.exception("no google client")
            raise SpeechUnavailable(
                "Google's client is not installed: pip install sync2gear-platform[google]."
            ) from error
        except Exception as error:
            refusal = _understood(error)
            logger.warning("google.failed", error=repr(error)[:300])
            raise refusal from error

    def _opened(self) -> "TextToSpeechClient":
        # Imported when used: it takes most of a second, and most installations do without.
        from google.api_core.client_options import ClientOptions
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import texttospeech
        from google.cloud.texttospeech_v1.services.text_to_speech.transports import (
            TextToSpeechGrpcTransport,
        )

        nobody: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]  # theirs
        if self._transport == "rest":
            options = ClientOptions(api_endpoint=self._endpoint)
            return texttospeech.TextToSpeechClient(
                credentials=nobody, transport="rest", client_options=options
            )
        import grpc

        address = urlsplit(self._endpoint)
        if address.scheme == "http":
            channel = grpc.insecure_channel(address.netloc)
        else:
            target = address.netloc if address.port else f"{address.netloc}:443"
            channel = grpc.secure_channel(target, grpc.ssl_channel_credentials())
        return texttospeech.TextToSpeechClient(transport=TextToSpeechGrpcTransport(channel=channel))


def _understood(error: Exception) -> Exception:
    """What a failure of Google's client means here; our own refusals pass, bugs do not hide."""
    from google.api_core import exceptions as google
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException, Timeout

    text = str(getattr(error, "message", "")).lower()
    match error:
        case google.TooManyRequests():  # ResourceExhausted is one
            return SpeechQuota()
        case google.Unauthorized() | google.Forbidden() | GoogleAuthError():
            return SpeechKeyRefused()
        case google.BadRequest() if "api key" in text:
            return SpeechKeyRefused()
        case google.BadRequest() | google.NotFound() if "voice" in text:
            return UnknownVoice()
        case google.BadRequest() if "longer than" in text:
            return SpeechTooLong("The provider takes only shorter texts: say it in parts.")
        case google.GatewayTimeout() | google.RetryError() | Timeout():
            return SpeechTimedOut()
        case google.GoogleAPIError() | RequestException():
            return SpeechUnavailable()
        case ValueError():  # an answer that is none of theirs (json, protobuf)
            return SpeechGarbled()
        case _:
            return error
