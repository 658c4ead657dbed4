"""The decision: from facts to a recommendation that explains itself.

Pure: no I/O, no clock, no randomness. The same facts, knowledge base and
classifier give the same message, byte for byte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from advisor.decision.classifier import LinearClassifier, load_classifier
from advisor.decision.cost import estimate_cost
from advisor.decision.evidence import Evidence, Factor
from advisor.decision.flips import FlipFinder, FlippingChange
from advisor.decision.reasons import headline
from advisor.decision.scoring import Scorer, Scores
from advisor.decision.similar import SimilarCase, similar_cases
from advisor.decision.worlds import Outlook, Worlds
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.cases import Case, load_default_cases
from advisor.knowledge.facts import (
    Row,
    Rows,
    encode_facts,
    fact,
    fact_index,
    facts_from_mapping,
    value_to_text,
)
from advisor.knowledge.rulefile import load_default_rules
from advisor.knowledge.rules import CRITERIA, Knowledge, Rule
from advisor.v1 import facts_pb2
from advisor.v1 import recommendation_pb2 as pb

__all__ = ["BASIC", "FULL", "Advisor", "approach_name", "approach_value", "default_advisor"]

BASIC = pb.RECOMMENDATION_VIEW_BASIC
FULL = pb.RECOMMENDATION_VIEW_FULL

_APPROACH_VALUES = (pb.APPROACH_PROMPTING, pb.APPROACH_RAG, pb.APPROACH_FINE_TUNING, pb.APPROACH_HYBRID)
_LEAST_GAIN = 0.01
"""Expected information gain in nats below which a question is noise."""
_MOST_SIMILAR = 3


class Advisor:
    """A knowledge base, a classifier and published cases, ready to decide.

    Args:
        knowledge: The rules, criteria and priors.
        classifier: Adds what was learned from cases; None decides by rules alone.
        cases: Cases to show beside a decision.
    """

    def __init__(
        self, knowledge: Knowledge, classifier: LinearClassifier | None = None, cases: Sequence[Case] = ()
    ) -> None:
        self.knowledge = knowledge
        self.classifier = classifier
        # A classifier that was found to add nothing is not asked.
        self.scorer = Scorer(
            knowledge, classifier if classifier is not None and classifier.weight > 0 else None
        )
        self.cases = tuple(cases)
        self._versions = pb.Versions(
            advisor=_own_version(),
            rules=knowledge.digest[:16],
            classifier=classifier.digest[:16] if classifier else "",
        )
        rows = {
            kind: [i for i, rule in enumerate(knowledge.rules) if rule.kind == kind]
            for kind in ("evidence", "veto", "warning")
        }
        self._rows = {kind: np.array(each, dtype=np.intp) for kind, each in rows.items()}

    def with_knowledge(self, knowledge: Knowledge) -> Advisor:
        """Return an advisor with other rules, and the same classifier and cases."""
        return Advisor(knowledge, self.classifier, self.cases)

    @cached_property
    def worlds(self) -> Worlds:
        """Draws of the facts, for what is unknown."""
        return Worlds(self.knowledge)

    @cached_property
    def _flips(self) -> FlipFinder:
        return FlipFinder(self.scorer)

    def recommend(
        self, facts: facts_pb2.Facts | Mapping[str, object], view: int = FULL, path: str = "facts"
    ) -> pb.Recommendation:
        """Decide about one use case.

        Args:
            facts: What is known, as a message or as names with plain values.
            view: `BASIC` or `FULL`.
            path: Field path of the facts, for errors.

        Raises:
            InvalidInput: Facts that are not allowed; all of them are listed.
        """
        message = facts if isinstance(facts, facts_pb2.Facts) else facts_from_mapping(facts, path)
        row = encode_facts(message, path)
        return self._message(row, self.scorer.score(row[None, :]), 0, view)

    def check(self, facts: facts_pb2.Facts, path: str = "facts") -> None:
        """Raise InvalidInput where facts are not allowed."""
        encode_facts(facts, path)

    def recommend_rows(self, rows: Rows, views: Sequence[int]) -> list[pb.Recommendation]:
        """Decide about many use cases, scored together; rows as from `encode_many`."""
        scores = self.scorer.score(rows)
        return [self._message(row, scores, index, views[index]) for index, row in enumerate(rows)]

    def _message(self, row: Row, scores: Scores, index: int, view: int) -> pb.Recommendation:
        message = self._basic(row, scores, index)
        if view != BASIC:
            self._complete(message, row, scores, index)
        return message

    def _basic(self, row: Row, scores: Scores, index: int) -> pb.Recommendation:
        order = scores.order[:, index].tolist()
        probabilities = scores.probabilities[:, index].tolist()
        log_odds = scores.log_odds[:, index].tolist()
        feasible = scores.feasible[:, index].tolist()
        leader = order[0]
        decided = bool(scores.decided[index])
        message = pb.Recommendation(
            approach=_APPROACH_VALUES[leader] if decided else pb.APPROACH_UNDECIDED,
            leader=_APPROACH_VALUES[leader] if feasible[leader] else pb.APPROACH_UNSPECIFIED,
            runner_up=_APPROACH_VALUES[order[1]] if feasible[order[1]] else pb.APPROACH_UNSPECIFIED,
            scores=[
                pb.ApproachScore(
                    approach=_APPROACH_VALUES[a],
                    probability=probabilities[a],
                    log_odds=log_odds[a],
                    feasible=feasible[a],
                )
                for a in order
            ],
            versions=self._versions,
        )
        for rule in self._fired("veto", scores, index):
            excluded = [approach_value(name) for name in APPROACHES if name in rule.excludes]
            sources = self._sources(rule.sources)
            message.vetoes.add(
                id=rule.id, approaches=excluded, reason=self._worded(rule, row), sources=sources
            )
        return message

    def _fired(self, kind: str, scores: Scores, index: int) -> Iterator[Rule]:
        """Yield the rules of a kind that fired, in the order of the files."""
        rows = self._rows[kind]
        for i in rows[scores.fired[rows, index]].tolist():
            yield self.knowledge.rules[i]

    def _complete(self, message: pb.Recommendation, row: Row, scores: Scores, index: int) -> None:
        message.evidence.extend(map(self._evidence_message, self._evidence(row, scores, index)))
        message.criteria.extend(self._criteria(row))
        message.unconsidered_rules.extend(self._unconsidered(row))
        for rule in self._fired("warning", scores, index):
            text = self._worded(rule, row)
            message.warnings.add(id=rule.id, text=text, sources=self._sources(rule.sources))
        leader = int(scores.order[0, index])
        message.flips.extend(_flip_message(flip) for flip in self._flips.find(row, leader))
        outlook = self.worlds.look(self.scorer, row)
        message.robustness.CopyFrom(
            pb.Robustness(
                leader_share=float(outlook.shares[leader]),
                shares=_values(outlook.shares.tolist()),
                worlds=self.worlds.count,
            )
        )
        message.questions.extend(_questions(outlook))
        message.similar_cases.extend(map(_case_message, self._similar(row)))
        message.cost.CopyFrom(estimate_cost(row))
        message.summary = headline(message)

    def _evidence(self, row: Row, scores: Scores, index: int) -> list[Evidence]:
        """Return every term of the log-odds, heaviest first, the prior last."""
        prior = tuple(math.log(share) for share in self.knowledge.decision.prior)
        found = [
            Evidence(
                "RULE",
                rule.id,
                rule.criterion,
                rule.log_odds,
                self._worded(rule, row),
                rule.sources,
                facts=tuple(test.subject for test in rule.tests),
            )
            for rule in self._fired("evidence", scores, index)
        ]
        if self.scorer.classifier is not None:
            found.append(self._learned(self.scorer.classifier, row, scores, index))
        found.sort(key=lambda item: -item.weight)
        return [*found, Evidence("PRIOR", "prior", None, prior, "What is held before any fact is known.")]

    def _learned(self, classifier: LinearClassifier, row: Row, scores: Scores, index: int) -> Evidence:
        features = self.scorer.features(row[None, :])[:, 0]
        _, contributions = classifier.contributions(features)
        factors = tuple(Factor(name, tuple(values.tolist())) for name, values in contributions.items())
        named = ", ".join(item.fact for item in factors[:3]) or "no fact that it knows"
        return Evidence(
            "CLASSIFIER",
            "classifier",
            None,
            tuple(scores.classifier[:, index].tolist()),
            f"What {len(self.cases)} published cases teach, mostly by {named}.",
            factors=factors,
        )

    def _evidence_message(self, item: Evidence) -> pb.Evidence:
        return pb.Evidence(
            kind=f"KIND_{item.kind}",
            id=item.id,
            criterion=f"CRITERION_{(item.criterion or 'unspecified').upper()}",
            log_odds=_values(item.log_odds),
            reason=item.reason,
            sources=self._sources(item.sources),
            factors=[
                pb.EvidenceFactor(fact=each.fact, log_odds=_values(each.log_odds)) for each in item.factors
            ],
            facts=item.facts,
        )

    def _worded(self, rule: Rule, row: Row) -> str:
        """Fill a rule's reason with the use case's own values."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name in CRITERIA:
                return f"{self.scorer.criteria(row[None, :]).value[CRITERIA.index(name), 0]:.2f}"
            return value_to_text(fact(name), float(row[fact_index()[name]]))

        text = re.sub(r"\{(\w+)\}", value, rule.reason)
        return re.sub(r"\bevery 1 (\w+)\b", r"every \1", text)

    def _sources(self, keys: Sequence[str]) -> list[pb.Source]:
        return [self._source_messages[key] for key in keys]

    @cached_property
    def _source_messages(self) -> dict[str, pb.Source]:
        messages = {}
        for key in {key for rule in self.knowledge.rules for key in rule.sources}:
            name, _, locator = key.partition(":")
            source = self.knowledge.sources[name]
            reference = f"{source.reference}, {locator}" if locator else source.reference
            messages[key] = pb.Source(id=name, title=source.title, reference=reference)
        return messages

    def _similar(self, row: Row) -> list[SimilarCase]:
        """Return the nearest cases, one of each source: more of the same would say the same."""
        nearest: dict[str, SimilarCase] = {}
        for similar in similar_cases(row, self.cases, len(self.cases)):
            nearest.setdefault(similar.case.source.id, similar)
        return list(nearest.values())[:_MOST_SIMILAR]

    def _criteria(self, row: Row) -> list[pb.CriterionScore]:
        messages = []
        curve = 0
        values = self.scorer.criteria(row[None, :])
        for i, criterion in enumerate(self.knowledge.criteria):
            total = sum(each.weight for each in criterion.curves)
            value = np.clip(values.value[i, 0], values.lower[i, 0], values.upper[i, 0])
            message = pb.CriterionScore(
                criterion=f"CRITERION_{criterion.name.upper()}",
                value=_known(value),
                lower=float(values.lower[i, 0]),
                upper=float(values.upper[i, 0]),
            )
            for each in criterion.curves:
                message.factors.add(
                    fact=each.subject, weight=each.weight / total, value=_known(values.curves[curve, 0])
                )
                curve += 1
            messages.append(message)
        return messages

    def _unconsidered(self, row: Row) -> list[pb.UnconsideredRule]:
        silent = self.scorer.unconsidered(row[None, :])[:, 0]
        return [
            pb.UnconsideredRule(
                id=self.knowledge.rules[i].id, missing_facts=_missing(self.knowledge.rules[i], row)
            )
            for i in np.flatnonzero(silent)
        ]


