"""How far an import is said to be."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from advisor.execution.meter import ImportMeter
from backends.base import Progress


@dataclass
class Import:
    """An import of four batches of ten documents, a byte each, and how far it was said to be."""

    now_s: float = 0.0
    told: list[Progress] = field(default_factory=list)

    def run(self, seconds_each: tuple[float, ...]) -> None:
        """Embed the batches, in two reports each, taking so long for each report."""
        meter = ImportMeter(40, self.told.append, lambda: self.now_s)
        for batch in range(4):
            note = meter.within(10, 30)
            for half in (0, 1):
                self.now_s += seconds_each[2 * batch + half]
                note(15 * (half + 1), (half + 1) / 2)


@pytest.mark.parametrize("first_s", [2.0, 90.0])
def test_what_comes_before_the_first_report_promises_nothing(first_s: float) -> None:
    """Models load and warm up within it, and after that it is told how long the rest takes at its pace."""
    running = Import()
    running.run((first_s, *[2.0] * 7))
    assert [each.remaining_s for each in running.told] == [None, None, 10, 8, 6, 4, 2, 0]


def test_passages_are_counted_of_about_how_many() -> None:
    """By the documents split so far; the last batch knows."""
    running = Import()
    running.run((1.0,) * 8)
    told = [each.activity for each in running.told]
    assert told[0] == "Embedding passages, 15 of about 120"
    assert told[-1] == "Embedding passages, 120 of 120"
    assert [each.fraction for each in running.told] == [number / 8 for number in range(1, 9)]


def test_no_more_passages_are_done_than_there_are() -> None:
    """A rounded estimate is never below what is done already."""
    told: list[Progress] = []
    ImportMeter(1000, told.append).within(999, 1040)(1040, 1.0)
    assert told[0].activity == "Embedding passages, 1,040 of about 1,040"
