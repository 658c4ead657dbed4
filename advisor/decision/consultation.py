"""Consultation: ask the most informative question next, until the decision is stable.

A decision is stable when what is still unknown would hardly change it: it
stays in nine of ten worlds. Then, or when no question would tell
anything, or when the client's limit is reached, the consultation ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from advisor.decision.advisor import Advisor
from advisor.decision.explanation import Question
from advisor.decision.recommendation import FULL, Recommendation
from advisor.errors import InvalidInput, Violation
from advisor.knowledge.facts import fact_index, nearest
from advisor.v1 import facts_pb2
from backends.counts import counted

__all__ = ["STABLE_SHARE", "Consultation", "Step"]

STABLE_SHARE = 0.9
"""Share of worlds in which the decision stays, from which it counts as stable."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a consultation stands.

    Attributes:
        recommendation: The decision by what is known so far.
        question: What to ask next; None at the end.
        stop_reason: Why no more is asked; empty while questions remain.
        questions_asked: Questions asked so far, this one included.
    """

    recommendation: Recommendation
    question: Question | None
    stop_reason: str
    questions_asked: int


class Consultation:
    """One conversation about one use case.

    Args:
        advisor: Decides.
        facts: What is known from the start.
        max_questions: Most questions to ask; 0 for no limit.
    """

    def __init__(self, advisor: Advisor, facts: facts_pb2.Facts, max_questions: int = 0) -> None:
        if max_questions < 0:
            violation = Violation("start.max_questions", f"{max_questions} is negative; 0 sets no limit")
            raise InvalidInput((violation,))
        self._advisor = advisor
        self._facts = facts_pb2.Facts()
        self._facts.CopyFrom(facts)
        self._limit = max_questions
        self._asked = 0
        self._unknown: set[str] = set()

    @property
    def facts(self) -> facts_pb2.Facts:
        """What is known so far."""
        return self._facts

    def answer(self, facts: facts_pb2.Facts, unknown: Iterable[str] = ()) -> None:
        """Take an answer: facts that are now known, and names of those that nobody can tell.

        Raises:
            InvalidInput: A value or a name is not allowed; nothing of the answer is kept.
        """
        names = list(unknown)
        if len(names) > len(fact_index()):  # each that is unknown costs a search for what was meant
            raise InvalidInput.of(
                "answer.unknown",
                f"has {len(names):,} names; there are {len(fact_index())} facts: name each at most once",
            )
        violations = [
            Violation(f"answer.unknown[{index}]", f"{name!r} is not a fact{nearest(name, fact_index())}")
            for index, name in enumerate(names)
            if name not in fact_index()
        ]
        if violations:
            raise InvalidInput(tuple(violations))
        merged = facts_pb2.Facts()
        merged.CopyFrom(self._facts)
        merged.MergeFrom(facts)
        self._advisor.check(merged, "answer.facts")
        self._facts = merged
        self._unknown.update(names)

    def next(self) -> Step:
        """Decide by what is known, and choose the next question."""
        recommendation = self._advisor.recommend(self._facts, FULL, "start.facts")
        explanation = recommendation.explanation
        questions = explanation.questions if explanation else ()
        question = next((item for item in questions if item.fact not in self._unknown), None)
        reason = self._stop_reason(recommendation, question)
        if question is None or reason:
            return Step(recommendation, None, reason, self._asked)
        self._asked += 1
        self._unknown.add(question.fact)  # asked once; a fact that was answered is known anyway
        return Step(recommendation, question, "", self._asked)

    def _stop_reason(self, recommendation: Recommendation, question: Question | None) -> str:
        explanation = recommendation.explanation
        share = explanation.robustness.kept if explanation else 0.0
        if recommendation.approach is not None and share >= STABLE_SHARE:
            return f"stable: the decision stays in {share:.0%} of the worlds that the unknown facts allow"
        if question is None:
            return "no question left would tell anything about the best approach"
        if self._limit and self._asked >= self._limit:
            return f"the limit of {counted(self._limit, 'question')} is reached"
        return ""
