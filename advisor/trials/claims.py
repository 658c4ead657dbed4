"""The documented claims about retrieval and fine-tuning, beside what a trial measured.

They are those of the guide that the advisor begins with: what RAG and fine-tuning are commonly said to bring.
A claim is confirmed or contradicted where the numbers tell, undecided where they do not, and not testable where
nothing was measured that bears on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from advisor.knowledge.approaches import Approach
from advisor.metrics.paired import SIGNIFICANCE, paired_difference
from advisor.trials.arms import Arm
from advisor.trials.comparing import on_both
from advisor.trials.results import ArmResult, Claim, Comparison, Finding, Freshness, between

__all__ = ["claims"]

_ACCIDENT = 0.1
"""Share of changed facts that is answered by accident."""
_NEAR = 1.1
"""Times and costs that differ by less are the same."""

Arms = Mapping[Arm, ArmResult]
Told = tuple[Finding, str]


def claims(
    arms: Sequence[ArmResult],
    comparisons: Sequence[Comparison],
    metric: str,
    freshness: Freshness | None = None,
) -> tuple[Claim, ...]:
    """Return every claim with what was measured.

    Args:
        arms: Those that were run.
        comparisons: Of every two of them.
        metric: Name of the metric that counts.
        freshness: How answers followed facts that were changed.
    """
    by_arm = {each.arm: each for each in arms if each.quality is not None}
    rows: list[tuple[Approach, str, Callable[[Arms, Sequence[Comparison]], Told]]] = [
        (Approach.RAG, "gives more relevant answers than the model alone", _rag_is_better),
        (Approach.RAG, "makes fewer things up than the model alone", partial(_fewer_made_up, metric)),
        (Approach.RAG, "is generally faster at inference than a tuned model", _faster),
        (Approach.RAG, "costs less than fine-tuning", _cheaper),
        (Approach.RAG, "takes in new information without retraining", lambda *_: _up_to_date(freshness)),
        (Approach.FINE_TUNING, "specialises: does better at its task than the model alone", _tuned_is_better),
        (Approach.FINE_TUNING, "is accurate where knowledge is asked for, without retrieval", _knows),
        (Approach.FINE_TUNING, "is confined to what it was tuned on", lambda *_: _static(freshness)),
    ]
    return tuple(Claim(approach, text, *test(by_arm, comparisons)) for approach, text, test in rows)


_NOTHING: Told = (Finding.NOT_TESTABLE, "Not measured in this trial.")


def _rag_is_better(arms: Arms, comparisons: Sequence[Comparison]) -> Told:
    return _better(Arm.RAG, _prompt(arms), arms, comparisons)


def _tuned_is_better(arms: Arms, comparisons: Sequence[Comparison]) -> Told:
    return _better(Arm.FINE_TUNING, _prompt(arms), arms, comparisons)


def _knows(arms: Arms, comparisons: Sequence[Comparison]) -> Told:
    return _better(Arm.FINE_TUNING, Arm.RAG, arms, comparisons)


def _prompt(arms: Arms) -> Arm:
    """Return the best of the prompts without documents."""
    prompts = [arm for arm in (Arm.ZERO_SHOT, Arm.FEW_SHOT, Arm.NEAREST_SHOTS) if arm in arms]
    return max(prompts, key=lambda arm: arms[arm].score, default=Arm.ZERO_SHOT)


def _better(one: Arm, other: Arm, arms: Arms, comparisons: Sequence[Comparison]) -> Told:
    seen = between(comparisons, one, other)
    if one not in arms or other not in arms or seen is None:
        return _NOTHING
    told = (
        f"{one.heading} {arms[one].score:.0%}, {other.heading} {arms[other].score:.0%}; "
        f"difference {seen.difference.value * 100:+.0f} points "
        f"[{seen.difference.low * 100:+.0f}, {seen.difference.high * 100:+.0f}], p = {seen.p:.2g}."
    )
    if seen.p >= SIGNIFICANCE:
        return Finding.UNDECIDED, told
    return (Finding.CONFIRMED if seen.difference.value > 0 else Finding.CONTRADICTED), told


def _fewer_made_up(metric: str, arms: Arms, _comparisons: Sequence[Comparison]) -> Told:
    """Compare how often an answer is given and wrong: to say that there is none is not to make one up."""
    plain = _prompt(arms)
    if Arm.RAG not in arms or plain not in arms:
        return _NOTHING
    ours, theirs = _made_up(arms[Arm.RAG], metric), _made_up(arms[plain], metric)
    paired = paired_difference(*on_both(ours, theirs))
    if paired is None:
        return _NOTHING
    rates = [sum(each.values()) / len(each) for each in (ours, theirs)]
    told = (
        f"Wrong answers, refusals left aside: RAG {rates[0]:.0%}, {plain.heading} {rates[1]:.0%}; "
        f"p = {paired.p:.2g}."
    )
    if paired.p >= SIGNIFICANCE:
        return Finding.UNDECIDED, told
    return (Finding.CONFIRMED if paired.difference.value < 0 else Finding.CONTRADICTED), told


def _made_up(arm: ArmResult, metric: str) -> dict[int, float]:
    """Return, by question, whether what was said is wrong: less than half right, and no refusal."""
    return {
        each.number: float(not each.refused and each.scores[metric] < 0.5)
        for each in arm.answers
        if metric in each.scores
    }


def _faster(arms: Arms, _comparisons: Sequence[Comparison]) -> Told:
    rag, tuned = arms.get(Arm.RAG), arms.get(Arm.FINE_TUNING)
    if rag is None or tuned is None or rag.total_s is None or tuned.total_s is None:
        return _NOTHING
    told = f"Median of a whole answer: RAG {rag.total_s[0]:.2g} s, fine-tuned {tuned.total_s[0]:.2g} s."
    return _less(rag.total_s[0], tuned.total_s[0]), told


def _cheaper(arms: Arms, _comparisons: Sequence[Comparison]) -> Told:
    rag, tuned = arms.get(Arm.RAG), arms.get(Arm.FINE_TUNING)
    if rag is None or tuned is None or rag.usd_per_month is None or tuned.usd_per_month is None:
        return _NOTHING
    told = (
        f"A month with all that is fixed: RAG ${rag.usd_per_month:,.2f}, fine-tuned ${tuned.usd_per_month:,.2f}, by "
        "the tokens measured and the prices of the use case."
    )
    return _less(rag.usd_per_month, tuned.usd_per_month), told


def _up_to_date(freshness: Freshness | None) -> Told:
    """Tell whether answers follow the documents once these are brought in step."""
    if freshness is None or freshness.in_step is None or freshness.not_in_step is None or freshness.p is None:
        return _NOTHING
    tuned = freshness.not_retrained
    told = (
        f"Of {freshness.changed} facts changed in the documents, answers follow {freshness.in_step.value:.0%} once "
        f"passages are brought in step, {freshness.index_s:.2g} s each, and {freshness.not_in_step.value:.0%} before"
        + (f"; tuned and not trained again {tuned.value:.0%}" if tuned else "")
        + f"; p = {freshness.p:.2g}."
    )
    before = tuned or freshness.not_in_step
    if freshness.p >= SIGNIFICANCE:
        return Finding.UNDECIDED, told
    return (Finding.CONFIRMED if freshness.in_step.value > before.value else Finding.CONTRADICTED), told


def _static(freshness: Freshness | None) -> Told:
    """Tell whether a tuned model answers by facts that changed after its training."""
    if freshness is None or freshness.not_retrained is None:
        return _NOTHING
    tuned = freshness.not_retrained
    told = (
        f"Not trained again, it answers {tuned.value:.0%} [{tuned.low:.0%}, {tuned.high:.0%}] of {freshness.changed} "
        "changed facts by what they are now. Training again helps where an example tells the change."
    )
    return (Finding.CONFIRMED if tuned.value <= _ACCIDENT else Finding.CONTRADICTED), told


def _less(one: float, other: float) -> Finding:
    if one * _NEAR < other:
        return Finding.CONFIRMED
    return Finding.CONTRADICTED if other * _NEAR < one else Finding.UNDECIDED
