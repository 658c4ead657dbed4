"""What a trial measured, as values: kept as JSON, told over the API, shown as a report, learned from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from advisor.knowledge.approaches import Approach
from advisor.trials.arms import Arm

__all__ = [
    "ArmResult",
    "ArmState",
    "Asked",
    "Claim",
    "Comparison",
    "Figure",
    "Finding",
    "Given",
    "Prediction",
    "Training",
    "TrialResult",
    "Verdict",
    "between",
]


class ArmState(StrEnum):
    """What became of an arm."""

    DONE = "DONE"
    STOPPED = "STOPPED"
    NOT_RUN = "NOT_RUN"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number with its 95% interval.

    Attributes:
        value: The number.
        low: Lower end of the interval; `value` where there is none.
        high: Upper end.
        count: What it was measured on: answers, or questions.
    """

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Given:
    """A held-out question.

    Attributes:
        number: Its place, from 0.
        question: The question; None where it was erased since.
        right: The right answer; None where it was erased since.
        kind: By what its errors are told apart: the label, or the kind of answer; empty for none.
    """

    number: int
    question: str | None
    right: str | None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an arm answered to a held-out question.

    Attributes:
        number: The question's.
        text: The answer; None where it was erased since.
        scores: By the metric's name, 0 to 1; a metric that does not apply is absent.
        refused: Whether it said that the documents hold no answer.
        found: Whether what was retrieved holds the answer; None without retrieval, or where nobody knows.
        input_tokens: Tokens read.
        output_tokens: Tokens written.
        first_token_s: Seconds to the first token.
        total_s: Seconds to the end.
    """

    number: int
    text: str | None
    scores: Mapping[str, float]
    refused: bool = False
    found: bool | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    first_token_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Training:
    """What training an arm took.

    Attributes:
        examples: Trained on.
        tokens: Read, all epochs together.
        seconds: Of all attempts together.
        held_out_loss: Best loss on the examples that training itself held out, in nats per token.
        usd: What it would cost by the prices of the use case; None where they are not known.
        memory_bytes: Most that the worker held meanwhile, its models included; None where that is not known.
    """

    examples: int
    tokens: int
    seconds: float
    held_out_loss: float | None = None
    usd: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ArmResult:
    """What was measured of an arm.

    Attributes:
        arm: Which.
        state: Whether it was run to its end.
        reason: Why it was stopped, or not run; empty where it is done.
        quality: The trial's metric; None where nothing was answered.
        metrics: Every metric that applies, by name, that of `quality` among them.
        first_token_s: Median and 95th percentile of the seconds to the first token.
        total_s: Median and 95th percentile of the seconds of a whole answer.
        input_tokens: Mean per answer.
        output_tokens: Mean per answer.
        usd_per_1000: Dollars for a thousand answers by the prices of the use case; None where not known.
        usd_per_month: Dollars a month, training and hosting included; None where not known.
        training: What its training took; None without one.
        found: Share of the questions for which what was retrieved holds the answer.
        right_where_found: Quality where it does.
        right_where_not: Quality where it does not.
        index_bytes: Size of the passages with their indexes, where it retrieves.
        forgotten: Share of a small probe of general questions that the base model answers right and it does not.
        memory_bytes: Most that the worker held while it asked, its models included; None where that is not known.
        answers: One per question that was asked, in their order.
    """

    arm: Arm
    state: ArmState
    reason: str = ""
    quality: Figure | None = None
    metrics: Mapping[str, Figure] = field(default_factory=dict)
    first_token_s: tuple[float, float] | None = None
    total_s: tuple[float, float] | None = None
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    usd_per_1000: float | None = None
    usd_per_month: float | None = None
    training: Training | None = None
    found: Figure | None = None
    right_where_found: Figure | None = None
    right_where_not: Figure | None = None
    index_bytes: int | None = None
    forgotten: Figure | None = None
    memory_bytes: int | None = None
    answers: tuple[Asked, ...] = ()

    @property
    def score(self) -> float:
        """The value of its quality, by which arms are put in order; 0 where nothing was answered."""
        return self.quality.value if self.quality else 0.0


@dataclass(frozen=True, slots=True)
class Freshness:
    """Questions asked again after the facts that answer them were changed in the passages.

    Attributes:
        changed: Facts that were changed.
        in_step: Quality of RAG by the new facts, the passages brought in step.
        not_in_step: The same, the passages as they were.
        not_retrained: Quality of FINE_TUNING by the new facts, not trained again; None where nothing was tuned.
        p: That the first differs from the last by chance, or from the second where nothing was tuned; two-sided.
        index_s: Seconds to bring a changed passage in step.
    """

    changed: int
    in_step: Figure | None
    not_in_step: Figure | None
    not_retrained: Figure | None
    p: float | None
    index_s: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms on the questions that both were asked.

    Attributes:
        one: An arm.
        other: Another.
        difference: Quality of `one` less that of `other`, with a 95% bootstrap interval.
        wins: Questions on which `one` scores higher.
        losses: Questions on which `other` does.
        p: Of the exact test of McNemar where answers are right or wrong, else of a paired permutation; two-sided.
        p_corrected: After Holm, over all comparisons of the trial.
    """

    one: Arm
    other: Arm
    difference: Figure
    wins: int
    losses: int
    p: float
    p_corrected: float

    @property
    def turned(self) -> Comparison:
        """The same as seen from the other arm."""
        seen = self.difference
        difference = Figure(-seen.value, -seen.high, -seen.low, seen.count)
        return Comparison(self.other, self.one, difference, self.losses, self.wins, self.p, self.p_corrected)


