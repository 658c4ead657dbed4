"""How good the decision is: leaving one source out, against baselines, with intervals.

Each source in turn is held out; the rules lose what they rest on it for; what is learned or chosen is learned and
chosen on the other sources alone. Intervals resample sources, since cases of one source are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from advisor.decision.scoring import Scorer
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Bools, Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import Row, Rows, fact, fact_index, facts
from advisor.knowledge.rules import Knowledge
from advisor.learning.selection import CHOOSING, CLIP, Family, HoldingOut, Outcome, Study

__all__ = [
    "BINS",
    "METRICS",
    "RESAMPLES",
    "WORLDS",
    "Estimate",
    "HiddenFact",
    "Method",
    "always",
    "as_method",
    "difference",
    "evaluate",
    "hide_in_cases",
    "hide_in_worlds",
    "leave_one_source_out",
    "majority",
    "rule_of_thumb",
    "thumb",
]

RESAMPLES = 4000
BINS = 4
WORLDS = 2000
_SEED = 20261122
_ABOVE_CHANCE = 1e-3

Method = Callable[[Sequence[Case], Sequence[Case]], Outcome]
"""Decides about the second cases, having seen the outcomes of the first alone."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95% interval over sources."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True, slots=True)
class HiddenFact:
    """What changes where one fact is hidden.

    Attributes:
        fact: Its name.
        known: Number of use cases that state it.
        change: Change of the share of right decisions among those, or of leaders that changed.
        moved: Mean over those of half the summed absolute change of the probabilities, 0 to 1.
    """

    fact: str
    known: int
    change: float
    moved: float


def leave_one_source_out(cases: Sequence[Case], method: Method) -> Outcome:
    """Let a method decide about each source's cases, having seen the others."""
    probabilities = np.zeros((len(APPROACHES), len(cases)))
    decided = np.zeros(len(cases), dtype=np.bool_)
    for source in dict.fromkeys(case.source.id for case in cases):
        test = [index for index, case in enumerate(cases) if case.source.id == source]
        train = [case for case in cases if case.source.id != source]
        outcome = method(train, [cases[index] for index in test])
        probabilities[:, test], decided[test] = outcome.probabilities, outcome.decided
    return Outcome(probabilities, decided)


def as_method(study: Study, family: Family, how: HoldingOut, hidden: str | None = None) -> Method:
    """Return a family as a method.

    Args:
        study: The cases and the knowledge base.
        family: What decides; its configuration is chosen on the training cases, read as `CHOOSING`.
        how: What the rules lose of a held-out source where they decide.
        hidden: A fact to hide from the cases decided about.
    """
    choosing, deciding = study.holding_out(CHOOSING), study.holding_out(how)

    def decide(train: Sequence[Case], test: Sequence[Case]) -> Outcome:
        held = frozenset(study.sources) - {case.source.id for case in train}
        rows = np.stack([case.row for case in test])
        if hidden:
            rows[:, fact_index()[hidden]] = np.nan
        return deciding.decide(family, choosing.choose(family, held), held, rows)

    return decide


def always(approach: Approach) -> Method:
    """Return the baseline that always says the same."""
    return _by_label(lambda _train: lambda _row: approach)


def majority() -> Method:
    """Return the baseline that says what won most often in the training cases."""

    def learn(train: Sequence[Case]) -> Callable[[Row], Approach]:
        wins = [sum(case.best == name for case in train) for name in APPROACHES]
        return lambda _row: APPROACHES[int(np.argmax(wins))]

    return _by_label(learn)


def thumb() -> Method:
    """Return the baseline that follows the rule of thumb."""
    return _by_label(lambda _train: rule_of_thumb)


def rule_of_thumb(row: Row) -> Approach:
    """Say what many guides come down to; a test on an unknown fact is false."""

    def value(name: str) -> float:
        return float(row[fact_index()[name]])

    number, month = value("output_form"), 30 * 86400.0
    if value("can_train") == 0 or value("labelled_examples") < 50:
        return (
            Approach.RAG
            if value("new_knowledge_share") > 0.3 or value("update_interval") <= month
            else Approach.PROMPTING
        )
    if (
        value("update_interval") <= month
        or value("needs_citations") == 1
        or value("new_knowledge_share") > 0.5
    ):
        return Approach.RAG
    forms = ("LABEL", "STYLE", "STRUCTURED", "CODE")
    if not np.isnan(number) and fact("output_form").choices[int(number) - 1] in forms:
        return Approach.FINE_TUNING
    return Approach.PROMPTING if value("closed_book_score") > 0.7 else Approach.RAG


def evaluate(cases: Sequence[Case], outcome: Outcome) -> dict[str, Estimate]:
    """Return every metric of `METRICS`, with its interval over resampled sources."""
    weights = np.vstack((np.ones(len(cases)), _resampled(cases)))
    with np.errstate(invalid="ignore"):  # a resample in which nothing is decided has no selective accuracy
        return {name: _estimate(metric(cases, outcome, weights)) for name, metric in METRICS.items()}


def difference(cases: Sequence[Case], first: Outcome, second: Outcome) -> Estimate:
    """Return how far the first's share of acceptable leaders exceeds the second's, on the same resamples."""
    weights = np.vstack((np.ones(len(cases)), _resampled(cases)))
    return _estimate(_acceptable(cases, first, weights) - _acceptable(cases, second, weights))


