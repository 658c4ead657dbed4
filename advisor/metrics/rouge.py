"""How much of the right answer an answer says in its order: ROUGE-L (Lin, 2004), by the package rouge-score."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.metrics.outputs import Output, scored
from advisor.metrics.words import words

__all__ = ["RougeL"]


class RougeL:
    """The F-measure of the longest common subsequence of words.

    The package's own words are a-z and 0-9, so that an answer in another script would score 0 always.

    >>> RougeL().scores([Output("red green blue", "red blue")])
    [0.8]
    """

    name = "rouge_l"
    title = "ROUGE-L"

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return the F-measure for each output with a right answer."""
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer(["rougeL"], tokenizer=_Words())
        return scored(outputs, lambda said, right: float(scorer.score(right, said)["rougeL"].fmeasure))


class _Words:
    """What the package calls a tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)
