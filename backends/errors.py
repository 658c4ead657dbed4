"""What goes wrong below this package: each says what was wrong, what is allowed and the next step.

BackendError
├── ModelError            a model is missing, or is not what it should be
├── DocumentError         a document cannot be read
├── ExamplesError         examples cannot be trained on
├── QuestionError         a question does not fit
├── SettingsError         settings of a training run are out of bounds
├── TuningError           training failed
└── Cancelled             the caller asked to stop
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "BackendError",
    "Cancelled",
    "DocumentError",
    "ExamplesError",
    "ModelError",
    "QuestionError",
    "SettingsError",
    "TuningError",
]


class BackendError(Exception):
    """Root of what goes wrong below this package."""


class ModelError(BackendError):
    """A model is missing, or is not what it should be."""


class DocumentError(BackendError):
    """A document cannot be read; the message names its source."""


class ExamplesError(BackendError):
    """Examples cannot be trained on; the message names the first one at fault."""


class QuestionError(BackendError):
    """A question does not fit the model or the limits."""


class SettingsError(BackendError):
    """Settings are out of bounds.

    Attributes:
        violations: What is wrong, by the setting's name.
    """

    def __init__(self, violations: Mapping[str, str]):
        super().__init__("; ".join(f"{name}: {text}" for name, text in violations.items()))
        self.violations = dict(violations)


class TuningError(BackendError):
    """Training failed; checkpoints taken before remain."""


class Cancelled(BackendError):
    """The caller asked to stop, and nothing more will be done."""
