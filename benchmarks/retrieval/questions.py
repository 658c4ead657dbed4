"""Questions made by rule from facts, and questions whose answer the documentation does not hold."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.retrieval.corpora import CORPORA, Corpus, files_of
from benchmarks.retrieval.details import SEEN, UNSEEN
from benchmarks.retrieval.facts import Fact
from benchmarks.retrieval.matching import source_text, squash, visible
from benchmarks.retrieval.paraphrases import paraphrases
from benchmarks.retrieval.rules import facts_of

__all__ = ["OTHER", "Question", "questions_of", "right", "stands"]

_OF_EACH = 12
_OF_PARAPHRASES = 40
"""Most questions of one corpus on one aspect, and most of it whose detail is missing."""
_AROUND = 200
"""Characters before a name that are read for a detail; twice as many after it."""

_TEMPLATES = {
    "default": (
        "What is the default of {term}{of}?",
        "Which value does {term}{of} have by default?",
        "If I do not set {term}{of}, which value is used?",
    ),
    "type": ("What is the type of {term}{of}?", "Which type does the {noun} {term}{of} have?"),
    "short form": (
        "What is the short form of {term}{of}?",
        "Which single letter option{of} means the same as {term}?",
    ),
    "module": ("Which module{of} provides the {noun} {term}?", "In which module is {term} defined?"),
    "action": ("What does a process do by default when it gets {term}?",),
    "name": (
        "Which {noun}{of} does this: {description}?",
        "How is the {noun}{of} called with this meaning: {description}?",
    ),
    "other words": (
        "Which {noun}{of} does this: {description}?",
        "I need {a} {noun}{of} that does this: {description}",
    ),
}

OTHER = "missing other"
"""The aspect of a question on a detail of the kinds that nobody who tunes a system may see."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a corpus.

    Attributes:
        text: The question.
        corpus: Whose documents it is asked of.
        kind: The kind of those.
        aspect: What is asked for; `missing` or `OTHER` where the documents do not say.
        term: What it is about.
        file: Where the answer is.
        gold: The statement that holds it, squashed; empty where there is none.
        value: The answer; empty where there is none.
        rivals: Other answers to questions of this kind.
    """

    text: str
    corpus: str
    kind: str
    aspect: str
    term: str = ""
    file: str = ""
    gold: str = ""
    value: str = ""
    rivals: frozenset[str] = frozenset()

    @property
    def for_development(self) -> bool:
        """Whether it may be looked at; the other half is for reports alone."""
        return self.aspect != OTHER and _number(self.corpus, self.aspect, self.term) % 2 == 0


def questions_of(corpus: Corpus, folder: Path) -> list[Question]:
    """Return the questions on a corpus, always the same for the same documents."""
    facts = list(facts_of(corpus.name, folder))
    said = paraphrases(corpus.name, facts, folder.parent.parent)
    facts += [replace(each, aspect="other words", description=text) for each, text in said.items()]
    by_aspect: dict[str, list[Fact]] = defaultdict(list)
    for fact in sorted(facts, key=lambda each: _number(each.term, each.owner, each.aspect)):
        by_aspect[fact.aspect].append(fact)
    chosen = [
        _asked(corpus, fact, frozenset(other.value for other in same) - {fact.value})
        for same in by_aspect.values()
        for fact in _spread(same, _OF_PARAPHRASES if same[0].aspect == "other words" else _OF_EACH)
    ]
    sentences = _sentences(folder)
    return [*chosen, *_missing(corpus, facts, sentences), *_missing_other(corpus, facts, sentences)]


def _spread(facts: Sequence[Fact], most: int) -> Iterator[Fact]:
    """Yield the first facts of an aspect, no more than three with the same answer and two of the same owner."""
    values: dict[str, int] = defaultdict(int)
    owners: dict[str, int] = defaultdict(int)
    count = 0
    for fact in facts:
        if values[fact.value] < 3 and (not fact.owner or owners[fact.owner] < 2 or len(facts) < 4 * most):
            values[fact.value] += 1
            owners[fact.owner] += 1
            count += 1
            yield fact
        if count == most:
            return


def _asked(corpus: Corpus, fact: Fact, rivals: frozenset[str]) -> Question:
    templates = _TEMPLATES[fact.aspect]
    template = templates[_number(fact.term, fact.owner, "template") % len(templates)]
    description = fact.description[:1].lower() + fact.description[1:]
    return Question(
        template.format(
            term=fact.term,
            noun=fact.noun,
            a="an" if fact.noun[0] in "aeiou" else "a",
            of=_of(corpus, fact),
            description=description,
        ),
        corpus.name,
        corpus.kind,
        fact.aspect,
        f"{fact.owner} {fact.term}".strip(),
        fact.file,
        fact.gold,
        fact.value,
        rivals,
    )


def _missing(corpus: Corpus, facts: Iterable[Fact], sentences: Sequence[str]) -> Iterator[Question]:
    """Yield questions whose subject is in the documents, but not the detail, and on terms that do not exist."""
    named = _named(facts, "missing")
    count = 0
    for index, fact in enumerate(named):
        question, words = list(SEEN.items())[index % len(SEEN)]
        told = re.compile(words, re.IGNORECASE)
        about = [each for each in sentences if fact.term in each]
        if not any(map(told.search, [fact.entry, fact.term, *about])):
            yield _unanswerable(corpus, fact, question, "missing")
            count += 1
        if count == _OF_EACH:
            break
    yield from _unknown(corpus, named, "\n".join(sentences))


def _missing_other(corpus: Corpus, facts: Sequence[Fact], sentences: Sequence[str]) -> Iterator[Question]:
    """Yield questions on details of the kinds not seen: of each kind one, in every other corpus."""
    text = "\n".join(sentences).lower()
    kinds = list(UNSEEN.items())
    start = CORPORA.index(corpus) * _OF_EACH % len(kinds)
    pending = dict(kinds[start : start + _OF_EACH])
    for fact in _named(facts, OTHER):
        said = _said(fact, facts, text)
        question = next(
            (each for each, words in pending.items() if not re.search(words, said, re.IGNORECASE)), None
        )
        if question is not None:
            del pending[question]
            yield _unanswerable(corpus, fact, question, OTHER)
        if not pending:
            break


def _said(fact: Fact, facts: Iterable[Fact], text: str) -> str:
    """Return in lower case all entries on a term, and what stands around each place of a text that names it.

    A name is found with `-` for `_` too, as a setting is called on the command line.
    """
    name = "[_-]".join(re.escape(part) for part in re.split("[_-]", fact.term.split()[-1].lower()))
    entries = [each.entry for each in facts if each.term == fact.term]
    around = [
        text[max(0, match.start() - _AROUND) : match.end() + 2 * _AROUND] for match in re.finditer(name, text)
    ]
    return "\n".join([fact.term, *entries, *around]).lower()


def _named(facts: Iterable[Fact], salt: str) -> list[Fact]:
    """Return one fact on each term that is long enough to be found by its name, in an order that a salt gives."""
    named = {(fact.term, fact.owner): fact for fact in facts if len(fact.term) > 5}
    return sorted(named.values(), key=lambda each: _number(each.term, each.owner, salt))


def _unanswerable(corpus: Corpus, fact: Fact, question: str, aspect: str) -> Question:
    text = question.format(term=fact.term, of=_of(corpus, fact))
    return Question(text, corpus.name, corpus.kind, aspect, f"{fact.owner} {fact.term}".strip())


def _unknown(corpus: Corpus, facts: Sequence[Fact], text: str) -> Iterator[Question]:
    """Yield questions on names put together from parts of two that exist."""
    pairs = zip(facts[::2], facts[1::2], strict=False)
    count = 0
    for one, other in pairs:
        first, last = re.split(r"(?<=\w)(?=[_.-])", one.term), re.split(r"(?<=\w)(?=[_.-])", other.term)
        if len(first) < 2 or len(last) < 2 or count == _OF_EACH // 3:
            continue
        name = "".join(first[:-1]) + last[-1]
        if name.lower() not in text.lower():
            count += 1
            asked = f"What is the default of {name}{_of(corpus, one)}?"
            yield Question(asked, corpus.name, corpus.kind, "missing", name)


def _sentences(folder: Path) -> list[str]:
    texts = []
    for path in files_of(folder):
        text = source_text(path)
        texts.append(visible(text) if path.suffix == ".html" else text)
    return [" ".join(piece.split()) for text in texts for piece in re.split(r"\n\s*\n|(?<=[.!?])\s", text)]


def _of(corpus: Corpus, fact: Fact) -> str:
    name = fact.owner or corpus.product
    return f" of {name}" if name else ""


def _number(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:8])


def right(answer: str, question: Question) -> bool:
    """Return whether an answer holds the value, no rival of it, and at most 40 words."""
    words = answer.split()
    if len(words) > 40 or not stands(question.value, answer):
        return False
    rest = re.sub(re.escape(question.value), " ", answer, flags=re.IGNORECASE)
    asked = question.text
    rivals = [each for each in question.rivals if stands(each, rest) and not stands(each, asked)]
    rivals = [each for each in rivals if squash(each) not in squash(question.value)]
    if re.fullmatch(r"[\d.]+( \w+)?", question.value):
        rivals += [
            each for each in re.findall(r"(?<![\w.\[])\d[\d.]*(?![\w\]])", rest) if not stands(each, asked)
        ]
    return not rivals


def stands(value: str, text: str) -> bool:
    """Return whether a value stands in a text by itself, not as part of a longer name."""
    return re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text, re.IGNORECASE) is not None
