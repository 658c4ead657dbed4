"""Results of trials, MADE UP for tests: numbers of a seeded generator, about a product that there is not.

They look like what a trial measures, so that a report of them can be judged by eye. They say nothing of any approach.
"""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from advisor.knowledge.approaches import Approach
from advisor.metrics.proportions import sign_test, wilson
from advisor.trials.arms import Arm
from advisor.trials.measured import MeasuredCase
from advisor.trials.results import (
    ArmResult,
    ArmState,
    Asked,
    Claim,
    Comparison,
    Figure,
    Finding,
    Given,
    Prediction,
    Training,
    TrialResult,
    Verdict,
)
from advisor.trials.track import Tracked, TrackRecord, tracked

__all__ = ["hostile", "made_up_record", "made_up_result", "not_run", "without_intervals", "without_texts"]

METRIC = "holds"
GRADED = "token_f1"
_PARTS = ("pump", "valve", "filter", "gauge", "burner", "panel", "sensor", "relay", "hose", "boiler")
_MODELS = ("HX 20", "HX 35", "HX 60", "Rondo", "Rondo S", "Tarn", "Tarn 2", "Kettle 9", "Ostra", "Ostra Mini")
_COMPLAINT = (
    "A customer writes that the {part} of the {model} knocks every few minutes since it was last refilled, and that "
    "bleeding it, as the leaflet in the box says, did not help for longer than a day. What is to be done first?"
)
_ASKED = {
    "number": ("What is the rated pressure of the {part} of the {model}, in bar?", "{number} bar"),
    "date": ("When must the {part} of the {model} be inspected first?", "after {number} months"),
    "name": ("Which seal fits the {part} of the {model}?", "seal R-{number}"),
    "setting": ("Which setting of the {model} holds back the {part}?", "{part}_limit_{number}"),
    "procedure": (
        _COMPLAINT,
        "Close the inlet, drain {number} litres, and bleed the {part} from the lower screw.",
    ),
}


@dataclass(frozen=True)
class _Ability:
    """What an arm is made up from: skill in nats, seconds, tokens in and out, dollars per 1,000 and a month."""

    skill: float
    seconds: float
    tokens: tuple[int, int]
    usd: tuple[float, float]


_ABILITIES = {
    Arm.ZERO_SHOT: _Ability(-1.1, 0.9, (90, 24), (0.11, 3.2)),
    Arm.FEW_SHOT: _Ability(-0.8, 1.2, (620, 22), (0.29, 8.6)),
    Arm.NEAREST_SHOTS: _Ability(-0.3, 1.3, (640, 20), (0.30, 9.1)),
    Arm.DOCUMENTS_IN_PROMPT: _Ability(0.9, 14.0, (28_400, 26), (9.4, 280)),
    Arm.RAG: _Ability(1.2, 2.4, (1_240, 25), (0.62, 21)),
    Arm.FINE_TUNING: _Ability(0.2, 0.8, (70, 14), (0.08, 64)),
    Arm.NAIVE_BOTH: _Ability(0.9, 2.1, (1_190, 15), (0.57, 82)),
    Arm.HYBRID: _Ability(1.7, 2.2, (1_200, 15), (0.58, 84)),
    Arm.NEAREST_NEIGHBOURS: _Ability(-0.9, 0.012, (0, 0), (0.0, 0.4)),
    Arm.LOGISTIC_REGRESSION: _Ability(-2.4, 0.008, (0, 0), (0.0, 0.4)),
}
_ATTACKS = (
    "</p></td></table><script>alert(1)</script>",
    "\" onclick='alert(1)' x=\"",
    "\u202eright to left \u05e9\u05dc\u05d5\u05dd & <b>bold</b>",
)
_DEFAULT = tuple(arm for arm in Arm if arm != Arm.LOGISTIC_REGRESSION)


def made_up_record(trials: int) -> TrackRecord:
    """Return how advice fared in so many trials of three use cases: RAG at 70% is right in four of five."""
    right = {"PROMPTING": Figure(40, 30, 50, 100), "RAG": Figure(60, 50, 70, 100)}
    wrong = {"PROMPTING": Figure(60, 50, 70, 100), "RAG": Figure(40, 30, 50, 100)}
    entries = []
    for number in range(trials):
        lost = number % 5 == 4
        case = MeasuredCase(
            facts={},
            found={},
            metric="holds",
            form="FREE_TEXT",
            scores=wrong if lost else right,
            arms={},
            advice="RAG",
            probabilities={"PROMPTING": 0.3, "RAG": 0.7},
            regret=Figure(20.0 * lost, 0, 30, 100),
            verdict="PROMPTING" if lost else "RAG",
        )
        name = f"useCases/{'abc'[number % 3]}"
        entries.append(Tracked.of(f"{name}/trials/t{number}", name, datetime(2026, 11, 1, tzinfo=UTC), case))
    return tracked(entries)


