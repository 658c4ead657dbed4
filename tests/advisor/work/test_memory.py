"""The memory of this process while it does something."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import advisor.work.memory
from advisor.work.memory import PeakMemory

MIB = 1 << 20
pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell")


def test_what_was_held_on_the_way_counts() -> None:
    """Though it is given back before the end."""
    with PeakMemory() as before:
        pass
    with PeakMemory() as peak:
        held = bytearray(b"x") * (200 * MIB)
        time.sleep(0.5)
        del held
    assert before.bytes is not None
    assert peak.bytes is not None
    assert peak.bytes > before.bytes + 150 * MIB


def test_a_system_that_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is told then, and nothing fails."""
    monkeypatch.setattr(advisor.work.memory, "_STATE", tmp_path / "none")
    with PeakMemory() as peak:
        pass
    assert peak.bytes is None
