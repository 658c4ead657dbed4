"""Whether passages can hold the answer to a question at all, and what they lack."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backends.approaches.details import missing_detail
from backends.approaches.statements import Statement, names_in, stands_in, statements_of, stems
from backends.approaches.stopwords import STOP_WORDS
from backends.base import Hit
from backends.retrieval.embedding import Embedder
from backends.retrieval.words import language_of

__all__ = ["READ", "Evidence", "evidence_for"]

READ = 2
"""Passages whose every statement is read, and which are quoted: the third misleads."""
_OTHERS = 12
# Chosen on 249 questions with an answer, on manuals and handbooks, and 224 without: off the subject, or on a detail
# that is not told. The nearest statement parts them better than the nearest passage, which may hold more matters.
_NEAR_ENOUGH = 0.40
_NEARNESS_SHARE = 0.8
_FEW_WORDS = 0.05
_QUOTED = re.compile(r"[“\"«]([^“”\"«»]+)[”\"»]")
_QUOTED_CHARACTERS = 8  # shorter ones, such as "on" or "error", stand everywhere
# Parts of words such as `peut-on` or `sign-in`, which the language joins.
_JOINED = STOP_WORDS | {
    "based",
    "ce",
    "elle",
    "free",
    "il",
    "ils",
    "je",
    "like",
    "moi",
    "non",
    "nous",
    "off",
    "only",
}
_JOINED |= {"on", "out", "over", "pre", "self", "t", "tu", "up", "vous", "well"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found for a question.

    Attributes:
        near: How near in meaning statements of the passages are to the question: cosines.
        lacks: What is not there, so that there is no answer; empty where there may be one.
    """

    near: Mapping[Statement, float]
    lacks: str = ""


def evidence_for(question: str, hits: Sequence[Hit], embedder: Embedder) -> Evidence:
    """Return whether what was found can hold the answer to a question.

    A statement must be near enough in meaning, or hold enough of the words, or the words that the question
    quotes, or the ending of files that it names; where it names things such as `max_connections` or `--quiet`,
    one of them at least must be there; and where it asks for a kind of detail, so must one of that.

    Args:
        question: The question.
        hits: What was found for it, best first.
        embedder: Tells how near statements are to the question.
    """
    if not hits:
        return Evidence({}, "a passage on it")
    names = [name.lower() for name in names_in(question) if _names_a_thing(name)]
    found = "\n".join(f"{p.source} {p.heading} {p.text}" for p in (hit.passage for hit in hits)).lower()
    if names and not any(name in found for name in names):
        return Evidence({}, " or ".join(names))
    statements = list(statements_of([hit.passage for hit in hits]))
    read = _to_read(question, statements)
    vectors = embedder.embed([question, *(each.whole for each in read)])
    near = dict(zip(read, (vectors[1:] @ vectors[0]).tolist(), strict=True))
    words = min(1.0, max(hit.words for hit in hits))
    nearest = max(near.values(), default=0.0)
    near_enough = _NEARNESS_SHARE * nearest + (1 - _NEARNESS_SHARE) * words >= _NEAR_ENOUGH
    # The default embedder has learned English: texts in another language are near each other for that alone.
    foreign = words < _FEW_WORDS and language_of(found) != "english"
    if (not near_enough or foreign) and not _quotes(question, found):
        return Evidence(near, "a statement on it")
    detail = missing_detail(question, statements, hits)
    return Evidence(near, f"a detail of this kind: {detail}" if detail else "")


def _quotes(question: str, found: str) -> bool:
    """Return whether a question quotes what stands in what was found: the text of an error, the ending of files."""
    texts = (" ".join(each.lower().split()) for each in _QUOTED.findall(question))
    plain = " ".join(found.split())
    if any(len(text) >= _QUOTED_CHARACTERS and text in plain for text in texts):
        return True
    return any(stands_in(name, found) for name in names_in(question) if name.startswith("."))


def _names_a_thing(name: str) -> bool:
    return not name.isalnum() and not (
        name.replace("-", "").isalpha() and _JOINED & {*name.lower().split("-")}
    )


def _to_read(question: str, statements: Sequence[Statement]) -> list[Statement]:
    """Return the statements of the first passages, and of the others those with the most words of the question."""
    asked = stems(question)
    first = [each for each in statements if each.number <= READ]
    others = [each for each in statements if each.number > READ]
    others.sort(key=lambda each: -len(asked & stems(each.whole)))
    return list(dict.fromkeys([*first, *others[:_OTHERS]]))
