"""Choosing what is shipped: how much to regularise, the classifier's weight against the rules, the temperature.

All are chosen together, by leaving one source out: cases of one source are not independent, so a source is the unit.
Of the configurations whose loss is within one standard error of the least, the simplest is taken (Breiman et al.,
Classification and Regression Trees, 1984, section 3.4.3): with a dozen sources the least loss alone is mostly luck.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from advisor.decision.classifier import LinearClassifier
from advisor.decision.evidence import softmax
from advisor.decision.scoring import Scorer
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import Rows
from advisor.knowledge.notation import Interval
from advisor.knowledge.rules import Knowledge, Rule
from advisor.learning.boosting import train_boosting
from advisor.learning.training import case_weights, feature_matrix, train_classifier

__all__ = [
    "CHOOSING",
    "CLIP",
    "FAMILIES",
    "LOGISTIC",
    "SHIPPED",
    "Bools",
    "Configuration",
    "Family",
    "HoldingOut",
    "Outcome",
    "Study",
    "fingerprint",
    "ship",
    "without_sources",
]

Learner = Literal["logistic", "boosting"]
HoldingOut = Literal["alone", "shares", "any"]
Bools = npt.NDArray[np.bool_]

REGULARISATIONS = (0.03, 0.1, 0.3, 1.0, 3.0)
ITERATIONS = (10.0, 30.0)
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
TEMPERATURES = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
CLIP = 1e-6
"""Smallest probability in a logarithm: a veto of the winner costs 14 nats, not infinity."""

CHOOSING: HoldingOut = "any"
"""Choices are made where the rules know least of the held-out source: who wrote them had read every case."""

_ALL_CASES = "published-cases"


class Configuration(NamedTuple):
    """What is chosen: the classifier's weight, the learner's setting, the temperature."""

    weight: float
    setting: float
    temperature: float


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of decision, whose configuration is chosen within each training fold.

    Attributes:
        name: For people.
        rules: Whether the rules speak.
        learner: What is learned; None for rules alone.
        settings: Settings of the learner to choose from, simplest first.
        weights: Weights of the classifier to choose from, simplest first.
    """

    name: str
    rules: bool
    learner: Learner | None = None
    settings: tuple[float, ...] = (0.0,)
    weights: tuple[float, ...] = (0.0,)


SHIPPED = Family("rules + logistic regression", True, "logistic", REGULARISATIONS, WEIGHTS)
LOGISTIC = Family("logistic regression", False, "logistic", REGULARISATIONS, (1.0,))
FAMILIES = (
    SHIPPED,
    Family("rules", True),
    LOGISTIC,
    Family("gradient boosting", False, "boosting", ITERATIONS, (1.0,)),
    Family("rules + gradient boosting", True, "boosting", ITERATIONS, WEIGHTS),
)
"""What is compared."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Decisions about cases.

    Attributes:
        probabilities: Shape (approaches, n).
        decided: Whether lead and evidence suffice, shape (n,).
    """

    probabilities: Floats
    decided: Bools

    @property
    def leaders(self) -> tuple[Approach, ...]:
        """The most probable approach of each case, decided or not."""
        return tuple(APPROACHES[index] for index in self.probabilities.argmax(axis=0))


