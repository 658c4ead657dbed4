"""Files of adapters: in the data folder alone, or in a store that others reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.base import ModelError, TuningError
from backends.training.adapters import FILES
from backends.training.stores import AdapterFiles, check_store


def make(files: AdapterFiles, run: str = "run", text: str = "weights") -> str:
    """Write what a training run leaves, and return its folder's name."""
    folder = files.folder_of("faq", "a", run)
    files.made(folder).mkdir(parents=True)
    for name in FILES:
        (files.made(folder) / name).write_text(f"{text} {name}")
    return folder


def read(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


WHOLE = {name: f"weights {name}" for name in FILES}


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"file://{tmp_path / 'store'}"


def test_without_a_store_files_are_in_the_data_folder(tmp_path: Path) -> None:
    """Whoever shares the folder shares them; the next adapter of a name takes the place of the last."""
    files = AdapterFiles(tmp_path)
    folder = make(files)
    files.keep(folder)
    assert files.local(folder) == tmp_path / folder == tmp_path / "adapters/faq/a"
    assert read(files.local(folder)) == WHOLE
    files.remove(folder)
    assert not (tmp_path / folder).exists()


def test_what_one_machine_makes_another_answers_with(tmp_path: Path, store: str) -> None:
    """It is fetched once; where it was made nothing stays."""
    worker, server = (AdapterFiles(tmp_path / name, store) for name in ("worker", "server"))
    folder = make(worker)
    worker.keep(folder)
    assert not worker.made(folder).exists()
    assert read(server.local(folder)) == WHOLE
    (tmp_path / "store").rename(tmp_path / "away")
    assert read(server.local(folder)) == WHOLE


def test_another_training_run_never_writes_over_what_was_fetched(tmp_path: Path, store: str) -> None:
    """An adapter that is deleted and trained anew under its name has another folder."""
    worker, server = (AdapterFiles(tmp_path / name, store) for name in ("worker", "server"))
    first, second = (make(worker, run, run) for run in ("one", "two"))
    for folder in (first, second):
        worker.keep(folder)
    assert [read(server.local(folder))[FILES[0]] for folder in (first, second)] == [
        f"one {FILES[0]}",
        f"two {FILES[0]}",
    ]


def test_what_is_deleted_leaves_the_store_and_what_others_fetched(tmp_path: Path, store: str) -> None:
    """Others remove it when they hear of it; what is not deleted stays."""
    worker, server = (AdapterFiles(tmp_path / name, store) for name in ("worker", "server"))
    folders = [make(worker, run) for run in ("one", "two")]
    for folder in folders:
        worker.keep(folder)
        server.local(folder)
    worker.remove(folders[0])
    being_fetched = tmp_path / "server" / "fetched" / "adapters/faq/a/.three.partial"
    being_fetched.mkdir()
    (being_fetched / FILES[-1]).touch()
    server.remove_fetched(lambda: {folders[1]})
    (being_fetched / FILES[-1]).unlink()
    assert not list(tmp_path.rglob("one"))
    assert read(server.local(folders[1])) == WHOLE
    worker.remove_use_case("faq")
    worker.remove_use_case("faq")  # what is gone is gone
    server.remove_fetched(set)
    server.remove_fetched(lambda: pytest.fail("there is nothing to ask for"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_adapters_of_before_there_was_a_store_are_found(tmp_path: Path, store: str) -> None:
    """On the machine that has them."""
    folder = make(AdapterFiles(tmp_path / "server"))
    assert read(AdapterFiles(tmp_path / "server", store).local(folder)) == WHOLE


def test_a_store_that_is_away_loses_nothing(tmp_path: Path) -> None:
    """What was made stays, nothing half fetched does, and both say so."""
    (tmp_path / "file").write_text("no folder")
    away = AdapterFiles(tmp_path / "data", f"file://{tmp_path / 'file'}")
    folder = make(away)
    with pytest.raises(TuningError, match=r"cannot be written"):
        away.keep(folder)
    assert read(away.made(folder)) == WHOLE
    away.remove(folder)
    with pytest.raises(ModelError, match=r"adapters/faq/a/run: cannot be fetched from the store of adapters"):
        away.local(folder)
    assert not [path for path in (tmp_path / "data").rglob("*") if path.name.startswith(".")]


def test_an_adapter_that_is_not_whole_in_the_store_is_not_taken(tmp_path: Path, store: str) -> None:
    """The manifest is put there last."""
    worker, server = (AdapterFiles(tmp_path / name, store) for name in ("worker", "server"))
    folder = make(worker)
    worker.keep(folder)
    (tmp_path / "store" / folder / FILES[-1]).unlink()
    with pytest.raises(ModelError, match="FileNotFoundError"):
        server.local(folder)
    assert not (tmp_path / "server" / "fetched" / folder).exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/mnt/adapters", "'/mnt/adapters' is no URL; write one such as"),
        ("s3://", "is no URL"),
        ("nothing://bucket", "'nothing://bucket' cannot be opened: Protocol not known: nothing"),
        ("s3://bucket/adapters", "s3fs"),
    ],
)
def test_a_url_of_no_store_is_refused(url: str, said: str) -> None:
    """With what is allowed, or what to install."""
    with pytest.raises(ValueError, match=said):
        check_store(url)


def test_what_fsspec_itself_has_is_a_store() -> None:
    """Without anything more to install."""
    for url in ("file:///mnt/adapters", "memory://adapters"):
        check_store(url)
