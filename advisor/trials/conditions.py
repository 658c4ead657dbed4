"""What a trial is run under: settled when it begins, kept with it, and the same for every arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from advisor.knowledge.facts import KnownFacts, Row, encode_facts, facts_from_mapping
from advisor.trials.arms import Arm
from advisor.trials.results import Prediction

__all__ = ["MOST_LABELS_TOLD", "Conditions", "Material", "arms_to_run", "told_labels"]

MOST_LABELS_TOLD = 40
"""Labels that a prompt lists; of more, its examples must say which there are."""


@dataclass(frozen=True, slots=True)
class Material:
    """What there is to answer from.

    Attributes:
        training: Examples to learn from.
        documents: Documents.
        passages: Passages of them.
        documents_fit: Whether all of them may fit the model's context.
        labels: Labels that the examples to learn from use; none where the answer is no label.
        untrainable: Why no model can be trained here; empty where one can.
    """

    training: int
    documents: int
    passages: int
    documents_fit: bool
    labels: tuple[str, ...]
    untrainable: str = ""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a trial is run under.

    Attributes:
        form: Form of the output, as `Facts.output_form` has it.
        metric: Name of the metric that counts.
        labels: What an answer is one of; none where it is no label.
        max_output_tokens: Most tokens of an answer.
        guessed: Share of the held-out answers that are the most frequent label; 0 without labels.
        seed: Of every random choice.
        groups: Groups of near-duplicates among all examples.
        facts: What is known of the use case, as plain values.
        vetoes: Why an approach is out of the question, by its name.
        prediction: What the advisor says before anything is measured.
        model: The base model.
        embedder: The embedder.
        arms: To be run, in this order.
        not_run: Why another arm is not, by its name.
        notes: What to mind, one sentence each.
        output_schema: JSON schema that an answer follows; empty where none is known.
    """

    form: str
    metric: str
    labels: tuple[str, ...]
    max_output_tokens: int
    guessed: float
    seed: int
    groups: int
    facts: Mapping[str, Any]
    vetoes: Mapping[str, str]
    prediction: Prediction
    model: str
    embedder: str
    arms: tuple[Arm, ...]
    not_run: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    output_schema: str = ""

    @property
    def row(self) -> Row:
        """What is known of the use case, as a row of facts."""
        return encode_facts(facts_from_mapping(self.facts))

    @property
    def known(self) -> KnownFacts:
        """What is known of the use case, by name; durations in seconds."""
        return KnownFacts(self.row)

    def kind_of(self, answer: str | None) -> str:
        """Return by what the errors of a question are told apart, by its right answer: the label."""
        return (answer or "").strip() if self.labels else ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Conditions:
        """Return what `to_json` made it of."""
        return cls(
            **{
                **values,
                "labels": tuple(values["labels"]),
                "prediction": Prediction(**values["prediction"]),
                "arms": tuple(map(Arm, values["arms"])),
                "notes": tuple(values["notes"]),
            }
        )


def arms_to_run(there_is: Material, asked: Sequence[Arm]) -> tuple[tuple[Arm, ...], dict[str, str]]:
    """Return the arms that can run, the cheapest first, and why each other one cannot.

    Args:
        there_is: What there is to answer from.
        asked: The arms that are wanted; all where empty.
    """
    run, not_run = [], {}
    for arm in _ORDER:
        if asked and arm not in asked:
            not_run[arm.value] = "not asked for"
        elif reason := _lacks(arm, there_is):
            not_run[arm.value] = reason
        else:
            run.append(arm)
    return tuple(run), not_run


def told_labels(labels: Sequence[str]) -> str:
    """Return the instruction that lists the labels; empty where there are none, or too many to list."""
    if not labels or len(labels) > MOST_LABELS_TOLD:
        return ""
    return f"Answer with one of these labels and nothing else: {', '.join(labels)}."


_ORDER = (
    Arm.NEAREST_NEIGHBOURS,
    Arm.LOGISTIC_REGRESSION,
    Arm.ZERO_SHOT,
    Arm.FEW_SHOT,
    Arm.NEAREST_SHOTS,
    Arm.DOCUMENTS_IN_PROMPT,
    Arm.RAG,
    Arm.FINE_TUNING,
    Arm.NAIVE_BOTH,
    Arm.HYBRID,
)


def _lacks(arm: Arm, there_is: Material) -> str:
    """Return why an arm cannot run; empty where it can."""
    if arm.is_reference and not there_is.labels:
        return "the answers are no labels"
    if arm.retrieves and not there_is.passages:
        return "the use case has no documents; import some with ImportDocuments"
    if arm is Arm.DOCUMENTS_IN_PROMPT:
        if not there_is.documents:
            return "the use case has no documents; import some with ImportDocuments"
        if not there_is.documents_fit:
            return "the documents do not fit the model's context"
    if arm.trains:
        return there_is.untrainable
    return ""
