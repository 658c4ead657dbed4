"""What went wrong, in lines for people."""

from __future__ import annotations

from advisor.cli.wording import as_commands, as_option
from advisor.errors import AdvisorError, ConfigurationError, InvalidInput, RulesError
from backends.base import BackendError

__all__ = ["Fault", "faults_of"]

Fault = AdvisorError | BackendError | OSError
"""What a command ends with where something outside it is wrong."""


def faults_of(error: Fault) -> tuple[str, ...]:
    """Return a line for each fault."""
    match error:
        case InvalidInput():
            lines = tuple(f"{as_option(each.field)}: {each.description}" for each in error.violations)
        case RulesError() | ConfigurationError():
            lines = tuple(error.faults)
        case OSError() if error.filename and error.strerror:
            lines = (f"{error.filename}: {error.strerror}",)
        case _:
            lines = (str(error),)
    return tuple(map(as_commands, lines))
