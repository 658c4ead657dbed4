"""Ids written into use-case files."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.errors import ConfigurationError, InvalidInput
from advisor.knowledge.identity import new_id, write_id
from advisor.knowledge.usecasefile import read_use_case
from advisor.names import is_id


@pytest.mark.parametrize("folder", ["manuals", "Handbuch (neu)", "2026", "ü", "a" * 80, "-x-"])
def test_an_id_is_new_and_says_where_it_is_from(folder: str) -> None:
    """Two files in folders of one name have different ones."""
    path = Path("/somewhere") / folder / "use-case.yaml"
    first, second = new_id(path), new_id(path)
    assert is_id(first)
    assert first != second


@pytest.mark.parametrize(
    "content",
    [
        b"description: A bot.\n",
        b"# A comment.\ndescription: A bot.",
        b"---\ndescription: A bot.\n",
        b"%YAML 1.1\n---\ndescription: A bot.\n",
        b"\xef\xbb\xbfdescription: A bot.\n",
        b"description: A bot.\r\nfacts: {}\r\n",
    ],
)
def test_an_id_is_added_and_the_rest_stays(tmp_path: Path, content: bytes) -> None:
    """Whatever stands first in the file."""
    path = tmp_path / "use-case.yaml"
    path.write_bytes(content)
    case = write_id(read_use_case(path), "bot-1")
    assert (case.id, case.description) == ("bot-1", "A bot.")
    assert path.read_bytes().replace(b"id: bot-1\r\n", b"").replace(b"id: bot-1\n", b"") == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_takes_no_line_stays_as_it_was(tmp_path: Path) -> None:
    """In braces a line of its own is not YAML: what to write is told."""
    path = tmp_path / "use-case.yaml"
    path.write_text("{description: A bot.}")
    with pytest.raises(InvalidInput, match="add id: bot-1"):
        write_id(read_use_case(path), "bot-1")
    assert path.read_text() == "{description: A bot.}"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line to add by hand."""
    path = tmp_path / "use-case.yaml"
    path.write_text("description: A bot.\n")
    case = read_use_case(path)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(ConfigurationError, match=r"Permission denied.*id: bot-1"):
        write_id(case, "bot-1")
    assert path.read_text() == "description: A bot.\n"
