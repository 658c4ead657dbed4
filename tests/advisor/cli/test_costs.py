"""What a person is shown of the costs."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from advisor.cli.costs import cost_view
from advisor.decision.advisor import default_advisor
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import recommendation_to_proto

HELP = {
    "task": "QUESTION_ANSWERING",
    "queries_per_month": 3000,
    "corpus_tokens": 4_000_000,
    "can_train": True,
}
INVOICES = {"task": "EXTRACTION", "labelled_examples": 500, "can_train": True, "corpus_tokens": 0}
CASES: list[dict[str, Any]] = [HELP, INVOICES, {**HELP, "hosting": "RENTED_GPU", "monthly_budget": 30}, {}]


def recommended(values: dict[str, Any]) -> pb.Recommendation:
    return recommendation_to_proto(default_advisor().recommend(values))


def rendered(values: dict[str, Any], *, everything: bool = False, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(cost_view(recommended(values), everything=everything) or "")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("values", CASES)
def test_lines_fit_the_screen(values: dict[str, Any], everything: bool, width: int) -> None:
    """Nothing is cut and nothing runs over."""
    text = rendered(values, everything=everything, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("values", CASES)
def test_what_is_not_possible_is_nowhere(values: dict[str, Any], everything: bool) -> None:
    """No line, no comparison and no assumption names what is excluded, or retrieval from nothing."""
    text = rendered(values, everything=everything)
    message = recommended(values)
    for score in message.scores:
        name = pb.Approach.Name(score.approach).removeprefix("APPROACH_")
        retrieves = name in ("RAG", "HYBRID")
        shown = score.feasible and not (retrieves and values.get("corpus_tokens") == 0)
        assert bool(re.search(rf"^ *{name} ", text, re.MULTILINE)) == shown
        assert shown or name not in text


def test_tiny_amounts_are_told_by_the_thousand() -> None:
    """No price of an answer is so small that it reads as nothing."""
    text = rendered(
        {**HELP, "input_price": 0.001, "output_price": 0.001, "context_tokens": 10, "output_tokens": 5}
    )
    assert re.search(r"PROMPTING .* \$0\.0\d+ ", text)
    assert not re.search(r"\$0\.0+(?!\d)", text)


def test_a_month_is_told_with_its_volume_its_interval_and_its_runs() -> None:
    """A number without what it holds for is none."""
    text = flat(rendered(HELP, width=200))
    assert "A month is one of 3,000 queries" in text
    for cost in recommended(HELP).cost.approaches:
        name = pb.Approach.Name(cost.approach).removeprefix("APPROACH_")
        assert re.search(rf"{name} \$[\d,.]+ \$[\d,.]+ to \$[\d,.]+ ", text)
    assert re.search(r"Training runs, evaluation included: FINE_TUNING [\d.]+ a year at \$\d+", text)


def test_erasures_are_told_as_training_runs() -> None:
    """Who must erase single facts sees how often that trains a model again, and that the number is assumed."""
    runs = "Training runs, evaluation included: FINE_TUNING {} a year at"
    assert runs.format(1) in flat(rendered(HELP))
    text = flat(rendered({**HELP, "must_forget": True}, everything=True))
    assert runs.format(4) in text
    assert "training runs for erasure: 4 a year; with 1 to 12 HYBRID costs $" in text


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"update_interval": "60d"}, "about 6 a year"),
        ({"update_interval": "73d"}, "5 a year"),
        ({"distribution_shift": True, "retrain_interval": "14d"}, "12 a year"),
    ],
)
def test_training_runs_are_told_as_whole_ones(values: dict[str, Any], told: str) -> None:
    """Nobody trains 6.08 times; the message has the number as it is."""
    assert f"evaluation included: FINE_TUNING {told} at $" in flat(rendered({**HELP, **values}))
    (tuned,) = (
        each
        for each in recommended({**HELP, **values}).cost.approaches
        if each.approach == pb.APPROACH_FINE_TUNING
    )
    exact = 12 * tuned.training_runs_per_month
    assert told.startswith("about") == (abs(exact - round(exact)) > 0.01)


def test_hosting_is_told_beside_the_costs() -> None:
    """Who rents by the hour sees for which hours."""
    said = "A rented GPU is priced for an hour a day, in batches, which is all that the queries need."
    assert said in flat(rendered({**INVOICES, "hosting": "RENTED_GPU"}))
    assert "rented GPU" not in rendered(INVOICES)


def test_assumptions_are_of_the_approaches_in_question() -> None:
    """Those come first that move what is taken or what is expected to do best next, and say what they do to it."""
    message = recommended(HELP)
    priced = {each.approach for each in message.cost.approaches}
    others = [
        each.approach
        for each in message.scores
        if each.approach in priced and each.approach != message.approach
    ]
    names = [pb.Approach.Name(each).removeprefix("APPROACH_") for each in (message.approach, others[0])]
    text = flat(rendered(HELP))
    assert f"what moves a month of {names[0]} or {names[1]} most first" in text
    told = re.findall(r"with [^;•]+? (PROMPTING|RAG|FINE_TUNING|HYBRID) costs", text.split("Assumed")[1])
    assert len(told) == 3
    assert set(told) <= set(names)


def test_costs_mark_what_exceeds_the_budget() -> None:
    """A budget is compared with every approach."""
    lines = rendered({**HELP, "monthly_budget": 30}).splitlines()
    assert any("HYBRID" in line and line.rstrip().endswith("over budget") for line in lines)


def test_a_machine_with_room_answers_for_nothing_more() -> None:
    """The rent is paid, so one more answer has no price, and the screen says why."""
    text = rendered({**HELP, "hosting": "RENTED_GPU"})
    assert re.search(r"FINE_TUNING .* - ", text)
    assert "One answer more costs nothing on a machine" in text
    assert "One answer more" not in rendered(HELP)


def test_documents_that_fit_into_the_prompt_are_said_to_be_there() -> None:
    """Who reads that retrieval is cheaper per answer is told why."""
    said = "All documents fit into the prompt"
    assert said in rendered({**HELP, "corpus_tokens": 40_000})
    assert said not in rendered(HELP)


def test_assumptions_that_matter_most_come_first_with_what_they_do() -> None:
    """A person sees what a month hangs on, and that more is assumed."""
    text = flat(rendered(HELP))
    message = recommended(HELP)
    places = [text.index(f"{each.name}: {each.value}") for each in message.cost.assumptions[:3]]
    assert places == sorted(places)
    assert re.search(r"; with .+? (RAG|FINE_TUNING|PROMPTING|HYBRID) costs \$[\d,]+", text)
    assert f"and {len(message.cost.assumptions) - 3} more: see --all" in text


def test_all_assumptions_are_told_on_demand() -> None:
    """Each has its value, its reason, what it rests on, and its day; prompts are taken apart as well."""
    message = recommended(HELP)
    text = flat(rendered(HELP, everything=True, width=250))
    for each in message.cost.assumptions:
        assert f"{each.name}: {each.value}" in text
        assert f"{each.reason[1:]} [{each.source}, {each.date}]" in text or not each.source
    assert all(cost.prompt in text for cost in message.cost.approaches)


def test_a_message_without_costs_shows_none() -> None:
    """The basic view prices nothing."""
    assert cost_view(pb.Recommendation()) is None
