"""Questions that examples answer in different ways."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from advisor.profiling.answers import unfenced
from advisor.profiling.wording import conflict, plain, wordings
from backends.base import Example

__all__ = ["Disagreement", "disagreements"]

_FEW_WORDS = 3
"""Words of an answer that says one thing; another one says another."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A question with more than one answer.

    Attributes:
        examples: The places of the examples that ask it, in order.
        is_contradiction: Whether no two of its answers can be right; else they may say the same in other words.
    """

    examples: tuple[int, ...]
    is_contradiction: bool


def disagreements(
    examples: Sequence[Example], groups: Sequence[int], form: str | None = None
) -> list[Disagreement]:
    """Return the questions that have more than one answer, in the order of their first example.

    Labels, structured answers and short ones contradict each other where they differ; texts where a number, a
    negation or an opposite does.

    Args:
        examples: Questions with their answers.
        groups: The number of the group of each: the same question, in whatever words.
        form: The output form, where it is known.
    """
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place, number in enumerate(groups):
        members[number].append(place)
    found = []
    for places in members.values():
        answers = {_told(examples[at].answer): examples[at].answer for at in places}
        if len(answers) > 1:
            is_contradiction = form in ("LABEL", "STRUCTURED") or _contradict(list(answers.values()))
            found.append(Disagreement(tuple(places), is_contradiction))
    return found


def _told(answer: str) -> str:
    """Return what is the same for answers that are; of JSON whatever the order of its keys."""
    try:
        value = json.loads(unfenced(answer))
    except (ValueError, RecursionError):
        return plain(answer)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else plain(answer)


def _contradict(answers: Sequence[str]) -> bool:
    """Return whether any answer says another thing than the first."""
    first, *others = wordings(answers)
    for other in others:
        if len(first.words) <= _FEW_WORDS or len(other.words) <= _FEW_WORDS:
            if not set(first.words) & set(other.words) or conflict(first, other):
                return True
        elif conflict(first, other) in ("number", "negation", "opposite"):
            return True
    return False
