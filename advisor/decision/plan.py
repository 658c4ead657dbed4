"""The plan: steps towards the approach to take, each with what to measure, and the score at which to stop there.

Approaches contain each other, so what one step builds the next one keeps: a
prompt, then retrieval or training, then both. The first step is one that can
be done with what there is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from advisor.decision.cost import CostEstimate
from advisor.decision.evidence import bounded, points_text, score_of
from advisor.decision.explanation import PlanStep
from advisor.decision.gains import TWO_SIDED_80
from advisor.decision.recommendation import Recommendation
from advisor.knowledge.approaches import Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import KnownFacts, Row, encode_value, fact
from backends.counts import counted

__all__ = ["plan_steps", "route"]

_TWO_SIDED_95 = 1.96
_ONE_SIDED_80 = 0.8416
"""Standard deviations below the mean that four in five lie above."""
_FEWEST, _MOST, _ROUND = 50, 300, 50
"""Held-out questions to measure on: fewer tell too little, more cost more than they tell."""
_OF_EACH_LABEL, _MOST_WITH_LABELS = 5, 1000
"""Where the answer is one of many labels, so many of each, up to so many in all."""
_INPUT_AT_HAND = tuple(
    encode_value(fact("task"), name) for name in ("CLASSIFICATION", "EXTRACTION", "SUMMARIZATION")
)
"""Tasks whose input is what they are about, whatever documents there are."""
_FITTING_TOKENS = 200_000
"""Of documents that fit into a usual prompt together (docs/knowledge.md)."""
_USUAL_SCORE = 0.7
_GOOD_SEARCH = 0.75
"""Share of questions whose passage is found, from which on grounding works (docs/knowledge.md)."""
_START_EXAMPLES = 200
"""From so many examples on, training gains in most published comparisons (docs/knowledge.md)."""


def plan_steps(
    decision: Recommendation, row: Row, spreads: Floats, cost: CostEstimate, tolerance: float
) -> tuple[PlanStep, ...]:
    """Return the steps towards the approach to take, or where none is, to the one that is expected to do best.

    Args:
        decision: What was decided.
        row: The use case, shape (facts,).
        spreads: Standard deviations of the differences between approaches, in points, (approaches, approaches).
        cost: What each approach costs.
        tolerance: Points below which two approaches are not told apart.
    """
    goal = decision.approach or decision.leader
    if goal is None:
        return ()
    points = {score.approach: score.points for score in decision.scores if score.feasible}
    known = KnownFacts(row)
    chain = route(goal, points, known, spreads, tolerance)
    prompted, required = known.get("prompted_score"), known.get("required_quality")
    before = Approach.PROMPTING
    steps = []
    for place, approach in enumerate(chain):
        following = chain[place + 1] if place + 1 < len(chain) else None
        gain = points[approach] - points.get(before, 0.0) if approach is not before else 0.0
        reach = TWO_SIDED_80 * float(spreads[approach.place, before.place])
        earlier = points[approach] - gain
        low = min(_gained(prompted, earlier, gain - reach), gain)
        high = max(_gained(prompted, earlier, gain + reach), gain)
        score = score_of(prompted, points[approach])
        added = points[following] - points[approach] if following else gain
        # What users need, or else a score so near to the best that no more is worth building.
        enough = score_of(prompted, points[chain[-1]] - tolerance) if required is None else required
        stop_at = enough if following else None
        questions = _questions(score, max(added, tolerance), known.get("label_count"))
        needs = _needs(approach, known)
        short = following is None and required is not None and score is not None and score < required
        parts = (
            _starting(known, short=short)
            if approach is Approach.PROMPTING
            else _opening(
                approach, first=place == 0, told=f"{points_text(gain)} expected ({low:+.0f} to {high:+.0f})"
            ),
            _search_first(approach, known),
            _measuring(questions, stop_at, last=following is None),
            f"It takes {needs}." if needs else "",
        )
        month = cost.approaches[approach.place].per_month_usd
        text = " ".join(part for part in parts if part)
        steps.append(PlanStep(approach, gain, low, high, score, stop_at, questions, needs, month, text))
        before = approach
    return tuple(steps)


def route(
    goal: Approach, points: Mapping[Approach, float], known: KnownFacts, spreads: Floats, tolerance: float
) -> list[Approach]:
    """Return approaches of which each contains the one before and is expected to do better, up to the goal.

    Args:
        goal: The approach to take.
        points: Of every approach that is feasible, above PROMPTING.
        known: The use case.
        spreads: Standard deviations of the differences between approaches, in points, (approaches, approaches).
        tolerance: Points below which two approaches are not told apart.
    """
    chain = _chain(goal, points, known, tolerance)
    if chain[0] is Approach.PROMPTING and len(chain) > 1:
        sure = points[chain[1]] > _ONE_SIDED_80 * float(spreads[chain[1].place, Approach.PROMPTING.place])
        if known.get("prompted_score") is not None or sure:  # measured already, or most likely left behind
            return chain[1:]
    return chain


def _chain(
    goal: Approach, points: Mapping[Approach, float], known: KnownFacts, tolerance: float
) -> list[Approach]:
    chain = [goal]
    while True:
        parts = [each for each in points if each is not chain[0] and chain[0].contains(each)]
        middle = [each for each in parts if 0.0 < points[each] < points[chain[0]]] or parts[:1]
        if not middle:
            return chain
        # Of two that are as good, the one that can be done with what there is, and need not be trained.
        best = max(points[each] for each in middle)
        near = [each for each in middle if points[each] >= best - tolerance]
        chain.insert(0, min(near, key=lambda each: (bool(_needs(each, known)), each.trained, -points[each])))


def _gained(prompted: float | None, before: float, gain: float) -> float:
    """Return points gained after others, as far as a score goes."""
    return gain if prompted is None else bounded(prompted, before + gain) - before


def _questions(score: float | None, added: float, labels: float | None) -> int:
    """Return on how many questions what is added shows: half the 95% interval of a share is no wider."""
    share = min(max(score if score is not None else _USUAL_SCORE, 0.1), 0.9)
    needed = share * (1 - share) * (_TWO_SIDED_95 / (added / 100)) ** 2
    told = int(min(max(math.ceil(needed / _ROUND) * _ROUND, _FEWEST), _MOST))
    each = (
        0 if labels is None else math.ceil(min(_OF_EACH_LABEL * labels, _MOST_WITH_LABELS) / _ROUND) * _ROUND
    )
    return max(told, each)


def _needs(approach: Approach, known: KnownFacts) -> str:
    """Return what an approach takes that is not known to be there."""
    needs = []
    if approach.retrieves and known.get("corpus_tokens") is None:
        needs.append("the documents")
    if approach.trained:
        examples = known.get("labelled_examples")
        if examples is None or examples < _START_EXAMPLES:
            have = "" if examples is None else f", of which you have {int(examples):,}"
            needs.append(f"some {_START_EXAMPLES} examples{have}")
        if known.get("can_train") is None:
            needs.append("hardware or a service to train on")
    return " and ".join(needs)


def _starting(known: KnownFacts, *, short: bool) -> str:
    """Say how to begin with a prompt, or what to do with the one that there is."""
    prompted, corpus = known.get("prompted_score"), known.get("corpus_tokens")
    if prompted is not None and short:
        return (
            f"Work on the prompt, measured at {prompted:.0%}, before anything is built: look at what it gets wrong, "
            "show it examples, try a stronger model, and let a person check what is unsure."
        )
    if prompted is not None:
        return f"Keep the prompt, measured at {prompted:.0%}: look at what it gets wrong, and try a stronger model."
    if corpus and corpus <= _FITTING_TOKENS and known.get("task") not in _INPUT_AT_HAND:
        return (
            f"Start with a prompt that holds all {int(corpus):,} tokens of documents, cached: hours of work."
        )
    return "Start with a prompt, with examples in it or the documents where they fit: hours of work."


def _opening(approach: Approach, *, first: bool, told: str) -> str:
    if first:
        return f"Start with {approach}: {told} over a plain prompt."
    return f"Else {_VERBS[approach]}: {told}."


_VERBS = {
    Approach.RAG: "add retrieval",
    Approach.FINE_TUNING: "train on the examples",
    Approach.HYBRID: "train on retrieved passages, and retrieve",
}


def _search_first(approach: Approach, known: KnownFacts) -> str:
    """Say what bounds all that retrieval gives, where that is low."""
    found = known.get("retrieval_hit_rate")
    if not approach.retrieves or found is None or found >= _GOOD_SEARCH:
        return ""
    return (
        f"Raise search first, which finds {found:.0%}: keywords beside vectors, better passages, a reranker."
    )


def _measuring(questions: int, stop_at: float | None, *, last: bool) -> str:
    held_out = f"{counted(questions, 'held-out question')}"
    if last:
        return f"Measure it on {held_out} before it goes live."
    if stop_at is None:
        return f"Measure it on {held_out}, and go on only where that is not enough."
    return f"Stop if it reaches {stop_at:.2f} on {held_out}."
