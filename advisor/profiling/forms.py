"""The form of the answers and the task, guessed from examples; not told where they are too few or disagree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from advisor.knowledge.measurement import Measurement
from advisor.metrics.proportions import wilson
from advisor.profiling.answers import fields, is_code, is_json, is_markup, is_short, leaves, record
from advisor.profiling.measured import spread
from advisor.profiling.wording import plain
from backends.base import Example
from backends.counts import counted

__all__ = ["form_of", "label_of", "task_of"]

_MOST_READ = 2_000
"""Examples that are read."""
_MOST = 0.8
"""Share of the answers that have the form; the lower end of its interval lies above one half."""
_MOST_UNSEEN = 0.3
"""Chance that the next answer is a new one, below which answers are labels."""
_FEWEST_SHORT = 20
"""Answers; among fewer, labels and short facts look alike."""
_SHORTENED = 3
"""A summary is shorter than what it is of by this factor."""
_LONG_INPUT = 80
"""Words."""
_GROUNDED = 0.7
"""Share of an answer's values, or words, that stand in the input where they were taken from it."""

_ASKS = re.compile(
    r"\?\s*\Z|\A\W*(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|should|will|would"
    r"|wer|wie|was|wann|wo|warum|welche[rsmn]?|qui|que|quoi|quand|comment|pourquoi|où|qué|quién|cuándo|dónde|cómo)\b",
    re.IGNORECASE,
)
_SUMMARIZES = re.compile(
    r"\b(?:summar(?:y|i[sz]e|i[sz]ing)|tl;?dr|abstract of|shorten|zusammenfass|fasse?\b.*zusammen|résum)",
    re.IGNORECASE,
)
_EXTRACTS = re.compile(
    r"\b(?:extract|find all|list all|take out|pull out|identify all|entities|fields)\b", re.IGNORECASE
)
_WRITES = re.compile(
    r"\A\W*(?:please )?(?:write|draft|compose|generate|create|rewrite|rephrase|paraphrase|translate|reply|respond"
    r"|schreibe?|verfasse|écris|rédige|escribe|redacta)\b",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"^\s*(?:user|customer|client|agent|assistant|bot|human|ai|system|caller|operator|kunde|speaker \w+|[AB])\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_YES_NO = frozenset(
    ("yes", "no", "true", "false", "maybe", "unknown", "ja", "nein", "oui", "non", "sí", "si")
)


def label_of(answer: str) -> str:
    """Return what stands for an answer as a label: without case, spaces and full stops around it."""
    return plain(answer)


def form_of(answers: Sequence[str]) -> Measurement:
    """Return the output form that answers have, with the reason; None where that is not clear.

    A house style cannot be told from free text by looking at it, so STYLE is never guessed.
    """
    read = spread(answers, _MOST_READ)
    for value, what, has in (
        ("STRUCTURED", "JSON objects or arrays", is_json),
        ("STRUCTURED", "elements of XML", is_markup),
        ("STRUCTURED", "the same fields by name", _same_record(read)),
        ("CODE", "code", is_code),
        ("STRUCTURED", "the same number of fields", _same_fields(read)),
    ):
        number = sum(map(has, read))
        if _are_most(number, len(read)):
            rest = len(read) - number
            verb = "is" if rest == 1 else "are"
            warning = f"Of {counted(len(read), 'answer')}, {rest:,} {verb} of another form." if rest else ""
            return Measurement(
                "output_form", value, f"{_of(number, read)} are {what}", len(read), warning=warning
            )
    return _of_text(answers)


def task_of(examples: Sequence[Example], form: str | None) -> Measurement:
    """Return the task that examples are of, with the reason; None where that is not clear.

    Args:
        examples: Inputs with their right outputs.
        form: Their output form, where it is known.
    """
    read = spread(examples, _MOST_READ)
    value, why = _task_by_form(read, form) or _task_by_input(read) or (None, _unclear(len(read)))
    return Measurement("task", value, why, len(read))


