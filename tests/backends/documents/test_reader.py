"""Documents are read in processes apart: as in this one, within limits, and none harms another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.base import Cancelled, DocumentError, Passage
from backends.documents import reader as reader_module
from backends.documents.passages import split
from backends.documents.reader import DocumentReader, ReaderLimits
from backends.documents.reading import read_document
from backends.documents.worker import Reading, Reply, reply_from_json, reply_to_json

HTML = "<title>Größe</title><h1 id='a'>A</h1><p>x</p><table><tr><th>k<th>v<tr><td>1<td>2</table>".encode()
MIB = 1024 * 1024
# The process that reads, and a format in which a document says what is to happen to it.
MISBEHAVING = """
import ctypes, os, sys
from backends.documents import reading, worker

def read(source, media_type, content, real=reading.read_document):
    if content == b"crash":
        ctypes.string_at(0)
    if content == b"exit":
        os._exit(3)
    if content == b"hang":
        while True:
            pass
    if content == b"grow":
        bytearray(1 << 40)
    if content == b"wrong":
        raise TypeError("a fault")
    if content == b"garbage":
        os.write(3, b"x" * 100)
    if content == b"keep":
        read.kept = bytearray(400 << 20)
    if content == b"environment":
        return reading.DocumentText(repr(sorted(os.environ)))
    return real(source, media_type, content)

reading.read_document = read
worker.main()
"""


@pytest.fixture
def reader() -> Iterator[DocumentReader]:
    with DocumentReader() as reader:
        yield reader


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> Iterator[DocumentReader]:
    """Yield a reader of one process, in which a document may do what a parser might."""
    monkeypatch.setattr(reader_module, "_COMMAND", (sys.executable, "-c", MISBEHAVING))
    with DocumentReader(1) as reader:
        yield reader


def packed_page(content: bytes) -> bytes:
    """Return a PDF of one page, what draws it packed as small as can be."""
    stream = zlib.compress(content, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    made, starts = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        starts.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    end = b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(made)
    return bytes(made + b"xref\n0 5\n0000000000 65535 f \n" + table + end)


@pytest.mark.parametrize(
    ("source", "media_type", "content"),
    [
        ("a.html", "text/html", HTML),
        ("a.txt", "text/plain", "Wörter\r\nund 日本語\n".encode()),
        ("a.csv", "text/csv", b"k,v\n1,2\n"),
        ("large.txt", "text/plain", b"word " * 500_000),
    ],
)
def test_text_is_the_same(reader: DocumentReader, source: str, media_type: str, content: bytes) -> None:
    """Text and passages come whole, however large."""
    document = read_document(source, media_type, content)
    assert reader.read(source, media_type, content) == Reading(document.text, split(source, document))


texts = st.text(st.characters())  # halves of surrogate pairs among them
numbers = st.integers(0, 2**40)


@given(
    texts,
    st.lists(st.builds(Passage, texts, st.just("a"), numbers, numbers, texts, texts, texts, texts)).map(
        tuple
    ),
)
def test_replies_come_back(text: str, passages: tuple[Passage, ...]) -> None:
    """What is made of a document is the same after its way."""
    reply = Reply(Reading(text, passages))
    assert reply_from_json("a", reply_to_json(reply)) == reply


def test_errors_are_the_reader_s(reader: DocumentReader) -> None:
    """A document that cannot be read is refused in the same words, and the process is kept."""
    with pytest.raises(DocumentError, match=r"a.pdf: it is not a PDF that can be read"):
        reader.read("a.pdf", "application/pdf", b"text")
    (pid,) = reader.pids
    reader.read("a.txt", "text/plain", b"text")
    assert reader.pids == (pid,)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"crash", r"reading it crashed \(SIGSEGV\)"),
        (b"exit", r"reading it crashed \(exit code 3\)"),
        (b"garbage", "reading it crashed"),
        (b"grow", "reading it takes more than the 1,073,741,824 bytes of memory allowed; split it"),
        (b"wrong", r"it cannot be read \(TypeError\)"),
    ],
)
def test_what_breaks_the_process_is_refused(misbehaving: DocumentReader, content: bytes, says: str) -> None:
    """The document is told, and the next one is read by a new process; so it is where the process was used before."""
    for _ in range(2):
        with pytest.raises(DocumentError, match=f"^bad.txt: {says}"):
            misbehaving.read("bad.txt", "text/plain", content)
        assert misbehaving.read("a.txt", "text/plain", b"good").text == "good"


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (ReaderLimits(seconds=1), "reading it takes more than 1 seconds; split it"),
        (ReaderLimits(cpu_seconds=1), "reading it takes more than 1 seconds of the processor; split it"),
    ],
    ids=["time", "processor"],
)
def test_too_long_is_refused(monkeypatch: pytest.MonkeyPatch, limits: ReaderLimits, says: str) -> None:
    """The limit is named, with what to do."""
    monkeypatch.setattr(reader_module, "_COMMAND", (sys.executable, "-c", MISBEHAVING))
    with DocumentReader(1, limits) as reader:
        with pytest.raises(DocumentError, match=f"^a.txt: {says}"):
            reader.read("a.txt", "text/plain", b"hang")
        assert reader.pids == ()


def test_a_page_that_unpacks_to_much_is_refused() -> None:
    """PDFium takes gigabytes for it, and is not let."""
    page = packed_page(b"q " * 8_000_000)
    assert len(page) < 100_000
    with (
        DocumentReader(1, ReaderLimits(memory_bytes=512 * MIB)) as reader,
        pytest.raises(DocumentError, match="536,870,912 bytes of memory allowed"),
    ):
        reader.read("a.pdf", "application/pdf", page)


def test_cancelling_ends_the_process(misbehaving: DocumentReader) -> None:
    """Nobody waits for a document that is not wanted any more."""
    misbehaving.read("a.txt", "text/plain", b"good")
    answers = iter([False] * 3)
    with pytest.raises(Cancelled):
        misbehaving.read("a.txt", "text/plain", b"hang", lambda: next(answers, True))
    assert misbehaving.pids == ()


def test_who_waits_for_a_process_can_be_cancelled(
    misbehaving: DocumentReader, until: Callable[..., None]
) -> None:
    """It is not read what was cancelled while another document was."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        other = threads.submit(misbehaving.read, "a.txt", "text/plain", b"hang", stop.is_set)
        until(lambda: misbehaving.pids)
        with pytest.raises(Cancelled):
            misbehaving.read("b.txt", "text/plain", b"good", lambda: True)
        stop.set()
        assert isinstance(other.exception(), Cancelled)


