"""What a person is shown of published cases."""

from __future__ import annotations

import pytest

from advisor.cli.cases import told_cases
from advisor.decision.advisor import default_advisor
from advisor.knowledge.facts import facts
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import recommendation_to_proto

CASE = pb.SimilarCase(
    best=pb.APPROACH_RAG,
    scores=[pb.CaseScore(arm="RAG", value=60.35), pb.CaseScore(arm="NAIVE_BOTH", value=62.6)],
    source=pb.Source(title="A study", reference="arXiv:2409.07431, Table 3"),
    matching_facts=["task", "can_train"],
    note="accuracy, n=4,609; raw documents do worse; single seed",
    differing_facts=[
        pb.DifferingFact(fact="model_parameters", case_value="8 billion", use_case_value="500 million"),
        pb.DifferingFact(fact="distribution_shift", case_value="yes", use_case_value="no"),
    ],
)


def told(case: pb.SimilarCase, *, everything: bool = False) -> str:
    (text,) = told_cases(pb.Recommendation(similar_cases=[case]), everything=everything)
    return text.plain


def test_a_case_says_what_was_measured_what_differs_and_where_it_stands() -> None:
    """Arms and scores with their measure, then what is alike and what not, then the reference."""
    compared = (
        "Alike in task, whether training is possible; differs in parameters of the model (8 billion, here 500 "
        "million), whether inputs drift from the examples (yes, here no)."
    )
    assert told(CASE).splitlines() == [
        "Of the four, RAG did best: RAG 60.35; tuned without passages and then given some 62.6 (accuracy, n=4,609).",
        compared,
        "A study: arXiv:2409.07431, Table 3.",
    ]


def test_remarks_are_told_on_demand() -> None:
    """They come last."""
    assert told(CASE, everything=True).splitlines()[-1] == "Remarks: raw documents do worse; single seed."


@pytest.mark.parametrize(("value", "shown"), [(-6.9, "RAG -6.9"), (14.92, "RAG +14.92")])
def test_a_gain_has_its_sign(value: float, shown: str) -> None:
    """It is not taken for a score."""
    case = pb.SimilarCase(best=pb.APPROACH_RAG, scores=[pb.CaseScore(arm="RAG", value=value, gain=True)])
    assert told(case).startswith(f"RAG did best: {shown}.")


def test_a_winner_without_scores_is_told_alone() -> None:
    """Some publications give no numbers."""
    case = pb.SimilarCase(best=pb.APPROACH_FINE_TUNING, source=CASE.source, matching_facts=["task"])
    assert told(case).splitlines()[:2] == ["FINE_TUNING did best.", "Alike in task."]


@pytest.mark.parametrize("flag", [False, True])
def test_a_flag_is_told_by_what_it_tells(flag: bool) -> None:
    """A use case in which nothing is so is shown no case as alike in its being so."""
    flags = {item.name: flag for item in facts() if item.kind == "flag"}
    values = {"task": "QUESTION_ANSWERING", "output_form": "FREE_TEXT", **flags}
    message = recommendation_to_proto(default_advisor().recommend(values))
    text = " ".join(each.plain for each in told_cases(message, everything=True))
    assert "whether " in text
    for item in facts():
        if item.kind == "flag":
            assert text.count(item.title) == text.count(f"whether {item.title}")
