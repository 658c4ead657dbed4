"""What an entry of a use-case file stands for: a folder and an archive as the documents in them."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from advisor.errors import InvalidInput
from advisor.knowledge.corpus import LeftOut
from advisor.knowledge.inventory import Inventory
from advisor.knowledge.usecasefile import UseCaseFile, read_use_case, take_stock
from backends.documents.reading import MAX_DOCUMENT_BYTES


def fill(folder: Path, *names: str) -> Path:
    """Write files into a folder, and return it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")
    return folder


def zipped(path: Path, **files: str) -> Path:
    """Write an archive, and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def case_of(folder: Path, text: str) -> UseCaseFile:
    """Return the use case of a file in a folder."""
    (folder / "case.yaml").write_text(text)
    return read_use_case(folder / "case.yaml")


def named(case: UseCaseFile) -> list[str]:
    """Return the documents of a use case as paths from its folder."""
    return [path.relative_to(case.path.parent).as_posix() for path in case.documents]


def test_a_folder_stands_for_the_documents_below_it(tmp_path: Path) -> None:
    """In order, without what is hidden; other formats are counted, and examples are no documents."""
    fill(tmp_path, "docs/b.MD", "docs/in/a.pdf", "docs/c.png", "docs/d.PNG", "docs/Makefile", "docs/e.jsonl")
    fill(tmp_path, "docs/.hidden.md", "docs/.git/a.md", "other.md")
    case = case_of(tmp_path, "documents: docs\nexamples: docs/e.jsonl")
    assert named(case) == ["docs/b.MD", "docs/in/a.pdf"]
    assert case.left_out == (LeftOut("docs", "3 files of other formats", (".png (2)", "no suffix (1)")),)
    assert named(case_of(tmp_path, "documents: [docs/in, .]"))[:2] == ["docs/in/a.pdf", "other.md"]


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    """Neither to a file, nor to a folder, nor in a circle."""
    fill(tmp_path, "docs/a.md", "out/secret.md", "docs/.git/b.md")
    for name, target in {
        "file.md": tmp_path / "out" / "secret.md",
        "folder": tmp_path / "out",
        "circle": tmp_path / "docs",
        "hidden.md": tmp_path / "docs" / ".git" / "b.md",
        "within.md": tmp_path / "docs" / "a.md",
        "itself.md": tmp_path / "docs" / "itself.md",
    }.items():
        (tmp_path / "docs" / name).symlink_to(target)
    assert named(case_of(tmp_path, "documents: docs")) == ["docs/a.md", "docs/within.md"]


@pytest.mark.parametrize("entry", ["docs", "'docs/*'"])
def test_too_large_a_file_is_left_out_where_it_is_not_named(tmp_path: Path, entry: str) -> None:
    """It is a fault all the same, and where it is named, one of the use-case file."""
    os.truncate(fill(tmp_path, "docs/a.md", "docs/b.md") / "docs" / "b.md", MAX_DOCUMENT_BYTES + 1)
    case = case_of(tmp_path, f"documents: {entry}")
    (left_out,) = case.left_out
    assert (named(case), left_out.is_fault) == (["docs/a.md"], True)
    assert left_out.reason == "16,777,217 bytes are more than the 16,777,216 allowed; split it"
    with pytest.raises(InvalidInput, match=r"case.yaml:1:12: 'docs/b.md': 16,777,217 bytes are more than"):
        case_of(tmp_path, "documents: docs/b.md")


def test_a_name_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    """No message could carry it."""
    fill(tmp_path, "docs/a.md")
    (tmp_path / "docs" / os.fsdecode(b"\xff.md")).write_text("text")
    case = case_of(tmp_path, "documents: docs")
    assert (named(case), case.left_out[0].is_fault) == (["docs/a.md"], True)
    assert r"\udcff.md" in case.left_out[0].names[0]


def test_a_folder_without_documents_is_as_a_pattern_without_files(tmp_path: Path) -> None:
    """What is in it is told."""
    fill(tmp_path, "docs/a.png")
    case = case_of(tmp_path, "documents: docs")
    assert case.unmatched[0].description == "nothing of 'docs' can be imported: 1 file of other formats"


def test_a_name_may_look_like_a_pattern(tmp_path: Path) -> None:
    """What is there by that name is meant."""
    fill(tmp_path, "report [1].md", "what?/a.md")
    assert named(case_of(tmp_path, "documents: ['report [1].md', 'what?']")) == [
        "report [1].md",
        "what?/a.md",
    ]


@pytest.mark.parametrize("entry", ["guide.zip", "'*.zip'", "."])
def test_an_archive_stands_for_the_documents_in_it(tmp_path: Path, entry: str) -> None:
    """They are counted one by one; what is skipped is told by its reason."""
    files = {"in/a.html": "12345", "b.md": "123", "c.png": "x", ".d.md": "x", "../e.md": "x", "f.tar": "x"}
    zipped(tmp_path / "guide.zip", **files)
    case = case_of(tmp_path, f"documents: {entry}")
    assert take_stock(case) == Inventory(2, 8, 0)
    told = {each.reason: (each.names, each.is_fault) for each in case.left_out if each.where == "guide.zip"}
    assert told == {
        "1 file of other formats": ((".png (1)",), False),
        "it is hidden": ((".d.md",), False),
        "its path leads out of the archive": (("../e.md",), True),
        "it is an archive within the archive": (("f.tar",), False),
    }


def test_a_bomb_that_is_named_is_refused(tmp_path: Path) -> None:
    """With the place of the entry that brings it."""
    zipped(tmp_path / "bomb.zip", **{"a.txt": "0" * 4_000_000})
    with pytest.raises(
        InvalidInput, match=r"case.yaml:1:12: bomb.zip: 'a.txt' unpacks to more than 200 times"
    ):
        case_of(tmp_path, "documents: bomb.zip")


@pytest.mark.parametrize("entry", ["'*[dp]'", "."])
def test_a_bomb_among_others_is_left_out(tmp_path: Path, entry: str) -> None:
    """It is told as missing, and its neighbours are imported."""
    zipped(tmp_path / "bomb.zip", **{"a.txt": "0" * 4_000_000})
    (tmp_path / "good.md").write_text("good")
    case = case_of(tmp_path, f"documents: {entry}")
    assert [path.name for path in case.documents] == ["good.md"]
    (left,) = [each for each in case.left_out if each.is_fault]
    assert left.reason.startswith("'a.txt' unpacks to more than 200 times its size")
    assert left.names[0].endswith("bomb.zip")


def test_an_archive_that_is_named_holds_documents(tmp_path: Path) -> None:
    zipped(tmp_path / "a.zip", **{"a.png": "x"})
    with pytest.raises(InvalidInput, match=r"'a.zip' holds no document; put in files of .txt, "):
        case_of(tmp_path, "documents: a.zip")