def _of_text(answers: Sequence[str]) -> Measurement:
    """Return the form of answers that are neither structured nor code."""
    count = len(answers)
    number = sum(map(is_short, answers))
    counts = Counter(map(label_of, answers))
    once = sum(number == 1 for number in counts.values())
    repeated = wilson(once, count)[1] < _MOST_UNSEEN if count else False

    def told(value: str | None, why: str, warning: str = "") -> Measurement:
        return Measurement("output_form", value, why, count, warning=warning)

    if count > 1 and len(counts) == 1:
        return told(
            None, "all answers are the same", f"All {count:,} answers are the same: nothing can be learned."
        )
    if _are_most(number, count):
        kinds = f"{counted(len(counts), 'different short answer')} in {counted(count, 'example')}"
        if repeated:
            return told("LABEL", f"{kinds}, {once:,} of them once")
        if count < _FEWEST_SHORT or _look_like_labels(counts):
            return told(None, f"{kinds}, {once:,} of them once: labels or short facts")
        if wilson(once, count)[0] > _MOST_UNSEEN:
            return told("FREE_TEXT", f"{kinds}, {once:,} of them once: no fixed set")
        return told(None, f"{kinds}, {once:,} of them once: labels or short facts")
    if _are_most(count - number, count):
        few = (
            f"There are only {counted(len(counts), 'different answer')} in {counted(count, 'example')}: "
            "to choose one may be what is wanted, rather than to write it."
        )
        return told("FREE_TEXT", f"{_of(count - number, answers)} are text", few if repeated else "")
    return told(None, _unclear(count))


def _task_by_form(examples: Sequence[Example], form: str | None) -> tuple[str, str] | None:
    if form == "CODE":
        return "CODE", "the answers are code"
    if form == "LABEL":
        asked = sum(_ASKS.search(each.question) is not None for each in examples)
        if {label_of(each.answer) for each in examples} <= _YES_NO and _are_most(asked, len(examples)):
            return "QUESTION_ANSWERING", "questions that are answered with yes or no"
        return "CLASSIFICATION", "the answers are labels"
    if form == "STRUCTURED":
        found = sum(_is_grounded(leaves(each.answer), each) for each in examples)
        if _are_most(found, len(examples)):
            return "EXTRACTION", f"the values of {_of(found, examples)} stand in the input"
    return None


def _task_by_input(examples: Sequence[Example]) -> tuple[str, str] | None:
    for task, what, has in (
        ("DIALOGUE", "hold turns of a conversation", _holds_turns),
        ("SUMMARIZATION", "are answered by a part of their words", _is_summary),
        (
            "EXTRACTION",
            "ask for parts of a text",
            lambda each: _EXTRACTS.search(each.question[:200]) is not None,
        ),
        ("GENERATION", "ask to write", lambda each: _WRITES.search(each.question) is not None),
        ("QUESTION_ANSWERING", "are questions", lambda each: _ASKS.search(each.question) is not None),
    ):
        number = sum(map(has, examples))
        if _are_most(number, len(examples)):
            return task, f"{_of(number, examples, 'input')} {what}"
    return None


def _holds_turns(example: Example) -> bool:
    return len(_TURN.findall(example.question)) >= 2


def _is_summary(example: Example) -> bool:
    given = f"{example.question} {example.context or ''}"
    length = len(given.split())
    shorter = length >= _LONG_INPUT and len(example.answer.split()) * _SHORTENED <= length
    asked = _SUMMARIZES.search(example.question[:200]) or _SUMMARIZES.search(example.question[-200:])
    if asked or not shorter or _ASKS.search(example.question):
        return asked is not None
    return not is_short(example.answer) and _is_grounded(re.findall(r"\w{4,}", example.answer), example)


def _is_grounded(values: Iterable[str], example: Example) -> bool:
    """Return whether most of some values stand in the input."""
    given = plain(f"{example.question} {example.context or ''}")
    found = [plain(each) in given for each in values if each.strip()]
    return bool(found) and sum(found) >= _GROUNDED * len(found)


def _same_record(answers: Sequence[str]) -> Callable[[str], bool]:
    """Return what tells whether an answer is a record with the key that most have."""
    keys = Counter(key for each in answers for key in record(each))
    usual = {key for key, number in keys.items() if number >= _MOST * len(answers)}
    return lambda answer: bool(usual & record(answer).keys())


def _same_fields(answers: Sequence[str]) -> Callable[[str], bool]:
    usual = Counter(map(fields, answers)).most_common(1)
    return lambda answer: bool(usual) and usual[0][0][0] != "" and fields(answer) == usual[0][0]


def _look_like_labels(counts: Counter[str]) -> bool:
    """Return whether most answers are names such as `card_arrival`, of which each may stand for many."""
    named = sum(re.fullmatch(r"[^\W_]+(?:_[^\W_]+)+", each) is not None for each in counts)
    return named >= _MOST * len(counts)


def _are_most(number: int, count: int) -> bool:
    return count > 0 and number >= _MOST * count and wilson(number, count)[0] > 0.5


def _unclear(count: int) -> str:
    return f"{counted(count, 'example')} that are of no one kind, or too few to tell"


def _of(number: int, things: Sequence[object], noun: str = "answer") -> str:
    return f"{number:,} of {counted(len(things), noun)}"
