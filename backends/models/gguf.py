"""A GGUF file to the float32 safetensors folder that transformers trains and runs."""

from __future__ import annotations

import errno
import mmap
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backends.base import ModelError, Progress

__all__ = ["convert"]

# How a byte-level tokenizer cuts text before merging, by the name in the file. Transformers knows
# the rules of the first three; of the last it only knows the merges, and would cut "\n\n1" wrongly.
_PRE_TOKENIZERS = ("gpt-2", "llama-bpe", "qwen2", "smollm")
_STRING = 8  # GGUF_TYPE_STRING
_MAX_NAME = 64
_ROUND_TRIPS = (
    "The answer is 42.\n\n1. On 2024-05-06:\t3.14  %s",
    "naïve – 東京 🙂",
    "  def f(x):\n\n    return x",
)


def convert(file: Path, folder: Path, report: Callable[[Progress], None]) -> None:
    """Write the model of a GGUF file to a folder: float32 weights, tokenizer, chat template.

    A process of its own does it: half a minute of parsing would hold up every
    other thread of this one, and the memory is given back at the end.

    Raises:
        ModelError: Its tokenizer cannot be rebuilt exactly, or it is no model that chats.
        OSError: The disk is full.
    """
    command = [sys.executable, "-m", "backends.models.gguf", str(file), str(folder)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    activity = f"Converting {file.name}"
    report(Progress(activity))
    started = time.monotonic()
    refusal = None
    with (
        file.with_suffix(".log").open("w+", encoding="utf-8", errors="replace") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as child,
    ):
        for line in child.stdout or ():
            kind, _, value = line.strip().partition(" ")
            if kind == "done":
                fraction = float(value)
                left = (time.monotonic() - started) * (1 - fraction) / fraction
                report(Progress(activity, fraction=fraction, remaining_s=left))
            elif kind == "refused":
                refusal = value
        if child.wait():
            log.seek(0)
            last = (log.read().strip().splitlines() or ["no message"])[-1]
            if os.strerror(errno.ENOSPC) in last:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise ModelError(refusal or f"{file.name} could not be converted: {last}")


def main(file: Path, folder: Path) -> int:
    """Convert, reporting to the parent process on standard output; return the exit status."""
    try:
        _convert(file, folder, lambda fraction: print(f"done {fraction}", flush=True))  # noqa: T201 - the protocol
    except ModelError as error:
        print("refused", " ".join(str(error).split()), flush=True)  # noqa: T201
        return 1
    return 0


def _convert(file: Path, folder: Path, done: Callable[[float], None]) -> None:
    pre_tokenizer = _pre_tokenizer(file)  # before half a minute is spent

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        done(0.2)  # the shares of time are measured
        read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
        done(0.9)
    except (ValueError, KeyError, ImportError, RuntimeError) as error:
        raise ModelError(f"{file.name} cannot be read as a GGUF model: {error}") from error
    _repair(tokenizer, pre_tokenizer, read.config.max_position_embeddings)
    _check(tokenizer, file.name)
    _unquantized(read).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _check(AutoTokenizer.from_pretrained(folder), file.name)


def _pre_tokenizer(file: Path) -> str:
    name = _string_field(file, b"tokenizer.ggml.pre") or "none"
    if name not in _PRE_TOKENIZERS:
        raise ModelError(
            f"{file.name} has the pre-tokenizer {name!r}, and only {', '.join(_PRE_TOKENIZERS)} can "
            "be rebuilt exactly; give the same model as a folder with safetensors and a tokenizer.json"
        )
    return name


def _string_field(file: Path, key: bytes) -> str | None:
    """Return a string of a GGUF header: key length, key, type, length, text. A full parse takes seconds."""
    head = struct.pack("<Q", len(key)) + key + struct.pack("<I", _STRING)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data.find(head) + len(head)
        if start < len(head):
            return None
        (length,) = struct.unpack_from("<Q", data, start)
        return data[start + 8 : start + 8 + min(length, _MAX_NAME)].decode("utf-8", "replace")


def _repair(tokenizer: Any, pre_tokenizer: str, context_tokens: int) -> None:
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

    if pre_tokenizer == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
            [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
        )
    tokenizer.model_max_length = context_tokens


def _check(tokenizer: Any, name: str) -> None:
    if not tokenizer.chat_template:
        raise ModelError(
            f"{name} has no chat template: it is a base model; take one tuned to follow instructions"
        )
    end = tokenizer.eos_token
    if end is None or end not in _one_turn(tokenizer):
        raise ModelError(f"{name} ends texts with {end!r}, which its chat template never writes")
    for text in _ROUND_TRIPS:
        if tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) != text:
            raise ModelError(
                f"the tokenizer of {name} does not give {text!r} back; take the model as safetensors"
            )


def _one_turn(tokenizer: Any) -> str:
    turn = [{"role": "user", "content": "Hello"}]
    return str(tokenizer.apply_chat_template(turn, tokenize=False))


def _unquantized(read: Any) -> Any:
    """Return the same model without the quantization that `save_pretrained` refuses."""
    fields = {key: value for key, value in read.config.to_dict().items() if key != "quantization_config"}
    model = type(read)(type(read.config).from_dict(fields))
    model.load_state_dict(read.state_dict())
    model.generation_config = read.generation_config
    return model


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
