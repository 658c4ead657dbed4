"""HYBRID from end to end: documents and examples in, a model tuned on retrieved passages, an answer that cites."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from advisor.client import Client
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import recommendation_pb2, use_case_pb2

pytestmark = [pytest.mark.models, pytest.mark.timeout(600)]

LAMPS = {f"L{number}": f"{number}00" for number in range(1, 11)}
SECTIONS = {lamp: f"The lamp {lamp} has a battery of {charge} mAh." for lamp, charge in LAMPS.items()}


def serve(port: Connection, data_dir: str) -> None:
    """Serve until ended."""
    from advisor.rpc.server import serve
    from advisor.settings import read_settings

    serve(read_settings(port=0, data_dir=data_dir), ready=port.send)


@pytest.fixture(scope="module")
def client(reachable_folder: Callable[[], Path]) -> Iterator[Client]:
    """Yield a client of a server with an embedded database and a worker."""
    folder = reachable_folder()
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    server = spawn.Process(target=serve, args=(theirs, str(folder / "data")))
    server.start()
    theirs.close()  # so that a server which cannot start ends the wait
    try:
        with Client(f"127.0.0.1:{ours.recv()}") as client:
            yield client
    finally:
        server.terminate()
        server.join(60)
        server.kill()


def test_hybrid_retrieves_and_cites_with_its_adapter(client: Client, tmp_path: Path) -> None:
    """The answer comes from the tuned model, over the passage that search found, and cites it."""
    client.create_use_case("lamps", description="Name the charge.")
    documents = [
        use_case_pb2.Document(source=f"{lamp}.md", content=f"# {lamp}\n\n{text}".encode())
        for lamp, text in SECTIONS.items()
    ]
    client.import_documents("lamps", documents)
    client.import_examples(
        "lamps",
        [
            {"question": f"Which battery has the lamp {lamp}?", "answer": text, "context": text}
            for lamp, text in SECTIONS.items()
        ],
    )
    settings = {"epochs": 2, "batch_size": 4, "held_out_share": 0.0}
    adapter = client.tune("lamps", adapter_id="both", approach="HYBRID", **settings).result(timeout=500)
    assert adapter.approach == recommendation_pb2.APPROACH_HYBRID
    assert adapter.metrics.steps > 0

    answer = client.answer("lamps", "Which battery has the lamp L7?", approach="HYBRID", max_output_tokens=24)
    assert "700 mAh" in answer.text
    assert answer.references is not None
    assert answer.summary is not None
    assert answer.summary.approach == recommendation_pb2.APPROACH_HYBRID
    assert answer.summary.adapter == "useCases/lamps/adapters/both"
    assert answer.summary.finish_reason == execution_pb2.AnswerSummary.FINISH_REASON_STOP
    cited = {each.number for each in answer.summary.citations}
    assert "L7.md" in {each.source for each in answer.references.references if each.number in cited}
