"""The report as one HTML file."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from advisor.trials.arms import Arm
from advisor.trials.report import to_html
from advisor.trials.report.markup import Html, block, element, joined
from advisor.trials.report.page import page_style
from advisor.trials.results import ArmState, TrialResult
from tests.advisor.trials.results import (
    hostile,
    made_up_record,
    made_up_result,
    not_run,
    without_intervals,
    without_texts,
)

MADE_UP = made_up_result(20)
NOT_RUN = not_run(MADE_UP, Arm.FEW_SHOT, "there are no examples")
VOID = {"meta", "input"}


class _Reader(HTMLParser):
    """Reads a page strictly: everything that opens is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(result: TrialResult, title: str = "Report") -> _Reader:
    reader = _Reader()
    reader.feed(to_html(result, title))
    reader.close()
    assert reader.opened == []
    return reader


def cells(page: str, name: str) -> list[str]:
    """Return the cells of the row of the arms' table that bears a name, without their tags."""
    rows = re.findall(r'<tr><th scope="row"><span class="key">.*?</tr>', page)
    row = next(each for each in rows if f"</span> {name}" in each)
    found = re.findall(r"<td[^>]*>(.*?)</td>", row)
    return [" ".join(re.sub(r"<[^>]*>", " ", each).split()) for each in found]


