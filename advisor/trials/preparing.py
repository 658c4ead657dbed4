"""What a trial begins with: the examples split, and the conditions settled."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from advisor.errors import ConfigurationError, FailedPrecondition, InvalidInput
from advisor.metrics.choosing import metric_named, primary_metric
from advisor.metrics.outputs import Output
from advisor.metrics.structure import Structure
from advisor.profiling.forms import form_of
from advisor.profiling.groups import Embed, groups
from advisor.profiling.leaks import leaks
from advisor.profiling.schemas import schema_of
from advisor.profiling.splitting import split
from advisor.trials.arms import Arm
from advisor.trials.conditions import Conditions, Material, arms_to_run
from advisor.trials.results import Prediction
from advisor.trials.settings import LEAST_HELD_OUT, LEAST_LEARNED, TrialSettings
from backends.base import Example
from backends.counts import counted
from backends.generation.schemas import schema_fault

__all__ = ["Known", "Prepared", "prepare", "too_few"]

_LEAST_TOKENS, _MOST_TOKENS = 16, 256
_SPARE = 1.5
"""An answer may be so many times as long as the longest to learn from."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a use case before anything is measured.

    Attributes:
        facts: As plain values.
        vetoes: Why an approach is out of the question, by its name.
        prediction: What the advisor says.
        model: The base model.
        embedder: The embedder.
        documents: Documents that there are.
        passages: Passages of them.
        documents_fit: Whether all documents may fit the model's context.
        untrainable: Why no model can be trained here; empty where one can.
        trained: The model that is trained, where it is another.
    """

    facts: Mapping[str, Any]
    vetoes: Mapping[str, str]
    prediction: Prediction
    model: str
    embedder: str
    documents: int
    passages: int
    documents_fit: bool
    untrainable: str = ""
    trained: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Places of the examples that are held out, in the order in which they are asked, and of those to learn from."""

    conditions: Conditions
    held_out: tuple[int, ...]
    training: tuple[int, ...]


def prepare(
    examples: Sequence[Example],
    settings: TrialSettings,
    known: Known,
    *,
    embed: Embed,
    count_tokens: Callable[[str], int],
) -> Prepared:
    """Split the examples by groups of near-duplicates, and settle what all arms have in common.

    Raises:
        FailedPrecondition: There are too few examples, or all have the same answer.
        InvalidInput: There is no such metric.
    """
    form = str(
        known.facts.get("output_form") or form_of([each.answer for each in examples]).value or "FREE_TEXT"
    )
    numbers = groups(examples, embed=embed)
    held_out, training, leaking = _sides(examples, numbers, settings, labels=form == "LABEL")
    if len(held_out) < LEAST_HELD_OUT or len(training) < LEAST_LEARNED:
        differ = len(set(numbers))
        alike = f" in {counted(differ, 'group')} of near-duplicates" if differ < len(examples) else ""
        raise too_few(f"there are {counted(len(examples), 'example')}{alike}")
    learned, asked = [examples[place] for place in training], [examples[place] for place in held_out]
    labels = tuple(sorted({each.answer.strip() for each in learned})) if form == "LABEL" else ()
    if form == "LABEL" and len(labels) < 2:
        raise FailedPrecondition(
            "ONE_LABEL",
            f"all {counted(len(learned), 'example')} to learn from have the same answer: there is nothing to "
            "tell apart; import examples of at least two labels",
        )
    output_schema = _schema(form, settings.output_schema, learned)
    rights = [each.answer for each in asked]
    metric = metric_named(settings.metric, embed=embed) if settings.metric else primary_metric(form, rights)
    there_is = Material(
        len(training), known.documents, known.passages, known.documents_fit, labels, known.untrainable
    )
    arms, not_run = arms_to_run(there_is, settings.arms)
    if not arms:
        reasons = "; ".join(
            f"{name}: {reason}" for name, reason in not_run.items() if reason != "not asked for"
        )
        raise FailedPrecondition("NO_ARMS", f"nothing that was asked for can be compared: {reasons}")
    conditions = Conditions(
        form,
        metric.name,
        labels,
        _limit([each.answer for each in learned], count_tokens),
        _guessed(learned, asked) if labels else 0.0,
        settings.seed,
        len(set(numbers)),
        known.facts,
        known.vetoes,
        known.prediction,
        known.model,
        known.embedder,
        arms,
        not_run,
        (
            *_notes(leaking, labels, learned, asked),
            *_told_schema(output_schema, settings, asked),
            *_told_models(known, arms),
        ),
        output_schema,
    )
    return Prepared(conditions, held_out, training)


def too_few(there: str, **metadata: str) -> FailedPrecondition:
    """Return the error of a use case whose examples tell nothing.

    Args:
        there: How many there are, in words.
        metadata: What else the error tells a program.
    """
    return FailedPrecondition(
        "TOO_FEW_EXAMPLES",
        f"{there}, and a trial needs at least {LEAST_HELD_OUT + LEAST_LEARNED} that differ: {LEAST_HELD_OUT} to "
        f"ask and {LEAST_LEARNED} to learn from; 200 tell a difference of 10 points; import more with "
        "ImportExamples",
        metadata=metadata,
    )


