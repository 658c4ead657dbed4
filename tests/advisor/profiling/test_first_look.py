"""A first look at examples: what it tells without a model."""

from __future__ import annotations

from advisor.profiling.first_look import first_look
from backends.base import Example


def test_labels_are_seen() -> None:
    """Their number, the form and the task."""
    examples = [Example(f"Card {n} was swallowed", ("stuck", "lost", "late")[n % 3]) for n in range(60)]
    facts = first_look(examples).facts
    assert (facts["output_form"], facts["task"], facts["label_count"]) == ("LABEL", "CLASSIFICATION", 3)
    assert facts["examples_include_context"] is False


def test_tokens_are_told_to_be_about() -> None:
    """Four bytes each, whatever the script."""
    found = first_look([Example("abcdefgh", "äöüß", "é" * 40), Example("abcdefgh", "abcd")])
    tokens = {each.name: each.value for each in found.measurements if each.name.endswith("_tokens")}
    assert (tokens["context_tokens"], tokens["passage_tokens"]) == (2, 20)
    assert all(
        "4 bytes a token" in each.method for each in found.measurements if each.name.endswith("_tokens")
    )


def test_of_nothing_nothing_is_told() -> None:
    """No examples, no facts."""
    assert first_look([]).measurements == ()
