"""Documentation of the packages that this project requires, and questions about it, read when called.

Origin: the METADATA file that each installed package carries, by `importlib.metadata`:
its readme as it stands, and some of its headers, each written out as a sentence, since
a small model reads sentences better than `Name: value`. Written by the packages'
authors, under the licence that the headers name; read where it is installed, never copied.

Questions are made by rule from the headers, so that each right answer stands in the
documents. Packages are taken by the hash of their name: nobody chose which are shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from itertools import islice

from advisor.v1.use_case_pb2 import Document
from backends.base import Example

__all__ = ["ORIGIN", "documents", "is_right", "questions", "unanswerable"]

ORIGIN = (
    "METADATA of the packages that this project requires, as installed here: written by their authors, "
    "each under the licence that its headers name"
)
PROJECT = "rag-or-tune"
SUFFIXES = {"text/markdown": ".md", "text/x-rst": ".rst"}
LONGEST_VALUE = 60
"""Characters; some packages put a whole licence, or a dozen authors, into a header."""

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LOWEST = re.compile(r">=\s*(\d+(?:\.\d+)*)")
_DISPLAY_NAME = re.compile(r'^"?([^"<@,]+?)"?(?: <.*)?$')


@dataclass(frozen=True, slots=True)
class _Kind:
    """One header: where its value is, how it is written out, and how it is asked for."""

    value: Callable[[metadata.PackageMetadata], str | None]
    sentence: str
    question: str


def documents() -> list[Document]:
    """Return two documents for each package: its headers as sentences, and its readme where it has one."""
    return [document for package in _packages() for document in _documents(package)]


def questions(count: int = 10, *, shown: bool = True) -> list[Example]:
    """Return questions with the words that a right answer holds, and the sentence that they stand in.

    Half of the packages, by the hash of their name, are for the questions shown;
    the other half are for whoever wants to change how questions are answered.
    Kinds of questions take turns; a package without that header is passed over.

    Args:
        count: Most questions to return; each package gives one.
        shown: Whether of the half that is shown.
    """
    half = [package for package in _packages() if (_hash(package) % 2 == 0) == shown]
    return list(islice(_asked(sorted(half, key=_hash)), count))


def unanswerable() -> list[str]:
    """Return questions that the documents hold no answer to.

    One is about another subject. The harder one asks what many documents tell, but of
    an installed package that is not among them: the first by the hash of its name.
    """
    documented = {_slug(package) for package in _packages()}
    others = [found.metadata for found in metadata.distributions() if found.metadata["Name"]]
    stranger = min((package for package in others if _slug(package) not in documented), key=_hash)
    return ["Which river flows through Vienna?", f"Who is the author of {stranger['Name']}?"]


def is_right(answer: str, right: str) -> bool:
    """Judge an answer: right where it holds the right text as whole words, whatever the case."""
    pattern = rf"(?<![\w.]){re.escape(_plain(right))}(?![\w]|\.\d)"
    return re.search(pattern, _plain(answer)) is not None


def _packages() -> list[metadata.PackageMetadata]:
    """Return the metadata of the installed packages among those required, by name."""
    required = (_REQUIREMENT.match(line) for line in metadata.requires(PROJECT) or ())
    names = sorted({match[0].lower() for match in required if match})
    return [found for name in names if (found := _installed(name)) is not None]


def _installed(name: str) -> metadata.PackageMetadata | None:
    try:
        return metadata.metadata(name)
    except metadata.PackageNotFoundError:  # required on other systems only, or by an extra left out
        return None


def _documents(package: metadata.PackageMetadata) -> Iterator[Document]:
    name, folder = package["Name"], _slug(package)
    summary = (_header(package, "Summary") or "a package").rstrip(".")
    sentences = [f"{name} is described as: {summary}."]
    sentences += [kind.sentence.format(name, value) for kind in _KINDS if (value := _value(kind, package))]
    content = " ".join(sentences).encode()
    yield Document(source=f"{folder}/headers.txt", media_type="text/plain", content=content)
    readme = _readme(package)
    if readme:
        declared = (_header(package, "Description-Content-Type") or "").partition(";")[0].strip()
        media_type = declared if declared == "text/markdown" else "text/plain"
        source = f"{folder}/README{SUFFIXES.get(declared, '.txt')}"
        yield Document(source=source, media_type=media_type, content=readme.encode())


def _asked(packages: list[metadata.PackageMetadata]) -> Iterator[Example]:
    turn = 0
    for package in packages:
        kinds = [_KINDS[(turn + step) % len(_KINDS)] for step in range(len(_KINDS))]
        kind = next((each for each in kinds if _value(each, package)), None)
        if kind is not None:
            value = _value(kind, package) or ""
            yield Example(
                kind.question.format(package["Name"]), value, kind.sentence.format(package["Name"], value)
            )
            turn += 1


def _value(kind: _Kind, package: metadata.PackageMetadata) -> str | None:
    value = kind.value(package)
    return value if value and len(value) <= LONGEST_VALUE and value.isprintable() else None


def _header(package: metadata.PackageMetadata, name: str) -> str | None:
    return package[name] if name in package else None  # noqa: SIM401 - the protocol has no `get`


def _readme(package: metadata.PackageMetadata) -> str:
    return str(package.json.get("description", "")).strip()


def _python(package: metadata.PackageMetadata) -> str | None:
    lowest = _LOWEST.search(_header(package, "Requires-Python") or "")
    return lowest and lowest[1]


def _version(package: metadata.PackageMetadata) -> str | None:
    return package["Version"].partition("+")[0]


def _licence(package: metadata.PackageMetadata) -> str | None:
    return _header(package, "License-Expression") or _header(package, "License")


def _author(package: metadata.PackageMetadata) -> str | None:
    name = _DISPLAY_NAME.match(_header(package, "Author") or _header(package, "Author-email") or "")
    return name and name[1]


def _documentation(package: metadata.PackageMetadata) -> str | None:
    links = (value.partition(", ") for value in package.get_all("Project-URL") or ())
    address = next((link for label, _, link in links if label.lower() == "documentation"), "")
    return address.partition("://")[2].rstrip("/") or None


_KINDS = (
    _Kind(_version, "The installed version of {} is {}.", "What is the installed version of {}?"),
    _Kind(_licence, "The licence of {} is {}.", "What is the licence of {}?"),
    _Kind(_author, "The author of {} is {}.", "Who is the author of {}?"),
    _Kind(_python, "The oldest Python that {} runs on is {}.", "What is the oldest Python that {} runs on?"),
    _Kind(_documentation, "The documentation of {} is at {}.", "Where is the documentation of {}?"),
)


def _slug(package: metadata.PackageMetadata) -> str:
    return re.sub(r"[-_.]+", "-", package["Name"]).lower()


def _hash(package: metadata.PackageMetadata) -> int:
    return int(hashlib.sha256(_slug(package).encode()).hexdigest(), 16)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("`", "").replace('"', "").split())
