"""Docstrings of numerical libraries, and questions about them with short answers, read when called.

Origin: what NumPy, SciPy, scikit-learn and NetworkX say of their own public functions and
classes, as installed here; written by their authors, BSD 3-Clause. Read where it is
installed, never copied.

A document is one docstring as it stands, under the name that it describes. Questions are
made by rule from the sections that the numpydoc standard prescribes, so that each right
answer stands in a document; a default is asked for only where signature and docstring
agree. Answers have a form of their own: the value as the documentation writes it, without
quotes, and nothing else.

Names are taken by their hash: nobody chose which are shown. Those held out are other names
than those learnt from, and nothing is asked of them that was learnt of another: no parameter,
condition or description twice. Some are asked about in words that no example has.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, zip_longest

from advisor.v1.use_case_pb2 import Document
from backends.base import Example

__all__ = ["ORIGIN", "documents", "examples", "is_right", "questions", "unanswerable"]

ORIGIN = (
    "docstrings of NumPy, SciPy, scikit-learn and NetworkX, as installed here: "
    "written by their authors, BSD 3-Clause"
)
LEARNT, HELD_OUT = 200, 100
"""Questions to learn from, and questions held out."""
HELD_OUT_NAMES, LEARNT_NAMES, OTHER_NAMES = 50, 70, 30
"""Names, and so documents: of the questions held out, of those learnt from, and of the rest."""
SHORTEST, LONGEST = 500, 8000
"""Bytes of a docstring."""
LEAST_KINDS, MOST_ASKED = 3, 4
"""Kinds of questions that a name allows at least, and that it is asked at most, one question of each."""
MOST_ALIKE = 0.04
"""Largest share of a set's questions with the same answer: no guess is right for many."""
LEARNT_WORDINGS = 3
"""Wordings of each kind, the first ones, that examples have; questions held out have the others too."""
UNTOLD = 5
"""Questions for each detail that documents do not tell."""

_LIBRARIES = {"numpy": "NumPy", "scipy": "SciPy", "sklearn": "scikit-learn", "networkx": "NetworkX"}
_MODULES = (
    *("networkx", "numpy", "numpy.fft", "numpy.linalg"),
    *("scipy.cluster.hierarchy", "scipy.fft", "scipy.integrate", "scipy.interpolate", "scipy.linalg"),
    *("scipy.ndimage", "scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.spatial", "scipy.stats"),
    *("sklearn.cluster", "sklearn.covariance", "sklearn.datasets", "sklearn.decomposition"),
    *("sklearn.ensemble", "sklearn.feature_selection", "sklearn.impute", "sklearn.linear_model"),
    *("sklearn.manifold", "sklearn.metrics", "sklearn.neighbors", "sklearn.neural_network"),
    *("sklearn.preprocessing", "sklearn.svm", "sklearn.tree"),
)

_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,} *\n", re.MULTILINE)
_ENTRY = re.compile(r"^\S.*(?:\n(?:[ \t].*)?)*", re.MULTILINE)
_ROLE = re.compile(r":\w+:`([\w.]+)`")
_NAME = re.compile(r"[A-Za-z]\w+")
_DEFAULT = re.compile(r"\bdefault(?: value)?(?: ?[=:] ?|s? (?:is |to |))[`'\"]*([^\s,;`'\")]+)")
_AFTER_TYPE = re.compile(r",? *\(?\b(?:optional|default)\b.*")
_TYPE_WORD = re.compile(
    r"(?:or|of|shape|int|integer|float|complex|bool|str|string|scalar|number|array[_-]like|array|ndarray"
    r"|matrix|sparse|list|tuple|dict|dictionary|set|sequence|iterable|iterator|generator|callable|function|object"
    r"|instance|file|node|edge|graph|dtype|type|RandomState|None|positive|non-negative|real|[12]-D)s?"
)
_SHAPE = re.compile(r"\([\w.,* +-]*\)")
_ADDED = re.compile(r"^ {4}\.\. versionadded:: *(\d+(?:\.\d+)+) *$(?!\n {5,}\S)", re.MULTILINE)
_MARKUP = re.compile(r"[:$\\|\[\]{}=~*#]|\.\.|http|\b\w\.\w\b")

