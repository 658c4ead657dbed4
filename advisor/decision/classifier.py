"""What published and measured cases say, learned: a regularised multinomial logistic regression.

    log p(a) = intercept(a) + sum over features of coefficient(a, f) x(f) - log sum over approaches of the same

A feature is a piecewise-linear curve of one fact, and 0 where the fact is unknown. The intercept is the log of the
knowledge base's prior, so that without facts the classifier repeats the prior and adds no evidence: published cases
are no sample of the use cases that people have.

scikit-learn trains it (`advisor.learning.training`). `data/classifier.skops` keeps the estimator without pickle,
`data/classifier.json` its linear form with the hashes of both files it comes from. Decisions read the JSON alone,
since importing scikit-learn takes longer than a decision may.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from advisor.errors import ConfigurationError
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import default_cases_path
from advisor.knowledge.facts import fact_index
from advisor.knowledge.rules import Curve
from backends.models.hashes import file_sha256

__all__ = [
    "REFRESH",
    "LinearClassifier",
    "check_hash",
    "default_classifier_path",
    "load_classifier",
    "read_classifier",
    "read_json",
]

REFRESH = "run `python benchmarks/evaluate_decision.py` to make it again"


@dataclass(frozen=True, slots=True)
class LinearClassifier:
    """A trained classifier in the form that decisions use.

    Attributes:
        features: Curves of facts; a feature of an unknown fact is 0.
        coefficients: Shape (approaches, features), in nats.
        intercept: Shape (approaches,), in nats: the log of the prior.
        weight: Weight against the rules, chosen with them.
        regularisation: The C that it was trained with.
        digest: SHA-256 of the file it was read from, in hexadecimal; empty before it is saved.
    """

    features: tuple[Curve, ...]
    coefficients: Floats = field(compare=False)
    intercept: Floats = field(compare=False)
    weight: float
    regularisation: float
    digest: str = ""

    def log_probabilities(self, features: Floats) -> Floats:
        """Return log p per approach, from features of shape (features, n), to shape (approaches, n)."""
        logits = self.coefficients @ features
        logits += self.intercept[:, None]
        # The logits of a bounded linear form are small, so exp cannot overflow.
        logits -= np.log(np.exp(logits).sum(axis=0))
        return logits

    def contributions(self, features: Floats) -> tuple[Floats, dict[str, Floats]]:
        """Split `weight * log_probabilities` of one use case into parts that add up to it.

        Args:
            features: Shape (features,).

        Returns:
            What does not depend on a single fact (intercept and normalisation), shape (approaches,), and the
            share of each fact whose features are not all 0, heaviest first, each of that shape.
        """
        terms = self.coefficients * features * self.weight
        parts: dict[str, Floats] = {}
        for index in np.flatnonzero(features):
            name = self.features[index].subject
            parts[name] = parts.get(name, 0.0) + terms[:, index]
        base: Floats = self.weight * self.log_probabilities(features[:, None])[:, 0] - terms.sum(axis=1)
        return base, dict(sorted(parts.items(), key=lambda item: -float(np.ptp(item[1]))))


def default_classifier_path() -> Path:
    """Return the classifier that the package ships."""
    return Path(__file__).resolve().parents[1] / "data" / "classifier.json"


@cache
def load_classifier() -> LinearClassifier:
    """Load the classifier that the package ships, once."""
    return read_classifier(default_classifier_path(), default_cases_path())


def read_classifier(path: Path, cases_path: Path) -> LinearClassifier:
    """Read the linear form, and check that it was trained on these cases.

    Raises:
        ConfigurationError: The file is missing or broken, or the cases are others.
    """
    data, content = read_json(path)
    check_hash(cases_path, str(data.get("cases_sha256")), path)
    try:
        features = tuple(
            Curve(str(item["fact"]), tuple((float(x), float(y)) for x, y in item["points"]))
            for item in data["features"]
        )
        coefficients = np.array(data["coefficients"], dtype=np.float64)
        intercept = np.array(data["intercept"], dtype=np.float64)
        weight, regularisation = float(data["weight"]), float(data["regularisation"])
        unknown = [curve.subject for curve in features if curve.subject not in fact_index()]
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path} is no classifier: {error!r}; {REFRESH}") from error
    shape = (len(APPROACHES), len(features))
    if unknown or data.get("approaches") != list(APPROACHES) or coefficients.shape != shape:
        raise ConfigurationError(f"{path} fits other facts or approaches; {REFRESH}")
    if not (np.isfinite(coefficients).all() and np.isfinite(intercept).all() and 0 <= weight <= 1):
        raise ConfigurationError(
            f"{path} holds values that are not finite, or a weight beyond 0 to 1; {REFRESH}"
        )
    return LinearClassifier(
        features, coefficients, intercept, weight, regularisation, hashlib.sha256(content).hexdigest()
    )


def read_json(path: Path) -> tuple[dict[str, Any], bytes]:
    """Return an object of a JSON file, and the file's bytes; ConfigurationError where it is none."""
    try:
        content = path.read_bytes()
        data = json.loads(content)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}; {REFRESH}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}; {REFRESH}") from error
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path} is no classifier; {REFRESH}")
    return data, content


def check_hash(file: Path, expected: str, owner: Path) -> None:
    """Raise ConfigurationError where a file is not the one that `owner` was made from."""
    try:
        actual = file_sha256(file)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}; {REFRESH}") from error
    if actual != expected:
        raise ConfigurationError(f"{file} is not the file that {owner.name} was made from; {REFRESH}")
