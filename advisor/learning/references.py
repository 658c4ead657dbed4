"""Models to compare the shipped one with: a Gaussian process and boosted trees, of scikit-learn.

Both learn how far a score lies from the mean of its case, from the facts, the arm and the rules' log-odds. They are
free to find interactions that an additive model cannot state. Neither is shipped: terms would not add up, nor flips be
exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from advisor.decision.curves import Scale
from advisor.knowledge.approaches import APPROACHES
from advisor.knowledge.arrays import Floats
from advisor.knowledge.facts import facts
from advisor.learning.selection import Study

__all__ = ["REFERENCES", "leave_one_out"]

_SEED = 20261122


def leave_one_out(study: Study, make: Callable[[], Any]) -> Floats:
    """Return the points of every approach for each case, learned from the other sources: (approaches, cases)."""
    among = study.measured.among
    inputs = _inputs(study)
    centred = study.measured.score - np.nanmean(study.measured.score, axis=0)
    sources = np.array([case.source.id for case in study.cases])
    points = np.zeros(among.shape)
    for source in study.sources:
        held = sources == source
        learned = among & ~held & (among.sum(axis=0) > 1)
        kept = np.isfinite(inputs[learned]).any(axis=0)  # what none of them states
        model = make().fit(inputs[learned][:, kept], centred[learned])
        asked = inputs[:, held][:, :, kept]
        points[:, held] = model.predict(asked.reshape(-1, asked.shape[2])).reshape(asked.shape[:2])
    return points


def _inputs(study: Study) -> Floats:
    """Return facts on their scales, arm and rules' log-odds, shape (approaches, cases, n); NaN where unknown."""
    rows = np.stack([case.row for case in study.cases])
    scaled = Scale()(rows.T)
    columns = []
    for index, item in enumerate(facts()):
        if item.kind == "choice":
            known = np.where(np.isnan(rows[:, index]), np.nan, 0.0)
            columns += [known + (rows[:, index] == number) for number in range(1, len(item.choices) + 1)]
        else:
            columns.append(scaled[index])
    kept = [each for each in columns if np.isfinite(each).any()]
    found = []
    for place in range(len(APPROACHES)):
        arm = np.tile(np.eye(len(APPROACHES))[place], (len(rows), 1))
        found.append(np.column_stack((*kept, arm, study.base[place] - study.base.mean(axis=0))))
    return np.array(found)


def _gaussian_process() -> Any:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kernel = ConstantKernel(100.0) * RBF(6.0) + WhiteKernel(
        100.0
    )  # a spread of ten points, and as much noise
    process = GaussianProcessRegressor(kernel, optimizer=None)
    return make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), process)


def _boosted_trees() -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=100, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=8, random_state=_SEED
    )


REFERENCES: dict[str, Callable[[], Any]] = {
    "Gaussian process": _gaussian_process,
    "boosted trees": _boosted_trees,
}
"""How each is made; their settings are not chosen within the folds."""
