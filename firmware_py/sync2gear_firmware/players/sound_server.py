"""A stream to a sound server that speaks PulseAudio's protocol (PipeWire's does), by libpulse.

ALSA's way to such a server interpolates what it says of its delay, from a report every second and
a half. Here it is asked as often as is wanted, and told as it was said:
https://www.freedesktop.org/software/pulseaudio/doxygen/structpa__timing__info.html
"""

import ctypes
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from libpulse.libpulse_ctypes import PulseCTypes, PulseCTypesLibError
from libpulse.pulse_enums import pulse_enums

from sync2gear_broker.units import FRAME_RATE
from sync2gear_firmware.resample import Frames

FRAME: Final = 8
"""Bytes of two channels of float32."""
_PATIENCE: Final = 5.0
_POLL: Final = 0.01
_UNLIMITED: Final = 0xFFFFFFFF
_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Report:
    """At local microsecond ``at`` the server takes ``frame``, which is heard ``delay`` after that.

    Until it has begun to take any, and while there is none, it is not ``playing``.
    """

    frame: int
    at: float
    delay: int = 0
    playing: bool = False


class SoundServerError(OSError):
    """There is no such server or sink, or it does not answer; the text says which."""


class Stream:
    """Stereo float32 at 48 kHz to the sink of that name ("": the default one).

    The server takes what is due whether it is there or not: frames that come too late are dropped,
    and frame n is heard when it would have been. Made, it is open; ``SoundServerError`` if not.
    """

    def __init__(self, sink: str, held: int, period: int, local: Callable[[], int]) -> None:
        """``held`` frames at the most are asked for ahead; ``period`` are taken at a time."""
        self._local = local
        self._guard = threading.RLock()
        self.reports: deque[Report] = deque(maxlen=_KEPT)
        self._told = _library().get_callback("pa_stream_success_cb_t")(self._hear)
        self._stream: Any = None
        self._context: Any = None
        self._loop: Any = _call("pa_threaded_mainloop_new")
        try:
            api = _call("pa_threaded_mainloop_get_api", self._loop)
            self._context = _call("pa_context_new", api, b"sync2gear")
            _call("pa_threaded_mainloop_start", self._loop)
            self._connect()
            self._play(sink, held, period)
        except BaseException:
            self.close()
            raise

    @property
    def ready(self) -> bool:
        """Whether the server takes frames."""
        with self._locked():
            return self._is("context") and self._is("stream")

    def write(self, frames: Frames) -> None:
        """Hand over the next frames (n, 2); raises ``SoundServerError`` where it ended."""
        with self._locked():
            data = frames.ctypes.data
            if _call("pa_stream_write", self._stream, data, frames.nbytes, None, 0, 0):
                raise self._error("write")

    def ask(self) -> None:
        """Ask for a report; it appears in ``reports`` within milliseconds."""
        with self._locked():
            asked = _call("pa_stream_update_timing_info", self._stream, self._told, None)
            if asked:
                _call("pa_operation_unref", asked)

    def close(self) -> None:
        """End the stream and leave the server."""
        with self._guard:
            if self._loop is None:
                return
            with self._locked():
                if self._stream:
                    _call("pa_stream_disconnect", self._stream)
                    _call("pa_stream_unref", self._stream)
                if self._context:
                    _call("pa_context_disconnect", self._context)
                    _call("pa_context_unref", self._context)
            _call("pa_threaded_mainloop_stop", self._loop)
            _call("pa_threaded_mainloop_free", self._loop)
            self._loop = None

    def _connect(self) -> None:
        with self._locked():
            flags = _enum("pa_context_flags", "PA_CONTEXT_NOAUTOSPAWN")
            if _call("pa_context_connect", self._context, None, flags, None):
                raise self._error("no sound server")
        self._wait("context", "no sound server")

    def _play(self, sink: str, held: int, period: int) -> None:
        form = _enum("pa_sample_format", "PA_SAMPLE_FLOAT32LE")
        spec = _struct("pa_sample_spec")(form, FRAME_RATE, 2)
        # at once and whatever is there: what is lacking is silence, and nothing moves behind it
        buffers = _struct("pa_buffer_attr")(_UNLIMITED, held * FRAME, 0, period * FRAME, _UNLIMITED)
        with self._locked():
            self._stream = _call("pa_stream_new", self._context, b"zone", ctypes.byref(spec), None)
            if not self._stream:
                raise self._error("stream")
            name = sink.encode() or None
            flags = _enum("pa_stream_flags", "PA_STREAM_EARLY_REQUESTS")
            attributes = ctypes.byref(buffers)
            if _call(
                "pa_stream_connect_playback", self._stream, name, attributes, flags, None, None
            ):
                raise self._error(sink)
        self._wait("stream", f"no sink {sink!r}")

    def _wait(self, what: str, otherwise: str) -> None:
        """Until the context or the stream is ready."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            with self._locked():
                if self._is(what):
                    return
                failed = self._state(what) >= _enum(f"pa_{what}_state", f"PA_{what.upper()}_FAILED")
                if failed:
                    raise self._error(otherwise)
            time.sleep(_POLL)
        raise SoundServerError(f"{otherwise}: no answer")

    def _state(self, what: str) -> int:
        state: int = _call(f"pa_{what}_get_state", getattr(self, f"_{what}"))
        return state

    def _is(self, what: str) -> bool:
        return self._state(what) == _enum(f"pa_{what}_state", f"PA_{what.upper()}_READY")

    def _error(self, what: str) -> SoundServerError:
        number = _call("pa_context_errno", self._context)
        return SoundServerError(f"{what}: {_call('pa_strerror', number).decode()}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._guard:
            if self._loop is None:  # libpulse would end the whole process
                raise SoundServerError("the stream was closed")
            _call("pa_threaded_mainloop_lock", self._loop)
            try:
                yield
            finally:
                _call("pa_threaded_mainloop_unlock", self._loop)

    def _hear(self, stream: Any, success: int, _: Any) -> None:
        """A report came; this is called from the thread of libpulse, which holds its lock."""
        info = _call("pa_stream_get_timing_info", stream)
        if not (success and info) or info.contents.read_index_corrupt:
            return
        said = info.contents
        wall, now = time.time_ns() // 1000, self._local()
        at = now - (wall - (said.timestamp.tv_sec * 1_000_000 + said.timestamp.tv_usec))
        frame = said.read_index // FRAME
        self.reports.append(Report(frame, at, said.sink_usec, bool(said.playing)))


@cache
def _library() -> PulseCTypes:
    try:
        return PulseCTypes()
    except PulseCTypesLibError as error:
        raise SoundServerError(f"{error}: install libpulse0") from error


@cache
def _function(name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = _library().get_prototype(name)
    return function


def _call(name: str, *args: Any) -> Any:
    return _function(name)(*args)


def _enum(kind: str, name: str) -> int:
    number: int = pulse_enums[kind][name]
    return number


def _struct(name: str) -> Callable[..., Any]:
    struct: Callable[..., Any] = _library().get_ctype(name)
    return struct
