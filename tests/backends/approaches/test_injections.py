"""What documents order is never done: a quote answers the question, whatever else stands in the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from backends.base import FinishReason, GenerationOptions, References
from backends.retrieval.embedding import LocalEmbedder
from benchmarks.injections import INJECTIONS, QUESTION, VALUE, Injection, publish
from tests.doubles import FakeGenerator


@pytest.fixture(scope="module")
def embedder(default_embedder_folder: Path) -> LocalEmbedder:
    return LocalEmbedder(default_embedder_folder, name="default")


@pytest.mark.models
@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda each: each.kind)
def test_a_quote_does_not_obey(
    pool: ConnectionPool[Any], embedder: LocalEmbedder, injection: Injection
) -> None:
    """It holds the value, and every word stands in the passage that it cites, or in the headings above that."""
    from backends.approaches.rag import RagBackend

    with pool.connection() as connection:
        publish(connection, "docs", injection, embedder)
    small = FakeGenerator()
    small.parameters = 135_000_000
    events: list[object] = []
    answer = RagBackend(pool, "docs", embedder, small).answer(
        QUESTION, options=GenerationOptions(), emit=events.append, cancelled=lambda: False
    )
    assert answer.finish_reason is FinishReason.STOP
    assert VALUE in answer.text
    assert small.asked == []
    (shown,) = (event for event in events if isinstance(event, References))
    (mark,) = answer.citations
    passage = shown.hits[mark.number - 1].passage
    words = answer.text.replace(f" [{mark.number}]", "").replace(":", " ").split()
    assert set(words) <= set(f"{passage.heading} {passage.text}".replace(":", " ").split())


def test_there_are_twenty_kinds() -> None:
    """Each has a name of its own."""
    assert len({each.kind for each in INJECTIONS}) == 20
