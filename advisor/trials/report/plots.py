"""Plots as SVG: points with intervals and names, a curve, and the bar of a table's row.

Each is drawn twice, for a wide and for a narrow page, since text that shrinks
with a picture cannot be read; the style sheet shows one of them. Colours are
classes of the style sheet, so that both colour schemes have their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from advisor.trials.report.axes import ZERO_GAP, Axis
from advisor.trials.report.labels import LINE, Box, place_labels, text_width
from advisor.trials.report.markup import Html, element, joined
from advisor.trials.report.wording import has_interval, plain
from advisor.trials.results import Figure

__all__ = ["Plot", "Point", "bar", "draw"]

_SIZES = {"wide": (560.0, 380.0), "narrow": (328.0, 300.0)}
_LEFT, _RIGHT, _TOP, _BOTTOM = 42.0, 14.0, 30.0, 44.0
_RADIUS = 4.5
_CAP = 4.0


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a plot.

    Attributes:
        name: Written beside it on a wide page; empty for none.
        short: Written beside it on a narrow page.
        x: Where it stands.
        y: The figure that it shows, with its interval.
        kind: Class of its mark: `taken`, `approach` or `other`.
        x_end: End of a line that goes on from it along x, where there is one.
    """

    name: str
    short: str
    x: float
    y: Figure
    kind: str
    x_end: float | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """What a plot shows.

    Attributes:
        key: Distinguishes it from the page's others.
        title: Of what, for those who do not see it.
        description: What it shows, in words, with its numbers.
        x: Its axis along.
        y: Its axis upwards.
        x_title: What stands along.
        y_title: What stands upwards.
        x_text: Writes a tick of the axis along.
        points: What is drawn.
        connected: Whether a line goes from point to point.
        level: Name and height of a dashed line across.
        diagonal: Whether a dashed line goes through the points whose two values are equal.
    """

    key: str
    title: str
    description: str
    x: Axis
    y: Axis
    x_title: str
    y_title: str
    x_text: Callable[[float], str]
    points: tuple[Point, ...]
    connected: bool = False
    level: tuple[str, float] | None = None
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class _Canvas:
    plot: Plot
    width: float
    height: float

    def x(self, value: float) -> float:
        return _LEFT + self.plot.x.place(value) * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        return self.height - _BOTTOM - self.plot.y.place(value) * (self.height - _TOP - _BOTTOM)


def draw(plot: Plot) -> Html:
    """Return a plot in both of its sizes."""
    return joined(_drawn(plot, size) for size in _SIZES)


def bar(figure: Figure, kind: str) -> Html:
    """Return a share as a bar with the whisker of its interval, as wide as its place; the number stands beside it."""
    parts = [
        element("rect", class_="track", x=0, y=4, width=100, height=8),
        element("rect", class_=f"bar {kind}", x=0, y=4, width=_number(100 * figure.value), height=8),
    ]
    if has_interval(figure):
        low, high = 100 * figure.low, 100 * figure.high
        parts += [
            _line("whisker", low, 8, high, 8),
            _line("whisker", low, 5, low, 11),
            _line("whisker", high, 5, high, 11),
        ]
    return element(
        "svg", *parts, class_="bars", viewBox="-0.5 0 101 16", preserveAspectRatio="none", aria_hidden="true"
    )


def _drawn(plot: Plot, size: str) -> Html:
    width, height = _SIZES[size]
    canvas = _Canvas(plot, width, height)
    key = f"{plot.key}-{size}"
    return element(
        "svg",
        element("title", plot.title, id=f"{key}-title"),
        element("desc", plot.description, id=f"{key}-desc"),
        *_axes(canvas),
        *_level(canvas),
        *_diagonal(canvas),
        *_connection(canvas),
        *(part for point in plot.points for part in _mark(canvas, point)),
        *_names(canvas, narrow=size == "narrow"),
        class_=f"plot {size}",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
    )


