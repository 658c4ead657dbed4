"""Sentences of the report, the same in each of its forms."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.knowledge.approaches import Approach
from advisor.knowledge.facts import fact, fact_index, value_to_text
from advisor.trials.report.standings import answer_metric, best_of
from advisor.trials.report.wording import (
    ABSENT,
    approach_name,
    duration_text,
    has_interval,
    metric_name,
    model_name,
    points_text,
    significant,
)
from advisor.trials.results import ArmState, Figure, TrialResult
from advisor.trials.track import TrackRecord
from backends.counts import counted

__all__ = ["advice", "fact_texts", "method", "needed", "summary"]

_DEFINITIONS = {
    "Intervals": "95%. Those of differences by bootstrap over the questions that both were asked.",
    "Tests": (
        "Exact test of McNemar where answers are right or wrong, else a paired permutation; two-sided, "
        "corrected after Holm over all {comparisons}."
    ),
}


def summary(result: TrialResult) -> str:
    """Say in a line what was measured, and on how much."""
    done = sum(each.state == ArmState.DONE for each in result.arms)
    ran = f"{done}" if done == len(result.arms) else f"{done} of {len(result.arms)}"
    ways = "way to answer" if len(result.arms) == 1 else "ways to answer"
    asked = counted(len(result.given), "held-out question")
    return f"{ran} {ways}, measured on {asked} with {model_name(result.model)}. Quality: {metric_name(result.metric)}."


def needed(result: TrialResult) -> str:
    """Say how many questions would tell the two best apart; empty where they are apart, or never would be."""
    count = result.verdict.questions_needed
    if count is None:
        return ""
    asked = counted(len(result.given), "held-out question")
    return f"To tell the two best apart would take some {count:,}; this trial had {asked}."


def advice(result: TrialResult) -> str:
    """Say what the advisor had recommended, beside what was measured best of all that it can recommend."""
    said = result.prediction
    if said is None:
        return "The advisor had said nothing before the trial."
    told = "could not decide" if said.approach is None else f"recommended {approach_name(said.approach)}"
    best = best_of(each for each in result.arms if each.arm.approach)
    found = "Nothing that it can recommend was measured."
    if best and best.arm.approach:
        found = f"Best measured of what it can recommend: {_with_arm(best.arm.approach, best.arm.heading)}."
    regret = ""
    if said.regret is not None:
        below = points_text(said.regret).lstrip("+−")
        regret = f" What it recommended lies {below} below the best (its regret)."
    return f"Before the trial, the advisor {told}. {found}{regret}"


def track_record(record: TrackRecord) -> str:
    """Say how advice fared over all trials of a server."""
    took = (
        f"Of {record.decided:,} trials on this server that came after a recommendation, {record.agreed:,} took what "
        "was recommended"
    )
    if record.regret is None:
        return f"{took}."
    regret = record.regret
    value, low, high = (f"{round(each, 1) + 0.0:.1f}" for each in (regret.value, regret.low, regret.high))
    return f"{took}; following it lost {value} points on average (95% interval {low} to {high})."


def fact_texts(name: str, figure: Figure) -> tuple[str, str, str, str]:
    """Return a fact's title, its value, its interval and on how many it was measured, for people."""
    known = fact(name) if name in fact_index() else None

    def text(number: float) -> str:
        return value_to_text(known, number) if known else significant(number, 3)

    interval = f"{text(figure.low)} to {text(figure.high)}" if has_interval(figure) else ""
    title = known.title[:1].upper() + known.title[1:] if known else name
    return title, text(figure.value), interval, f"{figure.count:,}"


def method(result: TrialResult) -> Iterator[tuple[str, str]]:
    """Yield how it was measured: what is told, and the words."""
    single = answer_metric(result) in ("", result.metric)
    over = "the mean over the held-out questions" if single else "of all answers together"
    yield "Quality", f"{metric_name(result.metric)}, {over}"
    yield "Form of the output", result.form.lower().replace("_", " ") or ABSENT
    learned, held_out = counted(result.training_examples, "example"), counted(len(result.given), "question")
    groups = f"all fall into {counted(result.groups, 'group')} of near-duplicates, none of them on both sides"
    yield "Split", f"{learned} to learn from, {held_out} held out; {groups}"
    yield "Model", result.model
    yield "Engine", result.engine
    if result.embedder:
        yield "Embedder", result.embedder
    yield "Seed", str(result.seed)
    for term, words in _DEFINITIONS.items():
        yield term, words.format(comparisons=counted(len(result.comparisons), "comparison"))
    yield "Took", duration_text(result.seconds) if result.seconds else ABSENT
    if result.versions:
        yield "Versions", ", ".join(f"{name} {each}" for name, each in sorted(result.versions.items()))


def _with_arm(approach: Approach, heading: str) -> str:
    name = approach_name(approach)
    return name if name == heading else f"{name} ({heading})"
