"""Which examples are held out: whole groups, so that nothing measured on was trained on."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

from advisor.profiling.wording import plain
from backends.base import Example
from backends.counts import counted

__all__ = ["split"]


def split(
    examples: Sequence[Example], groups: Sequence[int], held_out: int, seed: int, *, by_answer: bool = False
) -> tuple[int, ...]:
    """Return the places of the examples to hold out, in order.

    As many as whole groups allow, `held_out` at most. The same examples are chosen whatever order they come in.

    Args:
        examples: All examples.
        groups: The number of the group of each, as `advisor.profiling.groups.groups` tells them.
        held_out: How many to hold out, at least 1 and fewer than there are.
        seed: Chooses which.
        by_answer: Whether answers are labels, which are to be held out in the shares that they have. The last group
            that has a label is held out only where the number cannot be reached otherwise.

    Raises:
        ValueError: `held_out` is out of bounds, or `groups` is not as long as `examples`.
    """
    if not 1 <= held_out < len(examples):
        raise ValueError(
            f"held_out is {held_out}; of {counted(len(examples), 'example')} hold out 1 to {len(examples) - 1}, "
            "so that some are left to train on"
        )
    if len(groups) != len(examples):
        raise ValueError(
            f"groups has {len(groups)} numbers; give one for each of {counted(len(examples), 'example')}"
        )
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place, number in enumerate(groups):
        members[number].append(place)
    shuffled = sorted(members.values(), key=lambda places: _key(places, examples, seed))
    if by_answer:
        labels = [plain(each.answer) for each in examples]
        shuffled = _stratified(shuffled, labels, held_out)
    return tuple(sorted(place for places in _fitting(shuffled, held_out) for place in places))


def _key(places: Sequence[int], examples: Sequence[Example], seed: int) -> bytes:
    """Return what a group is sorted by: a hash of the seed and of what is in it."""
    told = sorted(
        "\0".join((examples[at].question, examples[at].answer, examples[at].context or "")) for at in places
    )
    return hashlib.sha256("\0".join((str(seed), *told)).encode(errors="surrogatepass")).digest()


def _stratified(shuffled: Sequence[list[int]], labels: Sequence[str], held_out: int) -> list[list[int]]:
    """Return the groups with those first that together hold each label in its share."""
    left = _quotas(labels, held_out)
    has_label = Counter(label for places in shuffled for label in {labels[at] for at in places})
    first, later, last = [], [], []
    for places in shuffled:
        own = Counter(labels[at] for at in places)
        if any(has_label[label] == 1 for label in own):
            last.append(places)
        elif all(left[label] >= number for label, number in own.items()):
            left.subtract(own)
            has_label.subtract(own.keys())
            first.append(places)
        else:
            later.append(places)
    return [*first, *later, *last]


def _quotas(labels: Sequence[str], held_out: int) -> Counter[str]:
    """Return how many of each label to hold out: by largest remainders, ties by the label's hash."""
    counts = Counter(labels)
    exact = {label: held_out * number / len(labels) for label, number in counts.items()}
    quotas = Counter({label: int(share) for label, share in exact.items()})
    by_remainder = sorted(
        exact, key=lambda label: (int(exact[label]) - exact[label], hashlib.sha256(label.encode()).digest())
    )
    quotas.update(by_remainder[: held_out - quotas.total()])
    return quotas


def _fitting(ordered: Sequence[list[int]], most: int) -> list[list[int]]:
    """Return groups whose sizes add up to as many as can be, but no more; of equal choices, those that come first.

    Sums that the groups from each place on can reach are the bits of a number.
    """
    bound = (1 << (most + 1)) - 1
    reachable = [1]
    for places in reversed(ordered):
        reachable.append((reachable[-1] | reachable[-1] << len(places)) & bound)
    wanted = reachable[-1].bit_length() - 1
    chosen = []
    for place, places in enumerate(ordered):
        rest = wanted - len(places)
        if rest >= 0 and reachable[len(ordered) - place - 1] >> rest & 1:
            chosen.append(places)
            wanted = rest
    return chosen
