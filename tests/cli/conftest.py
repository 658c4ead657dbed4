"""Fixtures: the command line, run as a person runs it, and the files it is given."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from advisor.cli import main
from advisor.client import Client
from tests.servers import Running


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit status, and what it printed to people and of errors."""

    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """What it printed, without line breaks and columns."""
        return " ".join(self.out.split())


class Collector:
    """What was sent to a collector of spans."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: list[bytes] = []

    @property
    def received(self) -> bytes:
        """All that was sent."""
        return b"".join(self.bodies)

    def spans(self) -> Iterator[tuple[str, Span]]:
        """Yield each span with the service that it is of."""
        for body in self.bodies:
            for of_service in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = {each.key: each.value.string_value for each in of_service.resource.attributes}
                for scope in of_service.scope_spans:
                    yield from ((service["service.name"], span) for span in scope.spans)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """See to it that the user's own settings change nothing, and that nothing of the user's is changed."""
    logging = structlog.get_config()
    for name in [each for each in os.environ if each.startswith("ADVISOR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ADVISOR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    yield
    structlog.configure(**logging)


@pytest.fixture
def advisor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Return a function that runs one command in this process."""

    def run(*arguments: object, typed: str = "") -> Ended:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        printed = capsys.readouterr()
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def advisor_process() -> Callable[..., AbstractContextManager[subprocess.Popen[str]]]:
    """Return a function that runs a command in a process of its own, which ends with the block."""

    @contextmanager
    def run(*arguments: object) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-X", "faulthandler", "-m", "advisor", *map(str, arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield process
            except subprocess.TimeoutExpired as error:
                process.send_signal(signal.SIGABRT)
                error.add_note(process.communicate()[1])  # where each of its threads was
                raise
            finally:
                process.kill()

    return run


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    """Have servers that commands start use the tests' database, train nothing, and find a model that does not load."""
    folder = tmp_path / "no-model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_text("{}")
    monkeypatch.setenv("ADVISOR_DATABASE_URL", database_url)
    monkeypatch.setenv("ADVISOR_WORKERS", "0")
    for name in ("ADVISOR_GENERATOR", "ADVISOR_EMBEDDER"):
        monkeypatch.setenv(name, str(folder))


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    """Yield a client of the server that commands talk to."""
    with Client(server.address) as client:
        yield client


@pytest.fixture
def at(server: Running) -> tuple[str, str]:
    """Return the option that has a command talk to the server."""
    return "--server", server.address


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Return a function that writes a file into this test's folder."""

    def to(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return to


@pytest.fixture
def case(write: Callable[[str, str], Path]) -> Path:
    """Return a use-case file with facts, a document and examples enough to train on."""
    write("manual.md", "# Lamp\n\nThe lamp has a battery.\n")
    write("examples.jsonl", "".join(f'{{"question": "q{n}", "answer": "a"}}\n' for n in range(64)))
    return write(
        "faq.yaml",
        "id: faq\n"
        "description: Answer from the manual.\n"
        "facts: {task: QUESTION_ANSWERING, update_interval: 1d, needs_citations: true, corpus_tokens: 4M}\n"
        "documents: ['*.md']\n"
        "examples: examples.jsonl\n",
    )


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Yield what takes spans as a collector of OpenTelemetry does, by OTLP over HTTP, until the test ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        collector.url = f"http://127.0.0.1:{served.server_port}"
        threading.Thread(target=served.serve_forever, daemon=True).start()
        yield collector
        served.shutdown()
