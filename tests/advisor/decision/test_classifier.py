"""The classifier: what is shipped is what the command makes, and its parts add up."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from advisor.decision.classifier import (
    LinearClassifier,
    default_classifier_path,
    load_classifier,
    read_classifier,
)
from advisor.decision.scoring import Scorer
from advisor.errors import ConfigurationError
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import default_cases_path, load_default_cases
from advisor.knowledge.facts import encode_facts, facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from advisor.learning.selection import Study, ship
from advisor.learning.training import (
    case_weights,
    feature_curves,
    feature_matrix,
    load_estimator,
    save_classifier,
    train_classifier,
)

CASES = load_default_cases()
PRIOR = (0.3, 0.3, 0.2, 0.2)


def rows() -> Floats:
    return np.stack([case.row for case in CASES])


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Copy the shipped files, to break them."""
    for suffix in (".json", ".skops"):
        shutil.copy(default_classifier_path().with_suffix(suffix), tmp_path)
    return tmp_path / "classifier.json"


def test_the_shipped_classifier_is_what_the_command_makes() -> None:
    """Choosing and training again gives the shipped features, coefficients, weight and setting."""
    _, made, chosen = ship(Study(CASES, load_default_rules()))
    shipped = load_classifier()
    assert made.features == shipped.features
    assert (made.weight, made.regularisation) == (shipped.weight, shipped.regularisation)
    np.testing.assert_allclose(made.coefficients, shipped.coefficients, atol=2e-6)
    np.testing.assert_allclose(made.intercept, shipped.intercept, atol=2e-6)
    assert load_default_rules().decision.temperature == chosen.temperature


def test_the_linear_form_agrees_with_the_estimator() -> None:
    """Decisions see the probabilities that the scikit-learn estimator gives."""
    shipped, estimator = load_classifier(), load_estimator(default_classifier_path())
    features = feature_matrix(shipped.features, rows())
    ours = np.exp(shipped.log_probabilities(features))
    np.testing.assert_allclose(ours, estimator.predict_proba(features.T).T, atol=1e-9, rtol=0)


def test_the_scorer_computes_the_same_features() -> None:
    """Training and deciding read facts alike."""
    shipped = load_classifier()
    scorer = Scorer(load_default_rules(), shipped)
    np.testing.assert_allclose(scorer.features(rows()), feature_matrix(shipped.features, rows()))


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """Neither memory addresses nor the time get into the files."""
    contents = []
    for name in ("a.json", "b.json"):
        estimator, classifier = train_classifier(CASES, PRIOR, regularisation=1.0, weight=0.5)
        saved = save_classifier(estimator, classifier, tmp_path / name, default_cases_path())
        assert read_classifier(tmp_path / name, default_cases_path()).digest == saved.digest
        contents.append((tmp_path / name).with_suffix(".skops").read_bytes())
    assert contents[0] == contents[1]
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_parts_add_up() -> None:
    """Base and facts sum to the weighted log-probabilities, and only known facts have a part."""
    shipped = replace(load_classifier(), weight=0.5)
    for case, column in zip(CASES, feature_matrix(shipped.features, rows()).T, strict=True):
        base, parts = shipped.contributions(column)
        total = base + sum(parts.values())
        np.testing.assert_allclose(total, 0.5 * shipped.log_probabilities(column[:, None])[:, 0])
        assert set(parts) <= set(case.facts)
        spans = [np.ptp(part) for part in parts.values()]
        assert spans == sorted(spans, reverse=True)


def test_without_facts_it_repeats_the_prior() -> None:
    """An unknown use case gets no evidence from published ones."""
    _, classifier = train_classifier(CASES, PRIOR, regularisation=1.0, weight=1.0)
    nothing = np.zeros((len(classifier.features), 1))
    np.testing.assert_allclose(np.exp(classifier.log_probabilities(nothing))[:, 0], PRIOR, atol=1e-6)


def test_an_approach_without_cases_keeps_a_probability() -> None:
    """A class that never won is unlikely, not impossible."""
    few = [case for case in CASES if "HYBRID" not in case.acceptable]
    _, classifier = train_classifier(few, PRIOR, regularisation=1.0, weight=1.0)
    chances = np.exp(classifier.log_probabilities(feature_matrix(classifier.features, rows())))
    assert chances.shape == (4, len(CASES))
    assert chances[3].min() > 0.001
    np.testing.assert_allclose(chances.sum(axis=0), 1)


