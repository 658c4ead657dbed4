"""The default generator as converted, and files that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.base import ModelError
from backends.models.gguf import convert


def write_gguf(path: Path, *, architecture: str = "llama", pre: str | None) -> Path:
    """Write a GGUF file with a header and no weights."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    if pre is not None:
        writer.add_tokenizer_pre(pre)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize(("pre", "shown"), [("exotic", "'exotic'"), (None, "'none'")])
def test_unknown_pre_tokenizer_is_refused(tmp_path: Path, pre: str | None, shown: str) -> None:
    """A tokenizer that would be rebuilt wrongly is named, and nothing is written."""
    target = tmp_path / "model"
    target.mkdir()
    with pytest.raises(ModelError, match=f"pre-tokenizer {shown}"):
        convert(write_gguf(tmp_path / "m.gguf", pre=pre), target, lambda progress: None)
    assert list(target.iterdir()) == []


def test_file_without_a_model_is_refused(tmp_path: Path) -> None:
    """A file that transformers cannot read is an error of ours that names it."""
    (tmp_path / "model").mkdir()
    with pytest.raises(ModelError, match=r"m\.gguf"):
        convert(write_gguf(tmp_path / "m.gguf", pre="gpt-2"), tmp_path / "model", lambda progress: None)


@pytest.mark.models
def test_default_tokenizer_cuts_digits_apart(default_generator_folder: Path) -> None:
    """Blank lines before a digit are one token, as in the tokenizer the model was trained with."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(default_generator_folder)
    tokens = tokenizer.convert_ids_to_tokens(tokenizer.encode("a\n\n12  3", add_special_tokens=False))
    assert tokens == ["a", "ĊĊ", "1", "2", "ĠĠ", "3"]


@pytest.mark.models
def test_default_chat_template_ends_turns(default_generator_folder: Path) -> None:
    """A turn ends with the token that also ends generation."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(default_generator_folder)
    turns = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert text == "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.convert_tokens_to_ids("<|im_end|>") == tokenizer.eos_token_id
