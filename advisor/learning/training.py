"""Training of the classifier, by scikit-learn, and the files that it is kept in."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from advisor.decision.classifier import REFRESH, LinearClassifier, check_hash, read_json
from advisor.decision.curves import Curves, Scale
from advisor.errors import ConfigurationError
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import Fact, Rows, fact_index, facts
from advisor.knowledge.rules import Curve
from advisor.knowledge.scale import to_scale
from backends.models.hashes import file_sha256

__all__ = [
    "case_weights",
    "feature_curves",
    "feature_matrix",
    "load_estimator",
    "save_classifier",
    "train_classifier",
]

GRADE_WEIGHTS: Mapping[str, float] = {"A": 1.0, "B": 0.5}
SOURCE_CORRELATION = 0.5
"""How alike the outcomes of one source's cases are; m of them count as m / (1 + (m - 1) SOURCE_CORRELATION)."""

MIN_SOURCES = 2
MIN_SPREAD = 0.25
_DECIMALS = 6
_REGISTRATION_WEIGHT = 1e-6


def load_estimator(path: Path) -> Any:
    """Load the scikit-learn estimator that lies beside the linear form at `path`.

    Raises:
        ConfigurationError: It is not the file that the linear form was exported from, or holds other types.
    """
    import skops.io
    from sklearn.linear_model import LogisticRegression

    data, _ = read_json(path)
    file = path.with_suffix(".skops")
    check_hash(file, str(data.get("skops_sha256")), path)
    content = file.read_bytes()
    # skops trusts what scikit-learn defines; nothing beyond that is needed, and only one class is expected.
    if untrusted := skops.io.get_untrusted_types(data=content):
        raise ConfigurationError(
            f"{file} holds types that are not allowed: {', '.join(untrusted)}; {REFRESH}"
        )
    estimator = skops.io.loads(content, trusted=[])
    if type(estimator) is not LogisticRegression:
        raise ConfigurationError(
            f"{file} holds a {type(estimator).__name__}, not a LogisticRegression; {REFRESH}"
        )
    return estimator


def save_classifier(
    estimator: Any, classifier: LinearClassifier, path: Path, cases_path: Path
) -> LinearClassifier:
    """Write the linear form to `path` and the estimator beside it; the same input gives the same bytes."""
    import skops.io

    content = _stable_skops(skops.io.dumps(estimator))
    path.with_suffix(".skops").write_bytes(content)
    data = {
        "approaches": list(APPROACHES),
        "features": [{"fact": curve.subject, "points": curve.points} for curve in classifier.features],
        "coefficients": classifier.coefficients.tolist(),
        "intercept": classifier.intercept.tolist(),
        "weight": classifier.weight,
        "regularisation": classifier.regularisation,
        "cases_sha256": file_sha256(cases_path),
        "skops_sha256": hashlib.sha256(content).hexdigest(),
    }
    text = json.dumps(data, indent=1) + "\n"
    path.write_text(text, encoding="utf-8")
    return replace(classifier, digest=hashlib.sha256(text.encode()).hexdigest())


def train_classifier(
    cases: Sequence[Case], prior: Sequence[float], *, regularisation: float, weight: float
) -> tuple[Any, LinearClassifier]:
    """Train on cases.

    Args:
        cases: What to learn from.
        prior: Probability per approach before any fact is known.
        regularisation: scikit-learn's C; smaller means closer to the prior.
        weight: Weight against the rules, 0 to 1.

    Returns:
        The scikit-learn estimator, and its linear form.
    """
    from sklearn.linear_model import LogisticRegression

    curves = feature_curves(cases)
    inputs, labels, weights = _training_rows(cases, curves)
    estimator = LogisticRegression(C=regularisation, fit_intercept=False, tol=1e-9, max_iter=10_000)
    estimator.fit(inputs, labels, sample_weight=weights)
    # Rounded so that the last bits of another processor's arithmetic do not change the files.
    estimator.coef_ = np.round(estimator.coef_, _DECIMALS) + 0.0
    estimator.intercept_ = np.round(np.log(np.asarray(prior, dtype=np.float64)), _DECIMALS) + 0.0
    return estimator, LinearClassifier(curves, estimator.coef_, estimator.intercept_, weight, regularisation)


