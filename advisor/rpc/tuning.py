"""How to train, as clients ask for it."""

from __future__ import annotations

from advisor.knowledge.approaches import Approach
from advisor.rpc.requests import Checks
from advisor.v1 import use_case_pb2
from backends.base import SettingsError
from backends.training.adapters import HYBRID_DEFAULTS, TuningSettings

__all__ = ["tuning_settings"]


def tuning_settings(
    checks: Checks,
    settings: use_case_pb2.TuningSettings,
    path: str,
    approach: Approach = Approach.FINE_TUNING,
) -> TuningSettings:
    """Return how to train; what is out of bounds is noted, with `path` before its field."""
    given = {field.name: value for field, value in settings.ListFields()}
    if approach.retrieves:
        given = {**HYBRID_DEFAULTS, **given}
    try:
        return TuningSettings(**given)
    except SettingsError as error:
        for name, description in error.violations.items():
            checks.add(f"{path}.{name}", description)
        return TuningSettings()