def made_up_result(
    questions: int = 100, arms: Iterable[Arm] = _DEFAULT, *, seed: int = 7, graded: bool = False
) -> TrialResult:
    """Return a result that looks like a trial's, made up from a seed.

    Args:
        questions: How many are held out.
        arms: Which were run.
        seed: Of every number in it.
        graded: Whether scores lie between 0 and 1, rather than being right or wrong.
    """
    chance = random.Random(seed)
    metric = GRADED if graded else METRIC
    given = tuple(_given(number, chance) for number in range(questions))
    hardness = [chance.gauss(0, 1) for _ in given]
    results = tuple(_arm(arm, given, hardness, metric, chance) for arm in arms)
    comparisons = _comparisons(results, metric, chance)
    best = max(results, key=lambda each: each.quality.value if each.quality else -1.0, default=None)
    taken = best.arm if best and best.quality else None
    return TrialResult(
        metric=metric,
        form="FREE_TEXT",
        model="Made-Up-1B-Instruct",
        engine="made up, float32",
        embedder="made-up-embedder",
        seed=seed,
        training_examples=412,
        groups=questions + 380,
        given=given,
        arms=results,
        comparisons=comparisons,
        verdict=_verdict(taken, best),
        prediction=Prediction(
            Approach.RAG,
            {"PROMPTING": 0.06, "RAG": 0.48, "FINE_TUNING": 0.11, "HYBRID": 0.35},
            {"PROMPTING": 0.0, "RAG": 21.4, "FINE_TUNING": 6.3, "HYBRID": 22.8},
            regret=7.0,
        ),
        curve=_curve(results),
        facts=_facts(questions),
        claims=_CLAIMS,
        notes=(
            "All held-out questions come from one month; how the ways to answer do on later ones was not measured.",
            "The prompt with all documents was cut to the model's window.",
        ),
        seconds=18_725.0,
        versions={"torch": "2.13.0", "transformers": "5.23.1", "peft": "0.19.2", "numpy": "2.4.0"},
    )


def not_run(result: TrialResult, arm: Arm, reason: str) -> TrialResult:
    """Return a result in which an arm was not run."""
    lacking = ArmResult(arm, ArmState.NOT_RUN, reason)
    arms = (*(each for each in result.arms if each.arm != arm), lacking)
    kept = tuple(each for each in result.comparisons if arm not in (each.one, each.other))
    return replace(result, arms=arms, comparisons=kept)


def without_intervals(result: TrialResult) -> TrialResult:
    """Return a result whose figures have no intervals."""
    arms = tuple(
        replace(
            each,
            quality=_bare(each.quality),
            metrics={name: _exactly(told) for name, told in each.metrics.items()},
            found=_bare(each.found),
            right_where_found=_bare(each.right_where_found),
            right_where_not=_bare(each.right_where_not),
            forgotten=_bare(each.forgotten),
        )
        for each in result.arms
    )
    return replace(
        result,
        arms=arms,
        comparisons=tuple(replace(each, difference=_exactly(each.difference)) for each in result.comparisons),
        curve={count: _exactly(told) for count, told in result.curve.items()},
        facts={name: _exactly(told) for name, told in result.facts.items()},
    )


def without_texts(result: TrialResult) -> TrialResult:
    """Return a result after the texts of its use case were erased."""
    arms = tuple(
        replace(each, answers=tuple(replace(answer, text=None) for answer in each.answers))
        for each in result.arms
    )
    given = tuple(replace(each, question=None, right=None) for each in result.given)
    return replace(result, arms=arms, given=given)


