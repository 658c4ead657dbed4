"""Lines of reference for labels: plain classifiers on the embeddings of the inputs.

They cost next to nothing. An approach that loses to one is not worth what it takes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from advisor.trials.arms import Arm
from advisor.trials.asking import Reply
from backends.base import Example
from backends.retrieval.embedding import Embedder

__all__ = ["classifier"]

_NEIGHBOURS = 5
_MOST_ROUNDS = 2000


def classifier(
    arm: Arm, examples: Sequence[Example], embedder: Embedder, seed: int
) -> Callable[[Sequence[str]], list[Reply]]:
    """Return what tells the labels of inputs, learned from examples.

    Args:
        arm: NEAREST_NEIGHBOURS or LOGISTIC_REGRESSION.
        examples: Inputs with their labels.
        embedder: Makes vectors of inputs.
        seed: Of the logistic regression.
    """
    rows = embedder.embed([example.question for example in examples])
    model = _model(arm, len(examples), seed).fit(rows, [example.answer for example in examples])

    def classify(questions: Sequence[str]) -> list[Reply]:
        replies = []
        for question in questions:
            began = time.monotonic()
            label = str(model.predict(embedder.embed([question]))[0])
            took_s = time.monotonic() - began
            replies.append(Reply(label, first_token_s=took_s, total_s=took_s))
        return replies

    return classify


def _model(arm: Arm, examples: int, seed: int) -> Any:
    if arm is Arm.NEAREST_NEIGHBOURS:
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(min(_NEIGHBOURS, examples), weights="distance")
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10.0, max_iter=_MOST_ROUNDS, class_weight="balanced", random_state=seed)
