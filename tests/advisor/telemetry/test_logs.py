"""Logs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextvars import copy_context

import pytest
import structlog

from advisor.telemetry.calls import begin_call
from advisor.telemetry.logs import configure_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave no configuration behind."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_lines_are_json(capsys):
    """A line carries time, level, event and fields."""
    configure_logging(json=True)
    structlog.get_logger().info("serving", port=7)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["port"]) == ("serving", "info", 7)
    assert line["timestamp"]


def test_errors_are_logged_without_their_message(capsys):
    """An exception is told by its class and place, as its message may quote what a user sent."""
    configure_logging(json=True)
    with pytest.raises(ValueError) as caught:
        int("what the user asked")
    structlog.get_logger().error("internal error", exc_info=caught.value)
    written = capsys.readouterr().err
    line = json.loads(written)
    assert line["error"] == "builtins.ValueError"
    assert "test_logs.py" in line["traceback"][0]
    assert "what the user asked" not in written


def test_lines_say_which_call_they_are_about(capsys):
    """By the id that the client sent where it is one that can be logged, else by one of the server's own."""

    def log(sent_id: str) -> dict[str, str]:
        begin_call("/a.B/C", sent_id)
        structlog.get_logger().info("something")
        return json.loads(capsys.readouterr().err)

    configure_logging(json=True)
    line = copy_context().run(log, "from-the-proxy.7")
    assert (line["request_id"], line["method"]) == ("from-the-proxy.7", "/a.B/C")
    for odd in ("", "a b", "x" * 65, 'a"\n'):
        assert re.fullmatch("[0-9a-f]{16}", copy_context().run(log, odd)["request_id"])
    structlog.get_logger().info("outside")
    assert "request_id" not in json.loads(capsys.readouterr().err)


def test_levels_below_are_left_out(capsys):
    """What is below the level is not written."""
    configure_logging("warning", json=True)
    structlog.get_logger().info("hidden")
    assert capsys.readouterr().err == ""
