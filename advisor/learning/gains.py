"""Training of the model of gains: a mixed linear model of the scores that cases measured.

    score(case, arm) = case + points(arm) + source(arm) + rest

`points` is what `advisor.decision.gains` states: the rules' log-odds by one slope, offsets and terms. How hard a case
is drops out; what an arm gains from source to source, by other models, data and authors, is a random effect, so that a
source with many cases counts for little more than one with few. Weights have a Gaussian prior, and a sign where the
knowledge base promises a direction: whitened, the problem is a ridge regression with non-negative coefficients, which
scikit-learn solves. NAIVE_BOTH, a tuned model that was given passages it was not trained on, is an arm of its own that
has HYBRID's components, and an offset besides; so it tells something of HYBRID without standing in for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from advisor.decision.gains import GainModel, Term, TermCurves, membership
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import ARMS, OWN_TRIALS, Case
from advisor.knowledge.facts import fact
from advisor.knowledge.rules import Curve

__all__ = [
    "TERMS",
    "Comparisons",
    "Variances",
    "estimate_variances",
    "offered",
    "parameters",
    "train_gains",
]

GRADE_WEIGHTS = {"A": 1.0, "B": 0.5}
COLLECTION_WEIGHTS = {OWN_TRIALS: 0.05}
"""How much sources of a collection count, where not in full: this project's own trials share one small model, and how
far its approaches lie apart tells little of the larger ones that most use cases have."""
SLOPE = (8.0, 6.0)
"""Prior mean and standard deviation of the points per nat: moderate evidence, half a nat, is worth some points."""
OFFSET_SCALE = 6.0
_CASE_VARIANCE = 1e5
"""How hard a case is may be anything."""
_WITHIN = (5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0)
_BETWEEN = (3.0, 5.0, 7.0, 9.0, 11.0, 14.0)
_DECIMALS = 6
_LEAST_SHARE = 1e-12
"""Of the largest product: what is smaller is rounding."""

_OFFSETS = ("retrieval", "training", "both")
_NAIVE = len(APPROACHES)


def _per_decade(name: str, low: float, middle: float, high: float) -> Curve:
    """Return a curve that rises by 1 a decade and is 0 in the middle."""
    return Curve(name, tuple((end, float(np.log10(end / middle))) for end in (low, high)))


def _from(name: str, middle: float) -> Curve:
    """Return a curve from 0 to 1 that is 0 in the middle."""
    return Curve(name, ((0.0, -middle), (1.0, 1.0 - middle)))


def _is(name: str, choice: str) -> Curve:
    numbers = range(1, len(fact(name).choices) + 1)
    return Curve(name, tuple((float(n), float(fact(name).choices[n - 1] == choice)) for n in numbers))


_SCORE = (_from("prompted_score", 0.5), _from("closed_book_score", 0.5))

TERMS: tuple[tuple[Term, int], ...] = (
    # What prompting reaches already cannot be gained any more, by whatever means; by training most of all.
    (Term("build", *_SCORE), -1),
    (Term("retrieval", *_SCORE), -1),
    (Term("training", *_SCORE), -1),
    (Term("retrieval", _from("retrieval_hit_rate", 0.7)), 1),
    (Term("retrieval", _from("new_knowledge_share", 0.4)), 1),
    (Term("retrieval", _is("entity_popularity", "LONG_TAIL")), 1),
    (Term("retrieval", _per_decade("corpus_tokens", 1e4, 1e5, 1e7)), 1),
    (Term("training", _per_decade("labelled_examples", 10.0, 1e3, 1e5)), 1),
    (Term("training", _from("distribution_shift", 0.3)), -1),
    (Term("training", _from("synthetic_examples", 0.3)), -1),
    (Term("training", _per_decade("model_parameters", 5e8, 7e9, 2e11)), -1),
    (Term("training_alone", _per_decade("model_parameters", 5e8, 7e9, 2e11)), -1),
    (Term("both", _from("examples_include_context", 0.3)), 1),
)
"""What the model may learn, and the sign that each weight may have: that of the promises of monotonicity.

