"""Documentation of the packages that this project requires, and questions about it, read when called.

Origin: the METADATA file that each installed package carries, by `importlib.metadata`;
its headers as they stand, and its readme. Written by the packages' authors, under
the licence that its own headers name; read where it is installed, never copied.

Questions are made by rule from the headers and readmes, so that each right answer
stands in the documents word for word. Packages are taken by the hash of their name:
nobody chose which questions are shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from email.message import Message
from importlib import metadata

from advisor.v1.use_case_pb2 import Document
from backends.base import Example

__all__ = ["ORIGIN", "documents", "is_right", "questions", "unanswerable"]

ORIGIN = (
    "METADATA of the packages that this project requires, as installed here: written by their authors, "
    "each under the licence that its headers name"
)
PROJECT = "rag-or-tune"
HEADERS = (
    "Name",
    "Version",
    "Summary",
    "Author",
    "Author-email",
    "License",
    "License-Expression",
    "Keywords",
    "Requires-Python",
    "Project-URL",
)
SUFFIXES = {"text/markdown": ".md", "text/x-rst": ".rst"}
LONGEST_HEADER = 200
"""Characters; some packages put a whole licence into a header."""
LONGEST_ANSWER = 40
"""Characters; a licence longer than this is a text, not a name."""

_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LOWEST = re.compile(r">=\s*(\d+(?:\.\d+)*)")
_DISPLAY_NAME = re.compile(r'^"?([^"<@,]+?)"?(?: <.*)?$')
_COMMAND = re.compile(r"\bpip3? install +((?:-\S+ +)?)[\"']?([\w-]+(?:\[[\w,-]+\])?)")


def documents() -> list[Document]:
    """Return two documents for each package: its headers, and its readme where it has one."""
    return [document for package in _packages() for document in _documents(package)]


def questions(count: int = 12, *, shown: bool = True) -> list[Example]:
    """Return questions with the text that a right answer holds.

    Half of the packages, by the hash of their name, are for the questions shown;
    the other half are for whoever wants to change how questions are answered.

    Args:
        count: Most questions to return; each package gives one.
        shown: Whether of the half that is shown.
    """
    half = [package for package in _packages() if (_hash(package) % 2 == 0) == shown]
    chosen: list[Example] = []
    for package in sorted(half, key=_hash):
        kinds = [_KINDS[(len(chosen) + turn) % len(_KINDS)] for turn in range(len(_KINDS))]
        asked = next((found for kind in kinds if (found := kind(package))), None)
        chosen += [asked] if asked else []
    return chosen[:count]


def unanswerable() -> list[str]:
    """Return questions that the documents hold no answer to.

    One is about another subject. The harder one asks what many documents tell, but
    of an installed package that is not among them: the first by the hash of its name.
    """
    documented = {_slug(package) for package in _packages()}
    others = [found.metadata for found in metadata.distributions() if found.metadata["Name"]]
    stranger = min((package for package in others if _slug(package) not in documented), key=_hash)
    return ["Which river flows through Vienna?", f"Who is the author of {stranger['Name']}?"]


def is_right(answer: str, right: str) -> bool:
    """Judge an answer: right where it holds the right text as whole words, whatever the case."""
    pattern = rf"(?<![\w.]){re.escape(_plain(right))}(?![\w]|\.\d)"
    return re.search(pattern, _plain(answer)) is not None


def _packages() -> list[Message]:
    """Return the metadata of the installed packages among those required, by name."""
    names = {
        match[0].lower() for line in metadata.requires(PROJECT) or () if (match := _REQUIREMENT.match(line))
    }
    return [found for name in sorted(names) if (found := _installed(name)) is not None]


def _installed(name: str) -> Message | None:
    try:
        return metadata.distribution(name).metadata  # type: ignore[return-value]
    except metadata.PackageNotFoundError:  # required on other systems only, or by an extra left out
        return None


def _documents(package: Message) -> Iterator[Document]:
    lines = [
        f"{header}: {value}"
        for header in HEADERS
        for value in package.get_all(header, ())
        if len(value) <= LONGEST_HEADER and value.isprintable()
    ]
    folder = _slug(package)
    yield Document(source=f"{folder}/METADATA", media_type="text/plain", content="\n".join(lines).encode())
    readme = _readme(package)
    if readme:
        media_type = (package["Description-Content-Type"] or "text/plain").partition(";")[0].strip()
        name = f"{folder}/README{SUFFIXES.get(media_type, '.txt')}"
        kind = media_type if media_type == "text/markdown" else "text/plain"
        yield Document(source=name, media_type=kind, content=readme.encode())


def _readme(package: Message) -> str:
    return str(package.get_payload() or package["Description"] or "").strip()


def _python(package: Message) -> Example | None:
    required = _LOWEST.search(package["Requires-Python"] or "")
    return _ask(package, "Which version of Python does {} require?", required and required[1])


def _version(package: Message) -> Example | None:
    return _ask(package, "Which version of {} is installed?", package["Version"].partition("+")[0])


def _licence(package: Message) -> Example | None:
    return _ask(
        package, "Under which licence is {} published?", package["License-Expression"] or package["License"]
    )


def _author(package: Message) -> Example | None:
    name = _DISPLAY_NAME.match(package["Author"] or package["Author-email"] or "")
    return _ask(package, "Who is the author of {}?", name and name[1])


def _documentation(package: Message) -> Example | None:
    links = (value.partition(", ") for value in package.get_all("Project-URL", ()))
    found = next((link for label, _, link in links if label.lower() == "documentation"), None)
    address = found and found.partition("://")[2].rstrip("/")
    return _ask(package, "What is the address of the documentation of {}?", address, longest=80)


def _command(package: Message) -> Example | None:
    command = _COMMAND.search(_readme(package))
    return _ask(package, "Which command installs {}?", command and f"pip install {command[1]}{command[2]}")


_KINDS: tuple[Callable[[Message], Example | None], ...] = (
    _python,
    _version,
    _licence,
    _author,
    _documentation,
    _command,
)


def _ask(
    package: Message, question: str, right: str | None, *, longest: int = LONGEST_ANSWER
) -> Example | None:
    if not right or len(right) > longest:
        return None
    return Example(question.format(package["Name"]), right)


def _slug(package: Message) -> str:
    return re.sub(r"[-_.]+", "-", package["Name"]).lower()


def _hash(package: Message) -> int:
    return int(hashlib.sha256(_slug(package).encode()).hexdigest(), 16)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("`", "").replace('"', "").split())
