"""Numbers of a report in words."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from advisor.trials.report import axes, markdown, markup, wording
from advisor.trials.report.wording import interval_text, model_name, percent, points_interval, points_text
from advisor.trials.results import Figure


@pytest.mark.parametrize("module", [axes, markdown, markup, wording], ids=lambda each: each.__name__)
def test_examples_hold(module: ModuleType) -> None:
    """What the docstrings show is what comes out."""
    outcome = doctest.testmod(module)
    assert outcome.attempted
    assert not outcome.failed


@pytest.mark.parametrize(("count", "shown"), [(100, "83%"), (999, "83%"), (1_000, "83.5%")])
def test_tenths_are_told_where_enough_was_asked(count: int, shown: str) -> None:
    """A tenth of a point of a hundred answers is noise."""
    assert percent(0.8349, count) == shown


def test_an_interval_that_is_a_point_is_none() -> None:
    """A figure without an interval has its value at both ends."""
    bare = Figure(0.5, 0.5, 0.5, 10)
    assert (interval_text(bare), points_interval(bare)) == ("", "")


@pytest.mark.parametrize("points", [0.0, -0.0, 0.4, -0.4])
def test_what_rounds_to_nothing_has_no_sign(points: float) -> None:
    """Minus nothing would look like a difference."""
    assert points_text(points) == "0 points"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("wheel:m==1.0#path=m/Model-135M.gguf@sha256:04b1", "Model-135M.gguf"),
        ("wheel:m==1.0#path=m/model&sha256=04b1", "model"),
        ("hf:owner/model@main", "owner/model"),
        ("/srv/models/small", "/srv/models/small"),
        ("openai:http://host:8000/v1#gpt", "openai:http://host:8000/v1#gpt"),
    ],
)
def test_a_model_is_called_by_its_name(model: str, expected: str) -> None:
    """Without what fixes its files, which the method tells."""
    assert model_name(model) == expected
