"""The report as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from advisor.trials.arms import Arm
from advisor.trials.report import to_markdown
from advisor.trials.results import Given, TrialResult, Verdict
from tests.advisor.trials.results import made_up_result, not_run, without_intervals, without_texts

MADE_UP = made_up_result(20)


def rendered(result: TrialResult, title: str = "Report") -> str:
    return MarkdownIt("gfm-like", {"linkify": False}).render(to_markdown(result, title))


def row(page: str, first: str) -> list[str]:
    """Return the cells of the first row of a page that begins so."""
    found = re.search(rf"<tr>\s*<td>{re.escape(first)}.*?</tr>", page, re.DOTALL)
    assert found, first
    return re.findall(r"<td[^>]*>(.*?)</td>", found.group(), re.DOTALL)


def test_tables_have_as_many_cells_as_headings() -> None:
    """A text with a pipe in it opens no cell."""
    result = replace(MADE_UP, given=tuple(replace(each, kind="a|b") for each in MADE_UP.given))
    lines = to_markdown(result, "Report").splitlines()
    bars = [len(re.findall(r"(?<!\\)\|", line)) for line in lines]
    tables = [line for line, count in zip(lines, bars, strict=True) if count]
    assert len(tables) > 40
    for line, before in zip(lines[1:], lines, strict=False):
        if line.startswith("|") and before.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == len(re.findall(r"(?<!\\)\|", before))


def test_it_renders_as_tables_and_lists() -> None:
    """The verdict comes first, and every section has its heading."""
    page = rendered(MADE_UP)
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings[0] == "Verdict"
    assert headings[1] == "Ways to answer"
    assert {"Errors", "Claims", "Facts measured", "Method", "What the advisor had said"} <= set(headings)
    assert page.count("<table>") == 8


def test_numbers_are_those_of_the_result() -> None:
    """Quality, cost and the difference to the best stand in an arm's row."""
    cells = row(rendered(MADE_UP), "Plain prompt")
    plain = next(each for each in MADE_UP.arms if each.arm == Arm.ZERO_SHOT)
    assert plain.quality
    assert cells[1].startswith(f"{100 * plain.quality.value:.0f}% (")
    assert "points" in cells[2]
    assert cells[6] == "$0.11"


def test_an_arm_that_was_not_run_has_no_numbers() -> None:
    """The reason stands beside it, and no zero anywhere."""
    told = not_run(MADE_UP, Arm.FEW_SHOT, "there are no examples")
    cells = row(rendered(told), "Same examples (")
    assert cells[0] == "Same examples (not run: there are no examples)"
    assert cells[1] == "not measured"
    assert not re.search(r"\d", "".join(cells))


def test_without_intervals_none_is_told() -> None:
    """A figure without an interval stands alone."""
    cells = row(rendered(without_intervals(MADE_UP)), "Plain prompt")
    assert re.fullmatch(r"\d+%", cells[1])


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a | b",
        "*a* _b_ `c`",
        "[a](b)",
        "# a",
        "1. a",
        "- a",
        "a\n\n# b",
        "&lt;",
        "\\",
    ],
)
def test_texts_are_shown_as_they_are(text: str) -> None:
    """Nothing in a text is taken for Markdown or HTML."""
    page = rendered(replace(MADE_UP, verdict=Verdict(None, None, text, (text,)), notes=(text,)), text)
    shown = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"<h1>{shown}</h1>" in page
    assert page.count(f"<li>{shown}</li>") == 2
    assert f"<strong>{shown}</strong>" in page


def test_direction_does_not_leak() -> None:
    """Characters that turn the rest of a line round are left out."""
    assert "\u202e" not in to_markdown(replace(MADE_UP, notes=("a \u202e b",)), "a \u202e b")


@pytest.mark.parametrize(
    "result",
    [
        made_up_result(0),
        without_texts(MADE_UP),
        made_up_result(5, (Arm.ZERO_SHOT, Arm.RAG)),
        replace(MADE_UP, prediction=None, claims=(), facts={}, curve={}, comparisons=(), arms=()),
        replace(MADE_UP, given=(Given(0, "?", None),)),
    ],
    ids=["no questions", "erased", "two arms", "bare", "an answer erased"],
)
def test_whatever_lacks_is_left_out(result: TrialResult) -> None:
    """A report comes of every result."""
    page = rendered(result)
    assert "<h2>Verdict</h2>" in page
    assert "None" not in page
    assert "nan" not in re.findall(r"\w+", page)