Facts and signs come from the founding document and the promises, curves are straight in the fact's own scale; they were
written down before the weights were known. Size of the documents and the share of questions that search finds move
RAG and HYBRID alike, since both retrieve as well.
"""


@dataclass(frozen=True, slots=True)
class Variances:
    """Standard deviations in points: of an arm among the cases of a source, and from source to source."""

    within: float
    between: float


@dataclass(frozen=True, slots=True)
class Sums:
    """What sources have to say of the weights, by the covariance of what `points` leaves over.

    Attributes:
        gram: Products of inputs, shape (..., parameters, parameters).
        moment: Products of inputs and scores, these less what the prior mean tells, shape (..., parameters).
        square: Products of such scores, shape (...).
        log_determinant: Of the covariance, shape (...).
    """

    gram: Floats
    moment: Floats
    square: Floats
    log_determinant: Floats

    def weighted(self, weights: Floats) -> Sums:
        """Return the sum over sources, each times its weight."""
        parts = (self.gram, self.moment, self.square, self.log_determinant)
        return Sums(*(np.tensordot(weights, part, axes=1) for part in parts))

    def scaled(self, deviations: Floats) -> tuple[Floats, Floats]:
        """Return products of inputs and moment in units of the prior's standard deviations."""
        return deviations[:, None] * self.gram * deviations, deviations * self.moment

    def log_likelihood(self, deviations: Floats) -> float:
        """Return the log likelihood of the scores, weights integrated out, but for a constant."""
        gram, moment = self.scaled(deviations)
        whole = gram + np.eye(len(gram))
        told = float(self.square - moment @ np.linalg.solve(whole, moment))
        return -0.5 * (told + float(self.log_determinant) + float(np.linalg.slogdet(whole).logabsdet))


class Comparisons:
    """Cases as arrays: one row for each arm of each case.

    Args:
        cases: What was measured; a case with fewer than two arms has no row.
        base: Log prior and rules, in nats, shape (approaches, cases).

    Attributes:
        case: Index of each row's case.
        source: Number of each row's source.
        arm: Index of each row's arm in `ARMS`.
        score: In per cent.
        inputs: Shape (rows, parameters): the rules' log-odds, offsets and terms as they bear on the arm.
        predictors: The same for every approach of every case, shape (approaches, cases, parameters).
        source_of_case: Number of each case's source in `sources`.
        weight_of_case: How much each case's source counts.
    """

    def __init__(self, cases: Sequence[Case], base: Floats) -> None:
        names = [case.source.id for case in cases]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self.sources = tuple(numbers)
        self.source_of_case = np.array([numbers[name] for name in names], dtype=np.intp)
        self.weight_of_case = np.array([COLLECTION_WEIGHTS.get(case.collection, 1.0) for case in cases])
        weights = dict(zip(names, self.weight_of_case.tolist(), strict=True))
        self._weights = np.array([weights[name] for name in self.sources])
        found = [
            (index, ARMS.index(arm), score)
            for index, case in enumerate(cases)
            if len(case.measured) > 1
            for arm, score in case.measured.items()
        ]
        self.case = np.array([row[0] for row in found], dtype=np.intp)
        self.arm = np.array([row[1] for row in found], dtype=np.intp)
        self.score = np.array([row[2] for row in found])
        self.source = self.source_of_case[self.case]
        self._grades = np.array([GRADE_WEIGHTS[cases[index].grade] for index in self.case])
        self.predictors, naive = _predictors(cases, base)
        every = np.concatenate((self.predictors, naive[None]))
        self.inputs = every[self.arm, self.case]

        self._sums: dict[Variances, Sums] = {}

    def without(self, sources: Sequence[int], variances: Variances) -> Sums:
        """Return what all sources but these have to say."""
        if variances not in self._sums:
            each = [self._sums_of(number, variances) for number in range(len(self.sources))]
            self._sums[variances] = Sums(*map(np.array, zip(*each, strict=True)))
        weights = np.where(np.isin(range(len(self.sources)), sources), 0.0, self._weights)
        return self._sums[variances].weighted(weights)

    def _sums_of(self, source: int, variances: Variances) -> tuple[Floats, Floats, float, float]:
        """Return what a source has to say: nothing that it leaves over depends on another."""
        rows = np.flatnonzero(self.source == source)
        lower = np.linalg.cholesky(self._covariance(rows, variances))
        inputs = np.linalg.solve(lower, self.inputs[rows])
        rest = np.linalg.solve(lower, self.score[rows] - self.inputs[rows][:, 0] * SLOPE[0])
        return inputs.T @ inputs, inputs.T @ rest, float(rest @ rest), 2 * np.log(np.diag(lower)).sum()

    def _covariance(self, rows: npt.NDArray[np.intp], variances: Variances) -> Floats:
        """Return the covariance of what `points` leaves over, shape (rows, rows), of rows of one source."""
        case, arm = self.case[rows], self.arm[rows]
        together = arm[:, None] == arm
        found: Floats = _CASE_VARIANCE * (case[:, None] == case) + variances.between**2 * together
        found[np.diag_indices(len(rows))] += variances.within**2 / self._grades[rows]
        return found


