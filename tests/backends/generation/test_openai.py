"""The generator on a server, against a small one on loopback that speaks the protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from backends.base import Cancelled, FinishReason, GenerationOptions, Message, ModelError, QuestionError
from backends.generation.openai import OpenAIGenerator

KEY = "sk-secret-key"
CHAT = (Message("user", "Where is Paris?"),)
OPTIONS = GenerationOptions(max_output_tokens=5)


class Server(ThreadingHTTPServer):
    """Serves two models; keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.refusal: tuple[int, str] | None = None
        self.finish_reason = "stop"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    """Speaks server-sent events."""

    server: Server

    def do_GET(self) -> None:
        models = [{"id": name, "object": "model", "max_model_len": 4096} for name in ("llama", "routing")]
        self._send(200, json.dumps({"object": "list", "data": models}), "application/json")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        if self.server.refusal:
            status, code = self.server.refusal
            error = {"message": f"{KEY} {body['messages']}", "code": code}
            self._send(status, json.dumps({"error": error}), "application/json")
            return
        chunks = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in ("In ", "France")]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": self.server.finish_reason}]})
        chunks.append(
            {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}}
        )
        events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
        self._send(200, f"{events}data: [DONE]\n\n", "text/event-stream")

    def _send(self, status: int, body: str, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    """Yield a server on a free port of loopback."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_text_is_streamed(server: Server) -> None:
    """Pieces concatenate to the text, and the server's count of tokens is kept."""
    pieces: list[str] = []
    generator = OpenAIGenerator(server.url, "llama", KEY)
    result = generator.generate(CHAT, options=OPTIONS, emit=pieces.append, cancelled=lambda: False)
    assert pieces == ["In ", "France"]
    assert (result.text, result.finish_reason) == ("In France", FinishReason.STOP)
    assert (result.input_tokens, result.output_tokens, generator.context_tokens) == (7, 2, 4096)


def test_length_is_a_finish_reason(server: Server) -> None:
    """An answer that was cut says so."""
    server.finish_reason = "length"
    generator = OpenAIGenerator(server.url, "llama", KEY)
    result = generator.generate(CHAT, options=OPTIONS, emit=lambda text: None, cancelled=lambda: False)
    assert result.finish_reason is FinishReason.LENGTH


def test_cancelled_stream_emits_no_more(server: Server) -> None:
    """After the first piece the caller stops, and gets nothing further."""
    pieces: list[str] = []
    generator = OpenAIGenerator(server.url, "llama", KEY)
    with pytest.raises(Cancelled):
        generator.generate(CHAT, options=OPTIONS, emit=pieces.append, cancelled=lambda: bool(pieces))
    assert pieces == ["In "]


def test_adapter_is_a_served_model(server: Server) -> None:
    """The folder's name is the name on the server."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    generator.generate(
        CHAT, options=OPTIONS, emit=lambda text: None, cancelled=lambda: False, adapter=Path("/a/routing")
    )
    assert server.asked[-1]["model"] == "routing"


def test_adapter_that_is_not_served_is_refused(server: Server) -> None:
    """The message names what the server has."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    with pytest.raises(ModelError, match="serves llama, routing, but no adapter 'style'"):
        generator.generate(
            CHAT, options=OPTIONS, emit=lambda text: None, cancelled=lambda: False, adapter=Path("style")
        )


def test_unknown_model_is_refused(server: Server) -> None:
    """A model that the server lacks is found before the first question."""
    with pytest.raises(ModelError, match="does not serve 'gpt'; it serves llama, routing"):
        OpenAIGenerator(server.url, "gpt", KEY)


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [((401, "invalid_api_key"), ModelError), ((400, "context_length_exceeded"), QuestionError)],
)
def test_refusal_quotes_neither_key_nor_question(
    server: Server, refusal: tuple[int, str], expected: type[Exception]
) -> None:
    """A server's refusal is told without what its message may repeat."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    server.refusal = refusal
    with pytest.raises(expected) as error:
        generator.generate(CHAT, options=OPTIONS, emit=lambda text: None, cancelled=lambda: False)
    assert KEY not in str(error.value)
    assert "Paris" not in str(error.value)


def test_server_that_is_down_is_a_model_error(server: Server) -> None:
    """Nobody listens on port 9 of loopback."""
    with pytest.raises(ModelError, match="check that it runs"):
        OpenAIGenerator("http://127.0.0.1:9/v1", "llama")
