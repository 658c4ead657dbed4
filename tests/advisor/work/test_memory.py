"""The memory of this process while it does something, and given back afterwards."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

import pytest

import advisor.work.memory
from advisor.work.memory import PeakMemory, give_back

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


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library gives back by itself"
)
def test_what_is_free_is_given_back() -> None:
    """Also where something that is still in use lies behind it."""
    held = [bytearray(b"x") * 2000 for _ in range(100_000)]
    last = held[-1]
    del held
    before = resident()
    give_back()
    assert before - resident() > 100 * MIB
    assert last


def resident() -> int:
    with PeakMemory() as now:
        pass
    assert now.bytes is not None
    return now.bytes


def test_a_system_that_keeps_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is done then."""
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    give_back()
