"""Several rankings of passages to one."""

from __future__ import annotations

from collections.abc import Sequence

from backends.base import Hit, Passage

__all__ = ["fuse"]

_RANK_CONSTANT = 61
"""The 60 of the paper, which counts ranks from 1; here they count from 0."""


def fuse(rankings: Sequence[Sequence[Hit]], weights: Sequence[float], limit: int) -> tuple[Hit, ...]:
    """Join rankings by reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009).

    A passage scores `weight / (60 + rank)` in each ranking that has it, scaled so
    that 1 is the score of what all rank first.

    Args:
        rankings: Passages, best first; their own scores do not count.
        weights: One for each ranking, above 0.
        limit: Most passages to return.

    Returns:
        Passages, best first; of equals the one that came first.
    """
    total = sum(weights)
    passages: dict[str, Passage] = {}
    scores: dict[str, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, hit in enumerate(ranking):
            passage = passages.setdefault(hit.passage.id, hit.passage)
            share = weight / total * _RANK_CONSTANT / (_RANK_CONSTANT + rank)
            scores[passage.id] = scores.get(passage.id, 0.0) + share
    hits = (Hit(passage, scores[identity]) for identity, passage in passages.items())
    return tuple(sorted(hits, key=lambda hit: -hit.score)[:limit])
