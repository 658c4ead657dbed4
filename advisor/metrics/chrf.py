"""How many runs of characters an answer shares with the right one: chrF (Popović, 2015), by the package sacrebleu.

Case, marks and line ends within words count, which is what code and a style of writing are made of.
"""

from __future__ import annotations

from collections.abc import Sequence

from advisor.metrics.outputs import Output, scored

__all__ = ["ChrF"]


class ChrF:
    """chrF of each answer, as a share: runs of 1 to 6 characters, recall counting twice as much as precision.

    >>> ChrF().scores([Output("SELECT 1;", "SELECT 1;"), Output("", "SELECT 1;")])
    [1.0, 0.0]
    """

    name = "chrf"
    title = "chrF"

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return chrF for each output with a right answer."""
        from sacrebleu.metrics.chrf import CHRF

        chrf = CHRF()
        return scored(outputs, lambda said, right: min(1.0, chrf.sentence_score(said, [right]).score / 100))
