"""Passages state sentences, items and rows, each of a term; the one that answers a question is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.approaches.statements import answering, names_in, nearest_statement, stands_in, statements_of
from backends.base import Hit, Passage
from backends.documents.passages import split
from backends.documents.text import DocumentText
from tests.doubles import WordEmbedder

DEFINITIONS = """# Settings

max_connections
: How many clients connect. The default is 100.

  More take memory.

work_mem
: Memory of one sort. The default is 4MB.
"""


ALL = "the whole text"
BST = "BST stands for British Summer Time."
SETTING = "work_mem: Memory of a sort."


def _hits(text: str, *, plain: bool = False) -> list[Hit]:
    return [Hit(passage, 1.0, 1.0, 0.5) for passage in split("a.md", DocumentText(text, plain=plain))]


def _nearest(question: str, text: str) -> str:
    hits = _hits(text)
    statements = list(statements_of([hit.passage for hit in hits]))
    vectors = WordEmbedder().embed([question, *(each.whole for each in statements)])
    best = nearest_statement(
        question, dict(zip(statements, (vectors[1:] @ vectors[0]).tolist(), strict=True)), hits
    )
    return best.whole if best else ""


def test_sentences_are_under_their_term() -> None:
    """Each sentence of a definition is said of the term, and a term alone states nothing."""
    found = [(each.term, each.text) for each in statements_of([hit.passage for hit in _hits(DEFINITIONS)])]
    assert found == [
        ("max_connections", "How many clients connect."),
        ("max_connections", "The default is 100."),
        ("max_connections", "More take memory."),
        ("work_mem", "Memory of one sort."),
        ("work_mem", "The default is 4MB."),
    ]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("- one\n- two\n  goes on", ["one", "two goes on"]),
        ("Default: 5\nContext: server", ["Default: 5", "Context: server"]),
        ("| a | 1 |\n| b | 2 |", ["| a | 1 |", "| b | 2 |"]),
        ("A line that is\nwrapped. And more.", ["A line that is wrapped.", "And more."]),
        ("Why is that? It is so.", ["It is so."]),
        ("Q: **What is it?**\n\nA: Rain.", ["A: Rain."]),
        ("```\n---\n```", []),
    ],
)
def test_items_rows_and_lines_are_statements(text: str, statements: list[str]) -> None:
    """What begins an item or a row begins a statement; wrapped lines are joined."""
    passage = Passage("1", "a.md", 0, 9, text)
    assert [each.text for each in statements_of([passage])] == statements


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the default of max_connections?", "max_connections: The default is 100."),
        ("What is the default of work_mem?", "work_mem: The default is 4MB."),
        ("What takes more memory than max_connections?", "max_connections: More take memory."),
    ],
)
def test_the_statement_on_what_is_asked_is_nearest(question: str, answer: str) -> None:
    """Of the same words under several terms, those under the name in the question answer it."""
    assert _nearest(question, DEFINITIONS) == answer


def test_a_term_that_tells_more_than_a_name_is_a_statement() -> None:
    """As docstrings in the style of NumPy have it: the name, its type and its default."""
    text = "eps : float, default=0.5\n: How far apart two samples may be.\n\nname\n: What it is called."
    found = [each.whole for each in statements_of([hit.passage for hit in _hits(text)])]
    assert "eps : float, default=0.5" in found
    assert "name" not in found


def test_a_sentence_that_refers_back_is_told_with_what_it_refers_to() -> None:
    """What "Its default is 100" is about stands in the sentence before."""
    text = "The setting max_connections limits clients. Its default is 100. Others differ."
    assert _nearest("What is the default of max_connections?", text) == (
        "The setting max_connections limits clients. Its default is 100."
    )


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        (
            "What is the offset of BST, British Summer Time?",
            "BST stands for British Summer Time. Offset: +01:00.",
            ALL,
        ),
        ("What does BST stand for?", f"{BST} Offset: +01:00.", BST),
        ("What is the code of the Mexican Peso?", "Mexican Peso. Code: MXN. Number: 484.", ALL),
        ("What is the code of the peso?", f"Peso. Code: MXN. It is{' more' * 30}.", "Peso. Code: MXN."),
        ("What is the code of the Mexican Peso?", "Mexican Peso.", ALL),
        ("How is Libyan Dinar abbreviated?", "Currency: Libyan Dinar. Code: LYD. Number: 434.", ALL),
        ("What is paid in Tripoli?", "Currency: Libyan Dinar. Code: LYD.", "Currency: Libyan Dinar."),
        ("Which setting is for memory of a sort?", f"{SETTING} It is 4MB.", SETTING),
        ("What does work_mem, memory of a sort, have?", f"{SETTING} It is 4MB.", ALL),
    ],
    ids=[
        "it repeats",
        "it tells",
        "items",
        "too long",
        "alone",
        "under a label",
        "a label and its value",
        "under a name that is asked for",
        "under a name that is known",
    ],
)
def test_a_statement_that_repeats_the_question_is_told_with_what_follows(
    question: str, text: str, answer: str
) -> None:
    """As much of its paragraph as a sentence may be long."""
    first = next(statements_of([hit.passage for hit in _hits(text)]))
    assert answering(question, first) == (text if answer == ALL else answer)


RECORD = "Package: xstow\nVersion: 1.1.0\nDescription: Replacement of GNU Stow"


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        (
            "Which package is described as “Replacement of GNU Stow”?",
            f"{RECORD}\n\nPackage: stow",
            "Package: xstow; Description: Replacement of GNU Stow",
        ),
        (
            "I need a replacement of GNU Stow; what do I install?",
            RECORD,
            "Package: xstow; Version: 1.1.0; Description: Replacement of GNU Stow",
        ),
        ("What is xstow?", RECORD, "Package: xstow; Description: Replacement of GNU Stow"),
        (
            "Which is the replacement of GNU Stow?",
            f"A list\n{RECORD}",
            "Description: Replacement of GNU Stow",
        ),
    ],
    ids=["a line is asked for", "none is", "it tells", "no record"],
)
def test_a_line_that_repeats_the_question_is_told_with_its_record(
    question: str, text: str, answer: str
) -> None:
    """What is asked for may stand before it."""
    told = {each.text: each for each in statements_of([hit.passage for hit in _hits(text)])}
    assert answering(question, told["Description: Replacement of GNU Stow"]) == answer


def test_a_label_that_repeats_the_question_is_told_with_what_its_paragraph_begins_with() -> None:
    """An entry begins with what it is on."""
    text = "OpenSCAD. Short names: openscad. Files: *.scad."
    question = "Which language are files that end in .scad written in?"
    told = {each.text: each for each in statements_of([hit.passage for hit in _hits(text)])}
    assert answering(question, told["Files: *.scad."]) == "OpenSCAD. Files: *.scad."
    assert answering(question, told["OpenSCAD."]) == "OpenSCAD."
    terms = statements_of([hit.passage for hit in _hits(DEFINITIONS)])
    default = next(each for each in terms if each.text == "The default is 100.")
    assert (
        answering("What is the default of max_connections?", default)
        == "max_connections: The default is 100."
    )


def test_of_two_names_both_count() -> None:
    """One that stands everywhere tells nothing apart, nor does one that stands nowhere."""
    text = "PCI vendor 0303: an ID that is wrong.\n\nPCI vendor 1039: Silicon Systems."
    assert _nearest("Which vendor has the PCI ID 1039?", text) == "PCI vendor 1039: Silicon Systems."
    assert (
        _nearest("Which vendor does lspci name for the PCI ID 1039?", text)
        == "PCI vendor 1039: Silicon Systems."
    )


def test_a_line_of_a_record_is_said_of_its_first() -> None:
    """Which names what the record is of; not a number, nor where a heading names it, nor lines without labels."""
    record = "Name: rich\nRequires-Python: >=3.9\nHome: example.org"
    told = [each.whole for each in statements_of([hit.passage for hit in _hits(record)])]
    assert told == ["Name: rich", "Name: rich; Requires-Python: >=3.9", "Name: rich; Home: example.org"]
    for text, heading in (("Size: 100\nType: integer", ""), (record, "rich"), (f"A list\n{record}", "")):
        passages = [replace(hit.passage, heading=heading) for hit in _hits(text)]
        assert not any(each.subject for each in statements_of(passages))


def test_nothing_states_nothing() -> None:
    """Without statements there is no nearest."""
    assert nearest_statement("What?", {}, []) is None


def test_names_are_told_from_words() -> None:
    """What is written like a name is one, without the punctuation around it."""
    question = 'What does --quiet (or "max_connections") do on SIGHUP, and who said so?'
    assert names_in(question) == ["--quiet", "max_connections", "SIGHUP"]
    assert names_in("Is it (.toml), `.bashrc`, .NET, main.c or ... [max_x]?") == [
        ".toml",
        ".bashrc",
        ".NET",
        "main.c",
        "max_x",
    ]
    assert stands_in(".toml", "Files: *.toml, a.cfg")
    assert not stands_in(".tom", "Files: *.toml")
    assert stands_in("work_mem", "Set WORK_MEM here.")
    assert not stands_in("work_mem", "Set max-work_mem here.")
    assert not stands_in("PostgreSQL", "Set it in postgresql.conf.")
    assert stands_in("PostgreSQL", "Set it in PostgreSQL.")