def test_a_fact_of_one_source_or_one_value_is_no_feature() -> None:
    """Only facts that sources can be compared by are learned from."""
    names = {curve.subject for curve in feature_curves(CASES)}
    assert {"new_knowledge_share", "closed_book_score", "retrieval_hit_rate", "task", "output_form"} <= names
    assert not names & {"examples_include_context", "can_train", "per_user_access", "distribution_shift"}


def test_unknown_facts_give_no_feature() -> None:
    """A row of unknowns is a column of zeros, or of what stands for missing."""
    curves, unknown = feature_curves(CASES), np.full((1, len(facts())), np.nan)
    assert not feature_matrix(curves, unknown).any()
    assert np.isnan(feature_matrix(curves, unknown, missing=np.nan)).all()


def test_a_numeric_feature_spans_its_usual_range() -> None:
    """A share of 0, a half and 1 is -1, 0 and 1."""
    curves = [curve for curve in feature_curves(CASES) if curve.subject == "closed_book_score"]
    given = np.stack([encode_facts(facts_from_mapping({"closed_book_score": x})) for x in (0.0, 0.5, 1.0)])
    np.testing.assert_allclose(feature_matrix(curves, given), [[-1, 0, 1]], atol=1e-12)


def test_weights_follow_grade_and_source() -> None:
    """A B counts half of an A, and five cases of one source less than five times one."""
    weights = dict(zip((case.id for case in CASES), case_weights(CASES), strict=True))
    assert weights["lora-land-31-tasks"] == 1.0
    assert weights["bucher-classification"] == 0.5
    assert weights["raft-pubmedqa"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("coefficients", [[0.0]], "fits other facts"),
        ("approaches", ["RAG"], "fits other facts"),
        ("features", [{"fact": "mood", "points": [[0, 1], [1, 2]]}], "fits other facts"),
        ("features", 3, "is no classifier"),
        ("intercept", [0.0, 0.0, 0.0, float("nan")], "not finite"),
        ("weight", 2.0, "weight beyond"),
        ("cases_sha256", "0" * 64, "is not the file that"),
    ],
)
def test_a_broken_file_is_refused(copied: Path, key: str, value: object, message: str) -> None:
    """What does not fit is named, with the command that makes it again."""
    data = json.loads(copied.read_text()) | {key: value}
    copied.write_text(json.dumps(data))
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_classifier(copied, default_cases_path())
    assert "evaluate_decision.py" in str(caught.value)


@pytest.mark.parametrize("content", [b"{", b"[]"])
def test_a_file_that_is_no_classifier_is_refused(tmp_path: Path, content: bytes) -> None:
    """Neither broken JSON nor another document is read."""
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match="run `python"):
        read_classifier(tmp_path / "c.json", default_cases_path())
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_classifier(tmp_path / "missing.json", default_cases_path())


def test_another_estimator_file_is_refused(copied: Path) -> None:
    """An estimator that the linear form was not exported from is not loaded."""
    copied.with_suffix(".skops").write_bytes(b"other")
    with pytest.raises(ConfigurationError, match="is not the file that"):
        load_estimator(copied)


def test_another_kind_of_estimator_is_refused(tmp_path: Path) -> None:
    """Only a logistic regression is accepted, even with the right hash."""
    from sklearn.dummy import DummyClassifier

    _, classifier = train_classifier(CASES, PRIOR, regularisation=1.0, weight=0.5)
    save_classifier(DummyClassifier(), classifier, tmp_path / "c.json", default_cases_path())
    with pytest.raises(ConfigurationError, match="DummyClassifier, not a LogisticRegression"):
        load_estimator(tmp_path / "c.json")


def test_probabilities_of_many_are_those_of_each() -> None:
    """Scoring as an array changes nothing."""
    shipped: LinearClassifier = load_classifier()
    features = feature_matrix(shipped.features, rows())
    each = [shipped.log_probabilities(features[:, [index]])[:, 0] for index in range(len(CASES))]
    np.testing.assert_allclose(shipped.log_probabilities(features).T, each)
