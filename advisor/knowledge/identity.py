"""The id in a use-case file: what keeps the stores of two files apart, on one server for many."""

from __future__ import annotations

import codecs
import os
import re
import secrets
from pathlib import Path

from advisor.errors import ConfigurationError, InvalidInput
from advisor.knowledge.usecasefile import UseCaseFile, read_use_case

__all__ = ["new_id", "write_id"]

ID_CHARACTERS = 63
FIRST_LINES = re.compile(r"(?:%[^\n]*\n)*(?:---[ \t]*\r?\n)?")
"""What stands before the content of a YAML file: directives, and the mark that ends them."""


def new_id(path: Path) -> str:
    """Return an id that no other file has, and that says of which folder it is."""
    folder = re.sub(r"[^a-z0-9]+", "-", path.absolute().parent.name.lower()).strip("-")
    slug = folder if folder[:1].isalpha() else f"use-case-{folder}"
    end = secrets.token_hex(3)
    return f"{slug[: ID_CHARACTERS - len(end) - 1].strip('-')}-{end}"


def write_id(case: UseCaseFile, use_case_id: str) -> UseCaseFile:
    """Write an id into a file that has none, as its first line, and return what the file says now.

    The file is replaced as a whole, or left as it was.

    Raises:
        ConfigurationError: It cannot be written.
        InvalidInput: A line cannot be put there, as in a file in braces.
    """
    path = case.path
    content = path.read_bytes()
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    text = content.removeprefix(mark).decode()
    first = FIRST_LINES.match(text)
    start = first.end() if first else 0
    end = "\r\n" if "\r\n" in text else "\n"
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        partial.write_bytes(mark + f"{text[:start]}id: {use_case_id}{end}{text[start:]}".encode())
        read_use_case(partial)
        partial.chmod(path.stat().st_mode)
        partial.replace(path)
    except InvalidInput:
        partial.unlink(missing_ok=True)
        raise InvalidInput.of(str(path), f"a first line does not fit there; add id: {use_case_id}") from None
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ConfigurationError(
            f"{path}: cannot be written ({error.strerror}); add the line id: {use_case_id}"
        ) from None
    return read_use_case(path)
