"""What tasks are read from."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks.grid import origins


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a package that is unpacked already."""
    name = f"made-up-{tmp_path.name}"
    folder = tmp_path / "packages" / name / "usr/share"
    folder.mkdir(parents=True)
    (folder / "b.gz").write_bytes(gzip.compress("packed é".encode()))
    (folder / "a.txt").write_text("plain", encoding="utf-8")
    (folder / "link.txt").symlink_to("a.txt")
    monkeypatch.setattr(origins, "cache_folder", lambda: tmp_path)
    return name


def test_files_are_read_in_order_and_unpacked(package: str) -> None:
    """Links are left out, since what they lead to is read itself."""
    assert origins.package_text(package, "usr/share/*") == "plain\npacked é"
    assert list(origins.package_files(package, "**/*.txt")) == ["usr/share/a.txt"]


def test_a_file_that_is_elsewhere_is_told(package: str) -> None:
    """Another version of a package may keep it under another name."""
    with pytest.raises(ValueError, match="keep it elsewhere"):
        origins.package_text(package, "etc/*")


def test_fields_go_on_over_lines() -> None:
    """As in Debian's control files."""
    text = "Package: a\nTag: x,\n y\nVersion: 1:2\n\nPackage: b\n"
    assert list(origins.paragraphs(text)) == [
        {"Package": "a", "Tag": "x, y", "Version": "1:2"},
        {"Package": "b"},
    ]
