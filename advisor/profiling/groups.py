"""Examples that are one and the same but for their wording, in groups, so that none is on both sides of a split.

Questions are the same where they say the same (`advisor.profiling.wording`), where long ones share four fifths of what
tells them, or where an embedder finds them alike; never where a number, a negation, a name, an opposite or the order
of what they name tells them apart. What does not depend on the order of the examples: the groups as sets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from advisor.profiling.shingles import alike, jaccard, runs, sketch, telling
from advisor.profiling.wording import Wording, conflict, plain, turned, wordings
from backends.base import Example

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Embed", "groups", "same_texts"]

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Turns texts into rows of length 1, as `backends.retrieval.embedding.Embedder.embed` does."""

LIKENESS = 0.8
"""Jaccard index from which on long texts are one."""
SIMILARITY = 0.95
"""Cosine from which on texts are one, where nothing that matters tells them apart."""
_LONG = 20
"""Words; shorter texts that differ in one word may differ in what matters."""
_FEWEST_RUNS = 8
"""Runs that few other texts share; with fewer, what two texts share is an instruction."""
_COMMON, _COMMON_SHARE = 20, 0.005
"""Texts, and their share of all, from which on what they have in common tells none of them."""
_NEIGHBOURS = 20
"""Nearest texts that a text is compared with."""
_ROWS = 512


def groups(
    examples: Sequence[Example],
    *,
    embed: Embed | None = None,
    by_context: bool = False,
    similarity: float = SIMILARITY,
) -> list[int]:
    """Return the number of the group that each example is in, from 0 in the order in which groups begin.

    The same question over another context is another example where its answers differ: then it is
    an instruction, and the context is what is asked about.

    Args:
        examples: Questions with their right answers.
        embed: An embedder, to find what is said in other words as well.
        by_context: Whether examples that rest on the same context are one group as well.
        similarity: Cosine of the embedder's vectors from which on questions are one.
    """
    questions = same_texts([each.question for each in examples], embed=embed, similarity=similarity)
    joined = _Joined(len(examples))
    for members in _by(questions, range(len(examples))):
        for same in _same_examples(members, examples):
            joined.chain(same)
    if by_context:
        contexts = [plain(each.context) if each.context else "" for each in examples]
        known = [index for index, context in enumerate(contexts) if context]
        for members in _by([contexts[index] for index in known], known):
            joined.chain(members)
    return joined.numbers()


def same_texts(
    texts: Sequence[str], *, embed: Embed | None = None, similarity: float = SIMILARITY
) -> list[int]:
    """Return the number of the class of same texts that each is in, from 0 in the order in which they begin."""
    exact = [plain(text) for text in texts]
    # What is the same but for case and signs is looked at once; sorted, since the order must not matter.
    first: dict[str, str] = {}
    for key, text in sorted(zip(exact, texts, strict=True)):
        first.setdefault(key, text)
    told = wordings(list(first.values()))
    joined = _Joined(len(first))
    for members in _by([turned(each.words) for each in told], range(len(told))):
        joined.chain(members)
    for one, other in _alike_long(told):
        joined.join(one, other)
    if embed is not None and len(first) > 1:
        for one, other in _alike_by_meaning(told, embed(list(first.values())), similarity):
            joined.join(one, other)
    classes = dict(zip(first, joined.numbers(), strict=True))
    return _numbered(classes[key] for key in exact)


class _Joined:
    """Sets of the numbers below a bound, joined pair by pair."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, index: int) -> int:
        """Return what stands for the set of a number: the smallest one in it."""
        while self._parents[index] != index:
            self._parents[index] = self._parents[self._parents[index]]
            index = self._parents[index]
        return index

    def join(self, one: int, other: int) -> None:
        """Make one set of those of two numbers."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low

    def chain(self, members: Sequence[int]) -> None:
        """Make one set of those of several numbers."""
        for one, other in pairwise(members):
            self.join(one, other)

    def numbers(self) -> list[int]:
        """Return the number of the set of each."""
        return _numbered(map(self.root, range(len(self._parents))))


def _numbered(keys: Iterable[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _by(keys: Iterable[Hashable], members: Iterable[int]) -> list[list[int]]:
    """Return the members by their keys, those alone left out."""
    found: defaultdict[Hashable, list[int]] = defaultdict(list)
    for key, member in zip(keys, members, strict=True):
        found[key].append(member)
    return [each for each in found.values() if len(each) > 1]


def _same_examples(members: Sequence[int], examples: Sequence[Example]) -> Iterator[Sequence[int]]:
    """Yield those of examples with the same question that are the same example."""
    answers = {plain(examples[index].answer) for index in members}
    contexts = [plain(examples[index].context or "") for index in members]
    if len(answers) == 1 or not all(contexts):
        yield members
    else:
        yield from _by(same_texts(contexts), members)


def _alike_long(told: Sequence[Wording]) -> Iterator[tuple[int, int]]:
    """Yield pairs of long texts that share most of their words."""
    long = [index for index, each in enumerate(told) if len(each.words) >= _LONG]
    whole = [runs(told[index].words) for index in long]
    own = telling(whole, _most_common(len(told)))
    for first, second in alike([sketch(hashes) for hashes in whole]):
        if jaccard(whole[first], whole[second]) >= LIKENESS:
            one, other = told[long[first]], told[long[second]]
            alike_alone = _are_one_text(own[first], own[second]) or _scattered(one.words, other.words)
            if alike_alone and not conflict(one, other):
                yield long[first], long[second]


def _are_one_text(one: frozenset[int], other: frozenset[int]) -> bool:
    """Return whether two texts share what few others have."""
    return min(len(one), len(other)) >= _FEWEST_RUNS and jaccard(one, other) >= LIKENESS


def _scattered(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two texts differ here and there: not in one place, as instructions filled in do."""
    start = _shared(one, other)
    one, other = one[start:], other[start:]
    end = _shared(one[::-1], other[::-1])
    one, other = one[: len(one) - end], other[: len(other) - end]
    return jaccard(runs(one), runs(other)) >= LIKENESS


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """Return with how many same words two texts begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _alike_by_meaning(
    told: Sequence[Wording], vectors: NDArray[np.float32], similarity: float
) -> Iterator[tuple[int, int]]:
    """Yield pairs of texts whose vectors are alike, and that nothing tells apart."""
    import numpy as np

    most = _most_common(len(told))
    counts: defaultdict[str, int] = defaultdict(int)
    for each in told:
        for word in set(each.words):
            counts[word] += 1
    rare = [frozenset(word for word in each.words if counts[word] <= most) for each in told]
    nearest = min(_NEIGHBOURS + 1, len(told))
    for start in range(0, len(told), _ROWS):
        cosines = vectors[start : start + _ROWS] @ vectors.T
        best = np.argpartition(-cosines, nearest - 1, axis=1)[:, :nearest]
        for row, others in enumerate(best):
            one = start + row
            for other in map(int, others):
                if other == one or cosines[row, other] < similarity:
                    continue
                shared = not rare[one] or not rare[other] or rare[one] & rare[other]
                if shared and not conflict(told[one], told[other]):
                    yield one, other


def _most_common(texts: int) -> int:
    return max(_COMMON, int(texts * _COMMON_SHARE))
