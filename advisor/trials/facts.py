"""Facts of a use case that asking a model and search tells, from a trial or from a profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from advisor.knowledge.measurement import Measurement
from advisor.metrics.proportions import wilson
from advisor.trials.arms import Arm
from advisor.trials.comparing import scores_of
from advisor.trials.results import ArmResult, Figure

__all__ = ["PROMPTS", "as_measurements", "facts_of", "facts_told"]

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
    rag, closed = by_arm.get(Arm.RAG), by_arm.get(PROMPTS[0])
    return facts_told(
        {arm: by_arm[arm].quality for arm in PROMPTS if arm in by_arm},
        rag.found if rag else None,
        {each.number: each.found for each in rag.answers} if rag else {},
        scores_of(closed, metric) if closed else {},
        form,
    )


def facts_told(
    prompted: Mapping[Arm, Figure | None],
    hit_rate: Figure | None,
    found: Mapping[int, bool | None],
    closed_book: Mapping[int, float],
    form: str,
) -> dict[str, Figure]:
    """Return the facts that asking tells, by name.

    Args:
        prompted: Quality of each prompt, in the order of `PROMPTS`; None where nothing was scored.
        hit_rate: How often a passage that answers is among those shown; None where nobody can tell.
        found: Of questions, by their numbers, whether one is; None where that cannot be told.
        closed_book: Scores of the base model asked alone, by the numbers of the questions.
        form: Of the output.
    """
    told = {
        "closed_book_score": prompted.get(PROMPTS[0]),
        "prompted_score": max(
            (each for each in prompted.values() if each), key=lambda figure: figure.value, default=None
        ),
        "retrieval_hit_rate": hit_rate,
        "new_knowledge_share": _new_knowledge(found, closed_book) if form != "LABEL" else None,
    }
    return {name: figure for name, figure in told.items() if figure}


def _new_knowledge(found: Mapping[int, bool | None], closed_book: Mapping[int, float]) -> Figure | None:
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
