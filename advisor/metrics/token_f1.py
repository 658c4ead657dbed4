"""How many words an answer shares with the right one: the F1 of SQuAD (Rajpurkar et al., 2016), over our own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from advisor.metrics.outputs import Output, scored
from advisor.metrics.words import words

__all__ = ["TokenF1"]


class TokenF1:
    """The harmonic mean of the shares of words that an answer has from the right one, and of it.

    SQuAD's script cuts at white space and drops all marks, so that 5.5 is 55 and other scripts are one word; here words
    are as `advisor.metrics.words` has them.

    >>> TokenF1().scores([Output("It is ten seconds.", "ten seconds")])
    [0.6666666666666666]
    """

    name = "token_f1"
    title = "token F1"

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return the F1 for each output with a right answer."""
        return scored(outputs, _f1)


def _f1(said: str, right: str) -> float:
    answered, wanted = Counter(words(said)), Counter(words(right))
    both = (answered & wanted).total()
    return 2 * both / (answered.total() + wanted.total()) if both else 0.0