def between(comparisons: Iterable[Comparison], one: Arm, other: Arm) -> Comparison | None:
    """Return the comparison of two arms as seen from the first of them; None where there is none."""
    for each in comparisons:
        if (each.one, each.other) == (one, other):
            return each
        if (each.one, each.other) == (other, one):
            return each.turned
    return None


class Finding(StrEnum):
    """What measuring says of a claim."""

    CONFIRMED = "CONFIRMED"
    CONTRADICTED = "CONTRADICTED"
    UNDECIDED = "UNDECIDED"
    NOT_TESTABLE = "NOT_TESTABLE"


@dataclass(frozen=True, slots=True)
class Claim:
    """A documented claim about an approach, beside what was measured.

    Attributes:
        approach: Of which it is said.
        text: What is said.
        finding: What the numbers say of it.
        measured: The numbers, in a sentence.
    """

    approach: Approach
    text: str
    finding: Finding
    measured: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the advisor said before anything was measured.

    Attributes:
        approach: The approach recommended; None where undecided.
        probabilities: Of each approach to be the best.
        points: Points of quality above PROMPTING expected of each approach.
        regret: Points of quality by which the approach recommended lies below the best measured; None where unknown.
        versions: Of what said so, by name.
    """

    approach: Approach | None
    probabilities: Mapping[str, float]
    points: Mapping[str, float]
    regret: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the numbers come to.

    Attributes:
        approach: To take; None where the numbers do not decide, or nothing conclusive was measured.
        arm: The arm of it.
        headline: In a sentence.
        reasons: Why, one sentence each, the weightiest first.
        questions_needed: Held-out questions that would tell the two best apart; None where they are, or never would be.
    """

    approach: Approach | None
    arm: Arm | None
    headline: str
    reasons: tuple[str, ...] = ()
    questions_needed: int | None = None


@dataclass(frozen=True, slots=True)
class TrialResult:
    """All that a trial measured.

    Attributes:
        metric: Name of the metric that `quality` is.
        form: The output form that was found or stated, as `Facts.output_form` has it.
        model: The base model.
        engine: What computed it, and how precisely.
        embedder: The embedder; empty without documents and labels.
        seed: Of every random choice.
        training_examples: Examples that arms could learn from.
        groups: Groups of near-duplicates that all examples fall into; none is on both sides.
        given: The held-out questions.
        arms: In the order they were run.
        comparisons: Of every two arms that are done, and of each with the lines of reference.
        curve: FINE_TUNING by the number of examples it was trained on.
        facts: Facts that were measured on the way, by name.
        claims: Of the founding document.
        prediction: What the advisor had said.
        verdict: What the numbers come to.
        notes: What to mind, one sentence each.
        seconds: From the start to the end, interruptions left out.
        versions: Of the packages that computed it, by name.
        freshness: How answers follow changes of the documents; None where that was not measured.
    """

    metric: str
    form: str
    model: str
    engine: str
    embedder: str
    seed: int
    training_examples: int
    groups: int
    given: tuple[Given, ...]
    arms: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    verdict: Verdict
    prediction: Prediction | None = None
    curve: Mapping[int, Figure] = field(default_factory=dict)
    facts: Mapping[str, Figure] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    freshness: Freshness | None = None
