"""Choosing how much the model of gains may learn, and how sure it may be, by leaving one source out.

Cases of one source are not independent, so a source is the unit. What is chosen for decisions about a source is chosen
on the other sources alone, leaving one of them out in turn: nothing that is measured on a source bears on a choice made
for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from advisor.decision.evidence import softmax
from advisor.decision.gains import GainModel
from advisor.decision.pricing import monthly_usd
from advisor.decision.scoring import Scorer
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.cases import MARGIN_POINTS, Case
from advisor.knowledge.rules import Knowledge
from advisor.learning.gains import (
    Comparisons,
    Variances,
    estimate_variances,
    offered,
    parameters,
    train_gains,
)

__all__ = ["FAMILIES", "SHIPPED", "Choice", "Family", "Measured", "Outcome", "Study", "ship"]

SCALES = (2.0, 3.0, 4.5, 6.0, 9.0, 14.0)
TEMPERATURES = (2.0, 3.0, 4.0, 6.0, 8.0, 11.0, 15.0)


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of decision.

    Attributes:
        name: For people.
        rules: Whether the rules speak.
        learned: Whether the model's offsets and terms do.
    """

    name: str
    rules: bool
    learned: bool


SHIPPED = Family("rules + model", True, True)
FAMILIES = (Family("rules", True, False), Family("model", False, True), SHIPPED)
"""What is compared."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen: the scale of the weights, the variances, and the temperature."""

    scale: float
    variances: Variances
    temperature: float


class Measured:
    """What cases say of the approaches, as arrays of shape (approaches, cases); NaN where an arm was not measured.

    Attributes:
        score: In per cent. NAIVE_BOTH stands in for HYBRID where that was not measured, which understates HYBRID.
        regret: Points below the best measured arm. Where a case tells what its best arm, chosen on one half of the
            questions, scored on the other, it is below that, and may be negative: the highest score of several holds
            the luck of its questions.
        among: Whether the arm was measured.
        acceptable: Whether it is less than `MARGIN_POINTS` below the best.
    """

    def __init__(self, cases: Sequence[Case]) -> None:
        arms = [case.of_approaches for case in cases]
        self.score = np.array([[arm.get(name, np.nan) for arm in arms] for name in APPROACHES])
        self.among: Bools = ~np.isnan(self.score)
        highest = np.where(self.among, self.score, -np.inf).max(axis=0)
        best = np.array(
            [high if case.top is None else case.top for case, high in zip(cases, highest, strict=True)]
        )
        self.regret: Floats = best - self.score
        with np.errstate(invalid="ignore"):
            self.acceptable: Bools = self.regret < MARGIN_POINTS - 1e-9

    def leaders(self, points: Floats) -> np.ndarray:
        """Return the place of the measured arm with the most points, per case."""
        places: np.ndarray = np.where(self.among, points, -np.inf).argmax(axis=0)
        return places

    def probabilities(self, points: Floats, temperature: float | Floats) -> Floats:
        """Return the probability of each measured arm to be best, shape (approaches, cases)."""
        return softmax(np.where(self.among, points, -np.inf), temperature)

    def log_loss(self, points: Floats, temperature: float | Floats) -> Floats:
        """Return the negative log of the probability given to what is acceptable, per case."""
        given = np.where(self.acceptable, self.probabilities(points, temperature), 0.0).sum(axis=0)
        loss: Floats = -np.log(np.maximum(given, 1e-6))
        return loss


@dataclass(frozen=True, slots=True)
class Outcome:
    """Decisions about cases, each made without its source.

    Attributes:
        points: Shape (approaches, cases); they count as differences within a case.
        temperature: Points that stand for one nat of probability, shape (cases,).
        spread: Standard deviation of a measured difference between two, shape (approaches, approaches, cases).
    """

    points: Floats
    temperature: Floats
    spread: Floats


