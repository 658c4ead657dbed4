"""Numbers and their nouns."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backends.counts import counted

ROOT = Path(__file__).resolve().parents[2]
NOUNS = "approaches|characters|documents|examples|operations|passages|promises|questions|rules|steps|tokens"
BY_HAND = re.compile(rf"\{{[^{{}}\"]*\}} ({NOUNS})\b")


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (2_000, "2,000 steps")]
)
def test_a_noun_agrees_with_its_number(number: int, expected: str) -> None:
    """One is singular, all else is plural."""
    assert counted(number, "step") == expected


def test_commands_count_by_it() -> None:
    """No command writes a plural behind a number that may be one."""
    others = {"adapters", "answers", "demo", "sync"}
    paths = [path for path in (ROOT / "advisor" / "cli").glob("*.py") if path.stem not in others]
    found = [(path.name, match[0]) for path in paths for match in BY_HAND.finditer(path.read_text())]
    assert found == []
