"""How a trial is to be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from advisor.trials.arms import Arm
from backends.training.adapters import HYBRID_DEFAULTS, TuningSettings

__all__ = ["LEAST_HELD_OUT", "LEAST_LEARNED", "MOST_HELD_OUT", "TrialSettings"]

LEAST_HELD_OUT = 20
"""With fewer questions no difference below 30 points is told from chance."""
MOST_HELD_OUT = 1000
LEAST_LEARNED = 8
"""Examples that are left to learn from: what a prompt shows."""


@dataclass(frozen=True, slots=True)
class TrialSettings:
    """How a trial is to be run.

    Attributes:
        arms: What to compare; all that can run where empty.
        held_out: Most examples to hold out and ask; half of them at most.
        seed: Of every random choice.
        max_duration_s: Seconds after which no more is begun; no limit where None.
        metric: Name of the metric that counts; chosen by the form of the answers where empty.
        tuning: How to train.
        hybrid: How to train on passages.
        curve: Whether to train on a quarter and on half of the examples as well.
        output_schema: JSON schema that answers follow; where empty, the one that JSON answers to learn from share.
    """

    arms: tuple[Arm, ...] = ()
    held_out: int = 100
    seed: int = 0
    max_duration_s: float | None = None
    metric: str = ""
    tuning: TuningSettings = field(default_factory=TuningSettings)
    hybrid: TuningSettings = field(default_factory=lambda: TuningSettings(**HYBRID_DEFAULTS))
    curve: bool = False
    output_schema: str = ""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrialSettings:
        """Return what `dataclasses.asdict` made it of."""
        return cls(
            **{
                **values,
                "arms": tuple(map(Arm, values["arms"])),
                "tuning": TuningSettings(**values["tuning"]),
                "hybrid": TuningSettings(**values["hybrid"]),
            }
        )
