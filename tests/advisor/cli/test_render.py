"""What a person is shown of a recommendation, and in which order."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from advisor.cli.render import show, value_form
from advisor.decision.advisor import default_advisor
from advisor.knowledge.facts import Fact, encode_value, facts
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import recommendation_to_proto

SUPPORT = {
    "task": "QUESTION_ANSWERING",
    "output_form": "FREE_TEXT",
    "update_interval": "7d",
    "needs_citations": True,
    "new_knowledge_share": 0.8,
    "corpus_tokens": 4_000_000,
    "labelled_examples": 60,
}
INVOICES = {"task": "EXTRACTION", "output_form": "STRUCTURED", "labelled_examples": 500, "can_train": True}
WIKI = {**SUPPORT, "needs_citations": False, "retrieval_hit_rate": 0.3, "monthly_budget": 30}


def recommended(values: dict[str, Any]) -> pb.Recommendation:
    return recommendation_to_proto(default_advisor().recommend(values))


def rendered(values: dict[str, Any], *, everything: bool = False, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    show(console, recommended(values), everything=everything)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def headings(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line[:1].isupper()]


def section(text: str, heading: str) -> str:
    return text.split(f"\n{heading}")[1].split("\n\n")[0]


@pytest.mark.parametrize(("values", "nothing_in"), [(SUPPORT, {"Worth"}), (INVOICES, {"Excluded", "Mind"})])
def test_sections_come_in_the_order_in_which_they_are_needed(
    values: dict[str, Any], nothing_in: set[str]
) -> None:
    """What to do and what to mind, then why, then what could change it, then figures; a section of nothing is none."""
    order = (
        "Plan",
        "Excluded",
        "Mind",
        "For",
        "What would change",
        "Robustness",
        "Worth",
        "Scored",
        "Cost",
        "Publ",
    )
    shown = [line for line in headings(rendered(values)) if line.startswith(order)]
    wanted = [name for name in order if name not in nothing_in]
    assert [next(name for name in order if line.startswith(name)) for line in shown] == wanted


def test_the_headline_says_what_why_and_why_not_the_runner_up() -> None:
    """The first lines would do alone."""
    first = flat(rendered(SUPPORT).split("  RAG ")[0])
    assert first.startswith("RAG (")
    assert "points over a plain prompt expected" in first
    assert "Against HYBRID: " in first or "HYBRID, which does more," in first


@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("values", [SUPPORT, INVOICES, WIKI, {}])
def test_lines_fit_the_screen(values: dict[str, Any], everything: bool, width: int) -> None:
    """Nothing is cut and nothing runs over, with all of it shown or some."""
    text = rendered(values, everything=everything, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_a_fact_gives_one_reason_however_many_rules_read_it() -> None:
    """The rungs of a ladder are not told one by one, unless everything is asked for."""
    assert section(rendered(SUPPORT), "For RAG").count("7 days") == 1
    assert flat(rendered(SUPPORT, everything=True)).count("7 days") > 1


def test_reasons_for_weigh_for_and_reasons_against_weigh_against() -> None:
    """The sign in front of a reason is that of its section."""
    text = rendered({**INVOICES, "context_tokens": 2500, "prompted_score": 0.74})
    speaking, opposing = section(text, "For FINE_TUNING"), section(text, "Against FINE_TUNING")
    assert re.search(r"^ +\+\d+\.\d ", speaking, re.MULTILINE)
    assert not re.search(r"^ +-\d+\.\d ", speaking, re.MULTILINE)
    assert re.search(r"^ +-\d+\.\d ", opposing, re.MULTILINE)
    assert not re.search(r"^ +\+\d+\.\d ", opposing, re.MULTILINE)


def test_everything_adds_up() -> None:
    """The table of contributions ends with the points that the message states."""
    message = recommended(INVOICES)
    points = {pb.Approach.Name(score.approach): score.points for score in message.scores}
    names = ("PROMPTING", "RAG", "FINE_TUNING", "HYBRID")
    wanted = " ".join(f"{points[f'APPROACH_{name}']:+.1f}".replace("+0.0", "0") for name in names)
    assert f"quality {wanted}" in flat(rendered(INVOICES))
    assert "task-extracts-fields" in section(rendered(INVOICES, everything=True), "Scored")
    assert "task-extracts-fields" not in rendered(INVOICES)


def test_the_most_serious_warning_comes_first() -> None:
    """Retrieval that misses is said before anything else is weighed."""
    text = rendered(WIKI)
    assert section(text, "Mind").lstrip(" \n•").startswith("Search finds the right passage for only 30%")


def test_gains_are_written_with_one_sign() -> None:
    """A loss of 6.9 points is -6.9."""
    text = rendered({"task": "QUESTION_ANSWERING", "output_form": "FREE_TEXT", "new_knowledge_share": 0})
    assert "+-" not in text


def test_similar_cases_are_of_different_sources() -> None:
    """Three rows of one table would say the same thing three times."""
    message = recommended({"task": "CODE", "output_form": "CODE", "can_train": True})
    sources = [case.source.title for case in message.similar_cases]
    assert len(sources) == len(set(sources)) > 1


def test_cases_unlike_the_use_case_are_shown_on_demand() -> None:
    """None stands among those like it, and where there is none like it, a line says so."""
    values = {
        "task": "QUESTION_ANSWERING",
        "output_form": "FREE_TEXT",
        "retrieval_hit_rate": 0.68,
        "closed_book_score": 0.45,
        "entity_popularity": "LONG_TAIL",
    }
    like, nearest = "Published cases like this one", "Published cases nearest to this one"
    text, full = rendered(values), rendered(values, everything=True)
    assert nearest not in text
    assert section(text, like).count("did best") == section(full, like).count("did best") == 1
    assert "Nearest, but" not in section(full, like)
    assert section(full, nearest).count("Nearest, but unlike in quality") == 1
    far = {"task": "SUMMARIZATION", "prompted_score": 0.78}
    assert flat(section(rendered(far), like)) == "None is close; the nearest are shown by --all."
    assert like not in rendered(far, everything=True)
    assert nearest in rendered(far, everything=True)
    assert "Published cases" not in rendered({"task": "DIALOGUE"})


def test_what_a_use_case_is_does_not_change() -> None:
    """Nobody is told that another task would need another approach, unless the task is unknown."""
    assert "If task were" not in rendered({"task": "DIALOGUE"}, everything=True)
    assert "If task were" in rendered({"output_form": "LABEL", "labelled_examples": 500}, everything=True)


def test_an_open_decision_says_what_to_find_out() -> None:
    """Where little is known, the first question stands in the headline and in its section."""
    text = rendered({"task": "DIALOGUE"})
    question = recommended({"task": "DIALOGUE"}).questions[0].text
    assert flat(text).startswith("UNDECIDED: ")
    assert flat(text).count(question) == 2


@pytest.mark.parametrize("values", [SUPPORT, INVOICES, WIKI, {"task": "DIALOGUE"}, {}])
def test_what_is_worth_finding_out_is_a_question(values: dict[str, Any]) -> None:
    """No heading stands over nothing, and how far the outcome hangs on what is unknown has its own."""
    text = rendered(values)
    assert ("Worth finding out" in text) == bool(recommended(values).questions)
    assert flat(section(text, "Robustness")).startswith("With all that is unknown drawn at random")
    assert "drawn at random" not in text.split("\nRobustness")[1].partition("\n\n")[2]


def test_nothing_feasible_is_shown_as_such() -> None:
    """Where everything is excluded, the vetoes are the answer."""
    text = rendered({"needs_citations": True, "corpus_tokens": 0, "labelled_examples": 0})
    assert "Excluded" in text


def test_who_names_documents_is_not_asked_how_large_they_are() -> None:
    """Importing them tells."""
    console = Console(file=io.StringIO(), width=100, color_system=None)
    asked = "How large are the documents in all?"
    values = {"task": "QUESTION_ANSWERING"}
    assert asked in rendered(values, everything=True)
    show(console, recommended(values), everything=True, documents=True)
    assert isinstance(console.file, io.StringIO)
    assert asked not in section(console.file.getvalue(), "Worth finding out")


def test_a_question_names_the_key_to_fill_in_and_what_it_takes() -> None:
    """Whoever knows the answer can write it into the file."""
    text = flat(section(rendered({}, everything=True, width=200), "Worth finding out"))
    for question in recommended({}).questions:
        assert f"{question.text} {question.fact}: {value_form(question.fact, question.choices)}." in text


@pytest.mark.parametrize("item", facts(), ids=lambda item: item.name)
def test_the_form_of_a_value_is_told_by_values_that_are_taken(item: Fact) -> None:
    """Each example in it can be given for the fact; a number is told by what it counts or how far it goes."""
    choices = ("yes", "no") if item.kind == "flag" else item.choices
    form = value_form(item.name, choices)
    given = re.split(r", | or | to ", form.removeprefix("such as "))
    if form.startswith("number of "):
        assert form == f"number of {item.unit}"
    elif choices:
        assert tuple(given) == choices
    else:
        assert len(given) == 2
        assert all(encode_value(item, each) >= 0 for each in given)


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR leaves a terminal without colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    show(console, recommended(SUPPORT))
    assert isinstance(console.file, io.StringIO)
    assert not any(f"\x1b[{code}" in console.file.getvalue() for code in (31, 32, 33, 35, 36))
