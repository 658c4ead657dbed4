"""What nobody sees of a document is not read; what looks like it and is seen stays."""

from __future__ import annotations

import pytest

from backends.documents.reading import read_document
from backends.documents.text import Block, DocumentText, Place
from backends.documents.unseen import without_comments, without_unseen_signs


def _html(body: str, head: str = "") -> str:
    return read_document("a.html", "text/html", f"<head>{head}</head><p>Seen.</p>{body}".encode()).text


@pytest.mark.parametrize(
    "body",
    [
        "<!-- unseen -->",
        "<p hidden>unseen</p>",
        "<div style='display: none'><p>unseen</p></div>",
        "<table><tr><td>a</td><td>b<span style='visibility:hidden'>unseen</span></td></tr></table>",
        "<pre>code<b style='font-size:0px'>unseen</b></pre>",
        "<p style='color:#fff; background: white'>unseen</p>",
        "<p>a <span style='color:white'>unseen</span></p>",
        "<div bgcolor='#000'><p style='color:#000'>unseen</p></div>",
        "<p style='opacity:0'>unseen</p>",
        "<p style='position:absolute;left:-9999px'>unseen</p>",
        "<img src='a.png' alt='unseen' title='unseen'><meta content='unseen'><p data-note='unseen'>a</p>",
    ],
)
def test_hidden_elements_are_not_read(body: str) -> None:
    """By their own attributes, wherever they are."""
    text = _html(body)
    assert "unseen" not in text
    assert "Seen." in text


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("<p style='color:white;background:black'>shown</p>", ""),
        ("<p style='color:white'>shown</p>", "<style>p { background: black }</style>"),
        ("<div style='background:#000'><p style='color:white'>shown</p></div>", ""),
        ("<p style='opacity:0.5'>shown</p>", ""),
        ("<p style='font-size:0.9em'>shown</p>", ""),
        ("<p hidden='until-found'>shown</p>", ""),
        ("<p aria-hidden='true'>shown</p>", ""),
    ],
)
def test_what_is_seen_is_read(body: str, head: str) -> None:
    """White on a dark ground, small, or hidden from screen readers alone."""
    assert "shown" in _html(body, head)


def test_comments_of_markdown_are_blank() -> None:
    """In code they are text, and everything else stays where it was."""
    text = "a <!-- one\ntwo --> b <b hidden>c</b> <b style='color:red'>d</b>\n```\n<!-- code -->\n```\n`<!-- x -->`"
    left = without_comments(text)
    assert len(left) == len(text)
    assert left.split() == [
        "a",
        "b",
        "<b",
        "style='color:red'>d</b>",
        "```",
        "<!--",
        "code",
        "-->",
        "```",
        "`<!--",
        "x",
        "-->`",
    ]


def test_hidden_elements_of_markdown_are_blank() -> None:
    """Also within others that are shown."""
    text = (
        "<p style='color:red'>a <i style='display:none'>b</i> c</p> <p hidden='until-found'>d</p> <p hidden>e"
    )
    left = without_comments(text)
    assert len(left) == len(text)
    assert " ".join(left.split()) == "<p style='color:red'>a c</p> <p hidden='until-found'>d</p>"


def test_signs_without_a_width_are_dropped() -> None:
    """Blocks and places stay with their text."""
    document = DocumentText(
        "\u202ea\u200bb\ncd", "\u2066T", (Place(5, "line 2"),), blocks=(Block(5, 7, 1, "c\U000e0041d"),)
    )
    left = without_unseen_signs(document)
    assert (left.text, left.title) == ("ab\ncd", "T")
    assert (left.places, left.blocks) == ((Place(3, "line 2"),), (Block(3, 5, 1, "cd"),))


@pytest.mark.parametrize("text", ["می\u200cخواهم", "क्\u200dष", "👩\u200d🔬", "naïve – 東京"])
def test_joiners_of_scripts_and_emoji_stay(text: str) -> None:
    """They change what is seen."""
    assert without_unseen_signs(DocumentText(text)).text == text


def test_joiners_between_latin_letters_are_dropped() -> None:
    """They split a word so that no search finds it."""
    assert without_unseen_signs(DocumentText("ig\u200cno\u200dre")).text == "ignore"
