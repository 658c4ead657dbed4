"""What a training run takes and leaves."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backends.base import Message, ModelError, TuningError
from backends.prompts import PROMPT_FORM
from backends.training.adapters import (
    Manifest,
    SettingsError,
    TrainingExample,
    TuningMetrics,
    TuningSettings,
    data_sha256,
    read_manifest,
    verify_adapter,
    write_adapter,
)

WEIGHTS, CONFIG = b"weights", b'{"peft_type": "LORA"}'
MANIFEST = Manifest(
    base_model="small@1",
    approach="FINE_TUNING",
    data_sha256="ab",
    settings=TuningSettings(epochs=2),
    metrics=TuningMetrics(90, 10, 0.5, 0.25, 1000, 24, stopped_early=False),
    weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    config_sha256=hashlib.sha256(CONFIG).hexdigest(),
    versions={"torch": "2"},
    precision="bfloat16",
    created=datetime(2026, 1, 2, tzinfo=UTC),
)


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """Return the folder of a small adapter."""
    folder = tmp_path / "adapter"
    write_adapter(folder, MANIFEST, config=CONFIG, weights=WEIGHTS)
    return folder


def test_what_was_written_is_read_back(adapter: Path) -> None:
    """A manifest survives the disk, and nothing else is left beside the adapter."""
    assert verify_adapter(adapter, "small@1") == MANIFEST
    assert [path.name for path in adapter.parent.iterdir()] == ["adapter"]


def test_an_adapter_of_before_knows_the_form_of_before(adapter: Path) -> None:
    """Its manifest does not tell the form of its prompts, which was the first then."""
    path = adapter / "manifest.json"
    values = json.loads(path.read_bytes())
    assert values.pop("prompt_form") == PROMPT_FORM
    path.write_text(json.dumps(values))
    assert read_manifest(adapter).prompt_form == 1


def test_a_new_adapter_replaces_the_old_one(adapter: Path) -> None:
    """Writing to the same folder leaves the new adapter alone."""
    newer = replace(MANIFEST, approach="HYBRID")
    write_adapter(adapter, newer, config=CONFIG, weights=WEIGHTS)
    assert verify_adapter(adapter, "small@1") == newer
    assert [path.name for path in adapter.parent.iterdir()] == ["adapter"]


def test_an_adapter_of_another_model_is_refused(adapter: Path) -> None:
    """The error names both models."""
    with pytest.raises(ModelError, match=r"adapts small@1, not large@2"):
        verify_adapter(adapter, "large@2")


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_a_changed_file_is_refused(adapter: Path, name: str) -> None:
    """A file whose hash differs is named."""
    (adapter / name).write_bytes(b"other")
    with pytest.raises(ModelError, match=rf"{name}: SHA-256 is .*, the manifest says"):
        verify_adapter(adapter, "small@1")


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json", "manifest.json"])
def test_a_missing_file_is_refused(adapter: Path, name: str) -> None:
    """A file that is not there is named."""
    (adapter / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}: cannot be read"):
        verify_adapter(adapter, "small@1")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"format": 2}', b"\xff", b" " * ((1 << 20) + 1)],
    ids=["empty", "list", "no fields", "newer", "no text", "too long"],
)
def test_a_broken_manifest_is_refused(adapter: Path, content: bytes) -> None:
    """Anything but a manifest is an error that names the file."""
    (adapter / "manifest.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"manifest\.json: not an adapter's manifest"):
        read_manifest(adapter)


def test_a_full_disk_leaves_the_old_adapter(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how much to free, and the adapter of before is whole."""
    _fill_disk(monkeypatch)
    with pytest.raises(TuningError, match=r"the disk is full; free 1 MB"):
        write_adapter(adapter, replace(MANIFEST, approach="HYBRID"), config=CONFIG, weights=WEIGHTS)
    assert verify_adapter(adapter, "small@1") == MANIFEST
    assert [path.name for path in adapter.parent.iterdir()] == ["adapter"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 51),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("rank", 257),
        ("batch_size", 0),
        ("held_out_share", 0.6),
        ("seed", 2**63),
        ("max_tokens", 4096),
    ],
)
def test_settings_out_of_bounds_are_refused(name: str, value: Any) -> None:
    """The violation is listed under the setting's name, with the value."""
    with pytest.raises(SettingsError) as caught:
        TuningSettings(**{name: value})
    assert list(caught.value.violations) == [name]
    assert str(value) in caught.value.violations[name]


def test_all_wrong_settings_are_listed_at_once() -> None:
    """Nobody has to mend one setting to learn of the next."""
    with pytest.raises(SettingsError) as caught:
        TuningSettings(epochs=0, rank=0)
    assert set(caught.value.violations) == {"epochs", "rank"}


def test_the_hash_of_examples_covers_text_and_order() -> None:
    """Moving a word from question to answer, or swapping examples, changes the hash."""
    one = TrainingExample((Message("user", "a b"),), "c")
    two = TrainingExample((Message("user", "a"),), "b c")
    hashes = {data_sha256(examples) for examples in ([one, two], [two, one], [one], [two], [])}
    assert len(hashes) == 5
    assert data_sha256([one, two]) == data_sha256((one, two))


def _fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
