"""Which metric is the quality of a trial, and metrics by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from advisor.errors import ConfigurationError, InvalidInput
from advisor.knowledge.facts import fact
from advisor.metrics import choosing
from advisor.metrics.choosing import METRICS, metric_named, primary_metric
from advisor.metrics.outputs import Output

SENTENCE = "The server waits for the standby until the timeout has passed, then it ends the connection."


@pytest.mark.parametrize(
    ("form", "rights", "name"),
    [
        ("LABEL", ["billing", "sales"], "accuracy"),
        ("STRUCTURED", ['{"a": 1}', "[1]", "not JSON"], "structured_equality"),
        ("STRUCTURED", ["a: 1", "b: 2"], "exact_match"),
        ("CODE", ["print(1)"], "chrf"),
        ("STYLE", [SENTENCE], "chrf"),
        ("FREE_TEXT", ["5", "60 seconds", SENTENCE], "holds"),
        ("FREE_TEXT", [SENTENCE, SENTENCE, "5"], "token_f1"),
        ("FREE_TEXT", [SENTENCE * 5], "rouge_l"),
        ("FREE_TEXT", ["東京"], "holds"),
        ("", ["5"], "holds"),
        ("FREE_TEXT", [None, "", "5"], "holds"),
        ("FREE_TEXT", [None, " "], "abstention"),
        ("LABEL", [], "abstention"),
    ],
)
def test_quality_by_form_and_length(form: str, rights: list[str | None], name: str) -> None:
    """What the output is, and how long right ones are, tells what to measure."""
    assert primary_metric(form, rights).name == name


@pytest.mark.parametrize("form", fact("output_form").choices)
def test_every_form_has_a_metric(form: str) -> None:
    """A form that is added to the facts needs one as well."""
    assert primary_metric(form, ["x"]).scores([Output("x", "x")])


def test_an_unknown_form_is_refused() -> None:
    """The error names those there are."""
    with pytest.raises(InvalidInput, match="'POEM' is none; give one of FREE_TEXT, LABEL"):
        primary_metric("POEM", ["x"])


def test_an_unknown_metric_is_refused() -> None:
    """The error names all."""
    with pytest.raises(InvalidInput, match="'bleu' is none") as caught:
        metric_named("bleu")
    assert all(name in str(caught.value) for name in METRICS)


def test_similarity_needs_an_embedder() -> None:
    """There is no model of its own."""
    with pytest.raises(InvalidInput, match="similarity needs an embedder"):
        metric_named("similarity")


def test_a_schema_is_handed_on() -> None:
    """Structure is checked by it."""
    outputs = [Output("1", "{}"), Output("{}", "{}")]
    assert metric_named("structure", schema='{"type": "object"}').scores(outputs) == [0.0, 1.0]
    assert metric_named("structure").scores(outputs) == [1.0, 1.0]


def test_a_missing_library_is_told_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra that brings it."""
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"chrf needs sacrebleu.*rag-or-tune\[learn\]"):
        metric_named("chrf")
    assert metric_named("holds").name == "holds"


def test_choosing_loads_no_heavy_library() -> None:
    """What measures is loaded when it measures."""
    script = (
        "import sys, advisor.metrics.choosing, advisor.metrics.paired; print([name for name in "
        "('scipy', 'sklearn', 'sacrebleu', 'rouge_score', 'nltk', 'jsonschema', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