@cache
def default_advisor() -> Advisor:
    """Return the advisor of the knowledge base, classifier and cases that the package ships."""
    return Advisor(load_default_rules(), load_classifier(), load_default_cases())


def approach_name(value: int) -> str:
    """Return an approach's short name, such as RAG."""
    return pb.Approach.Name(value).removeprefix("APPROACH_")


def approach_value(name: str) -> pb.Approach:
    """Return the enum value of an approach's short name; ValueError where there is none."""
    return _APPROACH_VALUES[APPROACHES.index(name)]


def _values(numbers: Sequence[float]) -> pb.ApproachValues:
    return pb.ApproachValues(prompting=numbers[0], rag=numbers[1], fine_tuning=numbers[2], hybrid=numbers[3])


def _known(number: float) -> float | None:
    return None if math.isnan(number) else float(number)


def _missing(rule: Rule, row: Row) -> list[str]:
    columns = fact_index()
    return [
        test.subject
        for test in rule.tests
        if test.subject in CRITERIA or math.isnan(row[columns[test.subject]])
    ]


def _flip_message(flip: FlippingChange) -> pb.Flip:
    return pb.Flip(
        fact=flip.fact,
        current=flip.current,
        change=flip.change,
        approach=approach_value(flip.approach),
        sentence=f"{flip.words}: {flip.approach}.",
    )


def _case_message(similar: SimilarCase) -> pb.SimilarCase:
    case = similar.case
    return pb.SimilarCase(
        id=case.id,
        best=approach_value(case.best),
        acceptable=[approach_value(name) for name in APPROACHES if name in case.acceptable],
        similarity=similar.similarity,
        scores=[
            pb.CaseScore(arm=arm, value=value, gain=arms is case.gains)
            for arms in (case.scores, case.gains)
            for arm, value in arms.items()
        ],
        source=pb.Source(id=case.source.id, title=case.source.title, reference=case.source.reference),
        matching_facts=similar.matching,
        note=case.note,
    )


def _questions(outlook: Outlook) -> list[pb.Question]:
    messages = []
    for name, gain in outlook.gains:
        if gain < _LEAST_GAIN:
            break
        item = fact(name)
        choices = ("yes", "no") if item.kind == "flag" else item.choices
        messages.append(
            pb.Question(
                fact=name, text=item.question, measure=item.measure, information_gain=gain, choices=choices
            )
        )
    return messages


def _own_version() -> str:
    try:
        return version("rag-or-tune")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "0"
