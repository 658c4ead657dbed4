"""The plan: steps towards the approach to take, each with what to measure, and the score at which to stop there.

Approaches contain each other, so what one step builds the next one keeps: a
prompt, then retrieval or training, then both. The first step is one that can
be done with what there is. How to go about each is advice of the knowledge base.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from advisor.decision.cost import CostEstimate
from advisor.decision.evidence import bounded, points_text, score_of
from advisor.decision.explanation import Advice, PlanStep
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
_TO_RELEASE, _MOST, _ROUND = 200, 300, 50
"""Held-out questions to measure on: with fewer a share is known to no 7 per cent, more cost more than they tell."""
_OF_EACH_LABEL = ((100, 1000), (5, 5000))
"""Where the answer is a label, so many of each, up to so many in all: for a rate of each, or just some of each."""
_HELD_OUT = 0.2
"""Of the labelled examples, so many at most."""
_READ_BY_PEOPLE = 100
"""Outputs that somebody has to read are no more than this."""
_ASKED = {
    encode_value(fact("task"), name): noun
    for name, noun in {
        "CLASSIFICATION": "input",
        "EXTRACTION": "document",
        "GENERATION": "input",
        "SUMMARIZATION": "document",
        "CODE": "request",
    }.items()
}
"""What is held out to measure on, where it is not questions."""
_READ = tuple(encode_value(fact("task"), name) for name in ("GENERATION", "SUMMARIZATION"))
"""Tasks whose outputs somebody has to read to judge them."""
_USUAL_SCORE = 0.7
_MOST_ADVICE = 4
"""Pieces of advice on a step."""
_START_EXAMPLES = 200
"""From so many examples on, training gains in most published comparisons (docs/knowledge.md)."""


def plan_steps(
    decision: Recommendation,
    row: Row,
    spreads: Floats,
    cost: CostEstimate,
    tolerance: float,
    advice: Sequence[Advice] = (),
) -> tuple[PlanStep, ...]:
    """Return the steps towards the approach to take, or where none is, to the one that is expected to do best.

    Args:
        decision: What was decided.
        row: The use case, shape (facts,).
        spreads: Standard deviations of the differences between approaches, in points, (approaches, approaches).
        cost: What each approach costs.
        tolerance: Points below which two approaches are not told apart.
        advice: What the use case calls for, what counts most first.
    """
    goal = decision.approach or decision.leader
    if goal is None:
        return ()
    points = {score.approach: score.points for score in decision.scores if score.feasible}
    known = KnownFacts(row)
    prompt_first = any(each.first and Approach.PROMPTING in each.steps for each in advice)
    chain = route(goal, points, known, spreads, tolerance, prompt_first=prompt_first)
    prompted, required = known.get("prompted_score"), known.get("required_quality")
    built = list(pairwise((Approach.PROMPTING, *chain)))
    gains = [points[approach] - points.get(before, 0.0) for before, approach in built]
    questions = _held_out([points[each] for each in chain], gains, known, tolerance)
    # What users need, or else a score so near to the best that no more is worth building.
    enough = score_of(prompted, points[goal] - tolerance) if required is None else required
    told = _Told(advice)
    steps = []
    for place, ((before, approach), gain) in enumerate(zip(built, gains, strict=True)):
        last = approach is goal
        reach = TWO_SIDED_80 * float(spreads[approach.place, before.place])
        earlier = points[approach] - gain
        low = min(_gained(prompted, earlier, gain - reach), gain)
        high = max(_gained(prompted, earlier, gain + reach), gain)
        stop_at, needs = None if last else enough, _needs(approach, known)
        expected = f"{points_text(gain)} expected ({low:+.0f} to {high:+.0f})"
        parts = (
            _starting(known, last=last)
            if approach is Approach.PROMPTING
            else _opening(approach, first=place == 0, told=expected),
            _measuring(questions, stop_at, known, last=last),
            _writing(questions, chain, known) if place == 0 else "",
            f"It takes {needs}." if needs else "",
        )
        steps.append(
            PlanStep(
                approach=approach,
                points=gain,
                low=low,
                high=high,
                score=score_of(prompted, points[approach]),
                stop_at=stop_at,
                questions=questions,
                needs=needs,
                per_month_usd=cost.approaches[approach.place].per_month_usd,
                text=" ".join(part for part in parts if part),
                advice=told.on(approach),
            )
        )
    return tuple(steps)


def route(
    goal: Approach,
    points: Mapping[Approach, float],
    known: KnownFacts,
    spreads: Floats,
    tolerance: float,
    *,
    prompt_first: bool = False,
) -> list[Approach]:
    """Return approaches of which each contains the one before and is expected to do better, up to the goal.

    Args:
        goal: The approach to take.
        points: Of every approach that is feasible, above PROMPTING.
        known: The use case.
        spreads: Standard deviations of the differences between approaches, in points, (approaches, approaches).
        tolerance: Points below which two approaches are not told apart.
        prompt_first: Whether a prompt is worth a step, even one that is measured already.
    """
    chain = _chain(goal, points, known, tolerance)
    if chain[0] is Approach.PROMPTING and len(chain) > 1 and not prompt_first:
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


class _Told:
    """Advice, each piece of it told once: on the first step that it is for."""

    def __init__(self, advice: Sequence[Advice]) -> None:
        self._left = list(advice)

    def on(self, approach: Approach) -> tuple[Advice, ...]:
        """Return the advice on a step that has not been told yet."""
        found = tuple(each for each in self._left if approach in each.steps)[:_MOST_ADVICE]
        self._left = [each for each in self._left if each not in found]
        return found


def _questions(score: float | None, added: float) -> int:
    """Return on how many questions what is added shows: half the 95% interval of a share is no wider."""
    share = min(max(score if score is not None else _USUAL_SCORE, 0.1), 0.9)
    needed = share * (1 - share) * (_TWO_SIDED_95 / (added / 100)) ** 2
    return int(min(max(math.ceil(needed / _ROUND) * _ROUND, _TO_RELEASE), _MOST))


def _held_out(points: Sequence[float], gains: Sequence[float], known: KnownFacts, tolerance: float) -> int:
    """Return how many to hold out for the whole plan: the same for every step, and no more than people read.

    Args:
        points: Of the steps, above PROMPTING.
        gains: What each adds to the one before.
        known: The use case.
        tolerance: Points below which no difference is looked for.
    """
    added = [*gains[1:], gains[-1]]  # each step shows what the next one adds, the last what it adds itself
    questions = max(
        _questions(score_of(known.get("prompted_score"), each), max(gain, tolerance))
        for each, gain in zip(points, added, strict=True)
    )
    if known.get("task") in _READ:
        return min(questions, _READ_BY_PEOPLE)
    labels, examples = known.get("label_count"), known.get("labelled_examples")
    if labels is None:
        return questions
    wanted = max(min(each * labels, most) for each, most in _OF_EACH_LABEL)
    if examples is not None:
        wanted = min(wanted, _HELD_OUT * examples)
    return max(questions, math.ceil(wanted / _ROUND) * _ROUND)


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


def _starting(known: KnownFacts, *, last: bool) -> str:
    """Say how to begin with a prompt, or what to do with the one that there is."""
    prompted = known.get("prompted_score")
    if prompted is None:
        return "Start with a prompt: hours of work."
    told = "said to be at" if known.get("has_evaluation_set") == 0 else "measured at"
    return f"Work on the prompt{'' if last else ' first'}, {told} {prompted:.0%}."


def _opening(approach: Approach, *, first: bool, told: str) -> str:
    if first:
        return f"Start with {approach}: {told} over a plain prompt."
    return f"Else {_VERBS[approach]}: {told}."


_VERBS = {
    Approach.RAG: "add retrieval",
    Approach.FINE_TUNING: "train on the examples",
    Approach.HYBRID: "train on retrieved passages, and retrieve",
}


def _writing(questions: int, chain: Sequence[Approach], known: KnownFacts) -> str:
    """Say that there are too few examples to hold so many out, and to train on the others where that comes."""
    examples = known.get("labelled_examples")
    taken = questions + (_START_EXAMPLES if any(each.trained for each in chain) else 0)
    if not examples or examples >= taken or known.get("has_evaluation_set"):
        return ""
    return f"Your {counted(int(examples), 'example')} are too few for that: write more, or see less."


def _measuring(questions: int, stop_at: float | None, known: KnownFacts, *, last: bool) -> str:
    """Say on what to measure a step, and what follows from it."""
    held_out = counted(questions, f"held-out {_ASKED.get(known.get('task') or 0.0, 'question')}")
    if last:
        return f"Measure it on {held_out} before it goes live."
    if stop_at is None:
        return f"Measure it on {held_out}, and go on only where users need more."
    if known.get("required_quality") is not None:
        return f"Stop if it reaches {stop_at:.2f} on {held_out}."
    return f"Stop if it reaches {stop_at:.2f} on {held_out}, near to what all steps are expected to reach."
