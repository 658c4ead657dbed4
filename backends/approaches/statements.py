"""What passages state: sentences, items and rows, each with the term it is said of, and which answers a question.

statements = statements_of(passages)
best = nearest_statement(question, near, hits)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from backends.approaches.stopwords import STOP_WORDS
from backends.base import Hit, Passage
from backends.retrieval.words import name_in

__all__ = ["Statement", "answering", "names_in", "nearest_statement", "stands_in", "statements_of", "stems"]

_MOST_NAME_LINES = 4
_ASKING = frozenset({"called", "did", "i", "me", "my", "need", "use", "used", "uses", "we"})
"""Words that questions hold, beside those that say nothing anywhere."""
_LINKING = "stand stands mean means refer refers denote denotes name named names"
"""Words that say of a thing that it is another."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(\"'‘“])")
_MARKS = re.compile(r"^(?:[-*•:>#] ?)+")
_BEGINS = re.compile(r"[-*•] |: |\||[A-Z][\w ]{2,20}: |\*\*|\d+[.)] ")
_LABELLED = re.compile(r"[A-Z][\w-]*(?: [\w-]+){0,2}: \S")
_REFERS = re.compile(r"(?:It|Its|This|These|They|Their|Those|That)\b")
_CLOSING = " \"'`*_’”)]"

# What a statement's fitness is made of: by measurement on questions about settings, options and definitions.
_PASSAGE_SHARE = 0.35
_WORDS_SHARE = 0.45
_MEANING_SHARE = 0.5
# For each name that the question has, its share:
_UNDER_NAME = 0.4  # it is said of that
_NAMES_IT = 0.24  # it names that
_OTHER = -0.3  # it does neither
_CONTEXT = 0.4  # of a word of the question that only the headings hold
_USUAL_WORDS = 30
_LENGTH_COST = 0.002  # for each word beyond


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence, an item or a row.

    Attributes:
        number: Of its passage, from 1.
        term: What it is said of: the term or heading that it stands under; empty where there is none.
        text: The statement, on one line.
        before: The sentence before it in its paragraph; empty for the first.
        lead: The first sentence of its paragraph; empty for that itself.
        after: The sentences that follow it there.
        record: The lines beside it, such as `Version: 8.0`, where each stands under a label; itself left aside.
        subject: The first line of its record, such as `Package: libwine`; empty for that itself, and under a term.
    """

    number: int
    term: str
    text: str
    before: str = ""
    lead: str = ""
    after: tuple[str, ...] = ()
    record: tuple[str, ...] = ()
    subject: str = ""

    @property
    def said_of(self) -> str:
        """What it stands under: its term, or the first line of its record."""
        return self.term or self.subject

    @property
    def whole(self) -> str:
        """The statement with what it refers to: its term or subject, and the sentence before one that begins "It"."""
        if self.subject:
            return f"{self.subject}; {self.text}"
        text = f"{self.before} {self.text}" if self.before and _REFERS.match(self.text) else self.text
        told = not self.term or _squashed(self.term) in _squashed(text)
        return text if told else f"{self.term}: {text}"


def statements_of(passages: Sequence[Passage]) -> Iterator[Statement]:
    """Yield what passages state, in order; a term alone states nothing, nor does a question."""
    for number, passage in enumerate(passages, 1):
        pieces = list(_pieces(passage))
        for place, (term, text, _) in enumerate(pieces):
            record, subject = _record(pieces, place)
            before = ""
            sentences = [each.strip() for each in _SENTENCE.split(text) if re.search(r"\w", each)]
            for at, sentence in enumerate(sentences):
                if not sentence.rstrip(_CLOSING).endswith("?"):
                    yield Statement(
                        number,
                        term,
                        sentence,
                        before,
                        sentences[0] if at else "",
                        tuple(sentences[at + 1 :]),
                        record,
                        "" if term else subject,
                    )
                before = sentence


def nearest_statement(
    question: str, near: Mapping[Statement, float], hits: Sequence[Hit]
) -> Statement | None:
    """Return the statement that answers a question best; None where there are none.

    Args:
        question: The question.
        near: What the passages state, each with how near it is to the question in meaning.
        hits: The passages, of which the statements tell the numbers.
    """
    asked = names_in(question)
    words = stems(question) - {stem for name in asked for stem in stems(name)}
    # A name that none of them tells, such as that of the product, tells none of them from the others.
    names = [name for name in asked if any(_standing(name, each) for each in near)]
    return max(
        near,
        key=lambda each: _MEANING_SHARE * near[each] + _fitness(each, hits[each.number - 1], names, words),
        default=None,
    )


def answering(question: str, statement: Statement) -> str:
    """Return a statement as an answer: with what stands beside it, where it says no more than the question does.

    What a value stands under, such as "Currency" in "Currency: Jamaican Dollar", says nothing by itself, unless it
    is a name, such as `work_mem`, that the question does not know. Beside it stands what follows in its paragraph, or
    the other lines of its record; of these those that are asked for. A sentence under a label that holds a name of
    the question, such as "Files: *.scad.", is told with that which its paragraph begins with.
    """
    told = statement.text if statement.record else statement.whole
    if _LABELLED.match(statement.text) and any(stands_in(name, told) for name in names_in(question)):
        told = f"{statement.lead} {told}".strip()
    label, colon, _ = told.partition(": ")
    saying_nothing = stems(label) - stems(" ".join(names_in(label))) if colon else set()
    if stems(told) - stems(f"{question} {_LINKING}") - saying_nothing:
        return statement.whole if statement.record else told
    if statement.record:
        words = stems(question)
        asked = [line for line in statement.record if words & stems(line.partition(": ")[0])]
        return _usual([*(asked or statement.record), told], "; ")
    return _usual([told, *statement.after], " ")


def names_in(text: str) -> list[str]:
    """Return the words of a text that name a thing, such as `max_connections`, `--quiet`, `SIGHUP` or `.toml`."""
    return [name for word in text.split() if (name := name_in(word))]


def stands_in(name: str, text: str) -> bool:
    """Return whether a name stands in a text by itself, not as part of a longer one."""
    alone = "" if name.startswith(".") else r"(?<![\w-])"  # the ending of a file stands behind its name
    return re.search(rf"{alone}{re.escape(name)}(?![\w-]|\.\w)", text, re.IGNORECASE) is not None


def _pieces(passage: Passage) -> Iterator[tuple[str, str, int]]:
    """Yield the paragraphs, items and rows of a passage: the term each stands under, and its paragraph's number."""
    names = {_squashed(name): name for name in passage.names.split("\n") if name}
    term = passage.heading.split(" > ")[-1]
    lines = passage.text.split("\n")
    records = _records(lines)
    held: list[str] = []
    position = paragraph = 0
    while position < len(lines):
        taken = _name_lines(lines, position, names)
        line = lines[position].strip()
        if taken or position in records or not re.search(r"\w", line) or _BEGINS.match(line):
            yield from _joined(term, held, paragraph)
            held = []
        if taken:
            term = names[_squashed("".join(lines[position : position + taken]))]
            if _is_row(term):
                yield term, term, paragraph
        elif re.search(r"\w", line):
            held.append(line)
        else:
            paragraph += 1
        position += taken or 1
    yield from _joined(term, held, paragraph)


