"""`advisor watch`: a process of its own that follows the files, seen by what it prints."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest


@pytest.fixture
def watched(
    advisor_process, at, tmp_path, write
) -> Callable[..., AbstractContextManager[subprocess.Popen[str]]]:
    """Return a function that watches a folder with a document in it, and yields as soon as it does."""
    (tmp_path / "docs").mkdir()
    write("docs/a.md", "one")
    write("case.yaml", "id: faq\ndescription: Old.\ndocuments: [docs]\n")

    @contextmanager
    def watch(*options: str) -> Iterator[subprocess.Popen[str]]:
        with advisor_process("watch", tmp_path / "case.yaml", *options, *at) as process:
            assert "1 document imported as 1 passage, 0 unchanged: docs/a.md" in process.stdout.readline()
            assert f"watching {tmp_path}; Ctrl-C ends" in process.stdout.readline()
            yield process

    return watch


def texts(client) -> dict[str, str]:
    return {each.source: client.get_document(each.name).content.decode() for each in client.documents("faq")}


def test_watch_brings_in_what_changes(watched, write, client):
    """A line with the time for each; Ctrl-C ends it."""
    with watched() as process:
        write("docs/b.md", "two")
        line = process.stdout.readline()
        assert re.fullmatch(
            r"\d\d:\d\d:\d\d 1 document imported as 1 passage, 1 unchanged: docs/b.md\n", line
        )
        write("docs/a.md", "three")
        assert "1 unchanged: docs/a.md" in process.stdout.readline()
        assert texts(client) == {"docs/a.md": "three", "docs/b.md": "two"}
        write("case.yaml", "id: faq\ndescription: New.\ndocuments: [docs]\n")
        assert process.stdout.readline().endswith(" description and facts brought in\n")
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_watch_keeps_what_is_deleted_and_says_so(watched, tmp_path, client):
    """Where nobody said --yes; a file that is moved is new under its new name."""
    with watched() as process:
        (tmp_path / "docs" / "a.md").rename(tmp_path / "docs" / "b.md")
        assert "1 document imported as 1 passage, 0 unchanged: docs/b.md" in process.stdout.readline()
        told = process.stderr.readline()
    assert f"kept in the store, though {tmp_path / 'case.yaml'} has it no more: docs/a.md; --yes" in told
    assert texts(client) == {"docs/a.md": "one", "docs/b.md": "one"}


def test_watch_deletes_where_it_may(watched, tmp_path, write, client):
    """A folder that goes takes its documents along."""
    with watched("--yes") as process:
        (tmp_path / "docs" / "in").mkdir()
        write("docs/in/b.md", "two")
        assert "docs/in/b.md" in process.stdout.readline()
        (tmp_path / "docs" / "in").rename(tmp_path / "gone")
        assert "1 unchanged, 1 deleted" in process.stdout.readline()
    assert texts(client) == {"docs/a.md": "one"}


def test_watch_goes_on_after_what_is_wrong(watched, write, client):
    """A file that is half written is told, and the next change is brought in."""
    with watched() as process:
        write("case.yaml", "id: faq\ndocuments: [none.md]\n")
        assert "not brought in: " in (told := process.stderr.readline())
        assert "case.yaml:2:13: there is no file" in told
        write("case.yaml", "id: faq\ndocuments: [docs]\n")
        assert "description and facts brought in" in process.stdout.readline()
        write("docs/b.md", "two")
        assert "docs/b.md" in process.stdout.readline()


def test_watch_tells_what_cannot_be_read(watched, write):
    """On the other stream: nothing is brought in by it, and what follows is."""
    with watched() as process:
        write("docs/b.pdf", "no PDF")
        assert "1 document skipped" in process.stderr.readline()
        assert "docs/b.pdf: it is not a PDF that can be read" in process.stderr.readline()
        write("docs/c.md", "three")
        line = process.stdout.readline()
        assert line.endswith(" 1 document imported as 1 passage, 1 unchanged: docs/c.md\n")


def test_watch_follows_the_file_to_other_folders(watched, tmp_path, write, tmp_path_factory, client):
    """What it names outside its own folder is watched from then on."""
    outside = tmp_path_factory.mktemp("outside")
    with watched() as process:
        (outside / "b.md").write_text("two")
        write("case.yaml", f"id: faq\ndocuments: [docs, '{outside}/*.md']\n")
        assert "b.md" in process.stdout.readline()
        (outside / "c.md").write_text("three")
        assert "c.md" in process.stdout.readline()
    assert len(texts(client)) == 3


def test_an_interruption_that_nobody_sees_is_known():
    """In a finalizer the exception goes no further, but the next look at the files finds that it was."""
    script = """
import signal
import time

from advisor.cli import watching

before = signal.getsignal(signal.SIGINT)
with watching._interruptible() as interrupted:
    assert not interrupted.is_set()
    try:
        signal.raise_signal(signal.SIGINT)
        time.sleep(60)  # some versions of Python hand a signal on a moment later
    except KeyboardInterrupt:
        pass
    assert interrupted.is_set()
assert signal.getsignal(signal.SIGINT) is before
"""
    # In a process of its own: what else a process of tests does with its signals is not seen from here.
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
