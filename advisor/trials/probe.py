"""A small probe of what a base model knows and can do beside any task, to tell what a tuned one has forgotten of it."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.metrics.holds import Holds
from advisor.metrics.outputs import Output
from advisor.metrics.proportions import wilson
from advisor.trials.results import Figure

__all__ = ["PROBE", "PROBE_TOKENS", "forgotten", "right_of"]

PROBE: tuple[tuple[str, str], ...] = (
    ("What is the capital of France?", "Paris"),
    ("What is the capital of Japan?", "Tokyo"),
    ("What is the capital of Italy?", "Rome"),
    ("Which planet do we live on?", "Earth"),
    ("Which planet is known as the Red Planet?", "Mars"),
    ("Which day comes after Monday?", "Tuesday"),
    ("Which month comes after April?", "May"),
    ("How many days does a week have?", "seven"),
    ("How many months does a year have?", "12"),
    ("What is 2 + 3?", "5"),
    ("What is 10 - 4?", "6"),
    ("What colour does a clear sky have by day?", "blue"),
    ("What colour is fresh grass?", "green"),
    ("What is the opposite of hot?", "cold"),
    ("What is the opposite of up?", "down"),
    ("What is the plural of mouse, the animal?", "mice"),
    ("Which animal barks?", "dog"),
    ("Which animal says meow?", "cat"),
    ("What is frozen water called?", "ice"),
    ("What do bees make?", "honey"),
    ("Which organ pumps blood through the body?", "heart"),
    ("What gas do people need to breathe?", "oxygen"),
    ("Who wrote the play Romeo and Juliet?", "Shakespeare"),
    ("On which continent is Egypt?", "Africa"),
    ("On which continent is China?", "Asia"),
    ("Which ocean lies between Europe and America?", "Atlantic"),
    ("How many legs does a spider have?", "8"),
    ("What is the Spanish word for yes?", "sí"),
    ("Which language is spoken in Germany?", "German"),
    ("What is the chemical formula of water?", "H2O"),
    ("Which metal is attracted by a magnet?", "iron"),
    ("What is the currency of the United States?", "dollar"),
)
"""Questions of common knowledge, each with a word that a right answer holds."""
PROBE_TOKENS = 24
_LEAST_RIGHT = 8
"""Of the probe; of a base model that answers fewer it cannot be told what was forgotten."""


def right_of(answers: Sequence[str]) -> list[bool]:
    """Return which answers to the probe are right, in its order."""
    outputs = [
        Output(text, right, question=question) for text, (question, right) in zip(answers, PROBE, strict=True)
    ]
    return [bool(score) for score in Holds().scores(outputs)]


def forgotten(base: Sequence[bool], tuned: Sequence[bool]) -> Figure | None:
    """Return the share of what the base model answers right that the tuned one does not; None where that is too little.

    Args:
        base: Which answers of the base model are right.
        tuned: Which of the tuned one.
    """
    known = [after for before, after in zip(base, tuned, strict=True) if before]
    if len(known) < _LEAST_RIGHT:
        return None
    lost = len(known) - sum(known)
    return Figure(lost / len(known), *wilson(lost, len(known)), len(known))