def _usual(parts: Sequence[str], between: str) -> str:
    """Return the first two of some parts, with as many more as make no more than a usual answer."""
    found = between.join(parts[:2])
    for part in parts[2:]:
        if len(f"{found}{between}{part}".split()) > _USUAL_WORDS:
            break
        found = f"{found}{between}{part}"
    return found


def _records(lines: Sequence[str]) -> set[int]:
    """Return which lines are of records: paragraphs of lines that all have labels."""
    found: set[int] = set()
    for filled, paragraph in groupby(enumerate(lines), lambda each: bool(each[1].strip())):
        record = list(paragraph)
        if filled and all(_LABELLED.match(line.strip()) for _, line in record):
            found.update(at for at, _ in record)
    return found


def _record(pieces: Sequence[tuple[str, str, int]], place: int) -> tuple[tuple[str, ...], str]:
    """Return the other lines of the record that a line is of, and the first where it is another that names something.

    A record is a paragraph of lines that all have labels.
    """
    paragraph = pieces[place][2]
    lines = [(at, text) for at, (_, text, of) in enumerate(pieces) if of == paragraph]
    if not all(_LABELLED.match(text) for _, text in lines):
        return (), ""
    at, first = lines[0]
    named = at != place and re.search(r"[^\W\d_]", first.partition(": ")[2])
    return tuple(text for at, text in lines if at != place), first if named else ""


def _name_lines(lines: Sequence[str], position: int, names: dict[str, str]) -> int:
    """Return how many lines from here on are one of the names; 0 where they are none."""
    for count in range(1, _MOST_NAME_LINES + 1):
        squashed = _squashed("".join(lines[position : position + count]))
        if squashed and squashed in names:
            return count
    return 0


def _joined(term: str, lines: Sequence[str], paragraph: int) -> Iterator[tuple[str, str, int]]:
    text = " ".join(" ".join(lines).split())
    if text:
        yield term, _MARKS.sub("", text), paragraph


def _is_row(name: str) -> bool:
    """Return whether a heading tells more than a name, such as a name, its type and its default."""
    return len(name.split()) > 2 and re.search(r"\w ?: ?\w", name) is not None


def _fitness(statement: Statement, hit: Hit, names: Sequence[str], words: set[str]) -> float:
    own = stems(statement.text)
    context = stems(f"{statement.said_of} {hit.passage.heading} {hit.passage.source}") - own
    held = len(words & own) + _CONTEXT * len(words & context)
    fitness = _PASSAGE_SHARE * hit.score + _WORDS_SHARE * held / max(1, len(words))
    fitness -= _LENGTH_COST * max(0, len(statement.text.split()) - _USUAL_WORDS)
    if not names:
        return fitness
    standing = [_standing(name, statement) for name in names]
    return fitness + sum(_OTHER if each is None else each for each in standing) / len(names)


def _standing(name: str, statement: Statement) -> float | None:
    """Return what it is worth that a statement is said of a name, or names it; None where it does neither."""
    if stands_in(name, statement.said_of):
        return _UNDER_NAME
    return _NAMES_IT if stands_in(name, f"{statement.before} {statement.text}") else None


def stems(text: str) -> set[str]:
    """Return the words that carry meaning, cut to what inflected ones have in common."""
    words = re.findall(r"[^\W_]+", text.lower())
    return {_cut(word) for word in words if word not in STOP_WORDS | _ASKING}


def _cut(word: str) -> str:
    return word if len(word) < 5 else word[: max(4, len(word) - (3 if len(word) > 6 else 1))]


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()
