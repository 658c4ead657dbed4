"""Facts of a use case that asking a model and search tells, from a trial or from a profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.knowledge.measurement import Measurement
from advisor.metrics.proportions import wilson
from advisor.trials.arms import Arm
from advisor.trials.results import ArmResult, Figure

__all__ = ["PROMPTS", "as_measurements", "facts_of", "new_knowledge"]

PROMPTS = (Arm.ZERO_SHOT, Arm.FEW_SHOT, Arm.NEAREST_SHOTS)
"""What a base model is asked by, without documents; the first is closed-book."""
_RIGHT = 0.5
"""Score from which on an answer is right."""
_DIGITS = 4
_METHODS = {
    "closed_book_score": "by {metric}: the base model, asked with neither documents nor examples",
    "prompted_score": "by {metric}: the best of three prompts, with no, the same, or the nearest examples",
    "retrieval_hit_rate": "questions of which a passage that answers them is among those shown",
    "new_knowledge_share": "of the questions whose passage is found, those that the base model does not answer alone",
}


def facts_of(arms: Sequence[ArmResult], metric: str, form: str) -> dict[str, Figure]:
    """Return the facts that arms measured on their way, by name.

    Args:
        arms: What was measured.
        metric: The metric that counts.
        form: Of the output.
    """
    by_arm = {each.arm: each for each in arms}
    found: dict[str, Figure] = {}
    closed = by_arm.get(Arm.ZERO_SHOT)
    if closed and closed.quality:
        found["closed_book_score"] = closed.quality
    prompted = [each.quality for arm in PROMPTS if (each := by_arm.get(arm)) and each.quality]
    if prompted:
        found["prompted_score"] = max(prompted, key=lambda figure: figure.value)
    rag = by_arm.get(Arm.RAG)
    if rag and rag.found:
        found["retrieval_hit_rate"] = rag.found
    if closed and rag and form != "LABEL":
        told = new_knowledge(
            {each.number: each.found for each in rag.answers},
            {each.number: each.scores[metric] for each in closed.answers if metric in each.scores},
        )
        if told:
            found["new_knowledge_share"] = told
    return found


def new_knowledge(found: Mapping[int, bool | None], closed_book: Mapping[int, float]) -> Figure | None:
    """Return the share of what documents answer that the base model does not; None where nothing is found.

    Args:
        found: Of questions, by their numbers, whether a passage was found that answers them; None where that
            cannot be told.
        closed_book: Scores of the base model asked alone, 0 to 1.
    """
    both = [number for number, is_found in found.items() if is_found and number in closed_book]
    if not both:
        return None
    unknown = sum(closed_book[number] < _RIGHT for number in both)
    return Figure(unknown / len(both), *wilson(unknown, len(both)), len(both))


def as_measurements(facts: Mapping[str, Figure], metric: str) -> tuple[Measurement, ...]:
    """Return facts as measurements of a use case.

    Args:
        facts: By name, as `facts_of` returns them.
        metric: The metric that counts.
    """
    return tuple(
        Measurement(
            name,
            round(figure.value, _DIGITS),
            _METHODS[name].format(metric=metric.replace("_", " ")),
            figure.count,
            round(figure.low, _DIGITS),
            round(figure.high, _DIGITS),
        )
        for name, figure in facts.items()
    )
