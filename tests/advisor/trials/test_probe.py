"""The general probe: what is right, and what was forgotten."""

from __future__ import annotations

from advisor.trials.probe import PROBE, forgotten, right_of


def test_an_answer_that_holds_the_word_is_right() -> None:
    """In a sentence too; another is not, and every question has its own."""
    said = [f"It is {right}, I think." for _, right in PROBE]
    assert right_of(said) == [True] * len(PROBE)
    assert right_of(["I do not know."] * len(PROBE)) == [False] * len(PROBE)
    assert len({question for question, _ in PROBE}) == len(PROBE)


def test_what_was_known_and_is_not_any_more_is_forgotten() -> None:
    """With its interval; what the base model did not know does not count."""
    found = forgotten([True] * 10 + [False] * 5, [True] * 7 + [False] * 3 + [True] * 5)
    assert found is not None
    assert (found.value, found.count) == (0.3, 10)
    assert found.low < 0.3 < found.high


def test_of_a_model_that_knows_little_nothing_is_told() -> None:
    """Seven of the probe are too few."""
    assert forgotten([True] * 7 + [False] * 8, [False] * 15) is None
