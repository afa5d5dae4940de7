"""Sentry, where an operator wants it: that something broke and where, never whose data it was.

An event is made anew from a list of what may leave: the type of each exception, and the places in
our code where it passed. Messages stay here, since databases write values into them; the trace
leads from the report to the log.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final

Report = Callable[[BaseException, str], None]
"""Tells of an exception, with the trace of the touch in which it happened."""

_EVENT: Final = ("event_id", "timestamp", "level", "platform", "release", "environment", "sdk")
_FRAME: Final = ("filename", "abs_path", "function", "module", "lineno", "in_app")
_MISSING: Final = (
    "S2G_SENTRY_DSN is set, but the package is missing: pip install 'sync2gear-platform[sentry]'"
)


def start(dsn: str, environment: str) -> Report:
    """Report to ``dsn`` from now on, crashes of this process too; exits without the package."""
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
        from sentry_sdk.integrations.dedupe import DedupeIntegration
        from sentry_sdk.integrations.excepthook import ExcepthookIntegration
    except ImportError:
        raise SystemExit(_MISSING) from None
    sentry_sdk.init(
        dsn,
        environment=environment,
        release=f"sync2gear-platform@{version('sync2gear-platform')}",
        server_name="",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(callback=lambda _count, _seconds: None),
            DedupeIntegration(),
            ExcepthookIntegration(),
        ],
        before_send=allowed,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_client_reports=False,
        auto_session_tracking=False,
    )

    def report(error: BaseException, trace: str) -> None:
        with sentry_sdk.new_scope() as scope:
            scope.set_tag("trace", trace)
            scope.capture_exception(error)

    return report


def allowed(event: Any, _: Any = None) -> Any:
    """What of ``event`` may leave this installation."""
    kept = {name: event[name] for name in _EVENT if name in event}
    values = (event.get("exception") or {}).get("values") or []
    kept["exception"] = {"values": [_told(value) for value in values]}
    trace = (event.get("tags") or {}).get("trace")
    if trace:
        kept["tags"] = {"trace": trace}
    return kept


def _told(exception: Any) -> dict[str, Any]:
    frames = (exception.get("stacktrace") or {}).get("frames") or []
    return {
        "type": exception.get("type"),
        "module": exception.get("module"),
        "stacktrace": {"frames": [{n: f[n] for n in _FRAME if n in f} for f in frames]},
    }