def train_gains(
    comparisons: Comparisons,
    outside: Sequence[int],
    *,
    scale: float,
    variances: Variances,
    temperature: float = 1.0,
) -> GainModel:
    """Train on all sources but some.

    Args:
        comparisons: The cases.
        outside: Numbers of the sources that are left out.
        scale: Prior standard deviation of a term's weight, in points; smaller means closer to the rules.
        variances: Of what the model leaves over.
        temperature: Points that stand for one nat in probabilities; it does not bear on the weights.
    """
    deviations = _prior_deviations(scale)
    gram, moment = comparisons.without(outside, variances).scaled(deviations)
    found = _solve(gram, moment)
    free = np.abs(found) > 1e-9  # at a bound, a weight is held: its uncertainty is left out
    covariance = np.zeros((len(found), len(found)))
    covariance[np.ix_(free, free)] = np.linalg.inv(gram[np.ix_(free, free)] + np.eye(int(free.sum())))
    weights = deviations * found
    weights[0] += SLOPE[0]
    weights = np.round(weights, _DECIMALS) + 0.0
    start = 1 + len(_OFFSETS)
    covariance = np.round(deviations[:, None] * covariance * deviations, _DECIMALS)
    covariance = offered(offered(covariance).T)
    terms = tuple(
        Term(term.component, term.curve, term.instead, float(weight))
        for (term, _), weight in zip(TERMS, weights[start + 1 :], strict=True)
    )
    offsets = dict(zip(_OFFSETS, weights[1:start].tolist(), strict=True))
    return GainModel(
        float(weights[0]), offsets, terms, covariance, variances.between, variances.within, temperature, scale
    )


def offered(parameters: Floats) -> Floats:
    """Return what goes along the last axis less the offset of NAIVE_BOTH, which nobody offers."""
    return np.delete(parameters, 1 + len(_OFFSETS), axis=-1)


def parameters(model: GainModel) -> Floats:
    """Return what multiplies `Comparisons.predictors`, shape (parameters,)."""
    return np.array([model.slope, *model.offsets.values(), 0.0, *(term.weight for term in model.terms)])


def estimate_variances(comparisons: Comparisons, outside: Sequence[int], scale: float = 6.0) -> Variances:
    """Return the variances under which all sources but some are likeliest, weights integrated out, on a grid."""
    candidates = [Variances(within, between) for within in _WITHIN for between in _BETWEEN]
    deviations = _prior_deviations(scale)
    return max(candidates, key=lambda each: comparisons.without(outside, each).log_likelihood(deviations))


def _predictors(cases: Sequence[Case], base: Floats) -> tuple[Floats, Floats]:
    """Return the predictors of every approach, and of NAIVE_BOTH: (approaches, cases, n) and (cases, n)."""
    columns = np.stack([case.row for case in cases]).T
    curves = TermCurves([term for term, _ in TERMS])(columns)
    bears = membership([term.component for term, _ in TERMS])
    offsets = membership(_OFFSETS)
    shape = (len(APPROACHES), len(cases))
    parts = [
        base[:, :, None],
        np.broadcast_to(offsets[:, None, :], (*shape, len(_OFFSETS))),
        np.zeros((*shape, 1)),
        bears[:, None, :] * curves.T[None, :, :],
    ]
    predictors = np.concatenate(parts, axis=2)
    naive = predictors[APPROACHES.index("HYBRID")].copy()
    naive[:, 1 + len(_OFFSETS)] = 1.0
    return predictors, naive


def _prior_deviations(scale: float) -> Floats:
    return np.array([SLOPE[1], *[OFFSET_SCALE] * (len(_OFFSETS) + 1), *[scale] * len(TERMS)])


def _solve(gram: Floats, moment: Floats) -> Floats:
    """Return the ridge solution, each weight of a term on its own side of 0."""
    from sklearn.linear_model import LinearRegression

    # As few rows as there are weights, with the same products as all rows have, and the ridge as rows of its own.
    squares, axes = np.linalg.eigh(gram)
    kept = squares > _LEAST_SHARE * squares[-1]
    inputs = np.concatenate((np.sqrt(squares[kept])[:, None] * axes[:, kept].T, np.eye(len(gram))))
    wanted = np.concatenate((axes[:, kept].T @ moment / np.sqrt(squares[kept]), np.zeros(len(gram))))
    signs = np.array([0] * (len(gram) - len(TERMS)) + [sign for _, sign in TERMS])
    sides = np.concatenate((np.eye(len(gram))[signs >= 0], -np.eye(len(gram))[signs <= 0])).T
    fitted = LinearRegression(fit_intercept=False, positive=True).fit(inputs @ sides, wanted)
    solution: Floats = sides @ fitted.coef_
    return solution
