"""What published comparisons teach, in figures that the cases bear out."""

from __future__ import annotations

import re
from dataclasses import replace
from statistics import fmean, median

import pytest
from hypothesis import given, settings

from advisor.decision.advisor import default_advisor
from advisor.decision.gains import COMPONENTS
from advisor.decision.lessons import STEPS, Learned, Lessons
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.cases import MARGIN_POINTS, Case, load_default_cases
from advisor.knowledge.facts import Row, encode_facts, fact, facts, facts_from_mapping
from tests.advisor.strategies import use_cases


def row_of(**values: object) -> Row:
    return encode_facts(facts_from_mapping(values))


def case_of(gain: float, number: int, **known: object) -> Case:
    """Return a case of a source of its own in which training gained so much."""
    like = load_default_cases()[0]
    scores = {"PROMPTING": 50.0, "FINE_TUNING": 50.0 + gain}
    source = replace(like.source, id=f"source-{number}")
    return replace(like, facts=known, row=row_of(**known), scores=scores, gains={}, source=source)


def cases_of(low: float, high: float) -> list[Case]:
    """Return eight cases in which prompting reaches 20% and eight of 80%, with their gains."""
    return [
        case_of(gain, number, prompted_score=score)
        for number, (score, gain) in enumerate([(0.2, low), (0.8, high)] * 8)
    ]


ROW = row_of(prompted_score=0.82, distribution_shift=False, entity_popularity="LONG_TAIL")
PROMPTED = Learned("prompted_score", "training", -4.0)
DRIFT = Learned("distribution_shift", "training", 1.3)
LONG_TAIL = Learned("entity_popularity", "retrieval", 1.1)
SUBJECTS = [(each.fact, each.component) for each in (PROMPTED, DRIFT, LONG_TAIL)]
FITTED = "Fitted to 16 published comparisons together: training adds less than usual at best quality by prompting of "


def test_the_nearest_comparisons_are_told_beside_the_others() -> None:
    """Both medians, how many comparisons they rest on, and where the use case stands among them."""
    assert Lessons(cases_of(20.0, 4.0), SUBJECTS).tell([PROMPTED], ROW) == (
        "With about the same best quality by prompting (80%, here 82%), training added 4 points in the median of 8 "
        "published comparisons of the same task; elsewhere 20, in 8."
    )


@pytest.mark.parametrize(
    ("scores", "gains"),
    [
        ({"PROMPTING": 50, "RAG": 60, "FINE_TUNING": 54, "HYBRID": 70}, {"training": 7, "retrieval": 13}),
        ({"PROMPTING": 50, "RAG": 60, "FINE_TUNING": 54, "NAIVE_BOTH": 68}, {"training": 6, "retrieval": 12}),
        (
            {"PROMPTING": 50, "FINE_TUNING": 54, "HYBRID": 60, "NAIVE_BOTH": 40},
            {"training": 4, "retrieval": 6},
        ),
        ({"RAG": 60, "HYBRID": 66, "NAIVE_BOTH": 90}, {"training": 6, "both": 6}),
        ({"PROMPTING": 50, "RAG": 60, "FINE_TUNING": 54}, {"build": 7, "training_alone": 4}),
    ],
    ids=str,
)
def test_the_steps_to_a_component_that_a_case_measured_are_one_comparison(
    scores: dict[str, float], gains: dict[str, int]
) -> None:
    """Their mean counts, and naive tuning stands in for HYBRID where that was not measured."""
    for component, gain in gains.items():
        cases = [replace(case, scores=scores) for case in cases_of(0.0, 0.0)[1::2]]
        others = [replace(case, scores=dict.fromkeys(APPROACHES, 50.0)) for case in cases_of(0.0, 0.0)[::2]]
        lessons = Lessons([*cases, *others], [("prompted_score", component)])
        told = lessons.tell([Learned("prompted_score", component, 1.0)], ROW)
        assert (
            f"added {gain} points in the median of 8 published comparisons of the same task; elsewhere 0, in 8."
            in told
        )


def test_every_component_has_its_steps() -> None:
    """What a step comes to has the component, and what it starts from does not, or has one alone of both."""
    assert STEPS.keys() == COMPONENTS.keys()
    for component, members in COMPONENTS.items():
        for before, after in STEPS[component]:
            assert after in members
            assert before not in members


@pytest.mark.parametrize(
    ("low", "high"),
    [(4.0, 20.0), (4.0, 4.0), (4.0 + MARGIN_POINTS - 1, 4.0)],
    ids=["opposite", "equal", "close"],
)
def test_figures_that_do_not_show_it_are_not_told(low: float, high: float) -> None:
    """Where the comparisons point elsewhere or hardly anywhere, no more is said than what was fitted."""
    assert Lessons(cases_of(low, high), SUBJECTS).tell([PROMPTED], ROW) == f"{FITTED}82%."


