"""A tiny random model for fast tests, and the real default models for those marked `models`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import ConnectionPool

from backends.models.names import DEFAULT_EMBEDDER, DEFAULT_GENERATOR
from backends.models.resolve import default_cache, resolve
from tests.backends.lora import save_adapter
from tests.backends.random_models import save_random_model

LINES = (
    "The capital of France is Paris.",
    "A question asks, an answer tells.",
    "Retrieve, fine-tune, both, or neither?",
    "Numbers: 0 1 2 3 4 5 6 7 8 9.",
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a random two-layer Llama, a byte-level tokenizer and a chat template."""
    folder = tmp_path_factory.mktemp("tiny-model")
    vocabulary = _save_tokenizer(folder)
    save_random_model(folder, vocab_size=vocabulary, max_position_embeddings=1024, tie_word_embeddings=True)
    return folder


@pytest.fixture(scope="session")
def tiny_adapters(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return two folders of random LoRA weights for the tiny model."""
    folder = tmp_path_factory.mktemp("adapters")
    return save_adapter(tiny_model, folder / "a", seed=1), save_adapter(tiny_model, folder / "b", seed=2)


@pytest.fixture
def pool(empty_database_url: str) -> Iterator[ConnectionPool[Any]]:
    """Yield connections to a database of this test's own."""
    with ConnectionPool(empty_database_url, min_size=1, max_size=2) as pool:
        yield pool


@pytest.fixture(scope="session")
def default_generator_folder() -> Path:
    """Return the folder of the real default generator, fetched into the user's cache."""
    return resolve(DEFAULT_GENERATOR, cache=default_cache(), report=lambda progress: None)


@pytest.fixture(scope="session")
def default_embedder_folder() -> Path:
    """Return the folder of the real default embedder, fetched into the user's cache."""
    return resolve(DEFAULT_EMBEDDER, cache=default_cache(), report=lambda progress: None)


def _save_tokenizer(folder: Path) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES, trainer)
    marks = {"bos": "<|im_start|>", "eos": "<|im_end|>", "pad": "<|im_end|>", "unk": "<|endoftext|>"}
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=CHAT_TEMPLATE,
        **{f"{name}_token": mark for name, mark in marks.items()},
    )
    wrapped.save_pretrained(folder)
    return len(wrapped)
