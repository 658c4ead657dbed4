"""How near an answer is to the right one in meaning, by an embedder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from advisor.metrics.outputs import Output

__all__ = ["Embed", "Similarity"]

Embed = Callable[[Sequence[str]], npt.NDArray[Any]]
"""Returns one row for each text, in order, such as `Embedder.embed` of the backends."""


class Similarity:
    """The cosine of the answer's vector and the right answer's, 0 where it is below.

    It tells what is nearer, not what is right: a text about the same thing that says the contrary is near too.

    Args:
        embed: The embedder; called once with all texts that are to be compared.
    """

    name = "similarity"
    title = "similarity in meaning"

    def __init__(self, embed: Embed) -> None:
        self._embed = embed

    def scores(self, outputs: Sequence[Output]) -> list[float | None]:
        """Return the cosine for each output with a right answer; 0 for an empty one and for one that abstains."""
        pairs = {
            place: (each.said, each.right or "")
            for place, each in enumerate(outputs)
            if each.answerable and each.said.strip() and not each.abstains
        }
        texts = list(dict.fromkeys(text for pair in pairs.values() for text in pair))
        rows = dict(zip(texts, _unit(self._embed(texts)), strict=True)) if texts else {}
        cosines = {
            place: float(np.clip(rows[said] @ rows[right], 0, 1)) for place, (said, right) in pairs.items()
        }
        return [cosines.get(place, 0.0) if each.answerable else None for place, each in enumerate(outputs)]


def _unit(rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return vectors of length 1; one of length 0 stays."""
    vectors = np.asarray(rows, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: npt.NDArray[np.float64] = vectors / np.where(lengths == 0, 1.0, lengths)
    return scaled
