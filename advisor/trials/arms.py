"""What a trial compares: ways to answer, each of them an approach or a line of reference."""

from __future__ import annotations

from enum import StrEnum

from advisor.knowledge.approaches import Approach

__all__ = ["Arm"]


class Arm(StrEnum):
    """One way to answer the questions of a trial, on the same model and from the same examples."""

    ZERO_SHOT = "ZERO_SHOT"
    FEW_SHOT = "FEW_SHOT"
    NEAREST_SHOTS = "NEAREST_SHOTS"
    DOCUMENTS_IN_PROMPT = "DOCUMENTS_IN_PROMPT"
    RAG = "RAG"
    FINE_TUNING = "FINE_TUNING"
    NAIVE_BOTH = "NAIVE_BOTH"
    HYBRID = "HYBRID"
    NEAREST_NEIGHBOURS = "NEAREST_NEIGHBOURS"
    LOGISTIC_REGRESSION = "LOGISTIC_REGRESSION"

    @property
    def approach(self) -> Approach | None:
        """The approach that it carries out; None for what the advisor does not recommend."""
        return _APPROACHES.get(self)

    @property
    def heading(self) -> str:
        """What it is called in a report."""
        return _HEADINGS[self]

    @property
    def retrieves(self) -> bool:
        """Whether it answers from passages that were searched for."""
        return self in (Arm.RAG, Arm.NAIVE_BOTH, Arm.HYBRID)

    @property
    def trains(self) -> bool:
        """Whether it answers by a model that was fine-tuned."""
        return self in (Arm.FINE_TUNING, Arm.NAIVE_BOTH, Arm.HYBRID)

    @property
    def trained_as(self) -> Arm | None:
        """The arm whose adapter it answers with; None without one."""
        if self is Arm.NAIVE_BOTH:
            return Arm.FINE_TUNING
        return self if self.trains else None

    @property
    def is_reference(self) -> bool:
        """Whether it is a plain classifier, no language model: what an approach must beat to be worth its cost."""
        return self in (Arm.NEAREST_NEIGHBOURS, Arm.LOGISTIC_REGRESSION)


_APPROACHES = {
    Arm.ZERO_SHOT: Approach.PROMPTING,
    Arm.FEW_SHOT: Approach.PROMPTING,
    Arm.NEAREST_SHOTS: Approach.PROMPTING,
    Arm.DOCUMENTS_IN_PROMPT: Approach.PROMPTING,
    Arm.RAG: Approach.RAG,
    Arm.FINE_TUNING: Approach.FINE_TUNING,
    Arm.HYBRID: Approach.HYBRID,
}
_HEADINGS = {
    Arm.ZERO_SHOT: "plain prompt",
    Arm.FEW_SHOT: "same examples",
    Arm.NEAREST_SHOTS: "nearest examples",
    Arm.DOCUMENTS_IN_PROMPT: "all documents",
    Arm.RAG: "RAG",
    Arm.FINE_TUNING: "fine-tuned",
    Arm.NAIVE_BOTH: "tuned, given passages",
    Arm.HYBRID: "tuned on passages",
    Arm.NEAREST_NEIGHBOURS: "nearest neighbours",
    Arm.LOGISTIC_REGRESSION: "logistic regression",
}
