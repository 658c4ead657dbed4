"""Where the names of points stand in a plot: beside their points, over nothing that is drawn, never over each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["LINE", "Box", "Label", "place_labels", "text_width"]

LINE = 15.0
"""Height of a line of text."""
_SMALL, _CAPITAL = 6.3, 9.0
"""Mean widths of characters, on the broad side: fonts differ."""
_NEAR = 10.0
_LEADER = 10.0
"""Distance that a line to the point counts for."""
_CROSSING = 1 / 8
"""Distance that a unit of area counts for where a line is crossed."""
_DISTANCES = (_NEAR, 17.0, 26.0, 38.0, 52.0, 68.0, 86.0, 106.0, 130.0)
_DIRECTIONS = (0, 180, 270, 90, 315, 45, 225, 135, 338, 22, 202, 158, 292, 248, 68, 112)
"""Degrees, clockwise from the right, those that read best first."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Return the area that two boxes share."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def holds(self, other: Box) -> bool:
        """Return whether another lies wholly inside."""
        inside = self.left <= other.left and other.right <= self.right
        return inside and self.top <= other.top and other.bottom <= self.bottom


@dataclass(frozen=True, slots=True)
class Label:
    """A name in its place.

    Attributes:
        text: The name.
        box: Where it stands.
        side: At which side of its point: `left`, `right`, or `middle` for above and below.
        leader: Ends of a line from its point, where it stands apart from it.
    """

    text: str
    box: Box
    side: Literal["left", "middle", "right"]
    leader: tuple[tuple[float, float], tuple[float, float]] | None


def text_width(text: str) -> float:
    """Return about how wide a text is."""
    return sum(_CAPITAL if each.isupper() else _SMALL for each in text)


def place_labels(
    named: Sequence[tuple[str, float, float]], drawn: Sequence[Box], lines: Sequence[Box], area: Box
) -> tuple[Label, ...]:
    """Return a place inside the area for the name of each point, as near to it as there is room.

    Args:
        named: Name, x and y of each point; those before are placed first.
        drawn: What must stay visible.
        lines: What may be crossed rather than going far away.
        area: Where names may stand.
    """
    labels: list[Label] = []
    for name in named:
        taken = [*drawn, *(each.box for each in labels)]
        places = ((_cost(*each, taken, lines), *each) for each in _candidates(*name, area))
        best = min(places, key=lambda each: each[0], default=None)
        if best:
            labels.append(_label(name, best[1], best[2]))
    return tuple(labels)


def _label(name: tuple[str, float, float], distance: float, box: Box) -> Label:
    text, x, y = name
    leader = None if distance == _NEAR else ((x, y), _nearest(box, x, y))
    if box.left < x < box.right:
        return Label(text, box, "middle", leader)
    return Label(text, box, "left" if box.right <= x else "right", leader)


def _cost(distance: float, box: Box, taken: Iterable[Box], lines: Iterable[Box]) -> tuple[float, float]:
    """Return what a place covers, and then how far away it is, with what it crosses."""
    apart = 0.0 if distance == _NEAR else _LEADER
    return _covered(box, taken), distance + apart + _CROSSING * _covered(box, lines)


def _candidates(text: str, x: float, y: float, area: Box) -> Iterator[tuple[float, Box]]:
    wide, high = text_width(text) / 2, LINE / 2
    for distance in _DISTANCES:
        for degrees in _DIRECTIONS:
            across, down = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
            middle_x, middle_y = x + across * (distance + wide), y + down * (distance + high)
            box = Box(middle_x - wide, middle_y - high, middle_x + wide, middle_y + high)
            if area.holds(box):
                yield distance, box


def _covered(box: Box, taken: Iterable[Box]) -> float:
    return sum(box.overlap(each) for each in taken)


def _nearest(box: Box, x: float, y: float) -> tuple[float, float]:
    return min(max(x, box.left), box.right), min(max(y, box.top), box.bottom)
