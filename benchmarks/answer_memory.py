"""Whether a server grows with the answers it gives.

Starts a server with the default models, asks different questions in a row, and
prints the memory of its process before, half-way and after.

    python -m benchmarks.answer_memory [--answers 50]
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from advisor.client import Client
from advisor.v1 import use_case_pb2

WARM_UP = 5
TOPICS = ("the index", "a backup", "the cache", "a release", "the queue", "an account", "the log", "a key")
VERBS = ("is", "starts", "stops", "changes", "is removed", "is checked", "is shared")


def serve(port: Connection, data_dir: str) -> None:
    """Serve until killed."""
    from advisor.rpc.server import serve
    from advisor.settings import read_settings

    serve(read_settings(port=0, data_dir=data_dir, workers=0), ready=port.send)


@contextmanager
def running() -> Iterator[tuple[str, int]]:
    """Run a server in a process of its own, and yield its address and the process's id."""
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="advisor-benchmark-") as folder:
        Path(folder).chmod(0o755)
        ours, theirs = spawn.Pipe()
        server = spawn.Process(target=serve, args=(theirs, folder))
        server.start()
        try:
            assert server.pid is not None
            yield f"127.0.0.1:{ours.recv()}", server.pid
        finally:
            server.terminate()
            server.join(30)


@contextmanager
def served() -> Iterator[tuple[Client, int]]:
    """Run a server in a process of its own, and yield a client of it and the process's id."""
    with running() as (address, pid), Client(address) as client:
        yield client, pid


def memory_mb(process: int) -> float:
    """Return the resident memory of a process, without what it shares with files."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":" in line
    )
    return int(fields["RssAnon"].split()[0]) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=50)
    arguments = parser.parse_args()
    with served() as (client, server):
        ask(client, server, arguments.answers)


def ask(client: Client, server: int, answers: int) -> None:
    """Ask, and print the memory on the way."""
    client.create_use_case("manual", description="Answer in one sentence.")
    text = "\n\n".join(f"# {topic}\n\nHere {topic} {verb} by hand." for topic in TOPICS for verb in VERBS)
    client.import_documents("manual", [use_case_pb2.Document(source="manual.md", content=text.encode())])
    questions = [f"How {verb} {topic}?" for topic in TOPICS for verb in VERBS]
    marks = {WARM_UP, WARM_UP + answers // 2, WARM_UP + answers}
    for number in range(WARM_UP + answers):
        _ = client.answer(
            "manual", questions[number % len(questions)], approach="RAG", max_output_tokens=16
        ).text
        if number + 1 in marks:
            print(f"after {number + 1:3} answers  {memory_mb(server):7.0f} MB")


if __name__ == "__main__":
    main()
