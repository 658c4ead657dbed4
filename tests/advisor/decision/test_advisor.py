"""Recommendations: complete, explained exactly, and honest about what is open."""

from __future__ import annotations

import doctest
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

import advisor
from advisor.decision.advisor import Advisor, default_advisor
from advisor.decision.explanation import Explanation
from advisor.decision.known import Known
from advisor.decision.recommendation import BASIC, FULL, Recommendation
from advisor.decision.scoring import READ_BESIDE_RULES
from advisor.errors import InvalidInput
from advisor.knowledge.approaches import Approach
from advisor.knowledge.facts import encode_facts, fact_index, facts, facts_from_mapping
from advisor.knowledge.inventory import Gathered
from advisor.knowledge.rulefile import load_default_rules
from advisor.v1 import facts_pb2
from tests.advisor.strategies import HELP_DESK, use_cases

SUPPORT = {
    "update_interval": "7d",
    "needs_citations": True,
    "task": "QUESTION_ANSWERING",
    "new_knowledge_share": 0.6,
}
ROUTING = {"task": "CLASSIFICATION", "output_form": "LABEL", "labelled_examples": 2000, "can_train": True,
           "update_interval": "1y", "distribution_shift": False, "new_knowledge_share": 0}  # fmt: skip


def explained(recommendation: Recommendation) -> Explanation:
    assert recommendation.explanation is not None
    return recommendation.explanation


def row_of(values: dict[str, object]) -> np.ndarray:
    return encode_facts(facts_from_mapping(values))


