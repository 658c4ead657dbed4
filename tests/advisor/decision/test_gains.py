"""The model of gains: what is shipped reads back as it was, and what does not fit is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from advisor.decision.gains import (
    COMPONENTS,
    GainModel,
    TermCurves,
    default_gains_path,
    load_gains,
    read_gains,
    save_gains,
)
from advisor.errors import ConfigurationError
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.cases import default_cases_paths
from advisor.knowledge.facts import encode_facts, facts_from_mapping


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Copy the shipped file, to break it."""
    return Path(shutil.copy(default_gains_path(), tmp_path))


def test_saving_gives_the_bytes_that_were_read(tmp_path: Path) -> None:
    """Nothing is lost on the way, and a model has one digest."""
    saved = save_gains(load_gains(), tmp_path / "gains.json", default_cases_paths())
    assert (tmp_path / "gains.json").read_bytes() == default_gains_path().read_bytes()
    assert saved == load_gains()
    np.testing.assert_array_equal(saved.covariance, load_gains().covariance)


def test_terms_reach_the_approaches_of_their_component() -> None:
    """Each weight counts for the approaches that have what it is about, and for no other."""
    model = load_gains()
    for place, term in enumerate(model.terms):
        for approach in APPROACHES:
            expected = term.weight if approach in COMPONENTS[term.component] else 0.0
            assert model.weights[approach.place, place] == expected
    offsets = model.approach_offsets
    assert offsets[0] == 0
    assert offsets[3] == pytest.approx(offsets[1] + offsets[2] + model.offsets["both"])


def test_unknown_facts_add_nothing() -> None:
    """A curve is 0 where its fact is unknown, as where another that stands in for it is."""
    model = load_gains()
    curves = TermCurves(model.terms)
    empty = encode_facts(facts_from_mapping({}))
    assert not curves(empty[:, None]).any()
    half = encode_facts(facts_from_mapping({"closed_book_score": 0.5}))
    assert not curves(half[:, None]).any()
    high = encode_facts(facts_from_mapping({"closed_book_score": 0.9}))
    assert (curves(high[:, None]) != 0).sum() == sum(term.instead is not None for term in model.terms)


def test_rules_alone_have_learned_nothing() -> None:
    """Without a model a nat of evidence is a nat of probability."""
    alone = GainModel.of_rules_alone()
    assert alone.slope == alone.temperature
    assert not alone.approach_offsets.any()
    assert alone.weights.shape == (len(APPROACHES), 0)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("covariance", [[0.0]], "missing or not finite"),
        ("slope", float("nan"), "missing or not finite"),
        ("slope", -1.0, "not above 0"),
        ("temperature", 0.0, "not above 0"),
        ("approaches", ["RAG"], "fits other approaches"),
        ("offsets", {"mood": 1.0}, "fits other facts or components"),
        (
            "terms",
            [{"component": "build", "fact": "mood", "points": [[0, 1], [1, 2]], "weight": 1}],
            "fits other facts or components",
        ),
        ("terms", 3, "is no model of gains"),
        ("offsets", [], "is no model of gains"),
        ("cases_sha256", ["0" * 64], "not what gains.json was made from"),
    ],
)
def test_a_broken_file_is_refused(copied: Path, key: str, value: object, message: str) -> None:
    """What does not fit is named, with the command that makes it again."""
    data = json.loads(copied.read_text()) | {key: value}
    copied.write_text(json.dumps(data))
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_gains(copied, default_cases_paths())
    assert "make evaluate" in str(caught.value)


@pytest.mark.parametrize("content", [b"{", b"[]"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    """Neither broken JSON nor another document is read."""
    (tmp_path / "g.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match="run `make evaluate`"):
        read_gains(tmp_path / "g.json", default_cases_paths())
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_gains(tmp_path / "missing.json", default_cases_paths())
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_gains(default_gains_path(), (tmp_path / "missing.yaml",))