def feature_curves(cases: Sequence[Case]) -> tuple[Curve, ...]:
    """Return the features that these cases can teach.

    A fact counts where `MIN_SOURCES` sources state it and its values spread over `MIN_SPREAD` of its usual
    range; a fact that is always stated with the same value would only teach who states it. A choice gives one
    feature per value that `MIN_SOURCES` sources have.
    """
    return tuple(curve for item in facts() for curve in _curves_of(item, cases))


def feature_matrix(curves: Sequence[Curve], rows: Rows, missing: float = 0.0) -> Floats:
    """Return the features of rows of shape (n, facts), shape (features, n); `missing` for unknown facts."""
    features: Floats = np.nan_to_num(Curves(curves)(Scale()(rows.T)), nan=missing)
    return features


def case_weights(cases: Sequence[Case]) -> Floats:
    """Return how much each case counts: by its grade, and less where its source has many."""
    counts = Counter(case.source.id for case in cases)
    return np.array(
        [
            GRADE_WEIGHTS[case.grade] / (1 + (counts[case.source.id] - 1) * SOURCE_CORRELATION)
            for case in cases
        ]
    )


def _curves_of(item: Fact, cases: Sequence[Case]) -> list[Curve]:
    sources: dict[float, set[str]] = {}
    for case in cases:
        value = float(case.row[fact_index()[item.name]])
        if not np.isnan(value):
            sources.setdefault(value, set()).add(case.source.id)
    if item.kind == "choice":
        taught = [value for value, ids in sorted(sources.items()) if len(ids) >= MIN_SOURCES]
        return [_choice_curve(item, value) for value in taught] if len(taught) > 1 else []
    if len(set().union(*sources.values())) < MIN_SOURCES:
        return []
    low, high = item.usual
    places = [to_scale(item, value) for value in sources]
    spread = (max(places) - min(places)) / (to_scale(item, high) - to_scale(item, low))
    return [Curve(item.name, ((low, -1.0), (high, 1.0)))] if spread >= MIN_SPREAD else []


def _choice_curve(item: Fact, value: float) -> Curve:
    points = tuple(
        (number, float(number == value)) for number in np.arange(1.0, len(item.choices) + 1.0).tolist()
    )
    return Curve(item.name, points)


def _training_rows(cases: Sequence[Case], curves: Sequence[Curve]) -> tuple[Floats, Any, Floats]:
    """Return inputs, labels and weights: a row per acceptable approach, which share the case's weight."""
    features = feature_matrix(curves, np.stack([case.row for case in cases])).T
    inputs, labels, weights = [], [], []
    for row, case, weight in zip(features, cases, case_weights(cases), strict=True):
        for name in sorted(case.acceptable):
            inputs.append(row)
            labels.append(APPROACHES.index(name))
            weights.append(weight / len(case.acceptable))
    # A row without features has no gradient: it only makes every approach known to the estimator, so that one
    # without cases keeps a probability above 0.
    for label in range(len(APPROACHES)):
        inputs.append(np.zeros(len(curves)))
        labels.append(label)
        weights.append(_REGISTRATION_WEIGHT)
    return np.array(inputs), np.array(labels), np.array(weights)


def _stable_skops(content: bytes) -> bytes:
    """Return a skops file without what differs from run to run: memory addresses as names, and the time."""
    names: dict[object, int] = {}
    files: dict[str, str] = {}

    def renamed(item: dict[str, Any]) -> dict[str, Any]:
        if "__id__" in item:
            item["__id__"] = names.setdefault(item["__id__"], len(names) + 1)
        if str(item.get("file", "")).endswith(".npy"):
            item["file"] = files.setdefault(item["file"], f"{len(files) + 1}.npy")
        return item

    stable = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stable, "w") as new:
        schema = json.loads(old.read("schema.json"), object_hook=renamed)
        for name, short in files.items():
            new.writestr(zipfile.ZipInfo(short), old.read(name))
        new.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema, indent=1))
    return stable.getvalue()