class Study:
    """Cases and a knowledge base, with every model trained once per set of held-out sources.

    Args:
        cases: The cases.
        knowledge: The rules.
    """

    def __init__(self, cases: Sequence[Case], knowledge: Knowledge) -> None:
        self.cases = tuple(cases)
        self.knowledge = knowledge
        self.scorer = Scorer(knowledge)
        rows = np.stack([case.row for case in cases])
        scores = self.scorer.score(rows)
        self.base, self.feasible = scores.points / self.scorer.gains.slope, scores.feasible
        self.upkeep = scores.upkeep + self.scorer.cost_points(monthly_usd(rows.T))
        self.measured = Measured(self.cases)
        self._silent = Comparisons(self.cases, np.zeros_like(self.base))
        self._speaking = Comparisons(self.cases, self.base)
        self.sources = self._speaking.sources

    def choose(self, family: Family, outside: Sequence[int] = ()) -> Choice:
        """Choose by the log loss of leaving one source out, among those that are not `outside`.

        Regret jumps with every case whose leader changes, and follows luck.
        """
        comparisons = self._comparisons(family)
        inside = [source for source in range(len(self.sources)) if source not in outside]
        variances = estimate_variances(comparisons, outside)
        points = {
            scale: np.zeros((len(APPROACHES), len(self.cases)))
            for scale in (SCALES if family.learned else SCALES[:1])
        }
        for source in inside:
            held = comparisons.source_of_case == source
            for scale, found in points.items():
                model = self._model(family, (*outside, source), scale, variances)
                found[:, held] = self._points(family, model)[:, held]
        known = np.isin(comparisons.source_of_case, inside)
        weights = comparisons.weight_of_case * known
        _, scale, temperature = min(
            (float(np.average(self.measured.log_loss(found, each), weights=weights)), scale, each)
            for scale, found in points.items()
            for each in TEMPERATURES
        )
        return Choice(scale, variances, temperature)

    def leave_one_out(self, family: Family) -> tuple[Outcome, Mapping[str, Choice]]:
        """Decide about each source's cases by what the others teach; also return what was chosen for each."""
        comparisons = self._comparisons(family)
        shape = (len(APPROACHES), len(self.cases))
        points, temperature = np.zeros(shape), np.zeros(len(self.cases))
        spread = np.zeros((len(APPROACHES), *shape))
        chosen = {}
        for number, name in enumerate(self.sources):
            held = comparisons.source_of_case == number
            model, choice = self._without(family, (number,))
            chosen[name] = choice
            points[:, held] = self._points(family, model)[:, held]
            temperature[held] = choice.temperature
            spread[:, :, held] = model.spreads(offered(comparisons.predictors[:, held]))
        return Outcome(points, temperature, spread), MappingProxyType(chosen)

    def decide_without(self, family: Family, outside: Sequence[int]) -> tuple[Floats, Bools]:
        """Return points of every case by what the sources that are not `outside` teach, and which cases are outside."""
        comparisons = self._comparisons(family)
        model, _ = self._without(family, outside)
        return self._points(family, model), np.isin(comparisons.source_of_case, outside)

    @property
    def source_of_case(self) -> np.ndarray:
        """Number of each case's source in `sources`."""
        return self._speaking.source_of_case

    def points_without(self, family: Family, outside: Sequence[int], choice: Choice) -> Floats:
        """Return points of every case by what the sources that are not `outside` teach, learned as was chosen."""
        return self._points(family, self._model(family, outside, choice.scale, choice.variances))

    def train(self, choice: Choice) -> GainModel:
        """Train what is shipped on every case."""
        return train_gains(
            self._speaking,
            (),
            scale=choice.scale,
            variances=choice.variances,
            temperature=choice.temperature,
        )

    def _without(self, family: Family, outside: Sequence[int]) -> tuple[GainModel, Choice]:
        choice = self.choose(family, outside)
        return self._model(family, outside, choice.scale, choice.variances), choice

    def _comparisons(self, family: Family) -> Comparisons:
        return self._speaking if family.rules else self._silent

    def _model(self, family: Family, outside: Sequence[int], scale: float, variances: Variances) -> GainModel:
        return train_gains(self._comparisons(family), outside, scale=scale, variances=variances)

    def _points(self, family: Family, model: GainModel) -> Floats:
        weights = parameters(model)
        if not family.learned:
            weights[1:] = 0.0
        points: Floats = self._comparisons(family).predictors @ weights
        return points


def ship(study: Study) -> tuple[GainModel, Choice]:
    """Choose by every source, and train on every case."""
    choice = study.choose(SHIPPED)
    return study.train(choice), choice
