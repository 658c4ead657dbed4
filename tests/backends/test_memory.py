"""Memory that is free is given back."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from backends.memory import give_back

MIB = 1 << 20


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim") or not Path("/proc/self/statm").exists(),
    reason="the C library gives back by itself, or the system does not tell",
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
    """Return how much memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_system_that_keeps_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is done then."""
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    give_back()
