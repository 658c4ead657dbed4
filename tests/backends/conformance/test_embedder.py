"""What `Embedder` promises, kept by every implementation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from backends.retrieval.embedding import Embedder, LocalEmbedder
from tests.doubles import WordEmbedder

TEXTS = ("The lamp has a battery.", "Press the red button.", "", "The lamp has a battery.")


@pytest.fixture(params=[pytest.param("local", marks=pytest.mark.models), "fake"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """Return each embedder."""
    if request.param == "local":
        return LocalEmbedder(request.getfixturevalue("default_embedder_folder"), name="default")
    return WordEmbedder()


@pytest.mark.parametrize("count", [0, 1, 4])
def test_there_is_a_row_for_each_text(embedder: Embedder, count: int) -> None:
    """Rows have the length named and a norm of 1."""
    rows = embedder.embed(TEXTS[:count])
    assert rows.shape == (count, embedder.dimensions)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_rows_are_in_the_order_of_the_texts(embedder: Embedder) -> None:
    """A text has the same vector wherever it stands, and alone."""
    rows = embedder.embed(TEXTS)
    assert np.allclose(rows[0], rows[3], atol=1e-5)
    assert np.allclose(rows[1], embedder.embed([TEXTS[1]])[0], atol=1e-5)
    assert not np.allclose(rows[0], rows[1], atol=1e-2)


def test_products_are_similarities(embedder: Embedder) -> None:
    """A question is nearer to the text that answers it than to another."""
    lamp, button, _, _ = embedder.embed(TEXTS)
    question = embedder.embed(["Which battery has the lamp?"])[0]
    assert question @ lamp > question @ button


def test_threads_get_their_own_rows(embedder: Embedder) -> None:
    """Texts embedded at the same time do not mix."""
    texts = [f"Text {number} about lamps." for number in range(8)]
    expected = embedder.embed(texts)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: embedder.embed([text])[0], texts))
    assert np.allclose(found, expected, atol=5e-3)  # bfloat16 rounds by the batch
