"""What a training run takes and leaves: examples, settings, metrics, and the adapter's folder.

A folder holds `adapter_model.safetensors` and `adapter_config.json`, as PEFT
reads them, and `manifest.json`, which says what they are and where they come
from. It is written whole or not at all, and checked before it is used.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from backends.base import Message, ModelError, SettingsError, TuningError
from backends.generation.adapters import CONFIG, WEIGHTS
from backends.models.hashes import file_sha256, file_states
from backends.prompts import PROMPT_FORM

__all__ = [
    "FILES",
    "HYBRID_DEFAULTS",
    "Manifest",
    "TrainingExample",
    "TuningMetrics",
    "TuningSettings",
    "adapter_state",
    "data_sha256",
    "read_manifest",
    "storage_error",
    "usual_epochs",
    "verify_adapter",
    "write_adapter",
    "write_file",
]

HYBRID_DEFAULTS: Mapping[str, int] = {"max_tokens": 1024}
"""Settings of HYBRID where nobody says otherwise: its examples hold passages."""

_USUAL_LEAST = {"FINE_TUNING": 3, "HYBRID": 2}
"""By approach, the fewest passes. HYBRID's examples take five times as long; on 200 questions about docstrings its
held-out loss was 0.44, 0.27 and 0.29 after each pass."""
_USUAL_STEPS = 45
"""Optimizer steps that passes come to at least: three over 120 examples, with which more did no better on 151 questions
with 13 labels, learned from 160: 108, 113 and 112 right with three seeds, after six passes 108, 105 and 114
(`python benchmarks/tuning.py --epochs 6 --seed SEED`)."""
_MOST_USUAL = 8

_FORMAT = 1
_MANIFEST = "manifest.json"
FILES = (WEIGHTS, CONFIG, _MANIFEST)
"""What a folder holds, in the order it is written."""
_MAX_JSON_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A chat and what the model should say next.

    Attributes:
        messages: The chat as it will be when the model is used, ending with a user's turn.
        completion: The whole of the assistant's turn.
        question: What is asked. Examples of one question are held out together;
            the chat stands for it where None.
    """

    messages: tuple[Message, ...]
    completion: str
    question: str | None = None


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """How to train.

    Attributes:
        epochs: Passes over the examples, 1 to 50; `usual_epochs` where None.
        learning_rate: Peak learning rate, above 0 to 0.1.
        rank: Rank of the low-rank matrices, 1 to 256.
        batch_size: Examples per optimizer step, 1 to 256.
        held_out_share: Share of the examples held out to stop early, 0 to 0.5.
        seed: Seed of every random choice.
        max_tokens: Longest example in tokens, 1 to 2,048.

    Raises:
        SettingsError: A value is out of bounds; all that are, are listed.
    """

    epochs: int | None = None
    learning_rate: float = 1e-3
    rank: int = 16
    batch_size: int = 8
    held_out_share: float = 0.1
    seed: int = 0
    max_tokens: int = 512

    def __post_init__(self) -> None:
        checks = {
            "epochs": (self.epochs is None or 1 <= self.epochs <= 50, "1 to 50"),
            "learning_rate": (0 < self.learning_rate <= 0.1, "above 0 to 0.1"),
            "rank": (1 <= self.rank <= 256, "1 to 256"),
            "batch_size": (1 <= self.batch_size <= 256, "1 to 256"),
            "held_out_share": (0 <= self.held_out_share <= 0.5, "0 to 0.5"),
            "seed": (-(2**63) <= self.seed < 2**63, "a 64-bit integer"),
            "max_tokens": (1 <= self.max_tokens <= 2048, "1 to 2,048"),
        }
        violations = {
            name: f"{getattr(self, name)} is not allowed; give {allowed}"
            for name, (valid, allowed) in checks.items()
            if not valid
        }
        if violations:
            raise SettingsError(violations)


def usual_epochs(approach: str, examples: int, batch_size: int) -> int:
    """Return how many passes are made where nobody says: few examples are passed over more often.

    Training that stops improving on held-out examples ends before.

    Args:
        approach: FINE_TUNING or HYBRID.
        examples: That are trained on.
        batch_size: Examples per optimizer step.

    >>> [usual_epochs("FINE_TUNING", count, 8) for count in (30, 108, 180, 2000)]
    [8, 4, 3, 3]
    """
    passes = math.ceil(_USUAL_STEPS / math.ceil(examples / batch_size))
    return min(max(_USUAL_LEAST[approach], passes), _MOST_USUAL)