_WORDINGS = {
    "default": (
        "What does {subject} of {name} default to?",
        "Which value does {name} take for {subject} where none is given?",
        "What is the default of {subject} of {name}?",
        "I call {name} without {subject}: which value is used?",
        "To what is {subject} set in {name} unless I set it?",
    ),
    "type": (
        "Of which type is {subject} of {name}?",
        "Which type does {name} want for {subject}?",
        "What is the type of the parameter {subject} of {name}?",
        "What may I pass to {name} as {subject}?",
        "As what does {name} take {subject}?",
    ),
    "version": (
        "In which version of {library} was {subject} added to {name}?",
        "Since which version of {library} does {name} have {subject}?",
        "Which version of {library} added {subject} to {name}?",
        "How new must {library} be for {name} to take {subject}?",
        "{name} got {subject} with which version of {library}?",
    ),
    "parameter": (
        "Which parameter of {name} is described as “{subject}”?",
        "Name the parameter of {name} for this: {subject}.",
        "What is the parameter of {name} called that has this description: {subject}?",
        "I look for a parameter of {name}. Its description is: {subject}. Which one is it?",
        "“{subject}”: of which parameter of {name} is that said?",
    ),
    "returned": (
        "Of which type is what {name} returns?",
        "What type does {name} return?",
        "Which type has the result of {name}?",
        "What do I get back from {name}, by its type?",
        "As which type does the result of {name} come?",
    ),
    "raised": (
        "What does {name} raise {subject}?",
        "Which exception does {name} raise {subject}?",
        "Name the exception that {name} raises {subject}.",
        "Which error do I have to catch from {name} {subject}?",
        "{name} fails {subject}: with which exception?",
    ),
    "related": (
        "What does the documentation of {name} point to for “{subject}”?",
        "Which name is listed with {name} as “{subject}”?",
        "Beside {name}, what does its documentation name for this: {subject}?",
        "{name} is not what I need. What does its documentation offer for “{subject}”?",
        "What should one see also, coming from {name}, for “{subject}”?",
    ),
}
"""How each kind of questions is asked."""
_DESCRIBED = {"parameter", "related"}  # these give a description, and ask what it is of
_ALIKE_BY_ANSWER = {*_DESCRIBED, "returned"}

_DETAILS = {
    "In which version of {library} was {name} added?": r"version|since|added|new in|\d\.\d",
    "Which exception does {name} raise?": r"rais|except|error|fail",
    "Who wrote {name}?": r"author|writ|wrote|contribut|references|et al|\(\d{4}\)",
    "Which environment variable changes what {name} does?": r"environ|variable|\$",
}
"""Questions for a detail, and the words of which a text that tells it would hold one."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a section: its name, what stands after the colon, what is said of it, and what tells that."""

    name: str
    type: str
    text: str
    passage: str


@dataclass(frozen=True, slots=True, eq=False)
class _Documented:
    """A public name with its docstring, and the defaults in its signature."""

    name: str
    docstring: str
    defaults: Mapping[str, object]

    @property
    def library(self) -> str:
        """Its library, as people write it."""
        return _LIBRARIES[self.name.partition(".")[0]]


@dataclass(frozen=True, slots=True)
class _Fact:
    """What can be asked about a name, with the answer and the passage that tells it."""

    kind: str
    about: _Documented
    subject: str
    answer: str
    passage: str

    @property
    def hash(self) -> str:
        """What orders facts, and chooses their wording."""
        return _hash(f"{self.about.name} {self.kind} {self.subject}")


def documents() -> list[Document]:
    """Return a document for each name, whether it is asked about or learnt from."""
    return [
        Document(
            source=f"{each.name}.rst",
            media_type="text/x-rst",
            content=f"{each.name}\n{'=' * len(each.name)}\n\n{each.docstring}\n".encode(),
        )
        for each in _names()
    ]


def examples() -> list[Example]:
    """Return the questions to learn from, with their answers and the passages that tell them."""
    return [_example(fact, LEARNT_WORDINGS) for fact in _learnt()]


def questions(*, shown: bool = True) -> list[Example]:
    """Return the questions held out, with their answers and the passages that tell them.

    Args:
        shown: False for questions about names that are neither shown nor learnt from: whoever
            wants to change settings measures on those.
    """
    names = _names()[:HELD_OUT_NAMES] if shown else _names()[HELD_OUT_NAMES + LEARNT_NAMES :]
    return [_example(fact) for fact in _chosen(names, HELD_OUT, _learnt())]