def test_it_needs_nothing_else() -> None:
    """No address, no script, no style but its own, and a policy that would keep them out."""
    reader = read(MADE_UP)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in reader.tags}
    assert not any({"src", "style", "onclick"} & set(attributes) for _, attributes in reader.tags)
    assert all(attributes["href"].startswith("#") for tag, attributes in reader.tags if tag == "a")
    policy = next(
        each["content"] for _, each in reader.tags if each.get("http-equiv") == "Content-Security-Policy"
    )
    digest = base64.b64encode(hashlib.sha256(page_style().encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "url(" not in page_style()
    assert "@import" not in page_style()


def test_sections_come_in_their_order() -> None:
    """The verdict first, then the arms, and how it was measured last; the contents lead to each."""
    reader = read(MADE_UP)
    keys = [attributes["id"] for tag, attributes in reader.tags if tag == "section"]
    assert keys == [
        "verdict",
        "ways",
        "plots",
        "retrieval",
        "errors",
        "prediction",
        "claims",
        "facts",
        "questions",
        "method",
    ]
    assert {f"#{key}" for key in keys[1:]} <= {each.get("href") for _, each in reader.tags}
    assert [tag for tag, _ in reader.tags if tag in ("header", "main", "nav", "h1")] == [
        "header",
        "h1",
        "main",
        "nav",
    ]


def test_every_link_and_label_has_its_end() -> None:
    """What is pointed to is there, once."""
    reader = read(MADE_UP)
    ids = [each["id"] for _, each in reader.tags if "id" in each]
    assert len(ids) == len(set(ids))
    pointed = {each["href"][1:] for tag, each in reader.tags if tag == "a"}
    pointed |= {key for _, each in reader.tags for key in (each.get("aria-labelledby") or "").split()}
    assert pointed <= set(ids)


def test_headings_of_tables_have_a_scope() -> None:
    """Rows and columns alike, and each table says what it shows."""
    reader = read(MADE_UP)
    assert all(each["scope"] in ("row", "col") for tag, each in reader.tags if tag == "th")
    tags = [tag for tag, _ in reader.tags]
    assert all(after == "caption" for tag, after in pairwise(tags) if tag == "table")


def test_numbers_are_those_of_the_result() -> None:
    """An arm's row has its quality with interval, its difference to the best, and its costs."""
    quality, difference, seconds, tokens, training, thousand, month = cells(
        to_html(MADE_UP, "Report"), "Plain prompt"
    )
    plain = next(each for each in MADE_UP.arms if each.arm == Arm.ZERO_SHOT)
    assert plain.quality
    low, high = 100 * plain.quality.low, 100 * plain.quality.high
    assert quality == f"{100 * plain.quality.value:.0f}% {low:.0f} to {high:.0f}%"
    assert re.fullmatch(r"−\d+ points −\d+ to −\d+ p . [\d.]+: (more than|may be) chance", difference)
    assert plain.total_s
    assert seconds == f"{plain.total_s[0]:.2f}, {plain.total_s[1]:.1f}"
    assert tokens == f"{plain.input_tokens:.0f}, {plain.output_tokens:.0f}"
    assert (training, thousand, month) == ("none", "$0.11", "$3.20")


def test_how_advice_fared_is_told() -> None:
    """In words where there were trials, and drawn where there were enough to tell."""
    none, few, many = (to_html(MADE_UP, "Report", made_up_record(count)) for count in (2, 3, 20))
    assert "on this server" not in none
    assert "Of 3 trials on this server that came after a recommendation, 3 took what was recommended" in few
    assert "following it lost 0.0 points on average (95% interval 0.0 to 0.0)" in few
    assert "Calibration of the advisor" not in few
    assert "Of 20 trials on this server that came after a recommendation, 16 took" in many
    assert "following it lost 4.0 points on average" in many
    assert "told 30%: 20% (8 to 42%); told 70%: 80% (58 to 92%)" in many


def test_an_arm_that_was_not_run_has_no_numbers() -> None:
    """It says why, and no cell shows a zero."""
    page = to_html(NOT_RUN, "Report")
    assert "not run: there are no examples" in page
    assert cells(page, "Same examples") == ["not measured", "not compared", *["not measured"] * 5]


def test_an_arm_that_was_stopped_keeps_what_it_has() -> None:
    """Its answers count in the matrix, and questions that it was not asked show a dash."""
    arms = tuple(
        replace(each, state=ArmState.STOPPED, reason="it took too long", answers=each.answers[:5])
        if each.arm == Arm.ZERO_SHOT
        else each
        for each in MADE_UP.arms
    )
    page = to_html(replace(MADE_UP, arms=arms), "Report")
    assert "stopped: it took too long" in page
    assert page.count('<td class="score">–</td>') == 15


def test_without_intervals_none_is_drawn() -> None:
    """Neither a whisker nor the ends of one."""
    page = to_html(without_intervals(MADE_UP), "Report")
    assert 'class="whisker' not in page
    assert 'class="interval"' not in page


def test_texts_are_escaped() -> None:
    """Whatever a text is, it adds no element and no attribute, wherever it stands."""
    plain, nasty = read(MADE_UP), read(hostile(MADE_UP), "</title><script>alert(1)</script>")
    assert "script" not in {tag for tag, _ in nasty.tags}
    assert {name for _, each in nasty.tags for name in each} <= {
        name for _, each in plain.tags for name in each
    }
    assert any("<script>alert(1)</script>" in text for text in nasty.texts)
    assert any("\" onclick='alert(1)'" in text for text in nasty.texts)


def test_texts_that_no_file_can_hold_are_replaced() -> None:
    """Half a surrogate pair, or a control character, must not keep the report from being written."""
    result = replace(MADE_UP, notes=("a\x00b\ud800c",))
    assert "a\ufffdb\ufffdc" in to_html(result, "Report").encode().decode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, '<p class="text"><em>erased</em></p>'),
        (" \n", '<p class="text"><em>empty</em></p>'),
        ("<b>", '<p class="text" dir="auto">&lt;b&gt;</p>'),
        ("abcdef", '<p class="text" dir="auto">abcd…</p><span class="note">cut: 4 of 6 characters</span>'),
    ],
)
def test_a_text_is_shown_whole_or_says_that_it_is_not(text: str | None, shown: str) -> None:
    """Erased, empty and cut texts are told apart."""
    assert block(text, 4) == shown


