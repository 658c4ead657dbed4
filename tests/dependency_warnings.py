"""The account of warnings, a plugin of pytest.

A warning that our own code raises or asks for is an error. What a dependency says about
itself is counted and printed at the end; with `ADVISOR_STRICT_WARNINGS=1` it fails the run.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

OURS = {"advisor", "backends", "benchmarks", "examples", "tests"}
# What dependencies are known to say about themselves, by a name in it and the reason why it stays.
KNOWN = {
    "is_gradient_checkpointing": "peft 0.21 reads it in every PeftModel(); transformers 5 deprecates it",
}
# Libraries that deprecate by their log rather than by a warning.
LOGS = ("transformers", "peft", "accelerate", "haystack", "sentence_transformers", "huggingface_hub")
SAID: Counter[str] = Counter()


class LoggedDeprecations(logging.Handler):
    """Makes a warning of each deprecation that a library only logs."""

    def emit(self, record: logging.LogRecord) -> None:
        if "deprecat" in (text := record.getMessage()).lower():
            warnings.warn_explicit(text, FutureWarning, record.pathname, record.lineno, record.name)


def pytest_configure() -> None:
    handler = LoggedDeprecations(logging.WARNING)
    for name in LOGS:
        logging.getLogger(name).addHandler(handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, Any, Any]:
    """Raise each warning that a call of ours asks for, whichever line the library blames for it."""
    record = warnings.showwarning

    def show(message: Warning, *place: Any) -> None:
        if _asked_by_us():
            raise message
        record(message, *place)

    warnings.showwarning = show  # type: ignore[assignment]
    try:
        return (yield)
    finally:
        warnings.showwarning = record


def _asked_by_us() -> bool:
    """Whether the package that warns right now was called by one of ours, the standard library aside."""
    speaker = None
    frame = sys._getframe(2)
    while frame := frame.f_back:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package == "importlib":
            return False  # said while it is imported: about itself
        if package in sys.stdlib_module_names or frame.f_globals is globals():
            continue
        if package in OURS:
            return True
        if package != (speaker := speaker or package):
            return False
    return False


def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    _, installed, path = warning_message.filename.rpartition("site-packages/")
    package = path.partition("/")[0] if installed else Path(path).name
    text = " ".join(str(warning_message.message).split())
    SAID[f"{package.removesuffix('.py')}: {warning_message.category.__name__}: {text:.200}"] += 1


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    unknown = [said for said in SAID if not any(name in said for name in KNOWN)]
    if unknown and exitstatus == pytest.ExitCode.OK and os.environ.get("ADVISOR_STRICT_WARNINGS") == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SAID:
        terminalreporter.section("what dependencies say about themselves")
    for said, count in SAID.most_common():
        reason = next((f" (known: {reason})" for name, reason in KNOWN.items() if name in said), "")
        terminalreporter.line(f"{count:5} x {said}{reason}")