def unanswerable() -> list[str]:
    """Return questions about the names held out, each for a detail that the name's document does not tell."""
    asked: list[str] = []
    for question, telling in _DETAILS.items():
        silent = (
            each
            for each in _names()[:HELD_OUT_NAMES]
            if not re.search(telling, each.docstring, re.IGNORECASE)
        )
        texts = (question.format(name=each.name, library=each.library) for each in silent)
        asked += sorted(texts, key=_hash)[:UNTOLD]
    return asked


def is_right(answer: str, right: str) -> bool:
    """Judge an answer: right where it holds the right text as whole words, whatever the case and quotes."""
    pattern = rf"(?<![\w.-]){re.escape(_plain(right))}(?![\w-]|\.\d)"
    return re.search(pattern, _plain(answer)) is not None


@cache
def _names() -> tuple[_Documented, ...]:
    """Return the names taken, by their hash: first those held out, then those learnt from, then the rest."""
    once = {each.docstring: each for each in _documented()}  # a function may have two names
    names = sorted(once.values(), key=lambda each: _hash(each.name))
    able = (each for each in names if len({fact.kind for fact in _facts(each)}) >= LEAST_KINDS)
    return tuple(islice(able, HELD_OUT_NAMES + LEARNT_NAMES + OTHER_NAMES))


def _documented() -> Iterator[_Documented]:
    for path in _MODULES:
        module = importlib.import_module(path)
        for name in sorted(getattr(module, "__all__", None) or vars(module)):
            value = vars(module).get(name)
            docstring = inspect.getdoc(value) if callable(value) and not name.startswith("_") else None
            if docstring and SHORTEST <= len(docstring.encode()) <= LONGEST:
                yield _Documented(f"{path}.{name}", docstring, _defaults(value))


def _defaults(value: object) -> dict[str, object]:
    try:
        parameters = inspect.signature(value).parameters  # type: ignore[arg-type]
    except ValueError:  # in compiled code
        return {}
    return {name: each.default for name, each in parameters.items()}


def _example(fact: _Fact, wordings: int | None = None) -> Example:
    """Return the question for a fact, in one of the first wordings of its kind, or of all."""
    offered = _WORDINGS[fact.kind][:wordings]
    wording = offered[int(fact.hash, 16) % len(offered)]
    question = wording.format(name=fact.about.name, library=fact.about.library, subject=fact.subject)
    return Example(question, fact.answer, fact.passage)


@cache
def _learnt() -> tuple[_Fact, ...]:
    names = _names()[HELD_OUT_NAMES : HELD_OUT_NAMES + LEARNT_NAMES]
    return tuple(_chosen(names, LEARNT, ()))


def _chosen(names: Sequence[_Documented], count: int, learnt: Sequence[_Fact]) -> list[_Fact]:
    """Return facts about these names in turn, of kinds that were chosen least, and none like another."""
    chosen: list[_Fact] = []
    for name in list(names) * MOST_ASKED:
        kinds = Counter(fact.kind for fact in chosen)
        answers = Counter(_plain(fact.answer) for fact in chosen)
        asked = {fact.kind for fact in chosen if fact.about is name}
        free = [
            fact
            for fact in _facts(name)
            if fact.kind not in asked
            and answers[_plain(fact.answer)] < count * MOST_ALIKE
            and not any(_alike(fact, other) for other in (*learnt, *chosen))
        ]
        chosen += sorted(free, key=lambda fact: (kinds[fact.kind], fact.hash))[:1]
    return chosen[:count]


def _alike(one: _Fact, other: _Fact) -> bool:
    """Return whether two facts ask nearly the same, though of different names."""
    if one.kind != other.kind:
        return False
    words, others = _words(one.subject), _words(other.subject)
    same = one.kind in _ALIKE_BY_ANSWER and one.answer == other.answer
    return same or len(words & others) > len(words | others) / 2


