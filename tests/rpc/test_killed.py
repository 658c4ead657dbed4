"""A server that is killed in the middle of an import: what was there before is there, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from advisor.client import Client
from advisor.errors import AdvisorError
from advisor.v1 import use_case_pb2
from tests.servers import fake_parts

TABLES = ("documents", "passages", "passage_words", "passage_languages", "document_changes", "use_cases")
BEFORE = {"lamp.txt": "The lamp is red.", "door.txt": "The door is open."}


def documents(texts: dict[str, str]) -> list[use_case_pb2.Document]:
    return [use_case_pb2.Document(source=source, content=text.encode()) for source, text in texts.items()]


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return all that is stored of documents."""
    with psycopg.connect(url) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY {table}::text").fetchall()  # noqa: S608
            for table in TABLES
        }


@contextmanager
def hanging(
    url: str, folder: Path, point: str, reached: Path, until: Callable[..., None]
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a server whose imports hang at a point; yield its address and its process."""
    told = folder / "address"
    command = [sys.executable, "-m", "tests.rpc.hanging_server", url, folder, point, reached, told]
    with subprocess.Popen(command) as process:
        try:
            until(lambda: told.exists() or process.poll() is not None)
            yield told.read_text(), process
        finally:
            process.kill()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "point", ["a document was staged", "passages were written", "all but the commit is done"]
)
def test_an_import_cut_by_a_kill_leaves_what_was_there(
    empty_database_url, tmp_path, rules_advisor, run_server, until, point
):
    """Earlier documents are found, nothing of the new ones is stored, and the next import works at once."""
    reached = tmp_path / "reached"
    with hanging(empty_database_url, tmp_path, point, reached, until) as (address, process):
        with Client(address) as client:
            client.create_use_case("faq")
            client.import_documents("faq", documents(BEFORE))
            before = rows(empty_database_url)
            changed = documents({"lamp.txt": "Do hang the lamp.", "hang.txt": "Hang it."})

            def send() -> None:
                with suppress(AdvisorError):
                    client.import_documents("faq", changed, mirror=True)

            sending = threading.Thread(target=send, daemon=True)
            sending.start()
            until(reached.exists)
            process.kill()
            process.wait()
        sending.join(60)
        assert not sending.is_alive(), "the client does not notice that its server is gone"
    assert rows(empty_database_url) == before
    with (
        fake_parts(empty_database_url, tmp_path, rules_advisor) as parts,
        run_server(parts) as address,
        Client(address) as client,
    ):
        assert client.search("faq", "the lamp")[0].text == "The lamp is red."
        done = client.import_documents("faq", changed, mirror=True)
        assert (done.imported, done.deleted) == (2, 1)
        assert client.search("faq", "the lamp")[0].text == "Do hang the lamp."
