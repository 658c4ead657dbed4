"""What a question must be like, with all that is asked for beside it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from advisor.errors import InvalidInput
from advisor.execution.answering import Ask
from advisor.knowledge.approaches import APPROACHES
from advisor.names import shown
from advisor.rpc.lanes import Lane
from advisor.rpc.requests import Checks
from advisor.storage.passage_filters import restriction_of
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.wire.messages import exchange_from_proto, options_from_proto
from backends.base import GenerationOptions
from backends.generation.schemas import schema_fault, text_fault

__all__ = ["TRAINED", "check_question", "checked_ask", "refuse_schema"]

TRAINED = tuple(each for each in APPROACHES if each.trained)

_EXCHANGES = 50
_HISTORY_QUESTIONS = 8  # a history has as many characters as so many of the longest questions
_LABELS = 1_000
_LABEL_CHARACTERS = 200


def check_question(checks: Checks, question: str, most: int) -> None:
    """Note what is wrong with a question: it asks nothing, or has too many characters."""
    if not question.strip():
        checks.add("question", "is empty; ask something")
    if len(question) > most:
        checks.add("question", f"has {len(question):,} characters; at most {most:,} are allowed")


def checked_ask(request: execution_pb2.AnswerRequest, question_characters: int) -> Ask:
    """Return what a request asks.

    Args:
        request: The request.
        question_characters: Longest question.

    Raises:
        InvalidInput: Something is wrong with it; whether a schema can be followed is not looked into.
    """
    checks = Checks()
    use_case_id = None
    if request.HasField("use_case"):
        use_case_id = checks.use_case(request.use_case, "use_case")
    elif request.HasField("inline_use_case"):
        checks.facts(request.inline_use_case.facts, "inline_use_case.facts")
        checks.description(request.inline_use_case.description, "inline_use_case.description")
    else:
        checks.add("target", "is missing; name a use_case, or give an inline_use_case")
    check_question(checks, request.question, question_characters)
    approach = checks.approach(request.approach, "approach", APPROACHES)
    adapter_id = None
    if request.adapter:
        _, adapter_id = checks.adapter(request.adapter, "adapter", of_use_case=use_case_id or "")
    if request.adapter and approach is not None and not approach.trained:
        checks.add("adapter", f"is not used by {approach}; leave it empty, or ask for {' or '.join(TRAINED)}")
    options = _options(checks, request.options)
    _check_history(checks, request.history, _HISTORY_QUESTIONS * question_characters)
    checks.refuse()
    inline = request.inline_use_case
    return Ask(
        request.question,
        options,
        use_case_id,
        inline.facts,
        inline.description,
        approach,
        adapter_id or None,
        tuple(map(exchange_from_proto, request.history)),
    )


async def refuse_schema(schema: str | None, field: str, lane: Lane) -> None:
    """Raise InvalidInput of a field where no answer can be made to follow the schema; takes up to seconds."""
    if schema and (fault := await lane.run(lambda _: schema_fault(schema))):
        raise InvalidInput.of(field, fault)


def _options(checks: Checks, options: execution_pb2.GenerationOptions) -> GenerationOptions:
    given = options_from_proto(options)
    with checks.gather():
        given = replace(given, within=restriction_of(options.filter, "options.filter"))
    checks.bounds(given.max_output_tokens, "options.max_output_tokens", 1, 2048)
    checks.bounds(given.temperature, "options.temperature", 0, 2)
    if given.passages is not None:
        checks.bounds(given.passages, "options.passages", 1, 20)
    if options.unsupported not in execution_pb2.GenerationOptions.Unsupported.values():
        checks.add(
            "options.unsupported", f"is {options.unsupported}; give UNSUPPORTED_FLAG or UNSUPPORTED_LEAVE_OUT"
        )
    _check_labels(checks, given.labels)
    if given.output_schema is not None:
        if given.labels:
            checks.add("options.output_schema", "cannot go with labels; give the one or the other")
        if fault := text_fault(given.output_schema):
            checks.add("options.output_schema", fault)
    return given


def _check_labels(checks: Checks, labels: Sequence[str]) -> None:
    if len(labels) > _LABELS:
        checks.add("options.labels", f"has {len(labels):,} entries; at most {_LABELS:,} are allowed")
        return
    seen = set[str]()
    for index, label in enumerate(labels):
        if fault := _label_fault(label, seen):
            checks.add(f"options.labels[{index}]", fault)
        seen.add(label)


def _label_fault(label: str, seen: set[str]) -> str | None:
    if not label:
        return "is empty; give it a text, or leave it out"
    if len(label) > _LABEL_CHARACTERS:
        return f"has {len(label):,} characters; at most {_LABEL_CHARACTERS} are allowed"
    if label != label.strip():
        return f"{shown(label)} begins or ends with white space; leave that out"
    if any(unicodedata.category(each) == "Cc" for each in label):
        return f"{shown(label)} holds a control character, such as a line break; leave that out"
    if label in seen:
        return f"{shown(label)} is there before; give it once"
    return None


def _check_history(checks: Checks, history: Sequence[execution_pb2.Exchange], most_characters: int) -> None:
    if len(history) > _EXCHANGES:
        checks.add(
            "history",
            f"has {len(history):,} exchanges; at most {_EXCHANGES} are allowed: leave out the oldest",
        )
        return
    for index, exchange in enumerate(history):
        for part in ("question", "answer"):
            if not getattr(exchange, part).strip():
                checks.add(f"history[{index}].{part}", "is empty; leave the exchange out")
    characters = sum(len(each.question) + len(each.answer) for each in history)
    if characters > most_characters:
        checks.add(
            "history",
            f"has {characters:,} characters; at most {most_characters:,} are allowed: leave out the oldest",
        )