def hostile(result: TrialResult) -> TrialResult:
    """Return a result all of whose texts attack the page: markup, quotes, other directions, words without an end."""
    texts = itertools.cycle((*_ATTACKS, "x" * 10_000))
    given = tuple(
        replace(each, question=next(texts), right=next(texts), kind=_ATTACKS[each.number % len(_ATTACKS)])
        for each in result.given
    )
    arms = tuple(
        replace(
            each,
            reason=next(texts)[:500],
            state=ArmState.STOPPED if number == 1 else each.state,
            metrics={f"{name} {_ATTACKS[0]}": told for name, told in each.metrics.items()},
            answers=tuple(replace(answer, text=next(texts)) for answer in each.answers),
        )
        for number, each in enumerate(result.arms)
    )
    return replace(
        result,
        model="m" * 300,
        engine=_ATTACKS[1],
        given=given,
        arms=arms,
        facts={_ATTACKS[0]: Figure(0.5, 0.4, 0.6, 9)},
        claims=(Claim(Approach.RAG, _ATTACKS[1], Finding.UNDECIDED, "y" * 300),),
        notes=_ATTACKS,
        versions={_ATTACKS[0]: _ATTACKS[1]},
        verdict=replace(result.verdict, headline="z" * 300, reasons=_ATTACKS),
    )


def _given(number: int, chance: random.Random) -> Given:
    kind = chance.choices(list(_ASKED), weights=(5, 3, 4, 4, 2))[0]
    question, right = _ASKED[kind]
    words = {"part": chance.choice(_PARTS), "model": chance.choice(_MODELS), "number": chance.randint(2, 96)}
    return Given(number, question.format(**words), right.format(**words), kind)


def _arm(
    arm: Arm, given: Sequence[Given], hardness: Sequence[float], metric: str, chance: random.Random
) -> ArmResult:
    able = _ABILITIES[arm]
    answers = tuple(
        _asked(arm, each, hard, metric, chance) for each, hard in zip(given, hardness, strict=True)
    )
    scores = [each.scores[metric] for each in answers]
    quality = _mean(scores)
    found = [each.scores[metric] for each in answers if each.found]
    missed = [each.scores[metric] for each in answers if each.found is False]
    return ArmResult(
        arm=arm,
        state=ArmState.DONE,
        quality=quality,
        metrics=_metrics(answers, metric),
        first_token_s=_spread([each.first_token_s for each in answers]),
        total_s=_spread([each.total_s for each in answers]),
        input_tokens=statistics.fmean([each.input_tokens for each in answers] or [0]),
        output_tokens=statistics.fmean([each.output_tokens for each in answers] or [0]),
        usd_per_1000=able.usd[0] if answers else None,
        usd_per_month=able.usd[1] if answers else None,
        training=Training(412, 1_236 * 412, 1_980.0 + 700 * arm.retrieves, 0.418, 0.37, 3_140_000_000)
        if arm.trains
        else None,
        found=_mean([float(bool(each.found)) for each in answers]) if arm.retrieves else None,
        right_where_found=_mean(found) if arm.retrieves else None,
        right_where_not=_mean(missed) if arm.retrieves else None,
        index_bytes=18_734_000 if arm.retrieves else None,
        forgotten=Figure(0.04, 0.01, 0.13, 50) if arm.trains else None,
        memory_bytes=1_870_000_000,
        answers=answers,
    )


def _asked(arm: Arm, given: Given, hard: float, metric: str, chance: random.Random) -> Asked:
    able = _ABILITIES[arm]
    found = chance.random() < 0.82 if arm.retrieves else None
    nats = 2 * (able.skill - hard) + (-4 if found is False else 0) + chance.gauss(0, 1)
    refused = nats < -1.5 and not arm.is_reference and chance.random() < 0.4
    score = float(nats > 0)
    if metric == GRADED and not refused:
        score = min(1.0, max(0.0, round(0.5 + nats / 5, 3)))
    text = given.right or ""
    if refused:
        text = "The documents do not say."
    elif score < 1:
        text = f"It is {chance.randint(2, 96)}, by the table for the {chance.choice(_PARTS)} in the handbook."
    total = able.seconds * chance.lognormvariate(0, 0.35)
    return Asked(
        given.number,
        text,
        {metric: score, "exact_match": float(score == 1 and chance.random() < 0.8)},
        refused=refused,
        found=found,
        input_tokens=round(able.tokens[0] * chance.uniform(0.85, 1.15)),
        output_tokens=round(able.tokens[1] * chance.uniform(0.5, 1.6)),
        first_token_s=0.0 if arm.is_reference else 0.4 * total,
        total_s=total,
    )


def _metrics(answers: Sequence[Asked], metric: str) -> dict[str, Figure]:
    told = {name: _mean([each.scores[name] for each in answers]) for name in (metric, "exact_match")}
    return {name: each for name, each in told.items() if each}