class Study:
    """Cases and a knowledge base, with every model trained once per set of held-out sources.

    Args:
        cases: The cases.
        knowledge: The rules.
        holding_out: What the rules lose of a source that is held out; see `without_sources`.
        tolerance: Standard errors above the least loss within which the simplest configuration is chosen.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        knowledge: Knowledge,
        holding_out: HoldingOut = CHOOSING,
        tolerance: float = 1.0,
    ) -> None:
        self.cases = tuple(cases)
        self.sources = tuple(dict.fromkeys(case.source.id for case in cases))
        self.knowledge = knowledge
        self._holding_out = holding_out
        self._tolerance = tolerance
        self._log_prior = np.log(np.array(knowledge.decision.prior))[:, None]
        self._scorers: dict[frozenset[str], Scorer] = {}
        self._models: dict[tuple[Learner, float, frozenset[str]], Callable[[Rows], Floats]] = {}

    def holding_out(self, how: HoldingOut) -> Study:
        """Return the same study with another reading of what rules lose; learned models are shared."""
        other = Study(self.cases, self.knowledge, how, self._tolerance)
        other._models = self._models
        return other

    def tolerating(self, errors: float) -> Study:
        """Return the same study with another tolerance; learned models are shared."""
        other = Study(self.cases, self.knowledge, self._holding_out, errors)
        other._models = self._models
        return other

    def rules_without(self, source: str) -> tuple[Rule, ...]:
        """Return the rules that are left where a source is held out."""
        return self._scorer(frozenset({source})).knowledge.rules

    def choose(self, family: Family, outside: frozenset[str] = frozenset()) -> Configuration:
        """Choose a configuration by leaving one source out, among those that are not `outside`."""
        inside = [source for source in self.sources if source not in outside]
        parts = [[case for case in self.cases if case.source.id == source] for source in inside]
        losses = {}
        for setting in family.settings:
            terms = [
                self._terms(family, setting, outside | {source}, _rows(part))
                for source, part in zip(inside, parts, strict=True)
            ]
            for weight, temperature in product(family.weights, TEMPERATURES):
                losses[Configuration(weight, setting, temperature)] = [
                    _loss(softmax(np.where(feasible, base + weight * learned, -np.inf), temperature), part)
                    for (base, learned, feasible), part in zip(terms, parts, strict=True)
                ]
        return _simplest_of_the_best(losses, self._tolerance)

    def decide(self, family: Family, chosen: Configuration, held: frozenset[str], rows: Rows) -> Outcome:
        """Decide about rows by what the sources that are not held out teach."""
        base, learned, feasible = self._terms(family, chosen.setting, held, rows)
        probabilities = softmax(
            np.where(feasible, base + chosen.weight * learned, -np.inf), chosen.temperature
        )
        ranked = np.sort(probabilities, axis=0)
        decided = ranked[-1] - ranked[-2] >= self.knowledge.decision.lead
        if family.rules:
            scorer = self._scorer(held)
            strengths = np.ptp([rule.log_odds for rule in scorer.knowledge.rules], axis=1)
            decided &= strengths @ scorer.score(rows).fired >= self.knowledge.decision.evidence
        return Outcome(probabilities, decided)

    def _terms(
        self, family: Family, setting: float, held: frozenset[str], rows: Rows
    ) -> tuple[Floats, Floats, Bools]:
        """Return prior and rules, the classifier at weight 1, and what is feasible, each (approaches, n)."""
        base = np.repeat(self._log_prior, len(rows), axis=1)
        feasible = np.ones(base.shape, dtype=np.bool_)
        learned = np.zeros(base.shape)
        if family.rules:
            scores = self._scorer(held).score(rows)
            base, feasible = scores.log_odds, scores.feasible
        if family.learner:
            learned = self._model(family.learner, setting, held)(rows) - self._log_prior
        return base, learned, feasible

    def _scorer(self, held: frozenset[str]) -> Scorer:
        if held not in self._scorers:
            self._scorers[held] = Scorer(without_sources(self.knowledge, held, self._holding_out))
        return self._scorers[held]

    def _model(self, learner: Learner, setting: float, held: frozenset[str]) -> Callable[[Rows], Floats]:
        key = (learner, setting, held)
        if key not in self._models:
            cases = [case for case in self.cases if case.source.id not in held]
            self._models[key] = _train(learner, setting, cases, self.knowledge.decision.prior)
        return self._models[key]


def ship(study: Study) -> tuple[Any, LinearClassifier, Configuration]:
    """Choose by every source, and train on every case.

    Returns:
        The scikit-learn estimator, its linear form with the chosen weight, and the configuration.
    """
    study = study.holding_out(CHOOSING)
    chosen = study.choose(SHIPPED)
    if chosen.weight == 0:  # nothing to tell the settings apart by: take what suits the classifier alone
        chosen = chosen._replace(setting=study.choose(LOGISTIC).setting)
    estimator, classifier = train_classifier(
        study.cases, study.knowledge.decision.prior, regularisation=chosen.setting, weight=chosen.weight
    )
    return estimator, classifier, chosen


def without_sources(knowledge: Knowledge, held: frozenset[str], how: HoldingOut) -> Knowledge:
    """Return a knowledge base as it would be without the held-out sources.

    A rule drawn from all published cases together loses that source whichever is held out.

    Args:
        knowledge: The rules.
        held: Keys of the sources held out.
        how: `alone` drops a rule that rests on them alone; `shares` also takes from every other rule the share of
            its evidence that they are of its sources; `any` drops a rule that names one of them.
    """
    if not held:
        return knowledge
    rules = []
    for rule in knowledge.rules:
        keys = {source.partition(":")[0] for source in rule.sources}
        share = len(keys - held - {_ALL_CASES}) / len(keys)
        if share == 0 or (how == "any" and share < 1):
            continue
        kept = share if how == "shares" else 1.0
        rules.append(replace(rule, log_odds=tuple(value * kept for value in rule.log_odds)))
    return replace(knowledge, rules=tuple(rules))


def fingerprint(knowledge: Knowledge) -> str:
    """Return a hash of what bears on decisions.

    Not of wording, spelling, order or places, nor of the temperature, which is chosen here.
    """
    decision = knowledge.decision
    parts: list[object] = [decision.prior, decision.lead, decision.evidence]
    parts.extend((criterion.name, criterion.curves) for criterion in knowledge.criteria)
    for rule in sorted(knowledge.rules, key=lambda rule: rule.id):
        tests = sorted((test.subject, repr(_ordered(test.holds))) for test in rule.tests)
        parts.append((rule.id, rule.kind, tests, rule.log_odds, sorted(rule.excludes), sorted(rule.sources)))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _ordered(holds: Interval | frozenset[str]) -> Interval | list[str]:
    return holds if isinstance(holds, Interval) else sorted(holds)


def _train(
    learner: Learner, setting: float, cases: Sequence[Case], prior: Sequence[float]
) -> Callable[[Rows], Floats]:
    if learner == "boosting":
        return train_boosting(cases, iterations=int(setting)).log_probabilities
    _, classifier = train_classifier(cases, prior, regularisation=setting, weight=1.0)
    return lambda rows: classifier.log_probabilities(feature_matrix(classifier.features, rows))


def _loss(probabilities: Floats, cases: Sequence[Case]) -> float:
    """Return the summed log loss, shared among acceptable approaches and weighted as in training."""
    target = [[(name in case.acceptable) / len(case.acceptable) for case in cases] for name in APPROACHES]
    entropy = -(np.array(target) * np.log(np.maximum(probabilities, CLIP))).sum(axis=0)
    return float(case_weights(cases) @ entropy)


def _simplest_of_the_best(losses: dict[Configuration, list[float]], tolerance: float) -> Configuration:
    table = np.array(list(losses.values()))
    excess = table - table[table.sum(axis=1).argmin()]
    error = excess.std(axis=1, ddof=1) / np.sqrt(table.shape[1])
    near = excess.mean(axis=1) <= tolerance * error + 1e-12
    good = [chosen for chosen, is_near in zip(losses, near, strict=True) if is_near]
    return min(good, key=lambda each: (each.weight, abs(np.log(each.temperature)), each.setting))


def _rows(cases: Sequence[Case]) -> Rows:
    return np.stack([case.row for case in cases])
