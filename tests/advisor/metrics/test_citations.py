"""Whether what is cited holds the answer."""

from __future__ import annotations

import pytest

from advisor.metrics.citations import Citations
from advisor.metrics.outputs import Output

LONG = "one two three four five six seven eight nine"


@pytest.mark.parametrize(
    ("right", "cited", "context", "score"),
    [
        ("5", ("other", "The default is 5."), None, 1.0),
        ("5", ("The default is 15.",), None, 0.0),
        ("5", (), None, 0.0),
        ("no", ("It is no longer so.",), None, 0.0),
        (
            "no",
            ("A restart is not required.",),
            "A restart is  not\nrequired.",
            1.0,
        ),  # holds the gold passage
        ("no", ("restart is not",), "A restart is not required.", 1.0),  # lies in it
        ("no", ("",), "A restart is not required.", 0.0),
        (LONG, ("other words",), None, None),  # nobody can tell
        (LONG, (f"gold: {LONG}",), LONG, 1.0),
        (LONG, ("other words",), LONG, 0.0),
        (None, ("5",), None, None),
    ],
)
def test_a_citation_must_hold_the_answer(right, cited, context, score) -> None:
    """By the gold passage where it is known, or by the words of a short answer."""
    rest = Output("5", "5", cited=("5",))  # an arm that cites
    assert Citations().scores([Output("5", right, cited=cited, context=context), rest]) == [score, 1.0]


def test_an_arm_that_cites_nothing_is_not_scored() -> None:
    """Without retrieval nothing could be cited."""
    assert Citations().scores([Output("5", "5"), Output("6", "5", context="5")]) == [None, None]


def test_who_abstains_cites_nothing() -> None:
    """That costs an answer, not a citation."""
    outputs = [Output("5", "5", cited=("5",)), Output("The documents do not say.", "5", refused=True)]
    assert Citations().scores(outputs) == [1.0, None]