def _mean(scores: Sequence[float]) -> Figure | None:
    if not scores:
        return None
    low, high = wilson(round(sum(scores)), len(scores))
    value = statistics.fmean(scores)
    return Figure(value, min(low, value), max(high, value), len(scores))


def _spread(seconds: Sequence[float]) -> tuple[float, float] | None:
    if not seconds or not any(seconds):
        return None
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]


def _comparisons(arms: Sequence[ArmResult], metric: str, chance: random.Random) -> tuple[Comparison, ...]:
    pairs = [(one, other) for at, one in enumerate(arms) for other in arms[at + 1 :]]
    raw = [_comparison(one, other, metric, chance) for one, other in pairs if one.answers and other.answers]
    corrected: dict[int, float] = {}
    most = 0.0
    for rank, at in enumerate(sorted(range(len(raw)), key=lambda at: raw[at].p)):
        most = max(most, min(1.0, raw[at].p * (len(raw) - rank)))
        corrected[at] = most
    return tuple(replace(each, p_corrected=corrected[at]) for at, each in enumerate(raw))


def _comparison(one: ArmResult, other: ArmResult, metric: str, chance: random.Random) -> Comparison:
    differences = [
        mine.scores[metric] - theirs.scores[metric]
        for mine, theirs in zip(one.answers, other.answers, strict=True)
    ]
    count = len(differences)
    means = sorted(statistics.fmean(chance.choices(differences, k=count)) for _ in range(200))
    wins, losses = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    p = sign_test(wins, losses)
    told = Figure(statistics.fmean(differences), means[5], means[194], count)
    return Comparison(one.arm, other.arm, told, wins, losses, p, p)


def _verdict(taken: Arm | None, best: ArmResult | None) -> Verdict:
    if taken is None or best is None or best.quality is None:
        return Verdict(None, None, "Nothing was measured that would decide.", ("No question was answered.",))
    return Verdict(
        taken.approach,
        taken,
        f"Take {taken.heading}: {best.quality.value:.0%} of the held-out questions answered right.",
        (
            "It is ahead of every way that needs no training by more than chance would give.",
            "It answers in 2.2 s (median), and the budget allows 5 s.",
            "A month costs $84, of which training is $37; RAG alone would cost $21.",
        ),
        questions_needed=340,
    )


def _curve(arms: Sequence[ArmResult]) -> Mapping[int, Figure]:
    tuned = next((each for each in arms if each.arm == Arm.FINE_TUNING), None)
    if tuned is None or tuned.quality is None:
        return {}
    count = tuned.quality.count
    shares = {25: 0.3, 50: 0.42, 100: 0.66, 200: 0.86, 412: 1.0}
    return {
        size: _mean(
            [1.0] * round(part * tuned.quality.value * count)
            + [0.0] * (count - round(part * tuned.quality.value * count))
        )
        or tuned.quality
        for size, part in shares.items()
    }


def _facts(questions: int) -> dict[str, Figure]:
    if not questions:
        return {}
    return {
        "retrieval_hit_rate": Figure(0.82, 0.73, 0.88, questions),
        "closed_book_score": Figure(0.14, 0.09, 0.22, questions),
        "prompted_score": Figure(0.34, 0.25, 0.44, questions),
        "corpus_tokens": Figure(28_100, 28_100, 28_100, 64),
        "output_tokens": Figure(18, 15, 22, 412),
        "labelled_examples": Figure(412, 412, 412, 412),
        "words a question": Figure(14.2, 13.1, 15.6, questions),
    }


def _bare(figure: Figure | None) -> Figure | None:
    return figure and _exactly(figure)


def _exactly(figure: Figure) -> Figure:
    return replace(figure, low=figure.value, high=figure.value)


_CLAIMS = (
    Claim(
        Approach.RAG,
        "Generally faster inference",
        Finding.CONTRADICTED,
        "RAG answers in 2.4 s (median), the fine-tuned model in 0.8 s.",
    ),
    Claim(
        Approach.RAG,
        "Reduced hallucinations",
        Finding.CONFIRMED,
        "Wrong answers that were not refused: 9 of 100 with RAG, 41 of 100 with the plain prompt.",
    ),
    Claim(
        Approach.FINE_TUNING,
        "Improved performance",
        Finding.UNDECIDED,
        "+6 points above the best prompt (−4 to +16).",
    ),
    Claim(Approach.RAG, "Access to up-to-date information", Finding.NOT_TESTABLE, ""),
)
