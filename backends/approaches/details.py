"""Which detail of its subject a question asks for, and whether passages tell a detail of that kind.

    missing_detail("Who wrote max_connections?", statements, hits)  # "author"

A passage on the right subject is near to every question about it, whatever the
question asks, so nearness does not tell whether the answer is there. What does is
the kind of answer: who asks for a person, how long for a time. Each kind here
knows how it is asked for and what a statement that tells it holds. A question
whose kind is not known, or whose passages are in another language than English,
is not judged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from backends.approaches.detail_kinds import KINDS, NUMBER
from backends.approaches.statements import Statement, names_in, stands_in, stems
from backends.base import Hit
from backends.retrieval.words import language_of

__all__ = ["missing_detail"]


_QUESTION = re.compile(r"\b(?:who(?:m|se)?|what|which|how|when|where|why|since)\b", re.IGNORECASE)
_COUNTED = re.compile(r"\bhow many (\w+(?: \w+)?)", re.IGNORECASE)
_FOCUS_WORDS = 7
"""Words from the one that asks, in which the kind of the detail is told; what is beyond describes the subject."""
_LONGEST_KEYWORDS = 6
"""Words of a question that asks by its words alone, such as `fire extinguisher price`."""
_NAMED = re.compile(
    r"\b(?:which|what)(?: \w+){0,2}? (?:settings?|options?|parameters?|directives?|commands?|functions?|methods?"
    r"|classe?s?|modules?|flags?|tools?|programs?|keys?|letters?)\b",
    re.IGNORECASE,
)
"""Asks for a name by what it does: what that is, is no detail of it."""
_COMMON_SHARE = 0.5
"""Of the statements found; a word that more of them hold does not tell what a question is about."""
_SECTION_NUMBER = re.compile(r"^(?:[A-Z]\.|\d+\.)*\d+\.?\s")


def missing_detail(question: str, statements: Sequence[Statement], hits: Sequence[Hit]) -> str | None:
    """Return the kind of detail that a question asks for where no statement on its subject tells one.

    Args:
        question: The question, without its history.
        statements: What the passages found for it state.
        hits: The passages, of which the statements tell the numbers.

    Returns:
        The kind, in words; None where it is told or not known what is asked for.
    """
    names = names_in(question)
    asked = _focus(_without(question, names))
    kinds = [kind for kind in KINDS if kind.asked.search(asked)]
    counted = _COUNTED.search(asked)
    if not kinds and not counted:
        return None
    subject = [word for word in question.split() if not any(kind.told.search(word) for kind in kinds)]
    chosen = list(_on_subject(" ".join(subject), names, statements, hits))
    told = [_told(each, names) for each in chosen]
    if language_of(" ".join(told)) != "english":
        return None
    if not kinds and counted:
        # Of what is counted, where a statement or the one after it speaks of that at all.
        wanted = stems(counted[1])
        of_it = [_told(each, names) for each in chosen if wanted & stems(f"{each.before} {each.text}")]
        return None if any(map(NUMBER.search, of_it or told)) else "number"
    missing = (kind for kind in kinds if not any(map(kind.told.search, told)))
    return next((kind.name for kind in missing), None)


def _focus(question: str) -> str:
    """Return the words that say what is asked for."""
    question = question.split(":")[0]
    start = _QUESTION.search(question)
    if start is None:
        return question if len(question.split()) <= _LONGEST_KEYWORDS else ""
    if _NAMED.match(question, start.start()):
        return ""
    before = question[: start.start()].split()[-1:]
    return " ".join([*before, *question[start.start() :].split()[:_FOCUS_WORDS]])


def _on_subject(
    question: str, names: Sequence[str], statements: Sequence[Statement], hits: Sequence[Hit]
) -> Iterator[Statement]:
    """Yield the statements on what the question names most closely: all of them where it names nothing known."""
    on_name = [[each for each in statements if _is_on(name, each, hits)] for name in names]
    if any(on_name):
        yield from min(filter(None, on_name), key=len)
        return
    held = [stems(f"{each.said_of} {each.before} {each.text}") for each in statements]
    counts = Counter(stem for each in held for stem in each)
    telling = {stem for stem in stems(question) if counts[stem] <= len(statements) * _COMMON_SHARE}
    chosen = [each for each, own in zip(statements, held, strict=True) if own & telling]
    yield from chosen or statements


def _is_on(name: str, statement: Statement, hits: Sequence[Hit]) -> bool:
    heading = hits[statement.number - 1].passage.heading.split(" > ")[-1]
    return stands_in(name, f"{heading} {statement.said_of} {statement.before} {statement.text}")


def _told(statement: Statement, names: Sequence[str]) -> str:
    """Return what a statement says beside the names asked for."""
    return _without(f"{_SECTION_NUMBER.sub('', statement.term)} {statement.text}", names)


def _without(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", " ", text, flags=re.IGNORECASE)
    return text
