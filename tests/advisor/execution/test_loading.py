"""Models that load in the background."""

from __future__ import annotations

import threading

import pytest

from advisor.execution.loading import ModelLoader, Models
from backends.base import Cancelled, ModelError, Progress

MODELS = Models(None, None)  # type: ignore[arg-type]


def never() -> bool:
    return False


def test_models_are_loaded_once():
    """Everyone gets the same models, loaded when first needed."""
    loaded = []
    loader = ModelLoader(lambda _: loaded.append(1) or MODELS)
    assert loader.models(lambda _: None, never) is MODELS
    assert loader.models(lambda _: None, never) is MODELS
    assert loaded == [1]


def test_waiting_hears_how_far_it_is():
    """Progress reaches those who wait, each step once."""
    come = threading.Event()

    def load(report):
        report(Progress("fetching", 0.5))
        come.wait(10)
        return MODELS

    heard = []

    def hear(progress):
        heard.append(progress)
        if progress.activity == "fetching":
            come.set()

    ModelLoader(load).models(hear, never)
    assert heard[-1] == Progress("fetching", 0.5)
    assert len(set(heard)) == len(heard)


def test_waiting_can_be_cancelled():
    """Who stops waiting is let go; loading goes on."""
    come = threading.Event()
    loader = ModelLoader(lambda _: come.wait(10) and MODELS)
    with pytest.raises(Cancelled):
        loader.models(lambda _: None, lambda: True)
    come.set()
    assert loader.models(lambda _: None, never) is MODELS


@pytest.mark.parametrize(
    ("error", "says"),
    [(ModelError("no folder /x"), "no folder /x"), (RuntimeError("secret"), "RuntimeError")],
)
def test_failures_reach_everyone(error, says):
    """Who asks for models that cannot be loaded hears why."""

    def load(_):
        raise error

    with pytest.raises(ModelError, match=says):
        ModelLoader(load).models(lambda _: None, never)


def test_callbacks_run_once_the_models_are_there():
    """A callback runs after loading, or at once where that is over."""
    loader = ModelLoader(lambda _: MODELS)
    early, late = threading.Event(), threading.Event()
    loader.when_ready(early.set)
    loader.start()
    assert early.wait(10)
    loader.when_ready(late.set)
    assert late.is_set()
