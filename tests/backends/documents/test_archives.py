"""A .zip is a folder of documents, and no way out of it."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.base import DocumentError
from backends.documents.archives import ArchiveLimits, members


def zipped(**files: bytes | str) -> bytes:
    """Return an archive of files; a double underscore in a name stands for a slash, one for a dot."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def held(content: bytes, limits: ArchiveLimits | None = None) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the files of an archive, and why others are skipped."""
    skipped: dict[str, str] = {}
    found = members(
        "a.zip", io.BytesIO(content), limits=limits or ArchiveLimits(), skipped=skipped.__setitem__
    )
    return dict(found), skipped


def test_files_are_read_with_their_paths() -> None:
    """Files come in the archive's order with the path that they have in it; folders do not."""
    content = zipped(**{"docs/": b"", "docs/b.md": b"# B", "a.txt": "ä"})
    assert held(content) == ({"docs/b.md": b"# B", "a.txt": "ä".encode()}, {})
    assert list(held(content)[0]) == ["docs/b.md", "a.txt"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/passwd", "leads out"),
        ("../a.txt", "leads out"),
        ("a/../../b.txt", "leads out"),
        ("..\\a.txt", "leads out"),
        ("C:\\a.txt", "leads out"),
        ("c:a.txt", "leads out"),
        ("__MACOSX/a.txt", "hidden"),
        (".git/config", "hidden"),
        ("docs/.hidden.md", "hidden"),
        ("docs/more.zip", "archive within"),
        ("docs/more.tar.GZ", "archive within"),
        ("a\x1b[2Jb.txt", "control characters"),
        ("a\nb.txt", "control characters"),
    ],
)
def test_other_files_are_skipped_with_a_reason(name: str, reason: str) -> None:
    """Paths that lead out, hidden files and archives are left out, and said to be."""
    found, skipped = held(zipped(**{name: b"x", "kept.txt": b"x"}))
    assert list(found) == ["kept.txt"]
    (why,) = skipped.values()
    assert reason in why


def test_names_that_differ_in_case_are_two_files() -> None:
    """Nothing is unpacked into a folder, where one would overwrite the other."""
    assert held(zipped(**{"A.txt": "1", "a.txt": "2"}))[0] == {"A.txt": b"1", "a.txt": b"2"}


def test_a_name_ends_at_nul() -> None:
    """What follows is hidden from other programs as well: the suffix that counts is the one that shows."""
    content = zipped(**{"a.txt_b.exe": "x"}).replace(b"a.txt_b.exe", b"a.txt\0b.exe")
    assert list(held(content)[0]) == ["a.txt"]


def test_backslashes_part_folders() -> None:
    """Paths of Windows are those of others."""
    content = zipped(**{"docs_a.txt": b"x"}).replace(b"docs_a.txt", b"docs\\a.txt")
    assert list(held(content)[0]) == ["docs/a.txt"]


def special(**fields: int) -> bytes:
    """Return an archive of one file with other attributes."""
    made = io.BytesIO()
    entry = zipfile.ZipInfo("a.txt")
    for name, value in fields.items():
        setattr(entry, name, value)
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(entry, b"target")
    return made.getvalue()


def flagged() -> bytes:
    """Return an archive whose file says that it is encrypted."""
    content = bytearray(zipped(**{"a.txt": b"x"}))
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (special(external_attr=(stat.S_IFLNK | 0o777) << 16), "link"),
        (special(external_attr=(stat.S_IFIFO | 0o777) << 16), "special"),
        (special(compress_type=zipfile.ZIP_LZMA), "packed in a way"),
        (flagged(), "encrypted"),
    ],
    ids=["link", "pipe", "lzma", "encrypted"],
)
def test_special_files_are_skipped(content: bytes, reason: str) -> None:
    """Links, pipes and encrypted files are left out."""
    found, skipped = held(content)
    assert not found
    assert reason in skipped["a.txt"]


def test_large_and_doubled_files_are_skipped() -> None:
    """A file that is too large, or there twice, is left out."""
    made = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(made, "w") as archive:
        for name, content in (("a", b"1"), ("a", b"2"), ("b", b"x" * 101)):
            archive.writestr(name, content)
    found, skipped = held(made.getvalue(), ArchiveLimits(member_bytes=100))
    assert found == {"a": b"1"}
    assert "twice" in skipped["a"]
    assert "101 bytes are more than the 100 allowed" in skipped["b"]


def lying() -> bytes:
    """Return an archive whose file is larger than it says."""
    content = bytearray(zipped(**{"a.txt": b"x" * 5000}))
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        start = content.index(signature) + offset
        content[start : start + 4] = struct.pack("<I", 10)
    return bytes(content)


def overlapping() -> bytes:
    """Return an archive that lists one file three times over."""
    content = zipped(**{"a.txt": b"x" * 5000})
    start, end = content.index(b"PK\1\2"), content.index(b"PK\5\6")
    entry = content[start:end]
    others = b"".join(entry.replace(b"a.txt", b"%c.txt" % letter) for letter in b"abc")
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, len(others), start, 0)
    return content[:start] + others + tail


@pytest.mark.parametrize(
    ("content", "limits", "says"),
    [
        (b"", ArchiveLimits(), "not a .zip"),
        (b"PK\3\4 nothing", ArchiveLimits(), "not a .zip"),
        (zipped(a=b"x" * 5_000_000), ArchiveLimits(), "200 times its size"),
        (zipped(a=b"1", b=b"2", c=b"3"), ArchiveLimits(files=2), "3 files are more than the 2"),
        (zipped(a=b"x" * 60, b=b"y" * 60), ArchiveLimits(bytes=100), "more than the 100 bytes"),
        (lying(), ArchiveLimits(), "a.txt: it cannot be unpacked|a.txt: it is not of the size"),
        (overlapping(), ArchiveLimits(), "overlap"),
    ],
    ids=["empty", "broken", "bomb", "many", "much", "lying", "overlapping"],
)
def test_bombs_and_broken_archives_are_refused(content: bytes, limits: ArchiveLimits, says: str) -> None:
    """What unpacks to too much, or is not what it says, is refused."""
    with pytest.raises(DocumentError, match=says) as caught:
        held(content, limits)
    assert str(caught.value).startswith("a.zip")


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 400), st.binary(max_size=8), st.booleans())
def test_damaged_archives_are_read_or_refused(start: int, put: bytes, cut: bool) -> None:
    """Cut or written over, an archive gives files or a DocumentError."""
    content = zipped(**{"docs/b.md": b"# B" * 50, "a.txt": "ä", "c.txt": b""})
    damaged = content[:start] if cut else content[:start] + put + content[start + len(put) :]
    try:
        held(damaged)
    except DocumentError as error:
        assert str(error).startswith("a.zip")  # noqa: PT017
