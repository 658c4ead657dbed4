"""A reranker puts what was found in another order: by a model of its own, and in every search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from backends.approaches.rag import RagBackend
from backends.base import GenerationOptions, Hit, ModelError, Passage, References
from backends.retrieval.asking import ask
from backends.retrieval.reranking import CANDIDATES, LocalReranker, candidates, open_reranker, reranked
from backends.retrieval.search import PassageRetriever
from tests.backends.passages import published
from tests.doubles import FakeGenerator, WordEmbedder

EMBEDDER = WordEmbedder()
TEXTS = {f"{name}.md": f"The {name} opens at nine." for name in ("bridge", "tower", "museum")}


class Prefers:
    """Fits best what holds a word."""

    name = "prefers"

    def __init__(self, word: str) -> None:
        self.word = word
        self.read: list[tuple[str, int]] = []

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        self.read.append((question, len(texts)))
        return [float(self.word in text) for text in texts]


@pytest.fixture
def pool(empty_database_url: str) -> Iterator[ConnectionPool]:
    """Yield connections to a database with three passages."""
    with psycopg.connect(empty_database_url) as connection:
        published(connection, EMBEDDER, collection="faq", texts=TEXTS)
    with ConnectionPool(empty_database_url, min_size=1, max_size=1) as pool:
        yield pool


def test_what_fits_best_by_the_model_is_first(pool: ConnectionPool) -> None:
    """Of more passages than are wanted; their scores stay those of search."""
    question = "When does the bridge open?"
    plain = ask(pool, "faq", question, EMBEDDER, 3)
    assert plain[0].passage.source == "bridge.md"
    prefers = Prefers("museum")
    (first,) = ask(pool, "faq", question, EMBEDDER, 1, reranker=prefers)
    assert first in plain
    assert first.passage.source == "museum.md"
    assert prefers.read == [(question, 3)]
    found = PassageRetriever(pool, "faq", EMBEDDER, reranker=prefers).search(question, 3)
    assert [hit.passage.source for hit in found] == [
        "museum.md",
        *(hit.passage.source for hit in plain if hit.passage.source != "museum.md"),
    ]


def test_answers_read_what_the_reranker_puts_first(pool: ConnectionPool) -> None:
    """RAG shows it as reference 1."""
    told: list[Any] = []
    backend = RagBackend(pool, "faq", EMBEDDER, FakeGenerator(lambda _: "Nine."), reranker=Prefers("tower"))
    backend.answer(
        "When does the bridge open at nine?",
        options=GenerationOptions(passages=1),
        emit=told.append,
        cancelled=lambda: False,
    )
    (references,) = [each for each in told if isinstance(each, References)]
    assert [hit.passage.source for hit in references.hits] == ["tower.md"]


def test_equal_scores_keep_the_order() -> None:
    """And one passage needs no reading."""
    hits = [Hit(Passage(str(n), "a.md", 0, 1, "x"), 1.0 - n / 10) for n in range(4)]
    nothing = Prefers("none")
    assert reranked(nothing, "q", hits, 3) == tuple(hits[:3])
    assert reranked(nothing, "q", hits[:1], 3) == (hits[0],)
    assert nothing.read == [("q", 4)]
    assert reranked(None, "q", hits, 2) == tuple(hits[:2])


@pytest.mark.parametrize(("limit", "expected"), [(1, CANDIDATES), (50, 50)])
def test_more_are_found_than_wanted(limit: int, expected: int) -> None:
    """Where there is a reranker; no less than wanted in any case."""
    assert candidates(Prefers(""), limit) == expected
    assert candidates(None, limit) == limit


def save_cross_encoder(folder: Path, labels: int) -> Path:
    """Write a small random cross-encoder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    marks = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    words = [*marks.values(), *"abcdefghijklmnopqrstuvwxyz"]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=marks["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **marks).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        num_labels=labels,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_model_is_read_from_its_folder(tmp_path: Path) -> None:
    """One number for each text, the same each time, longer texts cut; whatever the order of the texts."""
    reranker = LocalReranker(save_cross_encoder(tmp_path, 1), name="tiny")
    texts = ["a b c", "x y", "z " * 500]
    first = reranker.scores("a b", texts)
    assert len(set(first)) == 3
    assert reranker.scores("a b", texts[::-1]) == pytest.approx(first[::-1], abs=1e-5)


def test_what_is_no_reranker_is_refused(tmp_path: Path) -> None:
    """A folder that is not there, one without a model, and a model that tells labels apart."""
    with pytest.raises(ModelError, match="no such folder; name the folder of the reranker"):
        LocalReranker(tmp_path / "none", name="x").scores("q", ["t"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="name another reranker"):
        LocalReranker(tmp_path / "empty", name="x").scores("q", ["t"])
    with pytest.raises(ModelError, match="gives 3 numbers for a question and a passage"):
        LocalReranker(save_cross_encoder(tmp_path / "three", 3), name="x").warm()


def test_no_name_is_no_reranker(tmp_path: Path) -> None:
    """As the setting has it by default."""
    assert open_reranker("", cache=tmp_path, report=lambda _: None) is None
