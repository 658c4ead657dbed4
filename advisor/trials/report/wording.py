"""Numbers of a report in words: shares in per cent, differences in points, what is absent as such."""

from __future__ import annotations

import math
import re
from pathlib import PurePosixPath

from advisor.knowledge.approaches import Approach
from advisor.metrics.choosing import METRICS
from advisor.metrics.paired import SIGNIFICANCE
from advisor.trials.arms import Arm
from advisor.trials.results import ArmResult, ArmState, Comparison, Figure, Finding

__all__ = [
    "ABSENT",
    "ALL_KINDS",
    "COMPARISON_HEADINGS",
    "FINDINGS",
    "approach_name",
    "arm_name",
    "bytes_text",
    "chance_text",
    "comparison_cells",
    "duration_text",
    "has_interval",
    "interval_text",
    "metric_name",
    "model_name",
    "p_text",
    "percent",
    "plain",
    "points_interval",
    "points_text",
    "seconds_text",
    "share_text",
    "significant",
    "state_text",
]

ABSENT = "not measured"
ALL_KINDS = "all questions"
"""What the kind of a question is called where kinds are not told apart."""
FINDINGS = {
    Finding.CONFIRMED: "confirmed",
    Finding.CONTRADICTED: "contradicted",
    Finding.UNDECIDED: "undecided",
    Finding.NOT_TESTABLE: "not testable here",
}
COMPARISON_HEADINGS = (
    "One",
    "Other",
    "One less other",
    "95% interval",
    "One better on",
    "Other better on",
    "p",
    "p, corrected",
)

_APPROACHES = {
    Approach.PROMPTING: "prompting",
    Approach.RAG: "RAG",
    Approach.FINE_TUNING: "fine-tuning",
    Approach.HYBRID: "hybrid",
}
_STATES = {ArmState.STOPPED: "stopped", ArmState.NOT_RUN: "not run"}
_EXACT = 1_000
"""From so many answers on, a tenth of a point is more than noise."""


def approach_name(approach: str) -> str:
    """Return what an approach is called inside a sentence; a name that is none stays as it is."""
    return _APPROACHES[Approach(approach)] if approach in _APPROACHES else approach


def arm_name(arm: Arm) -> str:
    """Return what an arm is called at the start of a line."""
    return arm.heading[:1].upper() + arm.heading[1:]


def model_name(model: str) -> str:
    """Return a model without what fixes its files: its revision, or the hash of a file that a wheel holds.

    >>> model_name("wheel:m==1.0#path=m/Model-135M.gguf@sha256:04b1"), model_name("hf:owner/model@main")
    ('Model-135M.gguf', 'owner/model')
    """
    origin, _, rest = model.partition("#path=")
    named = PurePosixPath(re.split(r"[@&]", rest)[0]).name if rest else origin.partition("@")[0]
    return named.removeprefix("hf:")


def metric_name(name: str) -> str:
    """Return what a metric is called inside a sentence."""
    return str(METRICS[name].title) if name in METRICS else f"“{name}”"


def state_text(arm: ArmResult) -> str:
    """Say why an arm was stopped, or not run; empty where it is done."""
    if arm.state == ArmState.DONE:
        return ""
    return f"{_STATES[arm.state]}: {arm.reason}" if arm.reason else _STATES[arm.state]


def has_interval(figure: Figure) -> bool:
    """Return whether a figure has an interval."""
    return figure.low < figure.high


def percent(value: float, count: int = 0) -> str:
    """Write a share; its tenths too where it was measured on enough to tell them.

    >>> percent(0.8349), percent(0.8349, 2000)
    ('83%', '83.5%')
    """
    return f"{100 * value:.{_places(count)}f}%"


def interval_text(figure: Figure) -> str:
    """Write a share's interval; empty where it has none.

    >>> interval_text(Figure(0.83, 0.75, 0.89, 100))
    '75 to 89%'
    """
    if not has_interval(figure):
        return ""
    places = _places(figure.count)
    return f"{100 * figure.low:.{places}f} to {100 * figure.high:.{places}f}%"


