"""How advice fared against the trials that came after it: agreement, regret, calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.cases import MARGIN_POINTS
from advisor.learning.evaluation import Estimate, Resampling
from advisor.trials.measured import MeasuredCase
from advisor.trials.results import Figure

__all__ = ["BINS", "Bin", "TrackRecord", "Tracked", "tracked"]

BINS = 5
"""Ranges of probability, equally wide, in which what was told is compared with what came."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """Advice and the trial that came after it.

    Attributes:
        trial: Resource name of the trial.
        use_case: Resource name of its use case: trials of one are not independent.
        create_time: When the trial ended.
        advice: The approach recommended; None where undecided.
        probability: That was told of it to be the best; None where undecided.
        verdict: The approach that the trial took; None where it took none.
        best: The approaches that scored highest, of those that no veto excludes; several where they are equal.
        regret: Points by which the advice lies below the best, see `MeasuredCase.regret`.
        told: Probability to be the best of each approach that was measured and not excluded; they sum to 1.
        versions: What measured and what advised, by name.
    """

    trial: str
    use_case: str
    create_time: datetime
    advice: Approach | None
    probability: float | None
    verdict: Approach | None
    best: tuple[Approach, ...]
    regret: Figure | None
    told: Mapping[Approach, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, trial: str, use_case: str, create_time: datetime, case: MeasuredCase) -> Tracked:
        """Return how the advice before a trial fared in it."""
        told = _told(case)
        top = max((case.scores[each].value for each in told), default=0.0)
        return cls(
            trial,
            use_case,
            create_time,
            case.advice,
            case.probabilities.get(case.advice) if case.advice else None,
            case.verdict,
            tuple(each for each in told if case.scores[each].value >= top - 1e-9),
            case.regret,
            told,
            case.versions,
        )


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of about the same probability, beside how often they came true.

    Attributes:
        low: Least probability.
        high: Probability below which it ends; the last holds 1 as well.
        count: Predictions: one for each approach that a trial measured.
        predicted: Mean of what was told.
        observed: Share of them that were the best; of approaches that are equally good each counts its share.
    """

    low: float
    high: float
    count: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How advice fared over all trials.

    Attributes:
        trials: That measured two approaches at least.
        use_cases: That they are of.
        decided: Trials before which an approach was recommended.
        agreed: Of those, trials that took the approach recommended.
        measured: Of those, trials that measured the approach recommended.
        near: Of these, trials in which it lay less than `MARGIN_POINTS` below the best.
        regret: Mean points below the best over these, with a 95% interval over use cases; None without any.
        calibration: Ranges of probability that hold predictions, the lowest first.
        entries: One per trial, as they were given.
    """

    trials: int
    use_cases: int
    decided: int
    agreed: int
    measured: int
    near: int
    regret: Estimate | None
    calibration: tuple[Bin, ...]
    entries: tuple[Tracked, ...]


def tracked(entries: Sequence[Tracked]) -> TrackRecord:
    """Return how advice fared over trials."""
    decided = [each for each in entries if each.advice is not None]
    regrets = [(each.use_case, each.regret.value) for each in decided if each.regret is not None]
    regret = None
    if regrets:
        regret = Resampling([name for name, _ in regrets]).mean(np.array([points for _, points in regrets]))
    return TrackRecord(
        trials=len(entries),
        use_cases=len({each.use_case for each in entries}),
        decided=len(decided),
        agreed=sum(each.advice == each.verdict for each in decided),
        measured=len(regrets),
        near=sum(points < MARGIN_POINTS for _, points in regrets),
        regret=regret,
        calibration=_calibration(entries),
        entries=tuple(entries),
    )


def _told(case: MeasuredCase) -> dict[Approach, float]:
    """Return the probabilities told of what was measured, as shares of their sum; none where fewer than two were."""
    told = {
        each: case.probabilities.get(each, 0.0)
        for each in APPROACHES
        if each in case.scores and case.probabilities.get(each, 0.0) > 0
    }
    total = sum(told.values())
    return {each: share / total for each, share in told.items()} if len(told) > 1 else {}


def _calibration(entries: Iterable[Tracked]) -> tuple[Bin, ...]:
    pairs = [
        (probability, 1 / len(each.best) if approach in each.best else 0.0)
        for each in entries
        for approach, probability in each.told.items()
    ]
    found = []
    for place in range(BINS):
        inside = [pair for pair in pairs if min(int(pair[0] * BINS), BINS - 1) == place]
        if inside:
            predicted, observed = (float(np.mean(values)) for values in zip(*inside, strict=True))
            found.append(Bin(place / BINS, (place + 1) / BINS, len(inside), predicted, observed))
    return tuple(found)