def test_few_comparisons_and_few_sources_make_no_figures() -> None:
    """Eight results of one source are what its authors found, on either side; and all near show no direction."""
    cases = cases_of(20.0, 4.0)
    for side in (slice(0, None, 2), slice(1, None, 2)):
        lonely = list(cases)
        lonely[side] = [replace(case, source=cases[0].source) for case in cases[side]]
        assert Lessons(lonely, SUBJECTS).tell([PROMPTED], ROW) == f"{FITTED}82%."
        assert Lessons(cases[side], SUBJECTS).tell([PROMPTED], ROW).startswith("Fitted to 8 ")
    assert Lessons(cases, SUBJECTS).tell([PROMPTED], row_of(prompted_score=0.5)) == f"{FITTED}50%."
    assert Lessons(cases[:8], SUBJECTS).tell([PROMPTED], ROW).startswith("Fitted to 8 ")


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        (True, "Where inputs drift from the examples, training added 5 points"),
        (False, "Unless inputs drift from the examples, training added 20 points"),
    ],
)
def test_a_yes_or_no_is_told_as_it_is(flag: bool, told: str) -> None:
    """Those that are alike in it are told beside those that are not, and nothing is said to be so that is not."""
    cases = [
        case_of(20.0 - number % 2 * 15, number, distribution_shift=number % 2 == 1) for number in range(12)
    ]
    learned = replace(DRIFT, points=-1.0 if flag else 1.0)
    text = Lessons(cases, SUBJECTS).tell([learned], row_of(distribution_shift=flag))
    assert (
        text
        == f"{told} in the median of 6 published comparisons of the same task; elsewhere {20 if flag else 5}, in 6."
    )


def test_a_second_fact_is_told_where_it_weighs_much() -> None:
    """What is fitted to all comparisons is told in one sentence, and what weighs little is left out."""
    lessons = Lessons(cases_of(4.0, 20.0), SUBJECTS)
    told = lessons.tell([PROMPTED, LONG_TAIL], ROW)
    assert told == (
        f"{FITTED}82%; retrieval adds more than usual where popularity of the subjects is long tail."
    )
    light = replace(LONG_TAIL, points=0.9)
    assert lessons.tell([PROMPTED, light], ROW) == lessons.tell([PROMPTED], ROW)


def test_cases_without_two_scores_are_no_comparisons() -> None:
    """A case that names a winner alone teaches nothing about differences."""
    cases = load_default_cases()
    silent = [case for case in cases if len(case.measured) < 2]
    assert silent
    told = Lessons(cases, SUBJECTS).tell([LONG_TAIL], ROW)
    assert told.startswith(f"Fitted to {len(cases) - len(silent)} published comparisons together: ")


def training_gain(case: Case) -> float | None:
    """Return what training added in a case, as the mean of what it was added to; None where nobody measured it."""
    both = case.measured.get("HYBRID", case.measured.get("NAIVE_BOTH"))
    pairs = [
        (case.measured.get("FINE_TUNING"), case.measured.get("PROMPTING")),
        (both, case.measured.get("RAG")),
    ]
    gains = [after - before for after, before in pairs if after is not None and before is not None]
    return fmean(gains) if gains else None


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_what_is_told_of_a_use_case_can_be_checked(values: dict[str, object]) -> None:
    """Counts add up to the cases that state the fact, medians point where the points do, and no flag is told as so."""
    explanation = default_advisor().recommend(values).explanation
    assert explanation is not None
    for item in (each for each in explanation.evidence if each.kind == "CLASSIFIER"):
        for flag in (each for each in facts() if each.kind == "flag" and each.title in item.reason):
            assert f"{'where' if values[flag.name] else 'unless'} {flag.title}" in item.reason.lower()
        heaviest = item.factors[0]
        assert fact(heaviest.fact).title in item.reason
        shown = re.search(
            r"With about the same (.*?) \(.*?\), training added (\S+) points? in the median of (\d+) published "
            r"comparisons; elsewhere (\S+), in (\d+)\.",
            item.reason,
        )
        if shown is None or shown[1] != fact(heaviest.fact).title:
            continue
        near, count, rest, others = map(int, shown.groups()[1:])
        stating = [case for case in load_default_cases() if heaviest.fact in case.facts]
        gains = [gain for gain in map(training_gain, stating) if gain is not None]
        assert count + others == len(gains)
        assert min(near, rest) - 1 <= median(gains) <= max(near, rest) + 1
        assert (near - rest) * heaviest.points[Approach.FINE_TUNING.place] > 0
