"""Examples in a row that share their beginning: it is read once, forward and backward, for all of them.

Examples of a use case begin with the same instructions, which are most of a
short one's tokens. The gradients are those of each example read by itself, to
rounding: what a token attends to is the same, at the same positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch.nn.functional import scaled_dot_product_attention

__all__ = ["Encoded", "Row", "pieces"]


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example in tokens, of which the first `prompt` are not learned."""

    tokens: tuple[int, ...]
    prompt: int


def pieces(examples: Sequence[Encoded], most: int) -> Iterator[tuple[Encoded, ...]]:
    """Cut examples, longest first, into pieces that are read at a time.

    Args:
        examples: What to cut.
        most: Tokens of a piece, what its examples share counted once. An example that is longer is a
            piece of its own.
    """
    shared = _shared(examples)
    piece: list[Encoded] = []
    tokens = shared
    for example in sorted(examples, key=lambda example: len(example.tokens), reverse=True):
        rest = len(example.tokens) - shared
        if piece and tokens + rest > most:
            yield tuple(piece)
            piece, tokens = [], shared
        piece.append(example)
        tokens += rest
    if piece:
        yield tuple(piece)


class Row:
    """The tokens of some examples: what they share, then what each has after it.

    Attributes:
        tokens: Shape (tokens).
        positions: Of each token in its own example; shape (tokens).
        predicting: Whether the token after it is to be learned; shape (tokens).
        wanted: The tokens to be learned, as `predicting` has them; shape (learned).
        part: How the tokens attend.
    """

    def __init__(self, examples: Sequence[Encoded]) -> None:
        shared = _shared(examples)
        rests = [example.tokens[shared:] for example in examples]
        beginning = examples[0].tokens[:shared]
        self.tokens = torch.tensor([*beginning, *(token for rest in rests for token in rest)])
        self.positions = torch.cat(
            [torch.arange(shared), *(shared + torch.arange(len(rest)) for rest in rests)]
        )
        # A token predicts the one after it: the last of the prompt, the first of the completion.
        self.predicting = torch.zeros(len(self.tokens), dtype=torch.bool)
        end = shared
        for example, rest in zip(examples, rests, strict=True):
            start, end = end, end + len(rest)
            self.predicting[start + example.prompt - 1 - shared : end - 1] = True
        self.wanted = torch.tensor([token for each in examples for token in each.tokens[each.prompt :]])
        self.part = _Sharing(shared, [len(rest) for rest in rests])


class _Sharing:
    """Examples after what they share; implements `backends.generation.attention.Part`.

    Args:
        shared: Tokens that they share.
        lengths: Tokens of each after those.
    """

    def __init__(self, shared: int, lengths: Sequence[int]) -> None:
        self.count = shared + sum(lengths)
        self._shared = shared
        self._rows, width = len(lengths), max(lengths)
        # In a row for each example, padding stands on the right, where no token looks.
        self._places = (torch.arange(width) < torch.tensor(lengths)[:, None]).flatten().nonzero().flatten()
        self._mask = torch.ones(width, shared + width, dtype=torch.bool).tril(shared)

    def attend(
        self, _layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None
    ) -> torch.Tensor:
        """Attend to what is shared and to the example's own tokens, as `Part.attend` says."""
        shared = self._shared
        first_query, first_key, first_value = (
            each[:shared].transpose(0, 1)[None] for each in (query, key, value)
        )
        queries, keys, values = (self._spread(each[shared:]) for each in (query, key, value))
        attended = scaled_dot_product_attention(
            queries,
            torch.cat([first_key.expand(self._rows, -1, -1, -1), keys], dim=2),
            torch.cat([first_value.expand(self._rows, -1, -1, -1), values], dim=2),
            attn_mask=self._mask,
            scale=scaling,
            enable_gqa=True,
        )
        own = attended.transpose(1, 2).flatten(0, 1).index_select(0, self._places)
        if not shared:
            return own
        first = scaled_dot_product_attention(
            first_query, first_key, first_value, is_causal=True, scale=scaling, enable_gqa=True
        )
        return torch.cat([first[0].transpose(0, 1), own])

    def _spread(self, values: torch.Tensor) -> torch.Tensor:
        """Return values of the examples' own tokens, of shape (tokens, heads, size), as (rows, heads, width, size)."""
        heads, size = values.shape[1:]
        spread = values.new_zeros(self._rows * len(self._mask), heads, size)
        return spread.index_copy(0, self._places, values).view(self._rows, -1, heads, size).transpose(1, 2)


def _shared(examples: Sequence[Encoded]) -> int:
    """Return how many first tokens examples share, all of them before the last of a prompt: that one predicts."""
    most = min(example.prompt for example in examples) - 1
    columns = zip(*(example.tokens[:most] for example in examples), strict=True)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
