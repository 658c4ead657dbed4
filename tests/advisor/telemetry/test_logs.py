"""Logs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from advisor.telemetry.logs import configure_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave no configuration behind."""
    yield
    structlog.reset_defaults()


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


def test_levels_below_are_left_out(capsys):
    """What is below the level is not written."""
    configure_logging("warning", json=True)
    structlog.get_logger().info("hidden")
    assert capsys.readouterr().err == ""