def hide_in_cases(study: Study, family: Family, how: HoldingOut) -> tuple[HiddenFact, ...]:
    """Hide each fact from the held-out cases in turn; `change` is that of acceptable leaders."""
    cases = study.cases
    whole = leave_one_source_out(cases, as_method(study, family, how))
    found = []
    for item in facts():
        known = np.array([item.name in case.facts for case in cases])
        if known.any():
            hidden = leave_one_source_out(cases, as_method(study, family, how, item.name))
            change = (_right(cases, hidden) - _right(cases, whole))[known].mean()
            moved = np.abs(hidden.probabilities - whole.probabilities).sum(axis=0)[known].mean() / 2
            found.append(HiddenFact(item.name, int(known.sum()), float(change), float(moved)))
    return tuple(found)


def hide_in_worlds(scorer: Scorer) -> tuple[HiddenFact, ...]:
    """Hide each fact in turn from use cases drawn from the priors; `change` is the share of leaders that change."""
    rows = _worlds(scorer.knowledge)
    whole = scorer.score(rows)
    found = []
    for item in facts():
        if item.name in scorer.knowledge.worlds:
            less = rows.copy()
            less[:, fact_index()[item.name]] = np.nan
            hidden = scorer.score(less)
            moved = np.abs(hidden.probabilities - whole.probabilities).sum(axis=0).mean() / 2
            change = (hidden.order[0] != whole.order[0]).mean()
            found.append(HiddenFact(item.name, len(rows), float(change), float(moved)))
    return tuple(found)


def _by_label(learn: Callable[[Sequence[Case]], Callable[[Row], Approach]]) -> Method:
    """Turn labels into probabilities: a label's is the share of training cases that it is right about."""

    def decide(train: Sequence[Case], test: Sequence[Case]) -> Outcome:
        label = learn(train)
        right = sum(label(case.row) == case.best for case in train)
        least = 1 / len(APPROACHES) + _ABOVE_CHANCE  # so that the label leads
        trust = max((right + 1) / (len(train) + len(APPROACHES)), least)
        labels = [label(case.row) for case in test]
        rest = (1 - trust) / (len(APPROACHES) - 1)
        shares = np.array([[trust if name == said else rest for said in labels] for name in APPROACHES])
        return Outcome(shares, np.ones(len(test), dtype=np.bool_))

    return decide


def _resampled(cases: Sequence[Case]) -> Floats:
    """Return how often each case counts where sources are drawn with replacement, shape (RESAMPLES, n)."""
    sources = list(dict.fromkeys(case.source.id for case in cases))
    draws = np.random.default_rng(_SEED).multinomial(
        len(sources), np.full(len(sources), 1 / len(sources)), size=RESAMPLES
    )
    counts: Floats = draws[:, [sources.index(case.source.id) for case in cases]].astype(np.float64)
    return counts


def _estimate(values: Floats) -> Estimate:
    """Return the first value, with the middle 95% of the others."""
    low, high = np.nanpercentile(values[1:], (2.5, 97.5))
    return Estimate(float(values[0]), float(low), float(high))


def _mean(values: Floats | Bools, weights: Floats) -> Floats:
    means: Floats = weights @ values / weights.sum(axis=1)
    return means


def _best(cases: Sequence[Case]) -> np.ndarray:
    return np.array([APPROACHES.index(case.best) for case in cases])


def _right(cases: Sequence[Case], outcome: Outcome) -> Floats:
    return np.array(
        [float(name in case.acceptable) for case, name in zip(cases, outcome.leaders, strict=True)]
    )


def _accurate(cases: Sequence[Case], outcome: Outcome, weights: Floats) -> Floats:
    return _mean(outcome.probabilities.argmax(axis=0) == _best(cases), weights)


def _acceptable(cases: Sequence[Case], outcome: Outcome, weights: Floats) -> Floats:
    return _mean(_right(cases, outcome), weights)


def _log_loss(cases: Sequence[Case], outcome: Outcome, weights: Floats) -> Floats:
    given = outcome.probabilities[_best(cases), np.arange(len(cases))]
    return _mean(-np.log(np.maximum(given, CLIP)), weights)


def _brier(cases: Sequence[Case], outcome: Outcome, weights: Floats) -> Floats:
    errors = outcome.probabilities - np.eye(len(APPROACHES))[:, _best(cases)]
    return _mean((errors**2).sum(axis=0), weights)


def _calibration_error(cases: Sequence[Case], outcome: Outcome, weights: Floats) -> Floats:
    """Return the expected calibration error of the leader's probability, in `BINS` bins of equal width."""
    highest = outcome.probabilities.max(axis=0)
    gap = highest - (outcome.probabilities.argmax(axis=0) == _best(cases))
    bins = np.minimum((highest * BINS).astype(int), BINS - 1)
    summed = sum(np.abs(weights[:, bins == each] @ gap[bins == each]) for each in range(BINS))
    error: Floats = np.asarray(summed) / weights.sum(axis=1)
    return error


def _coverage(_cases: Sequence[Case], outcome: Outcome, weights: Floats) -> Floats:
    return _mean(outcome.decided, weights)


def _selective(cases: Sequence[Case], outcome: Outcome, weights: Floats) -> Floats:
    return _mean(_right(cases, outcome), weights * outcome.decided)


METRICS: Mapping[str, Callable[[Sequence[Case], Outcome, Floats], Floats]] = MappingProxyType(
    {
        "best": _accurate,
        "best or within 3": _acceptable,
        "log loss": _log_loss,
        "Brier": _brier,
        "ECE": _calibration_error,
        "decided": _coverage,
        "right where decided": _selective,
    }
)
"""What is measured, of the leader whether decided or not, but for the last."""


def _worlds(knowledge: Knowledge) -> Rows:
    rng = np.random.default_rng(_SEED)
    rows = np.full((WORLDS, len(facts())), np.nan)
    for name, weighted in knowledge.worlds.items():
        values, shares = zip(*weighted, strict=True)
        rows[:, fact_index()[name]] = rng.choice(values, size=WORLDS, p=shares)
    return rows
