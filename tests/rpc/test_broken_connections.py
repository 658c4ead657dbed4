"""What the client says of servers that are none, that stop, or that do not answer in time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import grpc
import pytest

from advisor.client import CallFailed, Client
from advisor.errors import AdvisorError, Unavailable
from advisor.v1 import use_case_pb2
from tests.rpc.broken_servers import proxy_error, relaying, serving, silent, speak_http1

RAW = (
    "Stream removed",
    "Deadline",
    "failed to connect",
    "http2 header",
    "Socket",
    "ipv4:",
    "RST_STREAM",
)


@pytest.fixture
def failed() -> Callable[..., AdvisorError]:
    """Return a function that asks a server which must fail, and checks that a person can read how it did."""

    def of(
        address: str, ask: Callable[[Client], object] = lambda client: client.recommend({})
    ) -> AdvisorError:
        with Client(address, timeout_s=5) as client, pytest.raises(AdvisorError) as caught:
            ask(client)
        message = str(caught.value)
        assert not [raw for raw in RAW if raw in message]
        assert address in message
        assert isinstance(caught.value.__cause__, grpc.RpcError)
        return caught.value

    return of


@pytest.mark.parametrize("address", ["127.0.0.1:1", "http://localhost:50051", "no.such.host.invalid:50051"])
def test_nobody_there(failed, address):
    """The address is named, and what to do."""
    error = failed(address)
    assert (type(error), error.reason) == (Unavailable, "UNREACHABLE")
    assert f"no server answers at {address}" in str(error)


def test_something_else_is_there(failed):
    """A web server is told as what it is."""
    with serving(speak_http1) as address:
        error = failed(address)
    assert (type(error), error.reason) == (Unavailable, "UNREACHABLE")
    assert "does not speak gRPC" in str(error)


@pytest.mark.parametrize(("status", "kind"), [(502, Unavailable), (404, CallFailed), (401, CallFailed)])
def test_a_proxy_without_a_server_behind_it(failed, status, kind):
    """The proxy is named with its status."""
    with serving(proxy_error(status)) as address:
        error = failed(address)
    assert type(error) is kind
    assert f"a proxy, with HTTP status {status}" in str(error)


def test_a_deadline_that_passes(failed):
    """A server that says nothing took too long."""
    with serving(silent) as address:
        error = failed(address, lambda client: client.answer({}, "one", timeout_s=0.2).text)
    assert isinstance(error, CallFailed)
    assert error.code == "DEADLINE_EXCEEDED"
    assert "did not answer in the time" in str(error)


def test_a_server_that_stops(failed, session_parts, run_server):
    """What listened a moment ago is told as nobody there."""
    with run_server(session_parts) as address, Client(address) as client:
        client.recommend({})
    assert "no server answers" in str(failed(address))


def test_a_stream_that_breaks_off(failed, server):
    """What came before is not the whole answer, and the error says so."""
    with relaying(server.address) as (address, cut):

        def read(client: Client) -> None:
            for _ in client.answer({}, "forever", approach="PROMPTING"):
                cut()

        error = failed(address, read)
    assert (type(error), error.reason) == (Unavailable, "CONNECTION_LOST")
    assert "broke off in the middle" in str(error)


SLOW_SERVER = """
import sys, time
from concurrent import futures
import grpc

class Handlers(grpc.GenericRpcHandler):
    def service(self, details):
        def take(messages, context):
            for _ in messages:
                time.sleep(0.004)
            time.sleep(0.02)
            yield b""
        return grpc.stream_stream_rpc_method_handler(take)

server = grpc.server(futures.ThreadPoolExecutor(4), handlers=(Handlers(),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
server.wait_for_termination()
"""


def test_an_import_ends_with_its_server() -> None:
    """Wherever it is when the server is killed: gRPC, told to try such a stream again, would wait for ever."""
    documents = [use_case_pb2.Document(source=f"{number}.md", content=b"x") for number in range(3)]
    for attempt in range(8):
        command = [sys.executable, "-c", SLOW_SERVER]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            with Client(f"127.0.0.1:{port}") as client:
                thread = threading.Thread(
                    target=lambda client=client: _imported(client, documents), daemon=True
                )
                thread.start()
                time.sleep(attempt * 0.007)
                process.kill()
                thread.join(30)
                assert not thread.is_alive()


def _imported(client: Client, documents: list[use_case_pb2.Document]) -> None:
    with suppress(Unavailable):
        client.import_documents("faq", documents)
