"""Whether an answer holds the right one, says nothing against it, and is short enough to be an answer.

The rule by which retrieval is measured (`docs/retrieval.md`), for any question whose right answer is short.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from advisor.metrics.outputs import Output
from advisor.metrics.values import is_denied, quantity_at, said_at, stands, value_of, written_at
from advisor.metrics.words import Word, count_words, normalised, spoken
from backends.retrieval.words import is_name

__all__ = ["Holds"]

_MOST_WORDS = 40
_TIMES = 3
_WORDS_OF_QUANTITY = 2  # the number, and what it counts
_LONGEST_OF_SET = 5  # words; longer right answers are no values of a set
_OPPOSITES = (("yes", "no"), ("true", "false"), ("on", "off"), ("enabled", "disabled"))
_MARKS = re.compile(r"^\s*\(?\d{1,2}[.)]\s+(?=\S)|\[\d{1,3}\]", re.MULTILINE)

Value = tuple[Word, ...]


class Holds:
    """1 where an answer holds the right one, contradicts it nowhere and has at most 40 words, or 3 for each right one.

    Where the right one stands is told by `advisor.metrics.values`. It is contradicted by another value that the answer
    does not deny ("not 6") and the question does not name:

    * by yes where no is right; true and false, on and off, enabled and disabled likewise;
    * by another number where a number is right, unless that counts something else or is the same amount;
    * by another value of the set: those handed in, and of the right answers to other questions the names where a name
      is right, such as `max_connections`, and those that are right more than once where such a one is right.

    Args:
        candidates: Values that the right answers are chosen from, where they are.

    >>> Holds().scores([Output("No more than 5.", "5"), Output("15", "5"), Output("It is 5 or 6.", "5")])
    [1.0, 0.0, 0.0]
    """

    name = "holds"
    title = "holds the right answer"

    def __init__(self, candidates: Iterable[str] = ()) -> None:
        self._candidates = tuple(candidates)

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return 1 or 0 for each output with a right answer."""
        values = _Values.of(outputs, self._candidates)
        return [float(_holds(each, values)) if each.answerable else None for each in outputs]


@dataclass(frozen=True, slots=True)
class _Values:
    """Right answers that are values of a set.

    Attributes:
        candidates: Those handed in.
        names: Those that name a thing.
        recurring: Those that are right more than once.
    """

    candidates: frozenset[Value]
    names: frozenset[Value]
    recurring: frozenset[Value]

    @classmethod
    def of(cls, outputs: Sequence[Output], candidates: Iterable[str]) -> _Values:
        """Return what is found among the right answers."""
        counts = Counter(normalised(each.right or "") for each in outputs if each.answerable)
        rights = {normalised(each.right or ""): each.right or "" for each in outputs if each.answerable}
        recurring = (value_of(rights[key]) for key, count in counts.items() if count > 1)
        return cls(
            frozenset(filter(None, map(value_of, candidates))),
            frozenset(value_of(right) for right in rights.values() if _names(right)),
            frozenset(value for value in recurring if len(value) <= _LONGEST_OF_SET),
        )

    def against(self, right: Value, text: Sequence[Word], question: Sequence[Word]) -> Iterator[Value]:
        """Yield what would contradict a right answer, and is in a text but not in the question."""
        for words in _OPPOSITES:
            if len(right) == 1 and right[0].text in words:
                yield from (value_of(word) for word in words if word != right[0].text)
        present = {form for word in text for form in (word.text, word.meaning)}
        sets = (self.candidates, *(each for each in (self.names, self.recurring) if right in each))
        for value in chain(*sets):
            is_there = value[0].text in present or value[0].meaning in present
            if not is_there or value[0].is_number or _same(value, right) or written_at(value, question):
                continue
            yield value


def _names(right: str) -> bool:
    value = value_of(right)
    return len(value) == 1 and is_name(right.strip()) and not value[0].is_number


def _same(one: Value, other: Value) -> bool:
    return len(one) == len(other) and all(a.says(b) for a, b in zip(one, other, strict=True))


def _holds(output: Output, values: _Values) -> bool:
    right, said = output.right or "", output.said
    if output.abstains or count_words(said) > max(_MOST_WORDS, _TIMES * count_words(right)):
        return False
    if not re.search(r"[^\W_]", right):
        return stands(right, said)
    value, text, question = value_of(right), spoken(said), spoken(output.question)
    rivals = list(values.against(value, text, question))
    # Numbers of a list and marks of passages say nothing, unless the right one is such a number.
    return any(_says(value, each, rivals, question) for each in (spoken(_MARKS.sub("", said)), text))


def _says(value: Value, text: Sequence[Word], rivals: Sequence[Value], question: Sequence[Word]) -> bool:
    """Return whether a text says a value, and nothing against it."""
    held = said_at(value, text)
    own = {index for place in written_at(value, text) for index in place}
    if not held or any(not own.issuperset(place) for rival in rivals for place in said_at(rival, text)):
        return False
    right = quantity_at(text, held[0].start) if len(value) <= _WORDS_OF_QUANTITY else None
    if right is None:
        return True
    others = (
        quantity_at(text, index)
        for index in range(len(text))
        if index not in own and not is_denied(text, index)
    )
    return not any(
        each.rivals(right) and not written_at(value_of(each.number), question) for each in others if each
    )