@dataclass(frozen=True, slots=True)
class TuningMetrics:
    """What training measured; losses are means per completion token, in nats.

    Attributes:
        training_examples: Examples trained on.
        held_out_examples: Examples held out.
        training_loss: Loss over the last epoch.
        held_out_loss: Best loss on the held-out examples; None without any.
        tokens: Tokens trained on, all epochs together.
        steps: Optimizer steps taken.
        stopped_early: Whether training ended before its last epoch since nothing improved.
    """

    training_examples: int
    held_out_examples: int
    training_loss: float
    held_out_loss: float | None
    tokens: int
    steps: int
    stopped_early: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an adapter is.

    Attributes:
        base_model: Identity of the model it adapts, with its revision or hash.
        approach: FINE_TUNING or HYBRID.
        data_sha256: Hash of the training examples.
        settings: How it was trained.
        metrics: What training measured.
        weights_sha256: Hash of the weights' file.
        config_sha256: Hash of the PEFT configuration's file.
        versions: Versions of the libraries that made it, by name.
        precision: What the products of its training were taken in: float32 or bfloat16. The weights
            are float32, and are used with the base model in float32, either way.
        created: When, with a time zone.
        prompt_form: The form of the chats over passages that it was trained on, as `grounded_messages` takes it.
    """

    base_model: str
    approach: str
    data_sha256: str
    settings: TuningSettings
    metrics: TuningMetrics
    weights_sha256: str
    config_sha256: str
    versions: Mapping[str, str]
    precision: str
    created: datetime
    prompt_form: int = PROMPT_FORM


def data_sha256(examples: Iterable[TrainingExample]) -> str:
    """Return the SHA-256 of examples in their order, in hexadecimal."""
    digest = hashlib.sha256()
    for example in examples:
        turns = [[message.role, message.content] for message in example.messages]
        line = json.dumps([turns, example.completion], ensure_ascii=False, separators=(",", ":"))
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def write_adapter(folder: Path, manifest: Manifest, *, config: bytes, weights: bytes) -> None:
    """Write an adapter, in place of the one that was there.

    All files are written beside `folder` and renamed into place: what was there
    stays until the new adapter is complete.

    Raises:
        TuningError: The disk is full or the folder cannot be written.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    previous = folder.with_name(f".{folder.name}.previous")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write_file(partial / WEIGHTS, weights)
        write_file(partial / CONFIG, config)
        write_file(partial / _MANIFEST, _manifest_to_json(manifest))
        shutil.rmtree(previous, ignore_errors=True)
        if folder.exists():
            folder.rename(previous)
        partial.rename(folder)
    except OSError as error:
        if previous.exists() and not folder.exists():
            previous.rename(folder)
        shutil.rmtree(partial, ignore_errors=True)
        raise storage_error(folder, error, len(weights)) from error
    shutil.rmtree(previous, ignore_errors=True)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of an adapter.

    Raises:
        ModelError: The folder holds no manifest, or one that cannot be read.
    """
    path = folder / _MANIFEST
    try:
        return _manifest_from_json(_read_json(path))
    except (KeyError, TypeError, ValueError, SettingsError) as error:
        raise ModelError(f"{path}: not an adapter's manifest ({error}); tune again") from error


def verify_adapter(folder: Path, base_model: str) -> Manifest:
    """Return the manifest of an adapter that is whole and fits a base model.

    Raises:
        ModelError: A file is missing or changed, or the adapter was made for another model.
    """
    manifest = read_manifest(folder)
    if manifest.base_model != base_model:
        raise ModelError(
            f"{folder}: adapts {manifest.base_model}, not {base_model}; load that model or tune again"
        )
    for name, expected in ((WEIGHTS, manifest.weights_sha256), (CONFIG, manifest.config_sha256)):
        with _readable(folder):
            actual = file_sha256(folder / name)
        if actual != expected:
            raise ModelError(
                f"{folder / name}: SHA-256 is {actual}, the manifest says {expected}; tune again"
            )
    return manifest


def adapter_state(folder: Path) -> tuple[tuple[int, int], ...]:
    """Return time and size of an adapter's files: as long as they stay, the adapter is the one that was verified.

    Raises:
        ModelError: A file is missing.
    """
    with _readable(folder):
        return file_states(folder, (_MANIFEST, CONFIG, WEIGHTS))


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: what was there stays until the new content is on disk."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def storage_error(path: Path, error: OSError, size_bytes: int) -> TuningError:
    """Return the error that says why a result could not be stored."""
    megabytes = -(-size_bytes // 1_000_000)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TuningError(f"{path}: the disk is full; free {megabytes} MB and tune again to go on from here")
    return TuningError(f"{path}: cannot be written ({error.strerror}); mend that and tune again")


def _manifest_to_json(manifest: Manifest) -> bytes:
    values = asdict(manifest) | {"format": _FORMAT, "created": manifest.created.isoformat()}
    return json.dumps(values, indent=2, sort_keys=True).encode()


def _manifest_from_json(values: Any) -> Manifest:
    if values["format"] != _FORMAT:
        raise ValueError(f"format is {values['format']}, this version reads {_FORMAT}")
    # Before they could be others, these were not told.
    values = {"precision": "float32", "prompt_form": 1} | values
    known = {field.name: values[field.name] for field in fields(Manifest)}
    known["settings"] = TuningSettings(**values["settings"])
    known["metrics"] = TuningMetrics(**values["metrics"])
    known["created"] = datetime.fromisoformat(values["created"])
    return Manifest(**known)


def _read_json(path: Path) -> Any:
    with _readable(path.parent), path.open("rb") as file:
        content = file.read(_MAX_JSON_BYTES + 1)
    if len(content) > _MAX_JSON_BYTES:
        raise ValueError(f"longer than {_MAX_JSON_BYTES} bytes")
    return json.loads(content)


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Turn what the system says of a file into what it means for an adapter."""
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"{error.filename or folder}: cannot be read ({error.strerror}); tune again, or use another adapter"
        ) from error