def share_text(figure: Figure) -> str:
    """Write a share with its interval, where it has one.

    >>> share_text(Figure(0.83, 0.75, 0.89, 100))
    '83% (75 to 89%)'
    """
    interval = interval_text(figure)
    return percent(figure.value, figure.count) + (f" ({interval})" if interval else "")


def points_text(points: float, count: int = 0) -> str:
    """Write a difference of two shares in points, with its sign.

    >>> points_text(-6.2), points_text(1), points_text(0.3), points_text(-0.3, 2000)
    ('−6 points', '+1 point', '0 points', '−0.3 points')
    """
    number = _signed(points, _places(count))
    return f"{number} point" if number.strip("+−") == "1" else f"{number} points"


def points_interval(difference: Figure) -> str:
    """Write the interval of a difference, in points; empty where it has none."""
    if not has_interval(difference):
        return ""
    places = _places(difference.count)
    return f"{_signed(100 * difference.low, places)} to {_signed(100 * difference.high, places)}"


def p_text(p: float) -> str:
    """Write a p-value, its size alone where it is very small.

    >>> p_text(0.034), p_text(0.00002), p_text(1)
    ('p = 0.034', 'p < 0.001', 'p = 1')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def chance_text(comparison: Comparison) -> str:
    """Say whether a difference is more than chance, by its corrected p-value."""
    return "more than chance" if comparison.p_corrected < SIGNIFICANCE else "may be chance"


def comparison_cells(comparison: Comparison) -> tuple[str, ...]:
    """Return what a table tells of a comparison, under `COMPARISON_HEADINGS`."""
    told = comparison.difference
    return (
        arm_name(comparison.one),
        arm_name(comparison.other),
        points_text(100 * told.value, told.count),
        points_interval(told) or ABSENT,
        f"{comparison.wins:,}",
        f"{comparison.losses:,}",
        p_text(comparison.p).removeprefix("p = ").removeprefix("p "),
        p_text(comparison.p_corrected).removeprefix("p = ").removeprefix("p "),
    )


def significant(value: float, digits: int = 2) -> str:
    """Write a number to so many significant digits, never with an exponent; from thousands on, whole.

    >>> significant(0.04217), significant(1.96), significant(131.7), significant(0.0)
    ('0.042', '2.0', '132', '0')
    """
    if not value:
        return "0"
    size = math.floor(math.log10(float(f"{abs(value):.{digits}g}")))
    return f"{value:,.{max(0, digits - 1 - size)}f}"


def plain(value: float) -> str:
    """Write a number of few digits, such as a tick, as short as it is.

    >>> plain(0.5), plain(20.0), plain(1500.0)
    ('0.5', '20', '1,500')
    """
    return f"{value:,.6g}"


def seconds_text(seconds: float) -> str:
    """Write the time of an answer in seconds, whatever its size, so that a column compares."""
    return f"{significant(seconds)} s"


def duration_text(seconds: float) -> str:
    """Write how long work took, in its two largest units.

    >>> duration_text(8), duration_text(200), duration_text(18_725)
    ('8 s', '3 min 20 s', '5 h 12 min')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    whole = round(seconds) if seconds < 3600 else round(seconds / 60)
    units = ("min", "s") if seconds < 3600 else ("h", "min")
    large, small = divmod(whole, 60)
    return f"{large:,} {units[0]} {small} {units[1]}" if small else f"{large:,} {units[0]}"


def bytes_text(size: int) -> str:
    """Write a size in the unit that suits it.

    >>> bytes_text(900), bytes_text(1_260_000)
    ('900 B', '1.3 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{significant(size / factor)} {unit}"
    return f"{size} B"


def _places(count: int) -> int:
    return 1 if count >= _EXACT else 0


def _signed(points: float, places: int) -> str:
    text = f"{abs(points):.{places}f}"
    if not float(text):
        return "0"
    return f"{'−' if points < 0 else '+'}{text}"
