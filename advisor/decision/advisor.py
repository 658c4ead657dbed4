"""The advisor: from facts to a recommendation that explains itself.

Pure: no I/O, no clock, no randomness. The same facts, knowledge base and model
of gains give the same recommendation, number for number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from advisor.decision.explainer import Explainer
from advisor.decision.gains import GainModel, load_gains
from advisor.decision.recommendation import FULL, Recommendation, Score, Versions, Veto, View
from advisor.decision.rulebook import Rulebook
from advisor.decision.scoring import UNDECIDED, Scorer, Scores
from advisor.decision.worlds import Worlds
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.cases import Case, load_default_cases
from advisor.knowledge.facts import Row, Rows, encode_facts, facts_from_mapping
from advisor.knowledge.inventory import NOTHING, Gathered
from advisor.knowledge.rulefile import load_default_rules
from advisor.knowledge.rules import Knowledge
from advisor.v1 import facts_pb2

__all__ = ["Advisor", "default_advisor"]


class Advisor:
    """A knowledge base, a model of gains and published cases, ready to decide.

    Args:
        knowledge: The rules, criteria and priors.
        gains: What was learned from cases; None decides by rules alone.
        cases: Cases to show beside a decision.
    """

    def __init__(
        self, knowledge: Knowledge, gains: GainModel | None = None, cases: Sequence[Case] = ()
    ) -> None:
        self.knowledge = knowledge
        self.gains = gains
        self.scorer = Scorer(knowledge, gains)
        self.cases = tuple(cases)
        self._rulebook = Rulebook(self.scorer)
        self._explainer = Explainer(self.scorer, self._rulebook, self.cases)
        self.versions = Versions(
            advisor=_own_version(),
            rules=knowledge.digest[:16],
            gains=gains.digest[:16] if gains else None,
        )

    def with_knowledge(self, knowledge: Knowledge) -> Advisor:
        """Return an advisor with other rules, and the same model of gains and cases."""
        return Advisor(knowledge, self.gains, self.cases)

    def with_gains(self, gains: GainModel) -> Advisor:
        """Return an advisor with another model of gains, and the same rules and cases."""
        return Advisor(self.knowledge, gains, self.cases)

    @property
    def worlds(self) -> Worlds:
        """Draws of the facts, for what is unknown."""
        return self._explainer.worlds

    def recommend(
        self,
        facts: facts_pb2.Facts | Mapping[str, object],
        view: View = FULL,
        path: str = "facts",
        *,
        gathered: Gathered = NOTHING,
    ) -> Recommendation:
        """Decide about one use case.

        Args:
            facts: What is known, as a message or as names with plain values.
            view: `BASIC` or `FULL`.
            path: Field path of the facts, for errors.
            gathered: What the user's data said of the facts, for the explanation.

        Raises:
            InvalidInput: Facts that are not allowed; all of them are listed.
        """
        message = facts if isinstance(facts, facts_pb2.Facts) else facts_from_mapping(facts, path)
        return self._recommend(encode_facts(message, path)[None, :], [view], gathered)[0]

    def check(self, facts: facts_pb2.Facts, path: str = "facts") -> None:
        """Raise InvalidInput where facts are not allowed."""
        encode_facts(facts, path)

    def recommend_rows(self, rows: Rows, views: Sequence[View]) -> list[Recommendation]:
        """Decide about many use cases, scored together; rows as from `encode_many`."""
        return self._recommend(rows, views)

    def _recommend(
        self, rows: Rows, views: Sequence[View], gathered: Gathered = NOTHING
    ) -> list[Recommendation]:
        scores = self.scorer.score(rows)
        found = list(self._decide(rows, scores))
        for index, view in enumerate(views):
            if view == FULL:
                explanation = self._explainer.explain(found[index], rows[index], scores, index, gathered)
                found[index] = replace(found[index], explanation=explanation)
        return found

    def _decide(self, rows: Rows, scores: Scores) -> Iterator[Recommendation]:
        above = scores.points - scores.points[Approach.PROMPTING.place]
        parts = (scores.order, self.scorer.probabilities(scores), above, scores.feasible, scores.approach)
        columns = zip(*(part.T.tolist() for part in parts), strict=True)
        for index, (order, probabilities, points, feasible, taken) in enumerate(columns):
            ranked = tuple(
                Score(APPROACHES[place], probabilities[place], points[place], feasible[place])
                for place in order
            )
            first, second = ranked[:2]
            yield Recommendation(
                approach=APPROACHES[taken] if taken != UNDECIDED else None,
                leader=first.approach if first.feasible else None,
                runner_up=second.approach if second.feasible else None,
                scores=ranked,
                vetoes=() if all(feasible) else self._vetoes(rows[index], scores, index),
                versions=self.versions,
            )

    def _vetoes(self, row: Row, scores: Scores, index: int) -> tuple[Veto, ...]:
        book = self._rulebook
        return tuple(
            Veto(
                rule.id,
                tuple(each for each in APPROACHES if each in rule.excludes),
                book.reason(rule, row),
                book.sources(rule),
            )
            for rule in book.fired("veto", scores, index)
        )


@cache
def default_advisor() -> Advisor:
    """Return the advisor of the knowledge base, model of gains and cases that the package ships."""
    return Advisor(load_default_rules(), load_gains(), load_default_cases())


def _own_version() -> str:
    try:
        return version("rag-or-tune")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "0"
