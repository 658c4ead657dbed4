"""Training data: plain questions for FINE_TUNING, questions over retrieved passages for HYBRID.

HYBRID follows RAFT (arXiv:2403.10131): each question is shown with the passage
that holds its answer, shuffled among passages that search finds but that do
not, so the model learns to read the one and pass over the others. In a share
of the examples (a fifth in the paper) the right passage is missing.

Both ask in the words in which the model will be asked later.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from backends.base import Example, ExamplesError, Passage
from backends.counts import counted
from backends.prompts import grounded_messages, prompt_messages
from backends.training.adapters import TrainingExample

__all__ = ["NO_PASSAGE", "holds", "hybrid_examples", "is_short", "plain_examples"]

# Shorter answers, such as "yes" or "12", are found in passages that have nothing to do with them.
_MIN_ANSWER_CHARACTERS = 4
NO_PASSAGE = (
    "no passage found holds the answer word for word, and answers of fewer than "
    f"{_MIN_ANSWER_CHARACTERS} characters are not looked for"
)
"""Why an example without a context lacks its passage."""


def plain_examples(examples: Iterable[Example], *, instructions: str = "") -> tuple[TrainingExample, ...]:
    """Return examples for FINE_TUNING: the question alone, and its answer.

    Args:
        examples: Questions with their right answers.
        instructions: What is wanted of every answer. Keep it short, since
            training repeats it with every example; the examples say the rest.
    """
    return tuple(
        TrainingExample(prompt_messages(one.question, instructions=instructions), one.answer, one.question)
        for one in examples
    )


def hybrid_examples(
    examples: Sequence[Example],
    search: Callable[[str, int], Sequence[Passage]],
    *,
    instructions: str = "",
    seed: int = 0,
    distractors: int = 2,
    golden_share: float = 0.8,
    leave_out: Callable[[Example], None] = lambda _: None,
) -> tuple[TrainingExample, ...]:
    """Return examples for HYBRID: the question over passages, and its answer.

    The right passage is the best one found that holds all of the example's `context`,
    or is a part of it and holds the answer word for word; or else the context itself.
    Without a context it is the best one found that holds the answer. Examples without one fill the share that
    is trained without it; those beyond that share are left out, since a model
    that learns too often to answer from nothing learns to make things up.

    Args:
        examples: Questions with their right answers.
        search: Returns at most so many passages for a question, best first.
        instructions: What is wanted of every answer, as the RAG backend has them.
        seed: Chooses which examples lack their passage, and the order of passages.
        distractors: Passages shown besides the right one.
        golden_share: Share of the examples that show the right passage, above 0 to 1.
        leave_out: Takes each example that is left out.

    Raises:
        ExamplesError: No example has a right passage.
        ValueError: `golden_share` or `distractors` is out of bounds.
    """
    if not 0 < golden_share <= 1:
        raise ValueError(f"golden_share is {golden_share}; give a share above 0 to 1")
    if not 0 <= distractors <= 19:
        raise ValueError(f"distractors is {distractors}; give 0 to 19")
    found = [_passages(example, search, distractors) for example in examples]
    golden = [index for index, (gold, _) in enumerate(found) if gold is not None]
    if not golden:
        raise ExamplesError(
            f"of {counted(len(examples), 'example')}, none has a context, and {NO_PASSAGE}; "
            "add contexts, import the documents that hold the answers, or tune without retrieval"
        )
    bare = _without_golden(golden, len(examples), golden_share, seed)
    made = []
    for index, (example, (gold, others)) in enumerate(zip(examples, found, strict=True)):
        rng = random.Random(f"passages:{seed}:{index}")  # noqa: S311 (no secret)
        if gold is not None and (index not in bare or not others):
            shown = [gold, *others[:distractors]]
        elif index in bare and others:
            shown = list(others[: distractors + 1])
        else:
            leave_out(example)
            continue
        if gold in shown and not (gold.heading or gold.place):
            # Beside passages that stand under a heading, the one without would give itself away.
            shown = [replace(passage, heading="", place="") for passage in shown]
        rng.shuffle(shown)
        messages = grounded_messages(example.question, shown, instructions=instructions)
        made.append(TrainingExample(messages, example.answer, example.question))
    return tuple(made)


def is_short(example: Example) -> bool:
    """Return whether an answer is too short to be looked for in passages."""
    return len(_words(example.answer).strip()) < _MIN_ANSWER_CHARACTERS


def _without_golden(golden: Sequence[int], count: int, golden_share: float, seed: int) -> frozenset[int]:
    """Return which examples to show without their passage: first those that have none."""
    lacking = sorted(set(range(count)) - set(golden))
    rng = random.Random(f"golden:{seed}")  # noqa: S311 (no secret)
    # Of what is kept, `golden_share` shows the passage: at most this many do not.
    allowed = int(len(golden) * (1 - golden_share) / golden_share + 1e-9)
    if len(lacking) >= allowed:
        return frozenset(rng.sample(lacking, allowed))
    wanted = int(count * (1 - golden_share) + 1e-9)
    return frozenset(lacking) | frozenset(rng.sample(list(golden), wanted - len(lacking)))


def _passages(
    example: Example, search: Callable[[str, int], Sequence[Passage]], distractors: int
) -> tuple[Passage | None, tuple[Passage, ...]]:
    """Return the right passage, where there is one, and others that do not hold the answer."""
    # Two more than needed: the right one, and one that also holds the answer.
    retrieved = search(example.question, distractors + 3)
    holding = [passage for passage in retrieved if holds(passage.text, example)]
    others = tuple(passage for passage in retrieved if passage not in holding)
    if context := (example.context or "").strip():
        return _telling(example, holding) or _as_passage(context, holding), others
    return (holding[0] if holding else None), others


def _telling(example: Example, found: Sequence[Passage]) -> Passage | None:
    """Return the best passage that gives the answer as it will be shown: around an example's context, or a part of it.

    A context of one line beside passages of ten would give itself away: a model that learned from such finds no line
    among the ten later.
    """
    context, answer = _words(example.context or ""), _words(example.answer)
    texts = ((passage, _words(passage.text)) for passage in found)
    telling = (passage for passage, text in texts if context in text or (text in context and answer in text))
    return next(telling, None)


def holds(text: str, example: Example) -> bool:
    """Return whether a passage gives the answer away: it holds its words, or is the example's context."""
    passage = _words(text)
    context = _words(example.context or "")
    if context.strip() and (context in passage or passage in context):
        return True
    return not is_short(example) and _words(example.answer) in passage


def _words(text: str) -> str:
    """Return a text's words with a space around each, so that only whole words match."""
    words = re.findall(r"[^\W_]+(?:[_.-][^\W_]+)*", text.casefold())
    return f" {' '.join(words)} "


def _as_passage(text: str, found: Sequence[Passage]) -> Passage:
    """Return a context as a passage, under what stands above the same text among the passages found."""
    content, words = text.encode(), _words(text)
    same = next((each for each in found if words in _words(each.text) or _words(each.text) in words), None)
    id_ = hashlib.sha256(content).hexdigest()
    heading, place = (same.heading, same.place) if same else ("", "")
    return Passage(id_, "example", 0, len(content), text, heading, place)