def test_two_at_a_time_do_not_disturb_each_other(reader: DocumentReader) -> None:
    """Each gets its own text, however they interleave; there are no more processes than allowed."""
    contents = {f"{number}.txt": f"text {number} ".encode() * 5_000 for number in range(12)}
    with ThreadPoolExecutor(6) as threads:
        found = threads.map(lambda name: reader.read(name, "text/plain", contents[name]).text, contents)
        assert list(found) == [content.decode() for content in contents.values()]
    assert 1 <= len(reader.pids) <= 2


def test_a_killed_process_is_replaced(reader: DocumentReader) -> None:
    """It starts again at the next document."""
    reader.read("a.txt", "text/plain", b"text")
    (pid,) = reader.pids
    os.kill(pid, signal.SIGKILL)
    assert reader.read("a.txt", "text/plain", b"text").text == "text"
    assert reader.pids != (pid,)


def test_a_process_that_grew_is_not_kept(misbehaving: DocumentReader) -> None:
    """What a document took is given back after it, and the text comes all the same."""
    assert misbehaving.read("a.txt", "text/plain", b"keep").text == "keep"
    assert misbehaving.pids == ()


def test_secrets_are_not_in_the_process(misbehaving: DocumentReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes it over finds no password in its environment."""
    monkeypatch.setenv("ADVISOR_DATABASE_URL", "postgresql://user:secret@host/db")
    found = misbehaving.read("a.txt", "text/plain", b"environment").text
    assert "'PATH'" in found
    assert "ADVISOR" not in found


def test_closing_ends_the_processes(until: Callable[..., None]) -> None:
    """Nothing is read after that."""
    reader = DocumentReader()
    reader.read("a.txt", "text/plain", b"text")
    (pid,) = reader.pids
    reader.close()
    until(lambda: not _lives(pid))
    with pytest.raises(Cancelled):
        reader.read("a.txt", "text/plain", b"text")


def test_the_process_ends_with_its_server(until: Callable[..., None]) -> None:
    """Also where the server is killed while a document is read."""
    script = f"""
import sys, threading, time
from backends.documents import reader
reader._COMMAND = (sys.executable, "-c", {MISBEHAVING!r})
reader = reader.DocumentReader()
reader.read("a.txt", "text/plain", b"good")
print(*reader.pids, flush=True)
reader.read("a.txt", "text/plain", b"hang")
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as server:
        assert server.stdout
        pid = int(server.stdout.readline())
        assert _lives(pid)
        server.kill()
    until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
