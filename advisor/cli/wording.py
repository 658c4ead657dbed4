"""A server's messages as a person at the command line can follow them: commands instead of calls."""

from __future__ import annotations

import re

__all__ = ["COMMANDS", "as_commands", "as_option"]

COMMANDS = {
    "BatchRecommend": "advisor recommend FILE",
    "Recommend": "advisor recommend FILE",
    "Consult": "advisor consult",
    "ListRules": "advisor rules list",
    "CreateUseCase": "advisor import FILE",
    "GetUseCase": "advisor use-cases show FILE",
    "ListUseCases": "advisor use-cases list",
    "UpdateUseCase": "advisor import FILE",
    "DeleteUseCase": "advisor use-cases delete FILE",
    "ImportDocuments": "advisor import FILE",
    "ImportExamples": "advisor import FILE",
    "ListDocuments": "advisor documents list FILE",
    "GetDocument": "advisor documents show NAME",
    "DeleteDocument": "advisor documents delete NAME",
    "ListExamples": "advisor examples list FILE",
    "GetExample": "advisor examples show NAME",
    "DeleteExample": "advisor examples delete NAME",
    "Answer": "advisor answer FILE QUESTION",
    "Search": "advisor search FILE QUESTION",
    "Tune": "advisor tune FILE",
    "Reindex": "advisor reindex",
    "GetAdapter": "advisor adapters list FILE",
    "ListAdapters": "advisor adapters list FILE",
    "DeleteAdapter": "advisor adapters delete NAME",
    "MeasureProfile": "advisor profile FILE",
    "GetProfile": "advisor profile FILE",
    "RunTrial": "advisor trial FILE",
    "GetTrial": "advisor trials show NAME",
    "ListTrials": "advisor trials list FILE",
    "DeleteTrial": "advisor trials delete NAME",
    "GetTrialReport": "advisor trials report NAME FILE",
    "RecordOutcome": "advisor outcome FILE TOKEN",
    "ListMeasuredCases": "advisor learn",
    "GetTrackRecord": "advisor track",
    "GetServerInfo": "advisor info",
    "GetOperation": "advisor operations list",
    "ListOperations": "advisor operations list",
    "WaitOperation": "advisor operations wait NAME",
    "CancelOperation": "advisor operations cancel NAME",
    "DeleteOperation": "advisor operations delete NAME",
}
"""For each call of the API, the command that does it."""

_OPTIONS = {
    "options.max_output_tokens": "--max-tokens",
    "options.labels": "--label",
    "options.output_schema": "--schema",
    "options.filter": "--filter",
    "filter": "--filter",
    "history": "--history",
    "settings.arms": "--arm",
    "settings.held_out": "--held-out",
    "settings.max_duration": "--max-duration",
    "settings.metric": "--metric",
    "settings.output_schema": "--schema",
    "settings.asked": "--ask",
}

# Some names are words as well: a call is what an instruction names ("with Tune"), or a word that is no English one.
_WORDS = ("Recommend", "Consult", "Answer", "Search", "Tune")
_NAMES = "|".join(name for name in COMMANDS if name not in _WORDS)
_CALL = re.compile(rf"\b(?:{_NAMES}|(?<=\bwith )(?:{'|'.join(_WORDS)}))\b")


# What only a program can do: the command line sends documents under the media type of their suffix.
_FOR_PROGRAMS = ", or name the media type"


def as_commands(message: str) -> str:
    """Return a message with the calls that it names replaced by the commands that make them."""
    return _CALL.sub(lambda found: f"`{COMMANDS[found.group()]}`", message.replace(_FOR_PROGRAMS, ""))


def as_option(field: str) -> str:
    """Return the option that a field of a request comes from, with the place in it; the field where none does."""
    name = field.partition("[")[0]
    return _OPTIONS.get(name, name) + field[len(name) :]