def test_a_long_answer_is_cut_with_a_note() -> None:
    """The note says how long it is."""
    arm = replace(MADE_UP.arms[0], answers=(replace(MADE_UP.arms[0].answers[0], text="x" * 10_000),))
    page = to_html(replace(MADE_UP, arms=(arm,)), "Report")
    assert "cut: 4,000 of 10,000 characters" in page
    assert "x" * 4_001 not in page


def test_erased_texts_say_so() -> None:
    """Scores stay, and no text is made up."""
    page = to_html(without_texts(MADE_UP), "Report")
    assert page.count("<em>erased</em>") >= 20 * 10
    assert "None" not in page


@pytest.mark.parametrize("graded", [False, True], ids=["right or wrong", "graded"])
def test_a_large_report_stays_small(graded: bool) -> None:
    """A hundred questions and ten arms, with long answers, take less than 1.5 MB."""
    result = made_up_result(100, Arm, graded=graded)
    arms = tuple(
        replace(each, answers=tuple(replace(answer, text="ä & b " * 500) for answer in each.answers))
        for each in result.arms
    )
    assert len(to_html(replace(result, arms=arms), "Report").encode()) < 1.5e6


@pytest.mark.parametrize(
    "result",
    [
        made_up_result(0),
        made_up_result(5, (Arm.ZERO_SHOT, Arm.RAG)),
        replace(
            MADE_UP,
            prediction=None,
            claims=(),
            facts={},
            curve={},
            comparisons=(),
            arms=(),
            given=(),
            seconds=0,
        ),
        replace(MADE_UP, given=()),
        replace(MADE_UP, metric="macro_f1"),
    ],
    ids=["nothing answered", "two arms", "bare", "questions gone", "a metric of all answers"],
)
def test_whatever_lacks_is_said_or_left_out(result: TrialResult) -> None:
    """A well-formed report comes of every result, and it shows no None."""
    assert not [text for text in read(result).texts if re.search(r"\bNone\b|\bnan\b", text)]


def test_elements_escape_what_is_no_markup() -> None:
    """Adding to markup makes text of it, so that nothing slips through."""
    safe = element("b", "a")
    assert element("i", safe, "<b>", title='"') == '<i title="&quot;"><b>a</b>&lt;b&gt;</i>'
    assert joined([safe + "<b>"]) == "&lt;b&gt;a&lt;/b&gt;&lt;b&gt;"
    assert isinstance(joined([]), Html)


def schemes() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the colours of both schemes by name."""
    light, dark = re.findall(r":root \{(.*?)\}", page_style(), re.DOTALL)
    for name, text in (("light", light), ("dark", dark)):
        yield name, dict(re.findall(r"--([\w-]+): (#\w{6})", text))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, as WCAG 2.2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
        return sum(each * weight for each, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


TEXTS = [
    ("text", "page"),
    ("quiet", "page"),
    ("accent", "page"),
    ("good", "page"),
    ("bad", "page"),
    ("text", "mark"),
]
TEXTS += [(f"s{step}-text", f"s{step}") for step in range(5)]
DRAWN = [("text", "bar"), ("text", "bar-taken"), ("text", "bar-other"), ("accent", "page"), ("other", "page")]


@pytest.mark.parametrize(("scheme", "colours"), list(schemes()))
def test_contrast_is_enough(scheme: str, colours: dict[str, str]) -> None:
    """Text on its ground has the 4.5 of level AA, what is drawn the 3."""
    assert {
        pair: contrast(*(colours[name] for name in pair)) for pair in TEXTS if _below(colours, pair, 4.5)
    } == {}
    assert {
        pair: contrast(*(colours[name] for name in pair)) for pair in DRAWN if _below(colours, pair, 3.0)
    } == {}


def _below(colours: dict[str, str], pair: tuple[str, str], least: float) -> bool:
    return contrast(colours[pair[0]], colours[pair[1]]) < least
