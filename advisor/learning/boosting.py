"""Gradient boosting as a candidate for the classifier, to compare the linear one with.

One binary ensemble per approach, because scikit-learn allows monotonic constraints on binary targets alone; their
probabilities are normalised. Unknown facts stay missing values. It is evaluated, never shipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.arrays import Floats
from advisor.knowledge.cases import Case
from advisor.knowledge.facts import Rows
from advisor.knowledge.rules import Curve
from advisor.learning.training import case_weights, feature_curves, feature_matrix

__all__ = ["MONOTONIC", "BoostedClassifier", "train_boosting"]

MONOTONIC: Mapping[Approach, Mapping[str, int]] = {
    Approach.PROMPTING: {"closed_book_score": 1, "new_knowledge_share": -1},
    Approach.RAG: {"closed_book_score": -1, "new_knowledge_share": 1, "retrieval_hit_rate": 1},
    Approach.FINE_TUNING: {"labelled_examples": 1, "new_knowledge_share": -1, "retrieval_hit_rate": -1},
    Approach.HYBRID: {"closed_book_score": -1, "labelled_examples": 1},
}
"""Direction in which a rising fact may move the probability of an approach."""

_FLOOR = 1e-3


@dataclass(frozen=True, slots=True)
class BoostedClassifier:
    """One fitted ensemble per approach, and the features they read."""

    features: tuple[Curve, ...]
    ensembles: tuple[Any, ...]

    def log_probabilities(self, rows: Rows) -> Floats:
        """Return log p per approach, from rows of shape (n, facts), to shape (approaches, n)."""
        inputs = feature_matrix(self.features, rows, missing=np.nan).T
        shares = np.stack([ensemble.predict_proba(inputs)[:, 1] for ensemble in self.ensembles])
        shares = np.maximum(shares, _FLOOR)
        logs: Floats = np.log(shares / shares.sum(axis=0))
        return logs


def train_boosting(cases: Sequence[Case], *, iterations: int) -> BoostedClassifier:
    """Train small, slow ensembles; their number of trees is what keeps them close to the base rate."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    curves = feature_curves(cases)
    rows = np.stack([case.row for case in cases])
    inputs, weights = feature_matrix(curves, rows, missing=np.nan).T, case_weights(cases)
    ensembles = []
    for name in APPROACHES:
        shares = np.array([(name in case.acceptable) / len(case.acceptable) for case in cases])
        estimator = HistGradientBoostingClassifier(
            max_iter=iterations,
            learning_rate=0.1,
            max_leaf_nodes=4,
            min_samples_leaf=3,
            early_stopping=False,
            monotonic_cst=[MONOTONIC[name].get(curve.subject, 0) for curve in curves],
            random_state=0,
        )
        # Each case stands once for and once against, weighted by its share, so that both classes always exist.
        estimator.fit(
            np.vstack((inputs, inputs)),
            np.repeat([1, 0], len(cases)),
            sample_weight=np.concatenate((weights * shares, weights * (1 - shares))) + 1e-6,
        )
        ensembles.append(estimator)
    return BoostedClassifier(curves, tuple(ensembles))