def _axes(canvas: _Canvas) -> Iterator[Html]:
    plot, right, bottom = canvas.plot, canvas.width - _RIGHT, canvas.height - _BOTTOM
    for tick in plot.y.ticks:
        y = canvas.y(tick)
        yield _line("grid", _LEFT, y, right, y)
        yield _text("tick end", _LEFT - 8, y + 4, f"{plain(100 * tick)}%")
    free_from = 0.0
    for tick in plot.x.ticks:
        x, text = canvas.x(tick), plot.x_text(tick)
        yield _line("axis", x, bottom, x, bottom + 5)
        middle = min(x, canvas.width - text_width(text) / 2)
        if middle - text_width(text) / 2 >= free_from:
            yield _text("tick middle", middle, bottom + 18, text)
            free_from = middle + text_width(text) / 2 + _CAP
    start = _LEFT + ZERO_GAP * (right - _LEFT) if plot.x.has_zero else _LEFT
    yield _line("axis", start, bottom, right, bottom)
    if plot.x.has_zero:
        yield _line("axis gap", _LEFT, bottom, start, bottom)
    yield _text("title", 0, 12, plot.y_title)
    yield _text("title end", right, canvas.height - 6, plot.x_title)


def _level(canvas: _Canvas) -> Iterator[Html]:
    if canvas.plot.level:
        name, value = canvas.plot.level
        y, right = canvas.y(value), canvas.width - _RIGHT
        yield _line("level", _LEFT, y, right, y)
        yield _text("name end", right, y - 5, name)


def _diagonal(canvas: _Canvas) -> Iterator[Html]:
    if canvas.plot.diagonal:
        low = max(canvas.plot.x.low, canvas.plot.y.low)
        high = min(canvas.plot.x.high, canvas.plot.y.high)
        yield _line("level", canvas.x(low), canvas.y(low), canvas.x(high), canvas.y(high))


def _connection(canvas: _Canvas) -> Iterator[Html]:
    if canvas.plot.connected:
        corners = (
            f"{_number(canvas.x(each.x))},{_number(canvas.y(each.y.value))}" for each in canvas.plot.points
        )
        yield element("polyline", points=" ".join(corners), class_="curve")


def _mark(canvas: _Canvas, point: Point) -> Iterator[Html]:
    x, y = canvas.x(point.x), canvas.y(point.y.value)
    if point.x_end is not None:
        yield _line(f"reach {point.kind}", x, y, canvas.x(point.x_end), y)
    if has_interval(point.y):
        low, high = canvas.y(point.y.low), canvas.y(point.y.high)
        yield _line(f"whisker {point.kind}", x, low, x, high)
        for end in (low, high):
            yield _line(f"whisker {point.kind}", x - _CAP, end, x + _CAP, end)
    radius = _RADIUS + 1.5 if point.kind == "taken" else _RADIUS
    yield element("circle", class_=f"dot {point.kind}", cx=_number(x), cy=_number(y), r=_number(radius))


def _names(canvas: _Canvas, *, narrow: bool) -> Iterator[Html]:
    named = [
        (each.short if narrow else each.name, canvas.x(each.x), canvas.y(each.y.value))
        for each in canvas.plot.points
        if each.name
    ]
    dots = [_dot(canvas, each) for each in canvas.plot.points]
    lines = [box for each in canvas.plot.points for box in _lines(canvas, each)]
    area = Box(_LEFT + 2, _TOP - 12, canvas.width - 2, canvas.height - _BOTTOM - 2)
    for label in place_labels(named, dots, lines, area):
        if label.leader:
            (x1, y1), (x2, y2) = label.leader
            yield _line("leader", x1, y1, x2, y2)
        x, class_ = {
            "left": (label.box.right, "name end"),
            "middle": ((label.box.left + label.box.right) / 2, "name middle"),
            "right": (label.box.left, "name"),
        }[label.side]
        yield _text(class_, x, label.box.bottom - LINE / 4, label.text)


def _dot(canvas: _Canvas, point: Point) -> Box:
    x, y, room = canvas.x(point.x), canvas.y(point.y.value), _RADIUS + 1
    return Box(x - room, y - room, x + room, y + room)


def _lines(canvas: _Canvas, point: Point) -> Iterator[Box]:
    x, y = canvas.x(point.x), canvas.y(point.y.value)
    yield Box(x - _CAP, canvas.y(point.y.high) - 1, x + _CAP, canvas.y(point.y.low) + 1)
    if point.x_end is not None:
        yield Box(x, y - 6, canvas.x(point.x_end), y + 6)  # short, so easily hidden


def _line(class_: str, x1: float, y1: float, x2: float, y2: float) -> Html:
    ends = zip(("x1", "y1", "x2", "y2"), map(_number, (x1, y1, x2, y2)), strict=True)
    return element("line", class_=class_, **dict(ends))


def _text(class_: str, x: float, y: float, text: str) -> Html:
    return element("text", text, class_=class_, x=_number(x), y=_number(y))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
