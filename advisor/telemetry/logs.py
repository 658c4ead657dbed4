"""Logs: structured lines on standard error, without any text that a user sent."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Literal

import structlog

from advisor.telemetry.calls import current_call
from advisor.telemetry.traces import trace_ids

__all__ = ["configure_logging"]

Level = Literal["debug", "info", "warning", "error"]


def configure_logging(level: Level = "info", *, json: bool | None = None) -> None:
    """Set up structlog once per process.

    Args:
        level: Lowest level to write.
        json: Whether lines are JSON; where None, they are unless standard error is a terminal.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_call,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_traceback,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _add_call(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say which call a line is about, and which part of its trace."""
    if (call := current_call()) is not None:
        event.setdefault("request_id", call.id)
        event.setdefault("method", call.method)
    event.update(trace_ids())
    return event


def _add_traceback(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Write an exception as its class and where it was raised: its message may quote what a user sent."""
    error = event.pop("exc_info", None)
    error = sys.exception() if error is True else error
    if isinstance(error, BaseException):
        event["error"] = f"{type(error).__module__}.{type(error).__qualname__}"
        event["traceback"] = _frames(error.__traceback__)
        causes = error.__cause__ or error.__context__
        if causes is not None:
            event["cause"] = f"{type(causes).__module__}.{type(causes).__qualname__}"
            event["cause_traceback"] = _frames(causes.__traceback__)
    return event


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_qualname}")
        traceback = traceback.tb_next
    return frames
