"""Metrics of how much an answer shares with the right one: token F1, ROUGE-L, chrF, similarity."""

from __future__ import annotations

import numpy as np
import pytest

from advisor.metrics.chrf import ChrF
from advisor.metrics.outputs import Output
from advisor.metrics.rouge import RougeL
from advisor.metrics.similarity import Similarity
from advisor.metrics.token_f1 import TokenF1


@pytest.mark.parametrize(
    ("text", "right", "score"),
    [
        ("Denver Broncos", "Denver Broncos", 1.0),
        ("the Denver Broncos won", "Denver Broncos", 0.8),
        ("Broncos", "Denver Broncos", 2 / 3),
        ("Carolina Panthers", "Denver Broncos", 0.0),
        ("Broncos Broncos Broncos", "Denver Broncos", 0.4),  # each word counts as often as it is right
        ("", "Denver", 0.0),
        ("Привет, мир", "привет мир!", 1.0),
        ("55", "5.5", 0.0),
        ("👍", "👍", 1.0),
    ],
)
def test_token_f1_is_that_of_squad(text: str, right: str, score: float) -> None:
    """Shared words, twice, by the words of both."""
    assert TokenF1().scores([Output(text, right)]) == [pytest.approx(score)]


@pytest.mark.parametrize(
    ("text", "right", "score"),
    [
        (
            "police kill the gunman",
            "police killed the gunman",
            2 * 2 / 6,
        ),  # of three words each, without "the"
        ("one two three", "three two one", 1 / 3),
        ("one x two y three", "one two three", 0.75),
        ("Привет, мир", "привет мир!", 1.0),  # the package's own words are a-z alone
        ("", "one", 0.0),
        ("word " * 2_000, "word", 2 / 2_001),
    ],
)
def test_rouge_l_counts_words_in_order(text: str, right: str, score: float) -> None:
    """The longest common subsequence, by the words of both."""
    assert RougeL().scores([Output(text, right)]) == [pytest.approx(score)]


def test_chrf_is_that_of_its_definition() -> None:
    """Of runs of up to two characters the F with recall counted twice, averaged: longer runs are in neither."""
    precisions, recalls = (2 / 2, 1 / 1), (2 / 3, 1 / 2)
    precision, recall = sum(precisions) / 2, sum(recalls) / 2
    expected = 5 * precision * recall / (4 * precision + recall)
    assert ChrF().scores([Output("ab", "abc")]) == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("text", "right", "nearer"),
    [("return x", "return X", "return y"), ("для", "для", "над")],
)
def test_chrf_sees_single_characters(text: str, right: str, nearer: str) -> None:
    """Case and other scripts count, which is what code is made of."""
    one, other = ChrF().scores([Output(text, right), Output(nearer, right)])
    assert one is not None
    assert other is not None
    assert one >= other
    assert (one == 1.0) is (text == right)


class Embedder:
    """Vectors by table; remembers what it was asked."""

    def __init__(self, **vectors: tuple[float, float]) -> None:
        self.vectors, self.asked = vectors, []

    def __call__(self, texts):
        self.asked.append(list(texts))
        return np.array([self.vectors[text] for text in texts])


def test_similarity_is_the_cosine() -> None:
    """Lengths do not count, and what points away is 0, not below."""
    embed = Embedder(one=(2, 0), diagonal=(1, 1), away=(-1, 0), none=(0, 0))
    outputs = [Output(text, "one") for text in ("one", "diagonal", "away", "none")]
    assert Similarity(embed).scores(outputs) == pytest.approx([1.0, np.sqrt(0.5), 0.0, 0.0])
    assert embed.asked == [["one", "diagonal", "away", "none"]]


def test_nothing_is_embedded_in_vain() -> None:
    """Neither empty answers nor those that abstain nor questions without a right one are compared."""
    embed = Embedder()
    outputs = [Output("", "one"), Output("one", None), Output("two", "one", refused=True)]
    assert Similarity(embed).scores(outputs) == [0.0, None, 0.0]
    assert embed.asked == []
