"""The lexemes of a question choose what is ranked."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from backends.retrieval.terms import Term, choosing, reaching


@pytest.fixture
def connection(empty_database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection to an empty database."""
    with psycopg.connect(empty_database_url) as connection:
        yield connection


@pytest.mark.parametrize(
    ("passages", "chosen"),
    [
        ([10], "'a'"),
        ([10, 20, 5_000], "'a' | 'b'"),
        ([10, 20, 2_000], "'a' | 'b' | 'c'"),
        ([4_000, 5_000, 6_000], "'a' & 'b' | 'a' & 'c'"),
        ([4_000], "'a'"),
    ],
)
def test_rare_words_choose_or_common_ones_together(passages: list[int], chosen: str) -> None:
    """Words are added as long as together they are in few passages; common ones must come in pairs."""
    terms = [Term(lexeme, 1.0, count) for lexeme, count in zip("abc", passages, strict=False)]
    assert choosing(terms, 10_000) == chosen


@pytest.mark.parametrize("score", [0.05, 0.2, 0.35, 0.5, 0.8])
def test_every_passage_that_reaches_a_score_is_left_in(
    connection: psycopg.Connection[Any], score: float
) -> None:
    """Whatever a passage holds, it is left out only where it cannot reach the score; and some are."""
    draw = random.Random(round(score * 100))
    weights = [draw.uniform(0.02, 0.4) for _ in range(7)]
    terms = [Term(f"{number}'\\", weight, 1) for number, weight in enumerate(weights)]
    query = reaching(terms, score)
    left_out = 0
    for held in itertools.chain.from_iterable(itertools.combinations(range(7), size) for size in range(8)):
        words = " ".join(terms[number].query for number in held)
        kept = not query or connection.execute(
            "SELECT %s::tsvector @@ %s::tsquery", [words, query]
        ).fetchone() == (True,)
        assert kept or sum(weights[number] for number in held) < score
        left_out += not kept
    assert left_out > 0


def test_light_words_beyond_the_heaviest_are_taken_as_held(connection: psycopg.Connection[Any]) -> None:
    """A question of many words makes no longer query, and leaves nothing out that may reach the score."""
    terms = [Term(f"w{number}", 1 - number / 100, 1) for number in range(30)]
    assert reaching(terms, 10) == ""
    assert "w20" not in reaching(terms, 14)
