"""What a report shows of a result, chosen once for every form of it: who leads, by how much, and where it errs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.trials.arms import Arm
from advisor.trials.results import (
    ArmResult,
    ArmState,
    Asked,
    Claim,
    Comparison,
    Finding,
    Given,
    TrialResult,
    between,
)

__all__ = [
    "WRONG_BELOW",
    "ErrorKind",
    "Expected",
    "Mistake",
    "Standing",
    "answer_metric",
    "answers_of",
    "best_of",
    "claims_by_finding",
    "error_kinds",
    "expectations",
    "looked_at",
    "standings",
]

WRONG_BELOW = 0.5
"""An answer that scores less counts as an error."""
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """An arm's place in the report.

    Attributes:
        number: From 1, by quality, arms without one last; what it is called where its name has no room.
        result: What was measured of it.
        is_best: Whether no arm that is done has a higher quality.
        taken: Whether the verdict takes it.
        to_best: Its difference to the best; None for the best, and where the two were not compared.
    """

    number: int
    result: ArmResult
    is_best: bool
    taken: bool
    to_best: Comparison | None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A question, and the answer to it that scored too little."""

    given: Given
    answer: Asked
    score: float


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """Questions of one kind, and how many each arm got wrong.

    Attributes:
        name: Of the kind; empty where kinds are not told apart.
        questions: How many there are.
        wrong: By arm, how many of its answers are errors, and of how many that were scored.
        examples: Of the arm that is looked at.
    """

    name: str
    questions: int
    wrong: Mapping[Arm, tuple[int, int]]
    examples: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """An approach: what the advisor had expected, beside what was measured.

    Attributes:
        name: Of the approach.
        probability: Of being the best; None where the advisor gave none.
        points: Expected above PROMPTING; None where the advisor gave none.
        arm: The best measured arm that carries it out; None where none was.
        measured: Its quality less that of the best prompt; None where the two were not compared.
    """

    name: str
    probability: float | None
    points: float | None
    arm: ArmResult | None
    measured: Comparison | None


def standings(result: TrialResult) -> tuple[Standing, ...]:
    """Return every arm's place, by quality; arms without one last, in the order they were run."""
    ordered = sorted(result.arms, key=lambda each: (each.quality is None, -each.score))
    best = best_of(result.arms)
    return tuple(
        Standing(
            number,
            each,
            is_best=best is not None and each.arm == best.arm,
            taken=each.arm == result.verdict.arm,
            to_best=between(result.comparisons, each.arm, best.arm) if best else None,
        )
        for number, each in enumerate(ordered, start=1)
    )


def best_of(arms: Iterable[ArmResult]) -> ArmResult | None:
    """Return the arm of the highest quality among those that are done; None where none has one."""
    done = [each for each in arms if each.state == ArmState.DONE and each.quality is not None]
    return max(done, key=lambda each: each.score, default=None)


def answer_metric(result: TrialResult) -> str:
    """Return the metric that single answers are shown by: the trial's, or the first that they have, or none ("").

    A metric such as macro F1 is one of all answers together.
    """
    names = [name for arm in result.arms for answer in arm.answers for name in answer.scores]
    if not names or result.metric in names:
        return result.metric if names else ""
    return "accuracy" if "accuracy" in names else names[0]


def looked_at(places: Sequence[Standing]) -> Standing | None:
    """Return the arm whose errors are worth a look: the one taken, else the best, else the first that answered."""
    answered = [each for each in places if each.result.answers]
    return max(answered, key=lambda each: (each.taken, each.is_best), default=None)


def answers_of(arm: ArmResult) -> dict[int, Asked]:
    """Return an arm's answers by the number of the question."""
    return {each.number: each for each in arm.answers}


def error_kinds(result: TrialResult, shown: Arm | None) -> tuple[ErrorKind, ...]:
    """Return the kinds of questions, those with most errors of the arm shown first, with examples of its errors."""
    metric = answer_metric(result)
    by_kind: dict[str, list[Given]] = {}
    for given in result.given:
        by_kind.setdefault(given.kind, []).append(given)
    answers = {each.arm: answers_of(each) for each in result.arms if each.answers}
    kinds = [_error_kind(name, given, answers, metric, shown) for name, given in by_kind.items()]
    scored = [each for each in kinds if any(total for _, total in each.wrong.values())]
    return tuple(sorted(scored, key=lambda each: -_errors(each, shown)))


def expectations(result: TrialResult) -> tuple[Expected, ...]:
    """Return, for each approach, what was expected beside what was measured; nothing without a prediction."""
    said = result.prediction
    if said is None:
        return ()
    prompt = _best_arm(result.arms, Approach.PROMPTING)
    rows = []
    for name in dict.fromkeys((*APPROACHES, *said.probabilities, *said.points)):
        arm = _best_arm(result.arms, name)
        compared = between(result.comparisons, arm.arm, prompt.arm) if arm and prompt else None
        rows.append(Expected(name, said.probabilities.get(name), said.points.get(name), arm, compared))
    return tuple(rows)


def claims_by_finding(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Return claims, those that measuring says something of first."""
    order = list(Finding)
    return tuple(sorted(claims, key=lambda each: order.index(each.finding)))


def _best_arm(arms: Iterable[ArmResult], approach: str) -> ArmResult | None:
    return best_of(each for each in arms if each.arm.approach == approach)


def _error_kind(
    name: str,
    given: Sequence[Given],
    answers: Mapping[Arm, Mapping[int, Asked]],
    metric: str,
    shown: Arm | None,
) -> ErrorKind:
    wrong: dict[Arm, tuple[int, int]] = {}
    examples: list[Mistake] = []
    for arm, answered in answers.items():
        scored = [
            Mistake(each, answer, answer.scores[metric])
            for each in given
            if (answer := answered.get(each.number)) is not None and metric in answer.scores
        ]
        errors = [each for each in scored if each.score < WRONG_BELOW]
        wrong[arm] = len(errors), len(scored)
        if arm == shown:
            examples = errors[:_EXAMPLES]
    return ErrorKind(name, len(given), wrong, tuple(examples))


def _errors(kind: ErrorKind, shown: Arm | None) -> int:
    if shown and shown in kind.wrong:
        return kind.wrong[shown][0]
    return sum(wrong for wrong, _ in kind.wrong.values())
