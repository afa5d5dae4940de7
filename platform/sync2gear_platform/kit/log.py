"""Structured logs: JSON lines for machines, plain lines for a developer's terminal."""

import logging
import sys
from typing import Any

import structlog

from sync2gear_platform.kit.reports import Report


def configure(*, level: str, json: bool, report: Report | None = None) -> None:
    """Set up structlog and route the standard library's loggers through it.

    Exceptions that are logged as errors, by whomever, are handed to ``report`` as well.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *([_reporting(report)] if report else []),
        structlog.processors.format_exc_info,
    ]
    # rich tracebacks would print local variables, secrets among them
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("apscheduler", "procrastinate", "mqtt", "uvicorn.access"):
        logging.getLogger(noisy).setLevel("WARNING")


def _reporting(report: Report) -> Any:
    def reporting(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
        given = event.get("exc_info")
        if given and event.get("level") in {"error", "critical"}:
            error = given if isinstance(given, BaseException) else _current(given)
            if error is not None:
                report(error, str(event.get("trace", "")))
        return event

    return reporting


def _current(given: Any) -> BaseException | None:
    error: BaseException | None = given[1] if isinstance(given, tuple) else sys.exc_info()[1]
    return error


def get(name: str) -> Any:
    """A bound logger for one module."""
    return structlog.get_logger(name)
