"""Which plots the page has: quality against cost, time, and the number of examples; what came of what was told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from advisor.decision.prices import dollars
from advisor.metrics.proportions import wilson
from advisor.trials.report.axes import Axis, axis_of, share_axis
from advisor.trials.report.markup import Html, element
from advisor.trials.report.plots import Plot, Point, draw
from advisor.trials.report.standings import Standing, best_of
from advisor.trials.report.tables import mark_of
from advisor.trials.report.wording import arm_name, percent, plain, share_text
from advisor.trials.results import ArmResult, Figure, TrialResult
from advisor.trials.track import Bin, TrackRecord
from backends.counts import counted

__all__ = ["calibration_figure", "cost_figure", "curve_figure", "time_figure"]

_FEWEST_TOLD = 5
"""Predictions of about the same probability; of fewer it cannot be told how often they came true."""
_MARKS = (
    "Upright lines are 95% intervals. Filled: what the advisor can recommend, the one taken larger; "
    "hollow: other ways to answer."
)


def cost_figure(places: Sequence[Standing]) -> Html:
    """Return quality against dollars: for a thousand answers, or a month where only that is known."""
    title = "Quality and cost"
    by_answers, by_month = ("US dollars for 1,000 answers", _per_1000), ("US dollars a month", _per_month)
    named, cost = by_answers if any(_per_1000(each.result) is not None for each in places) else by_month
    shown = [(each, _point(each, cost(each.result))) for each in places]
    points = tuple(point for _, point in shown if point)
    if not points:
        return _without(title, "Costs are not known: prices are needed, and at least one way that answered.")
    axis = axis_of(point.x for point in points)
    plot = _plot("cost", title, (named, axis), dollars, points)
    return _figure(title, plot, f"{_MARKS}{_missing(shown)}")


def time_figure(places: Sequence[Standing]) -> Html:
    """Return quality against the time of an answer: the median, and a line on to the 95th percentile."""
    title = "Quality and time"
    shown = []
    for each in places:
        median, late = each.result.total_s or (None, None)
        shown.append((each, _point(each, median, late)))
    points = tuple(point for _, point in shown if point)
    if not points:
        return _without(title, "No time was measured.")
    axis = axis_of([end for each in points for end in (each.x, each.x_end or each.x)])
    plot = _plot("time", title, ("Seconds of an answer", axis), plain, points)
    return _figure(
        title, plot, f"From the median on, a line to the 95th percentile. {_MARKS}{_missing(shown)}"
    )


def curve_figure(result: TrialResult) -> Html | None:
    """Return quality of fine-tuning against the examples that it was trained on; None where that was not measured."""
    if not result.curve:
        return None
    title = "Quality and examples"
    points = tuple(
        Point("", "", float(count), figure, "approach") for count, figure in sorted(result.curve.items())
    )
    best = best_of(each for each in result.arms if not each.arm.trains and not each.arm.is_reference)
    level = (arm_name(best.arm), best.quality.value) if best and best.quality else None
    axis = axis_of(point.x for point in points)
    plot = Plot(
        key="curve",
        title=title,
        description=_numbers((_count(point.x), point.y) for point in points),
        x=axis,
        y=_quality_axis(points, () if level is None else (level[1],)),
        x_title=f"Examples trained on{_scale(axis)}",
        y_title="Quality",
        x_text=_count,
        points=points,
        connected=True,
        level=level,
    )
    dashed = " Dashed: the best of what answers without training." if level else ""
    return _figure(
        title, plot, f"Fine-tuned on more and more examples; upright lines are 95% intervals.{dashed}"
    )


def calibration_figure(record: TrackRecord) -> Html | None:
    """Return how often what was told to be the best was, against the probability told; None of too few predictions."""
    told = [each for each in record.calibration if each.count >= _FEWEST_TOLD]
    if len(told) < 2:
        return None
    points = tuple(
        Point("", "", each.predicted, Figure(each.observed, *_interval(each), each.count), "approach")
        for each in told
    )
    plot = Plot(
        key="calibration",
        title="Calibration of the advisor",
        description=_numbers((f"told {percent(point.x)}", point.y) for point in points),
        x=share_axis([0.0, 1.0]),
        y=share_axis([0.0, 1.0]),
        x_title="Probability told of being the best",
        y_title="Was the best",
        x_text=percent,
        points=points,
        diagonal=True,
    )
    predictions = sum(each.count for each in told)
    caption = (
        f"Over {counted(record.trials, 'trial')} of this server, {counted(predictions, 'prediction')} in all: what "
        "was told of an approach, and how often it was the best measured. On the dashed line probabilities mean "
        "what they say; upright lines are 95% intervals, too narrow where trials are of one use case."
    )
    return _figure(plot.title, plot, caption)


def _interval(told: Bin) -> tuple[float, float]:
    return wilson(round(told.observed * told.count), told.count)


def _plot(
    key: str,
    title: str,
    along: tuple[str, Axis],
    x_text: Callable[[float], str],
    points: tuple[Point, ...],
) -> Plot:
    named, axis = along
    return Plot(
        key=key,
        title=title,
        description=_numbers((f"{each.name}, {x_text(each.x)}", each.y) for each in points),
        x=axis,
        y=_quality_axis(points),
        x_title=f"{named}{_scale(axis)}",
        y_title="Quality",
        x_text=x_text,
        points=points,
    )


def _point(place: Standing, x: float | None, x_end: float | None = None) -> Point | None:
    arm = place.result
    if x is None or arm.quality is None:
        return None
    return Point(arm_name(arm.arm), str(place.number), x, arm.quality, mark_of(place), x_end)


def _figure(title: str, plot: Plot, caption: str) -> Html:
    key = element("span", " Numbers as in the table of ways to answer.", class_="narrow")
    words = element("figcaption", caption, *((key,) if any(point.name for point in plot.points) else ()))
    return element("figure", element("h3", title), draw(plot), words)


def _without(title: str, why: str) -> Html:
    return element("figure", element("h3", title), element("p", why, class_="absent"))


def _missing(shown: Iterable[tuple[Standing, Point | None]]) -> str:
    names = [each.result.arm.heading for each, point in shown if point is None]
    return f" Not measured: {', '.join(names)}." if names else ""


def _quality_axis(points: Iterable[Point], more: Iterable[float] = ()) -> Axis:
    return share_axis([*more, *(end for each in points for end in (each.y.low, each.y.value, each.y.high))])


def _numbers(told: Iterable[tuple[str, Figure]]) -> str:
    return "; ".join(f"{name}: {share_text(each)}" for name, each in told)


def _scale(axis: Axis) -> str:
    return ", logarithmic" if axis.logarithmic else ""


def _count(number: float) -> str:
    return f"{number:,.0f}"


def _per_1000(arm: ArmResult) -> float | None:
    return arm.usd_per_1000


def _per_month(arm: ArmResult) -> float | None:
    return arm.usd_per_month