@cache
def _facts(about: _Documented) -> tuple[_Fact, ...]:
    """Return what can be asked about a name, unless it fits two answers or the question gives it away."""
    found = [_Fact(kind, about, *told) for kind, *told in (*_of_parameters(about), *_of_the_rest(about))]
    counts = Counter((fact.kind, fact.subject.casefold()) for fact in found)
    return tuple(
        fact
        for fact in found
        if counts[fact.kind, fact.subject.casefold()] == 1
        and len(fact.answer) > 1  # a single character stands by chance in any text
        and not is_right(f"{about.name} {fact.subject}", fact.answer)
        and not (fact.kind in _DESCRIBED and _given_away(fact.answer, fact.subject))
    )


def _of_parameters(about: _Documented) -> Iterator[tuple[str, str, str, str]]:
    for entry in _entries(about.docstring, "parameters"):
        if not _NAME.fullmatch(entry.name):
            continue
        told = {match[1].rstrip(".") for match in _DEFAULT.finditer(f"{entry.type} {entry.text}")}
        default = about.defaults.get(entry.name)
        if (
            isinstance(default, str | int | float)
            and not isinstance(default, bool)
            and told == {str(default)}
        ):
            yield "default", entry.name, str(default), entry.passage
        type_ = _AFTER_TYPE.sub("", entry.type)
        if _is_type(type_):
            yield "type", entry.name, type_, entry.passage
        if entry.text.count("versionadded") == 1 and (added := _ADDED.search(entry.text)):
            yield "version", entry.name, added[1], entry.passage
        if description := _description(entry.text):
            yield "parameter", description, entry.name, entry.passage


def _of_the_rest(about: _Documented) -> Iterator[tuple[str, str, str, str]]:
    returned = _entries(about.docstring, "returns")
    type_ = returned[0].type or returned[0].name if len(returned) == 1 else ""
    if _is_type(type_):
        yield "returned", "", type_, returned[0].passage
    for entry in _entries(about.docstring, "raises"):
        condition = (_description(entry.text) or "").removeprefix("Raised ")
        if condition.lower().startswith(("if ", "when ")) and _NAME.fullmatch(entry.name):
            yield "raised", f"{condition[0].lower()}{condition[1:]}", entry.name, entry.passage
    for entry in _entries(about.docstring, "see also"):
        description = _description(f"{entry.type}\n{entry.text}")
        if description and _NAME.fullmatch(entry.name):
            yield "related", description, entry.name, entry.passage


def _entries(docstring: str, section: str) -> list[_Entry]:
    """Return the entries of a section; outside of the parameters, the passage begins with the section."""
    parts = list(_SECTION.finditer(docstring))
    for part, after in zip_longest(parts, parts[1:]):
        if part[1].lower() == section:
            found = _ENTRY.finditer(docstring, part.end(), after.start() if after else len(docstring))
            start = None if section == "parameters" else part.start()
            return [_entry(docstring, each, each.start() if start is None else start) for each in found]
    return []


def _entry(docstring: str, found: re.Match[str], start: int) -> _Entry:
    line, _, text = found[0].partition("\n")
    name, _, type_ = _ROLE.sub(r"\1", line).partition(":")
    passage = docstring[start : found.end()].strip()
    return _Entry(name.strip(), " ".join(type_.split()), text.rstrip(), passage)


def _is_type(text: str) -> bool:
    """Return whether this is a type of two to nine words, and nothing beside it but shapes in brackets."""
    words = _SHAPE.sub("", text).replace(",", " ").split()
    return bool(words) and 2 <= len(text.split()) <= 9 and all(map(_TYPE_WORD.fullmatch, words))


def _description(text: str) -> str | None:
    """Return the first sentence, where it has 4 to 25 words and no markup but quotes, which are left out."""
    paragraph = text.strip().partition("\n\n")[0]
    sentence = re.split(r"(?<=[.!?;])\s", " ".join(paragraph.split()))[0].replace("`", "").rstrip(".;")
    return sentence if 4 <= len(sentence.split()) <= 25 and not _MARKUP.search(sentence) else None


def _given_away(name: str, description: str) -> bool:
    """Return whether a description tells each part of a name, as "maximum of iterations" tells max_iter."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    words = _words(description)
    return all(any(word.startswith(part.lower()[:4]) for word in words) for part in parts)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[`'\"]", "", text.casefold()).split())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
