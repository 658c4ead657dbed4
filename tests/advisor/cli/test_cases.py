"""What a person is shown of published cases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.cli.cases import told_cases
from advisor.decision.advisor import default_advisor
from advisor.decision.similar import SimilarCase
from advisor.knowledge.cases import load_default_cases
from advisor.knowledge.facts import facts
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import recommendation_to_proto

CASE = pb.SimilarCase(
    best=pb.APPROACH_RAG,
    similarity=0.8,
    scores=[
        pb.CaseScore(arm="PROMPTING", value=39.49),
        pb.CaseScore(arm="RAG", value=60.35),
        pb.CaseScore(arm="NAIVE_BOTH", value=62.6),
    ],
    source=pb.Source(title="A study", reference="arXiv:2409.07431, Table 3"),
    matching_facts=["task", "needs_citations", "can_train"],
    note="accuracy, n=4,609; raw documents do worse; single seed",
    differing_facts=[
        pb.DifferingFact(fact="model_parameters", case_value="8 billion", use_case_value="500 million"),
        pb.DifferingFact(fact="distribution_shift", case_value="yes", use_case_value="no"),
    ],
)


def told(case: pb.SimilarCase, *, everything: bool = False) -> str:
    (text,) = told_cases([case], everything=everything)
    return text.plain


def scored(**scores: float) -> pb.SimilarCase:
    arms = [pb.CaseScore(arm=arm, value=value) for arm, value in scores.items()]
    return pb.SimilarCase(best=pb.APPROACH_FINE_TUNING, similarity=0.8, scores=arms, matching_facts=["task"])


def test_a_case_says_what_was_measured_what_differs_and_where_it_stands() -> None:
    """Arms and scores with their measure, then what is alike and what not, then the reference."""
    outcome = (
        "RAG and both together (tuned without passages) did best, within 3 points: PROMPTING 39.49, RAG 60.35, both "
        "together (tuned without passages) 62.6 (accuracy, n=4,609)."
    )
    compared = (
        "Alike in task, whether sources must be shown; differs in parameters of the model (8 billion, here 500 "
        "million), whether inputs drift from the examples (yes, here no)."
    )
    assert told(CASE).splitlines() == [outcome, compared, "A study: arXiv:2409.07431, Table 3."]


def test_a_case_that_is_unlike_says_so_first() -> None:
    """Nobody reads its outcome as that of a case like the own."""
    case = pb.SimilarCase()
    case.CopyFrom(CASE)
    case.similarity = 0.4
    first, second, _ = told(case).splitlines()
    assert first.startswith(
        "Nearest, but unlike in parameters of the model (8 billion, here 500 million), whether inputs drift from the "
        "examples (yes, here no): RAG and both together"
    )
    assert second == "Alike in task, whether sources must be shown."


def test_a_case_of_which_little_is_known_says_how_far_it_is_alike() -> None:
    """That nothing differs is not taken for that everything agrees."""
    case = pb.SimilarCase(best=pb.APPROACH_RAG, similarity=0.3, matching_facts=["task", "corpus_tokens"])
    assert told(case).startswith(
        "Nearest, but known to be alike only in task, size of the documents: RAG did best"
    )


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"PROMPTING": 24.49, "FINE_TUNING": 25.83}, "PROMPTING and FINE_TUNING were within 3 points: "),
        ({"PROMPTING": 72.7, "FINE_TUNING": 75.7}, "FINE_TUNING did best: "),
        ({"PROMPTING": 9, "RAG": 33, "FINE_TUNING": 34}, "RAG and FINE_TUNING did best, within 3 points: "),
        (
            {"RAG": 77.5, "FINE_TUNING": 37.5, "NAIVE_BOTH": 82.5},
            "Both together (tuned without passages) did best: ",
        ),
    ],
    ids=str,
)
def test_arms_within_the_margin_all_did_best(scores: dict[str, float], said: str) -> None:
    """Too little to tell apart is no victory, and what is no approach may win."""
    assert told(scored(**scores)).startswith(said)


@pytest.mark.parametrize(
    ("scores", "note", "said"),
    [
        (
            {"RAG": 77.5, "FINE_TUNING": 37.5, "HYBRID": 82.5},
            "accuracy, n=40",
            "RAG and HYBRID did best, with no difference that n=40 could show: ",
        ),
        (
            {"PROMPTING": 61, "RAG": 56},
            "n=458",
            "Between PROMPTING and RAG there was no difference that n=458 could",
        ),
        ({"PROMPTING": 61, "RAG": 54}, "n=458", "PROMPTING did best: "),
        (
            {"PROMPTING": 61, "RAG": 60},
            "n about 1,439",
            "Between PROMPTING and RAG there was no difference that n about",
        ),
        ({"PROMPTING": 61, "RAG": 59}, "n=10,000", "PROMPTING and RAG were within 3 points: "),
        ({"PROMPTING": 61, "RAG": 56}, "chrF, n=400", "PROMPTING did best: "),
        ({"PROMPTING": 61, "RAG": 56}, "n over 400", "PROMPTING did best: "),
        ({"PROMPTING": 61, "RAG": 56}, "accuracy; another test has n=40", "PROMPTING did best: "),
        ({"PROMPTING": 100, "RAG": 96}, "n=400", "PROMPTING did best: "),
    ],
    ids=str,
)
def test_what_so_few_answers_cannot_show_is_no_victory(
    scores: dict[str, float], note: str, said: str
) -> None:
    """Arms are told apart from two standard errors of the difference of two shares of right answers on."""
    case = scored(**scores)
    case.note = note
    assert told(case).startswith(said)


def test_hybrid_did_not_win_where_it_was_not_measured() -> None:
    """A published case in which a model tuned without passages was given some is told as that."""
    (case,) = [each for each in load_default_cases() if each.id == "aws-nova-qa"]
    similar = SimilarCase(case, 0.8, ("task",), ())
    explanation = default_advisor().recommend({"task": "QUESTION_ANSWERING"}).explanation
    assert explanation is not None
    recommendation = replace(
        default_advisor().recommend({"task": "QUESTION_ANSWERING"}),
        explanation=replace(explanation, similar_cases=(similar,)),
    )
    (message,) = recommendation_to_proto(recommendation).similar_cases
    assert told(message).splitlines()[0] == (
        "Both together (tuned without passages) did best: RAG +30, FINE_TUNING +30, both together (tuned without "
        "passages) +83 over the base model (the last taken here for HYBRID)."
    )


def test_remarks_are_told_on_demand() -> None:
    """They come last."""
    assert told(CASE, everything=True).splitlines()[-1] == "Remarks: raw documents do worse; single seed."


@pytest.mark.parametrize(("value", "shown"), [(-6.9, "RAG -6.9"), (14.92, "RAG +14.92")])
def test_a_gain_has_its_sign(value: float, shown: str) -> None:
    """It is not taken for a score."""
    case = pb.SimilarCase(similarity=0.8, scores=[pb.CaseScore(arm="RAG", value=value, gain=True)])
    assert told(case).startswith(f"RAG did best: {shown} over the base model.")


def test_a_winner_without_scores_is_told_alone() -> None:
    """Some publications give no numbers; what is stated to come close is told."""
    case = pb.SimilarCase(
        best=pb.APPROACH_HYBRID, similarity=0.8, source=CASE.source, matching_facts=["task"]
    )
    assert told(case).splitlines()[:2] == ["HYBRID did best; no scores are recorded.", "Alike in task."]
    case.acceptable.extend([pb.APPROACH_RAG, pb.APPROACH_HYBRID])
    assert told(case).startswith("HYBRID did best, RAG close to it; no scores are recorded.")


@pytest.mark.parametrize("flag", [False, True])
def test_a_flag_is_told_by_what_it_tells(flag: bool) -> None:
    """A use case in which nothing is so is shown no case as alike in its being so."""
    flags = {item.name: flag for item in facts() if item.kind == "flag"}
    values = {"task": "CLASSIFICATION", "output_form": "LABEL", **flags}
    message = recommendation_to_proto(default_advisor().recommend(values))
    text = " ".join(each.plain for each in told_cases(message.similar_cases, everything=True))
    assert "whether " in text
    for item in facts():
        if item.kind == "flag":
            assert text.count(item.title) == text.count(f"whether {item.title}")
