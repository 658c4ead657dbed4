"""Loops: shown once, then ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.generation.repetition import LOOP_TOKENS, LoopBreaker


def shown(tokens: list[int]) -> tuple[list[int], bool]:
    """Return what a reader sees of tokens, and whether they were cut off as a loop."""
    breaker, seen = LoopBreaker(), []
    for token in tokens:
        seen += breaker.add(token)
        if breaker.looping:
            break
    return seen + breaker.finish(), breaker.looping


def test_a_sentence_said_again_is_cut_off_before_it_shows() -> None:
    """The first time is shown whole, the second not at all."""
    sentence = list(range(20))
    assert shown(sentence * 3) == (sentence, True)


def test_a_short_echo_is_no_loop() -> None:
    """Words may come back."""
    tokens = [*range(20), *range(LOOP_TOKENS - 1), 99]
    assert shown(tokens) == (tokens, False)


def test_a_single_token_for_ever_is_a_loop() -> None:
    """The shortest circle ends too."""
    seen, looping = shown([7] * 100)
    assert looping
    assert len(seen) < LOOP_TOKENS


@given(st.lists(st.integers(0, 3), max_size=60))
def test_nothing_is_lost_or_reordered(tokens: list[int]) -> None:
    """What is shown is the beginning of what was written, all of it where there is no loop."""
    seen, looping = shown(tokens)
    assert seen == tokens[: len(seen)]
    assert looping or seen == tokens
