"""The server as it ships, with its default models, used as a client in another process would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from advisor.client import Client
from advisor.errors import Unavailable
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import use_case_pb2

pytestmark = [pytest.mark.models, pytest.mark.timeout(900)]

SERVE = """
import pathlib, sys
from advisor.rpc.server import serve
from advisor.settings import read_settings
serve(read_settings(port=0, data_dir=sys.argv[1]), ready=lambda _: None, port_file=pathlib.Path(sys.argv[2]))
"""
MANUAL = b"""# Lamp L1

The lamp L1 has a battery of 5200 mAh. A full charge takes 4 hours.

# Radio R2

The radio R2 receives from 87 to 108 MHz. Press the red button for 3 seconds to reset it.
"""


@pytest.fixture(scope="module")
def process(
    reachable_folder: Callable[[], Path], until: Callable[..., None]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a server with an embedded database, and yield it with the file that tells its port."""
    folder = reachable_folder()
    port_file = folder / "port"
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(folder / "data"), str(port_file)])
    try:
        until(lambda: port_file.exists() or process.poll() is not None)
        assert process.poll() is None, "the server ended as it started"
        yield process, port_file
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def client(process: tuple[subprocess.Popen[bytes], Path]) -> Iterator[Client]:
    with Client(f"127.0.0.1:{process[1].read_text().strip()}") as client:
        yield client


def test_answers_from_documents_with_citations(client):
    """Documents go in, a question gets an answer from the right passage."""
    facts = {
        "task": "QUESTION_ANSWERING",
        "update_interval": "1d",
        "needs_citations": True,
        "corpus_tokens": 1_000_000,
    }
    client.create_use_case("manual", facts=facts)
    client.import_documents("manual", [use_case_pb2.Document(source="manual.md", content=MANUAL)])
    answer = client.answer("manual", "How long does a full charge of the lamp L1 take?", max_output_tokens=32)
    assert "4" in answer.text
    assert answer.references.references[0].source == "manual.md"
    assert answer.summary.citations
    assert any("quoted" in note for note in answer.summary.notes)  # the default model is small


def test_tunes_and_answers(client):
    """Examples go in, an adapter comes out, and answers by it."""
    client.create_use_case("signs", description="Say whether a number is even or odd.")
    examples = [{"question": f"number {n}", "answer": "even" if n % 2 == 0 else "odd"} for n in range(16)]
    client.import_examples("signs", examples)
    adapter = client.tune("signs", adapter_id="first", epochs=1).result(timeout=600)
    assert adapter.metrics.steps > 0
    answer = client.answer("signs", "number 4", approach="FINE_TUNING", max_output_tokens=4)
    events = list(answer)
    assert isinstance(events[-1], execution_pb2.AnswerSummary)
    assert events[-1].adapter == "useCases/signs/adapters/first"


def test_stops_when_told(client, process):
    """SIGTERM ends the server with a code of 0, and its port file goes."""
    server, port_file = process
    os.kill(server.pid, signal.SIGTERM)
    assert server.wait(60) == 0
    assert not port_file.exists()
    with pytest.raises(Unavailable):
        client.recommend({})
