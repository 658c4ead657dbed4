"""Whether what was found can hold the answer, and what it lacks where it cannot."""

from __future__ import annotations

import pytest

from backends.approaches.evidence import evidence_for
from backends.base import Hit, Passage
from tests.doubles import WordEmbedder

SETTINGS = """max_connections

How many clients connect. The default is 100.

work_mem

Memory of one sort. The default is 4MB."""


def found(text: str, *, words: float = 1.0) -> list[Hit]:
    """Return a text as the one passage that was found."""
    return [Hit(Passage("1", "a.md", 0, len(text), text, names="max_connections\nwork_mem"), 1.0, words, 0.5)]


def lacks(question: str, hits: list[Hit]) -> str:
    """Return what is not there."""
    return evidence_for(question, hits, WordEmbedder()).lacks


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the default of max_connections?", ""),
        ("What is the default of max_workers?", "max_workers"),
        ("What is the default of max_connections in my_program?", ""),
        ("What is the default?", ""),
        ("What is the default of this well-known sign-in thing?", ""),
        ("What is the default, peut-on dire?", ""),
        ("What is the default of max-workers?", "max-workers"),
    ],
)
def test_names_that_stand_nowhere_are_no_evidence(question: str, expected: str) -> None:
    """A question on a name that no passage holds has no answer in them, however near they are."""
    assert lacks(question, found(SETTINGS)) == expected


def test_what_is_far_off_is_no_evidence() -> None:
    """Neither is nothing at all."""
    assert lacks("What is the default?", []) == "a passage on it"
    assert lacks("Who sang?", found("Lamps give light.", words=0.0)) == "a statement on it"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which constant stands for “No such process”?", ""),
        ('Which constant stands for "no  such Process"?', ""),
        ("Which constant stands for «No such file»?", "a statement on it"),
        ("Which constant stands for “No such”?", "a statement on it"),
    ],
)
def test_words_that_are_quoted_are_evidence(question: str, expected: str) -> None:
    """The text of an error stands where it is explained, however little else of the question does."""
    assert lacks(question, found("ESRCH (3): No such process", words=0.0)) == expected


def test_the_ending_of_files_is_evidence() -> None:
    """It stands where the files are listed, beside words that are far off."""
    assert lacks("What is written in .scad files?", found("Lamps: *.scad", words=0.0)) == ""
    assert lacks("What is written in .scad files?", found("Lamps: scad", words=0.0)) == ".scad"


def test_a_detail_that_is_not_told_is_named() -> None:
    """The subject is there, but not what is asked of it."""
    question = "In which version was max_connections added, and how many clients connect by default?"
    assert lacks(question, found(SETTINGS)) == "a detail of this kind: version"


def test_every_statement_of_the_best_two_is_near_or_far() -> None:
    """Of the others those are read that hold words of the question."""
    passages = ["One shines. Two rains.", "Three.", "Four is dark. " * 20 + "Five sings and dances."]
    hits = [Hit(Passage(str(at), "a.md", 0, 9, text), 1.0, 1.0, 0.5) for at, text in enumerate(passages)]
    near = evidence_for("Who sings and dances?", hits, WordEmbedder()).near
    assert {each.text for each in near} >= {"One shines.", "Two rains.", "Three.", "Five sings and dances."}
    assert max(near, key=lambda each: near[each]).text == "Five sings and dances."
