"""Measure how many questions a consultation saves against a fixed questionnaire.

    python benchmarks/consultation.py [people]

Each person is a world drawn from the priors of the knowledge base, and answers every question truthfully. The fixed
questionnaire asks in one order for all, the best there is on average: by information gain before anything is known.
Both stop by the same rule. "Agrees" is how often the leader is the one that all facts together give.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from advisor.decision.advisor import default_advisor
from advisor.decision.consultation import Consultation
from advisor.decision.worlds import Worlds
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.facts import decode_value, fact, fact_index, facts, facts_from_mapping
from advisor.v1 import facts_pb2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one conversation took and gave."""

    questions: int
    agrees: bool


def converse(person: np.ndarray, order: list[str] | None) -> Outcome:
    """Hold one conversation, adaptive or in a fixed order, with a person."""
    advisor = default_advisor()
    truth = APPROACHES[advisor.scorer.score(person[None]).order[0, 0]]
    consultation = Consultation(advisor, facts_pb2.Facts())
    remaining = list(order or ())
    questions = 0
    while (step := consultation.next()).question is not None:
        name = remaining.pop(0) if remaining else step.question.fact
        value = decode_value(fact(name), float(person[fact_index()[name]]))
        consultation.answer(facts_from_mapping({name: value}))
        questions += 1
    return Outcome(questions, step.recommendation.leader is truth)


def main() -> None:
    """Print a line for each way of asking."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    advisor = default_advisor()
    nobody = np.full(len(facts()), np.nan)
    drawn = Worlds(advisor.knowledge, people, seed=7).fill(nobody)
    order = [name for name, _ in advisor.worlds.look(advisor.scorer, nobody).gains]
    for label, fixed in (("adaptive", None), ("fixed order", order)):
        outcomes = [converse(person, fixed) for person in drawn]
        counts = np.array([outcome.questions for outcome in outcomes])
        agrees = np.mean([outcome.agrees for outcome in outcomes])
        low, middle, high = np.percentile(counts, [10, 50, 90])
        print(
            f"{label}: {counts.mean():.1f} questions on average (10% {low:.0f}, median {middle:.0f}, 90% {high:.0f}), "
            f"agrees with all facts known in {agrees:.0%} of {people}"
        )


if __name__ == "__main__":
    main()
