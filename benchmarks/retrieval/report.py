"""Tables of what was found and answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from backends.models.names import DEFAULT_GENERATOR
from backends.models.resolve import default_cache, resolve
from benchmarks.retrieval.answers import Answered
from benchmarks.retrieval.matching import squash
from benchmarks.retrieval.questions import OTHER, Question, right
from benchmarks.retrieval.ways import Found

__all__ = ["is_found", "print_answered", "print_found"]

BUDGET = 500
"""Tokens of passages that a way may show: long passages win nothing."""

AtHand = Mapping[tuple[str, str], Sequence[Found]]


def is_found(question: Question, hits: Iterable[Found], budget: int = BUDGET) -> bool:
    """Return whether the statement is within the first tokens of what was found."""
    left = budget
    for hit in hits:
        text, taken = _cut(hit.text, left)
        if question.gold in squash(text) and _is_of(question, hit.file, text):
            return True
        left -= taken
        if left <= 0:
            break
    return False


def _is_of(question: Question, file: str, text: str) -> bool:
    """Return whether a passage is of the right file, or of another that says the same and names the term."""
    return file == question.file or squash(question.term.split()[-1]) in squash(text)


def print_found(questions: Mapping[str, Sequence[Question]], ways: Mapping[str, AtHand]) -> None:
    """Print the share of questions whose statement was found, by corpus, by aspect and over all."""
    asked = [each for some in questions.values() for each in some if each.gold]
    groups = {name: [each for each in asked if each.corpus == name] for name in questions}
    groups |= {
        f"all {aspect}": [each for each in asked if each.aspect == aspect]
        for aspect in dict.fromkeys(each.aspect for each in asked)
    }
    groups["HTML"] = [each for each in asked if each.kind == "HTML"]
    groups["all"] = asked
    print(f"{'':16}{'n':>5}" + "".join(f"{way[:15]:>16}" for way in ways))
    for name, some in groups.items():
        shares = [
            sum(is_found(each, found.get((each.corpus, each.text), ())) for each in some) / max(1, len(some))
            for found in ways.values()
        ]
        print(f"{name:16}{len(some):>5}" + "".join(f"{share:>16.2f}" for share in shares))


def print_answered(ways: Mapping[str, Mapping[Question, Answered]]) -> None:
    """Print how answers did, where there is one and where there is none, and whether what they cite supports them."""
    for name, answered in ways.items():
        asked = {question: each for question, each in answered.items() if question.gold}
        missing = [each for question, each in answered.items() if question.aspect == "missing"]
        other = [each for question, each in answered.items() if question.aspect == OTHER]
        good = {question: each for question, each in asked.items() if right(each.text, question)}
        supported = sum(is_found(question, each.cited, 10 * BUDGET) for question, each in good.items())
        wrongly = sum(each.abstained for each in asked.values())
        print(
            f"{name}: right {len(good)} of {len(asked)}, cited with support {supported} of {len(good)}, "
            f"abstained wrongly {wrongly} of {len(asked)}, rightly {sum(each.abstained for each in missing)} "
            f"of {len(missing)}",
            flush=True,
        )
        if other:
            rightly = sum(each.abstained for each in other)
            print(
                f"{name}: abstained where a detail of another kind is missing {rightly} of {len(other)}",
                flush=True,
            )


def _cut(text: str, budget: int) -> tuple[str, int]:
    encoding = _tokenizer().encode(text, add_special_tokens=False)
    if len(encoding.ids) <= budget:
        return text, len(encoding.ids)
    return text[: encoding.offsets[budget - 1][1]], budget


@cache
def _tokenizer() -> Any:
    from tokenizers import Tokenizer

    folder = resolve(DEFAULT_GENERATOR, cache=default_cache(), report=lambda _: None)
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