def _sides(
    examples: Sequence[Example], numbers: Sequence[int], settings: TrialSettings, *, labels: bool
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Return the places held out, in an order of chance, those to learn from, and how many leaked and are neither.

    Where examples are held out by whoever gave them, those are asked; else some are chosen.
    """
    kept_apart = [place for place, each in enumerate(examples) if each.held_out]
    if kept_apart:
        drawn = sorted(kept_apart, key=lambda place: _drawn(examples[place], settings.seed))
        held_out: Sequence[int] = drawn[: settings.held_out]
    else:
        wanted = min(settings.held_out, max(LEAST_HELD_OUT, len(examples) // 2))
        if wanted >= len(examples):
            return (), tuple(range(len(examples))), 0
        held_out = split(examples, numbers, wanted, settings.seed, by_answer=labels)
    apart = {*held_out, *kept_apart}
    left = [place for place in range(len(examples)) if place not in apart]
    found = leaks([examples[place] for place in left], [examples[place] for place in held_out])
    leaking = {left[each.trained] for each in found}
    order = sorted(held_out, key=lambda place: _drawn(examples[place], settings.seed))
    return tuple(order), tuple(place for place in left if place not in leaking), len(leaking)


def _drawn(example: Example, seed: int) -> bytes:
    """Return what stands for a random number of an example: the same for the same texts."""
    return hashlib.sha256(f"{seed}\0{example.question}\0{example.answer}".encode()).digest()


def _schema(form: str, given: str, learned: Sequence[Example]) -> str:
    """Return the JSON schema that answers follow: the one given, or what examples share; empty without one."""
    if given and form == "LABEL":
        raise InvalidInput.of(
            "settings.output_schema", "cannot go with labels, which the answers are; leave it out"
        )
    if given or form != "STRUCTURED":
        return given
    shared = schema_of([each.answer for each in learned])
    return shared if shared and schema_fault(shared) is None else ""


def _told_schema(output_schema: str, settings: TrialSettings, asked: Sequence[Example]) -> Iterator[str]:
    """Yield what to mind of the schema that answers follow."""
    if not output_schema:
        return
    if not settings.output_schema:
        yield "every arm is held to the JSON schema that the answers to learn from share"
    try:
        structure = metric_named(Structure.name, schema=output_schema)
    except ConfigurationError:  # its library is not installed: then this is not told, as in the tally
        return
    follow = structure.scores([Output(each.answer, each.answer) for each in asked])
    if others := follow.count(0.0):
        yield (
            f"{counted(others, 'right answer')} of the held-out questions "
            f"{'does' if others == 1 else 'do'} not follow the JSON schema: no arm can give "
            f"{'it' if others == 1 else 'them'}"
        )


def _told_models(known: Known, arms: Sequence[Arm]) -> Iterator[str]:
    """Yield what to mind where arms run on models that differ."""
    if known.trained not in ("", known.model) and any(arm.trained_as for arm in arms):
        yield (
            f"what is trained runs on {known.trained}, all else on {known.model}: what parts them may be the models "
            "rather than the approaches"
        )


def _guessed(learned: Sequence[Example], asked: Sequence[Example]) -> float:
    """Return how often always saying the most frequent label is right."""
    ((label, _),) = Counter(each.answer.strip() for each in learned).most_common(1)
    return sum(each.answer.strip() == label for each in asked) / len(asked)


def _limit(answers: Sequence[str], count_tokens: Callable[[str], int]) -> int:
    """Return the most tokens of an answer: more than the longest to learn from takes."""
    longest = sorted(answers, key=len)[-5:]
    return min(max(round(_SPARE * max(map(count_tokens, longest))), _LEAST_TOKENS), _MOST_TOKENS)


def _notes(
    leaking: int, labels: Sequence[str], learned: Sequence[Example], asked: Sequence[Example]
) -> list[str]:
    notes = []
    if leaking:
        notes.append(
            f"{counted(leaking, 'example')} left aside, nearly the same as held-out questions: no arm learns from them"
        )
    half = 98 / len(asked) ** 0.5
    if half > 12:
        notes.append(
            f"{counted(len(asked), 'question')} tell a score to no better than {half:.0f} points either way: "
            "hold out more to tell more"
        )
    unseen = {each.answer.strip() for each in asked} - set(labels) if labels else set()
    if unseen:
        notes.append(
            f"{counted(len(unseen), 'label')} of the held-out questions stand in no example to learn from: "
            "no arm can give them"
        )
    contexts = [each for each in learned if (each.context or "").strip()]
    if 0 < len(contexts) < len(learned):
        notes.append(
            f"{len(contexts)} of {counted(len(learned), 'example')} to learn from name their passage"
        )
    return notes
