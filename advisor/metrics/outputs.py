"""Answers beside what is right, and what every metric is.

A metric looks at all outputs of an arm and scores each of them: 1 at best, 0 at worst, None where there is nothing to
score, which is never 0. Nearly all ask how near an answer is to the right one; `scored` says what holds for them
alike: a question without a right answer is not theirs, and whoever says that there is no answer is wrong where there
is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from advisor.metrics.refusals import is_refusal
from advisor.metrics.words import normalised

__all__ = ["Metric", "Output", "scored"]

_MARK = re.compile(r"\s*\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class Output:
    """An answer beside what is right.

    Attributes:
        text: The answer, as it was given.
        right: The right answer; None or blank where the question has none.
        refused: Whether it was given as saying that there is no answer.
        complete: Whether it ended by itself; False where the limit of tokens cut it.
        cited: Texts of the passages that it cites.
        context: The gold passage, which the right answer rests on; None where not known.
        question: What was asked: what it says itself contradicts nothing; empty where not known.
    """

    text: str
    right: str | None
    refused: bool = False
    complete: bool = True
    cited: tuple[str, ...] = ()
    context: str | None = None
    question: str = ""

    @property
    def answerable(self) -> bool:
        """Whether there is a right answer."""
        return bool(self.right and self.right.strip())

    @property
    def said(self) -> str:
        """The answer without the marks, such as [2], of the passages that it cites."""
        return _MARK.sub("", self.text) if self.cited else self.text

    @property
    def abstains(self) -> bool:
        """Whether it says that there is no answer, unless just that is the right one."""
        if self.answerable and normalised(self.said) == normalised(self.right or ""):
            return False
        return self.refused or is_refusal(self.said)


class Metric(Protocol):
    """A measure of answers."""

    @property
    def name(self) -> str:
        """What users and files call it."""
        ...

    @property
    def title(self) -> str:
        """What reports call it."""
        ...

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return a score for each output, in order: 0 to 1, None where it is not scored.

        Args:
            outputs: Those of an arm, all of them: some metrics look at what the others say.
        """
        ...


def scored(outputs: Sequence[Output], score: Callable[[str, str], float]) -> list[float | None]:
    """Return the score of each answer that has a right one beside it, 0 where it says that there is none.

    Args:
        outputs: What to score.
        score: Takes the answer and the right answer.
    """
    return [_score(each, score) if each.answerable else None for each in outputs]


def _score(output: Output, score: Callable[[str, str], float]) -> float:
    return 0.0 if output.abstains else score(output.said, output.right or "")
