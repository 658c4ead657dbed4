"""Text is cut into passages whose bytes are known exactly, and which say what they are under."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.documents.passages import PASSAGE_WORDS, split
from backends.documents.text import DocumentText, Place

SENTENCES = " ".join(f"Sentence number {number} tells something of its own." for number in range(60))


@settings(deadline=None, max_examples=150)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=400)
    | st.lists(
        st.sampled_from(
            [
                "# a\n",
                "## é b\n",
                "\n",
                "```\n",
                "x y z. ",
                "- i\n",
                "| a | b |\n",
                "|---|---|\n",
                "t\n===\n",
                "  ",
            ]
        ),
        max_size=60,
    ).map("".join),
    st.booleans(),
)
def test_bytes_are_exact(text: str, plain: bool) -> None:
    """Each passage is the text between its bytes, and passages follow one another."""
    content, last = text.encode(), 0
    for passage in split("a", DocumentText(text, plain=plain)):
        assert content[passage.start_byte : passage.end_byte].decode() == passage.text
        assert passage.text.strip()
        assert passage.start_byte >= last
        last = passage.end_byte


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["# a\n", "word ", "\n\n", "1. ", "> ", "```\n", "    ", "&", "—"]), max_size=80)
)
def test_no_word_is_lost(parts: list[str]) -> None:
    """Every letter of a Markdown text is in some passage."""
    text = "".join(parts)
    kept = "".join(passage.text for passage in split("a.md", DocumentText(text)))
    assert kept.count("word") == text.count("word")


def test_ids_are_stable_and_distinct() -> None:
    """The same input gives the same ids; another source, position or content gives others."""
    text = "Same.\n\n" + SENTENCES + "\n\nSame.\n"
    ids = [passage.id for passage in split("a.md", DocumentText(text))]
    assert ids == [passage.id for passage in split("a.md", DocumentText(text))]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {passage.id for passage in split("b.md", DocumentText(text))}


def test_long_prose_is_cut_between_sentences() -> None:
    """Passages of a long paragraph hold whole sentences and stay within the limit."""
    passages = split("a.txt", DocumentText(SENTENCES, plain=True))
    assert len(passages) > 3
    for passage in passages:
        assert passage.text.startswith("Sentence number")
        assert passage.text.endswith("own.")
        assert len(passage.text.split()) <= PASSAGE_WORDS


def test_text_without_spaces_is_cut() -> None:
    """A word without end does not make a passage without end."""
    passages = split("a.txt", DocumentText("字" * 5000, plain=True))
    assert "".join(passage.text for passage in passages) == "字" * 5000
    assert max(len(passage.text.encode()) for passage in passages) <= 1200


def test_headings_stay_with_what_follows_and_are_known() -> None:
    """A heading opens its passage, and a later passage of the section knows the headings above it."""
    passages = split("a.md", DocumentText(f"# Guide\n\nIntro.\n\n## Use\n\n{SENTENCES}\n"))
    assert passages[0].text.startswith("# Guide")
    assert passages[-1].heading == "Guide > Use"
    assert not any(passage.text.rstrip().endswith("Use") for passage in passages)


def test_code_and_tables_stay_whole() -> None:
    """A code block with blank lines and signs like headings is one block, and so is a table."""
    code = "```python\n# no heading\n\nprint(1)\n```"
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    passages = split("a.md", DocumentText(f"{SENTENCES}\n\n{code}\n\n{table}\n\n{SENTENCES}\n"))
    assert sum(code in passage.text for passage in passages) == 1
    assert sum(table in passage.text for passage in passages) == 1
    assert {passage.heading for passage in passages} == {""}


@pytest.mark.parametrize(
    "text",
    [
        f"Guide\n=====\n\nUse\n---\n\n{SENTENCES}\n",
        f"1. Guide\n\n1.1 Use\n\n{SENTENCES}\n",
        f"Guide\n=====\n\nUse\n    {SENTENCES}\n",
        f"Guide\n=====\n\n+-----+\n|Use|\n+-----+\n\n{SENTENCES}\n",
    ],
)
def test_headings_of_plain_text_are_known(text: str) -> None:
    """Underlined, numbered and boxed lines are headings, and so is a line above what is set in."""
    heading = split("a.txt", DocumentText(text, plain=True))[-1].heading
    assert re.sub(r"[\d.]+ ", "", heading) == "Guide > Use"


def test_terms_stay_with_their_definitions() -> None:
    """Each term opens the passage of its definition, and what of it is cut off knows the term."""
    text = f"# Settings\n\nfirst\n: {SENTENCES}\n\nsecond\n: {SENTENCES}\n\n  {SENTENCES}\n"
    passages = split("a.md", DocumentText(text, title="Guide"))
    openings = [passage for passage in passages if passage.names]
    assert [passage.text.split("\n")[-2] for passage in openings] == ["first", "second"]
    assert [passage.heading for passage in openings] == ["Guide", "Guide > Settings"]
    assert {passage.heading for passage in passages if not passage.names} == {
        "Guide > Settings > first",
        "Guide > Settings > second",
    }


def test_rows_know_the_header_of_their_table() -> None:
    """A table that is too long for one passage is cut between rows, each of which is under the header."""
    rows = "".join(f"| name{number} | {'word ' * 30}|\n" for number in range(9))
    passages = split("a.md", DocumentText(f"| Name | Meaning |\n| --- | --- |\n{rows}"))
    assert len(passages) > 2
    assert {passage.heading for passage in passages[1:]} == {"Name | Meaning"}
    assert all(passage.text.endswith("|") for passage in passages)


def test_items_know_what_leads_into_their_list() -> None:
    """An item of a long list is under the line that introduces it; what follows the list is not."""
    items = "".join(f"- item {number} {'word ' * 40}\n" for number in range(5))
    passages = split("a.md", DocumentText(f"These are allowed:\n\n{items}\nThe end. {SENTENCES}"))
    assert passages[1].heading == "These are allowed"
    assert passages[-1].heading == ""


def test_passages_know_their_place() -> None:
    """The place is the last that began before the passage; without places it is the line."""
    text = f"{SENTENCES}\n\n{SENTENCES}"
    placed = DocumentText(text, places=(Place(0, "page 1"), Place(len(SENTENCES), "page 2")))
    places = [passage.place for passage in split("a.pdf", placed)]
    assert (places[0], places[-1]) == ("page 1", "page 2")
    assert split("a.md", DocumentText(text))[-1].place == "line 3"