def assert_adds_up(recommendation: Recommendation) -> None:
    explanation = explained(recommendation)
    card = explanation.scorecard
    for score in recommendation.scores:
        place = score.approach.place
        quality, upkeep = (
            math.fsum(item.points[place] for item in explanation.evidence if item.is_upkeep is counts)
            for counts in (False, True)
        )
        assert quality == pytest.approx(score.points, abs=1e-9)
        assert card.quality_points[place] == pytest.approx(quality, abs=1e-9)
        assert card.upkeep_points[place] == pytest.approx(upkeep, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_evidence_adds_up_to_the_points(values: dict[str, object]) -> None:
    """The explanation is the calculation, and the scorecard its sums."""
    assert_adds_up(default_advisor().recommend(values))


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_evidence_of_rules_alone_adds_up_too(values: dict[str, object]) -> None:
    """Without a model of gains there is no evidence of one."""
    recommendation = Advisor(load_default_rules()).recommend(values)
    assert_adds_up(recommendation)
    kinds = [item.kind for item in explained(recommendation).evidence]
    assert "CLASSIFIER" not in kinds
    assert kinds[-1] == "PRIOR"


@settings(max_examples=60, deadline=None)
@given(use_cases())
def test_factors_add_up_to_what_was_learned(values: dict[str, object]) -> None:
    """It is listed once or, where nothing was learned of the facts, not; each fact that it names is known."""
    found = explained(default_advisor().recommend(values)).evidence
    learned = [item for item in found if item.kind == "CLASSIFIER"]
    scorer = default_advisor().scorer
    assert len(learned) == bool((scorer.gains.weights * scorer.terms(row_of(values)[None, :])[:, 0]).any())
    for evidence in learned:
        totals = [math.fsum(each.points[place] for each in evidence.factors) for place in range(4)]
        assert evidence.points == pytest.approx(totals, abs=1e-9)
        assert all(each.fact in values for each in evidence.factors)


def test_what_was_learned_is_heard() -> None:
    """The tests with it would prove nothing if its evidence were zero."""
    found = explained(default_advisor().recommend(SUPPORT | {"prompted_score": 0.9})).evidence
    evidence = next(item for item in found if item.kind == "CLASSIFIER")
    assert evidence.weight > 1
    assert evidence.factors[0].fact == "prompted_score"
    assert "best quality by prompting" in evidence.reason


def test_what_a_prompt_reaches_is_read_before_what_the_bare_model_does() -> None:
    """One stands in for the other where that is unknown; both together say it once."""

    def learned(**values: object) -> tuple[float, ...]:
        found = explained(default_advisor().recommend(values)).evidence
        return next(item.points for item in found if item.kind == "CLASSIFIER")

    assert learned(closed_book_score=0.8) == learned(prompted_score=0.8)
    assert learned(closed_book_score=0.2, prompted_score=0.8) == learned(prompted_score=0.8)


def test_expected_quality_is_the_score_in_other_words() -> None:
    """The points of every approach stand in their interval, and add to what prompting reaches."""
    recommendation = default_advisor().recommend(SUPPORT | {"prompted_score": 0.5})
    expected = explained(recommendation).expected
    for score in recommendation.scores:
        found = expected[score.approach.place]
        assert (found.approach, found.points) == (score.approach, score.points)
        assert found.low <= found.points <= found.high
        assert found.score == pytest.approx(min(max(0.5 + score.points / 100, 0), 1))
    assert expected[0].low == expected[0].high == 0
    assert all(each.score is None for each in explained(default_advisor().recommend(SUPPORT)).expected)


@settings(max_examples=100, deadline=None)
@given(use_cases())
def test_the_approach_is_the_easiest_to_keep_that_loses_little(values: dict[str, object]) -> None:
    """Of all that is within the tolerance or suffices, nothing has more points of upkeep."""
    unlimited = {name: value for name, value in values.items() if name != "monthly_budget"}
    recommendation = default_advisor().recommend(unlimited)
    upkeep = explained(recommendation).scorecard.upkeep_points
    tolerance = default_advisor().knowledge.decision.tolerance
    points = {score.approach: score.points for score in recommendation.scores if score.feasible}
    row = row_of(values)
    needed = 100 * (row[fact_index()["required_quality"]] - row[fact_index()["prompted_score"]])
    near = max(points.values(), default=0.0) - tolerance
    least = near if np.isnan(needed) else min(near, needed)
    close = {each for each, reached in points.items() if reached >= least - 1e-9}
    if recommendation.approach is not None:
        assert recommendation.approach in close
        most = max(upkeep[each.place] for each in close)
        assert upkeep[recommendation.approach.place] == pytest.approx(most, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(use_cases())
def test_the_same_facts_give_the_same_recommendation(values: dict[str, object]) -> None:
    """A decision does not depend on when or how often it is asked for."""
    first = Advisor(load_default_rules()).recommend(values)
    assert first == Advisor(load_default_rules()).recommend(values)


@pytest.mark.parametrize(("values", "expected"), [(SUPPORT, Approach.RAG), (ROUTING, Approach.FINE_TUNING)])
def test_clear_cases_get_the_obvious_answer(values: dict[str, object], expected: Approach) -> None:
    """Changing knowledge with citations is retrieved; a fixed labelled form is trained."""
    assert default_advisor().recommend(values).approach is expected


def test_no_facts_are_undecided_and_say_what_to_tell_next() -> None:
    """Nothing known is never a guess dressed up."""
    recommendation = default_advisor().recommend({})
    explanation = explained(recommendation)
    assert recommendation.approach is None
    assert explanation.questions[0].text in explanation.summary
    assert explanation.unconsidered_rules


def test_a_veto_excludes_and_says_why() -> None:
    """What cannot be trained has no probability."""
    recommendation = default_advisor().recommend({**ROUTING, "can_train": False})
    excluded = {each for veto in recommendation.vetoes for each in veto.approaches}
    assert {Approach.FINE_TUNING, Approach.HYBRID} <= excluded
    assert all(veto.reason and veto.sources for veto in recommendation.vetoes)
    assert all(score.probability == 0 for score in recommendation.scores if not score.feasible)


def test_where_everything_is_excluded_nothing_leads() -> None:
    """There is no least bad of what cannot be done."""
    recommendation = default_advisor().recommend(
        {"needs_citations": True, "corpus_tokens": 0, "labelled_examples": 0}
    )
    feasible = [score for score in recommendation.scores if score.feasible]
    assert (recommendation.leader is None) == (not feasible)
    assert (recommendation.runner_up is None) == (len(feasible) < 2)


def test_reasons_carry_the_users_own_numbers() -> None:
    """A reason is about this use case."""
    reasons = [item.reason for item in explained(default_advisor().recommend(SUPPORT)).evidence]
    assert any("7 days" in reason for reason in reasons)
    assert any("60%" in reason for reason in reasons)
    assert not any("{" in reason for reason in reasons)


def test_the_basic_view_is_the_full_one_without_its_explanation() -> None:
    """A small view leaves out, and changes nothing."""
    basic, full = (default_advisor().recommend(SUPPORT, view) for view in (BASIC, FULL))
    assert basic.explanation is None
    assert basic == replace(full, explanation=None)


def test_the_summary_ends_with_what_was_taken_from_the_data() -> None:
    """The sentence is part of the summary from the start, and changes nothing else."""
    plain = default_advisor().recommend(SUPPORT)
    told = default_advisor().recommend(SUPPORT, gathered=Gathered("labelled_examples 40"))
    added = " Taken from the documents and examples: labelled_examples 40."
    assert explained(told).summary == explained(plain).summary + added
    assert replace(told, explanation=replace(explained(told), summary=explained(plain).summary)) == plain
    assert (
        default_advisor().recommend(SUPPORT, BASIC, gathered=Gathered("labelled_examples 40")).explanation
        is None
    )


def test_rows_decide_as_single_use_cases_do() -> None:
    """One code path scores one or many."""
    rows = np.stack([encode_facts(facts_from_mapping(values)) for values in (SUPPORT, ROUTING)])
    together = default_advisor().recommend_rows(rows, [FULL, BASIC])
    alone = [default_advisor().recommend(SUPPORT, FULL), default_advisor().recommend(ROUTING, BASIC)]
    for one, other in zip(together, alone, strict=True):
        assert one.approach == other.approach
        assert [each.probability for each in one.scores] == pytest.approx(
            [each.probability for each in other.scores]
        )
        assert (one.explanation is None) == (other.explanation is None)
    ids = [[item.id for item in explained(found[0]).evidence] for found in (together, alone)]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("count", [2, 3, 16, 31, 32, 200])
def test_company_changes_no_bit(count: int) -> None:
    """A use case gets the same numbers whatever is decided beside it."""
    advisor = default_advisor()
    drawn = advisor.worlds.fill(np.full(len(facts()), np.nan))[:count]
    rows = np.where(np.random.default_rng(count).random(drawn.shape) < 0.5, drawn, np.nan)
    together = advisor.recommend_rows(rows, [BASIC] * count)
    assert together == [advisor.recommend_rows(row[None, :], [BASIC])[0] for row in rows]


def test_bad_facts_are_all_reported_by_path() -> None:
    """Every violation comes at once, where it stands in the request."""
    message = facts_pb2.Facts(new_knowledge_share=1.5, labelled_examples=-1, closed_book_score=math.nan)
    with pytest.raises(InvalidInput) as caught:
        default_advisor().recommend(message, path="inline_use_case.facts")
    assert {each.field for each in caught.value.violations} == {
        f"inline_use_case.facts.{name}"
        for name in ("new_knowledge_share", "labelled_examples", "closed_book_score")
    }


def test_every_fact_of_the_descriptor_is_read_by_a_rule_a_term_or_a_price() -> None:
    """No fact is asked for in vain."""
    scorer = default_advisor().scorer
    read = {test.subject for rule in scorer.knowledge.rules for test in rule.tests}
    read |= {curve.subject for curve in scorer.gains.curves} | set(READ_BESIDE_RULES)
    assert {item.name for item in facts()} <= read | set(Known._fields)


def test_the_packages_example_holds() -> None:
    """What the package's docstring shows is what a Python program sees."""
    result = doctest.testmod(advisor)
    assert result.attempted > 0
    assert result.failed == 0


def test_what_costs_more_than_there_is_comes_with_a_warning() -> None:
    """It names the amounts, and what the budget allows."""
    routing = {**ROUTING, "queries_per_month": 100_000}
    dear = explained(default_advisor().recommend({**routing, "monthly_budget": 100}))
    assert dear.warnings[-1].id == "over-budget"
    assert "FINE_TUNING costs about $1" in dear.warnings[-1].text
    assert "more than the budget of $100" in dear.warnings[-1].text
    paid = explained(default_advisor().recommend({**routing, "monthly_budget": 10_000}))
    assert "over-budget" not in {each.id for each in paid.warnings}


def test_a_reference_that_is_made_up_is_no_argument_where_the_source_is_the_input() -> None:
    """Of a summary or of fields the text at hand is the source."""
    for task in ("SUMMARIZATION", "EXTRACTION", "CLASSIFICATION"):
        vetoes = default_advisor().recommend({"task": task, "needs_citations": True}, BASIC).vetoes
        assert not any("make a reference up" in veto.reason for veto in vetoes)
    asked = default_advisor().recommend({"task": "QUESTION_ANSWERING", "needs_citations": True}, BASIC)
    assert any("make a reference up" in veto.reason for veto in asked.vetoes)


@pytest.mark.parametrize("task", ["CLASSIFICATION", "EXTRACTION", "SUMMARIZATION"])
@pytest.mark.parametrize("examples", [None, 5, 60, 100, 300, 3000, 30_000])
def test_nothing_is_retrieved_where_the_text_is_in_the_input(task: str, examples: int | None) -> None:
    """Known by its task and examples alone, such a use case is prompted or trained for."""
    values = {"task": task} | ({} if examples is None else {"labelled_examples": examples})
    taken = default_advisor().recommend(values, BASIC).approach
    assert taken is None or not taken.retrieves


HELP = {**HELP_DESK, "prompted_score": 0.5}


@pytest.mark.parametrize(
    ("required", "taken"),
    [(None, "HYBRID"), (0.4, "PROMPTING"), (0.5, "PROMPTING"), (0.65, "RAG"), (0.95, "HYBRID")],
)
def test_no_more_is_built_than_users_need(required: float | None, taken: str) -> None:
    """The simplest that is expected to reach it is taken; where none is, the best."""
    values = HELP if required is None else {**HELP, "required_quality": required}
    assert default_advisor().recommend(values, BASIC).approach == taken


def test_what_no_approach_is_expected_to_reach_is_said() -> None:
    """It names what is needed, and what the best would reach."""
    warned = explained(default_advisor().recommend({**HELP, "required_quality": 0.95})).warnings[0]
    assert warned.id == "out-of-reach"
    assert "the 95% that users need: HYBRID, the best, is expected at 82%" in warned.text
    assert "gets there about one time in " in warned.text
    for values in (HELP, {**HELP, "required_quality": 0.8}, {"task": "CODE", "required_quality": 1}):
        assert "out-of-reach" not in {
            each.id for each in explained(default_advisor().recommend(values)).warnings
        }


@pytest.mark.parametrize(
    "values",
    [HELP_DESK, ROUTING, {"task": "CODE", "labelled_examples": 3000, "examples_include_context": True}],
)
def test_a_better_prompt_never_lowers_what_is_reached(values: dict[str, object]) -> None:
    """What a prompt reaches is gained less, and never more than it brings: there is no step at 8 in 10."""
    rows = np.repeat(row_of(values)[None], 101, axis=0)
    rows[:, fact_index()["prompted_score"]] = np.linspace(0, 1, 101)
    points = default_advisor().scorer.score(rows).points
    reached = 100 * np.linspace(0, 1, 101) + points - points[Approach.PROMPTING.place]
    assert (np.diff(reached, axis=1) > 0).all()


DOCUMENTS = {"task": "QUESTION_ANSWERING", "output_form": "FREE_TEXT", "new_knowledge_share": 0.8}


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        ({**DOCUMENTS, "corpus_tokens": 20_000, "update_interval": "7d"}, "PROMPTING"),
        ({**DOCUMENTS, "corpus_tokens": 3_000_000, "update_interval": "7d"}, "RAG"),
        ({"task": "SUMMARIZATION", "update_interval": "7d", "needs_citations": True}, "PROMPTING"),
        ({"task": "SUMMARIZATION", "corpus_tokens": 5_000_000, "must_forget": True}, "PROMPTING"),
        ({"task": "DIALOGUE", "output_form": "STYLE", "labelled_examples": 1500, "can_train": True,
          "corpus_tokens": 60_000, "latency_budget": "1s"}, "FINE_TUNING"),
    ],
    ids=["documents fit", "documents do not fit", "summaries", "summaries to be erased", "a voice"],
)  # fmt: skip
def test_nothing_is_built_for_what_the_prompt_holds(values: dict[str, object], taken: str) -> None:
    """Documents that fit, and texts at hand, are as fresh, as new and as easily erased in a prompt as in an index."""
    assert default_advisor().recommend(values, BASIC).approach == taken


def test_how_old_an_answer_may_be_counts_where_change_is_unknown() -> None:
    """The two say the same from two sides, and are not summed."""

    def lead(**values: object) -> float:
        scores = {each.approach: each.points for each in default_advisor().recommend(values, BASIC).scores}
        return scores[Approach.RAG] - scores[Approach.FINE_TUNING]

    both = lead(update_interval="1d", max_staleness="1d", task="DIALOGUE")
    assert both == lead(update_interval="1d", task="DIALOGUE")
    assert lead(max_staleness="1d", task="DIALOGUE") > lead(task="DIALOGUE")


def test_what_is_unknown_decides_nothing() -> None:
    """A rule on what nobody told counts in the sum, is told as what was held before, and makes nothing known."""
    recommendation = default_advisor().recommend({"queries_per_month": 500_000})
    assert recommendation.approach is None
    evidence = {item.id: item for item in explained(recommendation).evidence}
    assert evidence["no-examples-are-told-of"].kind == "PRIOR"
    assert "no-examples-are-told-of" not in {
        item.id for item in explained(default_advisor().recommend({"labelled_examples": 300})).evidence
    }


def test_volume_and_prices_act_through_the_cost_alone() -> None:
    """Dollars change what is easy to keep, and no point of quality."""
    cheap = explained(default_advisor().recommend({**ROUTING, "queries_per_month": 1000, "input_price": 0.1}))
    dear = explained(default_advisor().recommend({**ROUTING, "queries_per_month": 10**7, "input_price": 10}))
    assert cheap.scorecard.quality == dear.scorecard.quality
    rows = [{row.criterion: row for row in each.scorecard.upkeep} for each in (cheap, dear)]
    assert rows[0]["retraining"] == rows[1]["retraining"]
    tuned = Approach.FINE_TUNING.place
    assert rows[1]["cost"].points[tuned] > rows[0]["cost"].points[tuned]
    assert rows[1]["cost"].evidence == ("cost-estimate",)


def test_what_search_misses_bounds_what_is_reached() -> None:
    """Nobody is told to build on passages that are not found; without a required score there is nothing to miss."""
    law = {"task": "QUESTION_ANSWERING", "corpus_tokens": 40_000_000, "needs_citations": True}
    short = {**law, "retrieval_hit_rate": 0.6, "closed_book_score": 0.5, "required_quality": 0.9}
    told = {each.id: each.text for each in explained(default_advisor().recommend(short)).warnings}
    assert "no more than 60% of the answers can rest on a passage" in told["search-bounds-quality"]
    uncited = explained(default_advisor().recommend({**short, "needs_citations": False})).warnings
    told = {each.id: each.text for each in uncited}
    assert (
        "knows 50% of the rest at best: no more than 80% of the answers can be right"
        in told["search-bounds-quality"]
    )
    for values in (
        {**short, "retrieval_hit_rate": 0.9},
        {**short, "required_quality": 0.6},
        {key: value for key, value in short.items() if key != "required_quality"},
    ):
        warned = explained(default_advisor().recommend(values)).warnings
        assert "search-bounds-quality" not in {each.id for each in warned}
