"""A small server on loopback that speaks OpenAI's protocol as far as the generator uses it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-secret-key"
CONTEXT_TOKENS = 4096


Fault = Callable[[list[str], threading.Event], Iterable[bytes]]
"""Makes what is sent of the events of an answer, until the server closes; what it holds then is not sent."""


def _sent_whole(events: list[str], _: threading.Event) -> Iterable[bytes]:
    return [event.encode() for event in events]


class OpenAIServer(ThreadingHTTPServer):
    """Serves two models that answer "In France", or by a form the first label or enumerated value; a word is a token.

    Attributes:
        asked: The body of each request.
        refusal: Status and code to refuse with; None to answer.
        ignorant: Whether it knows nothing of forms.
        fault: What goes wrong with an answer, a function of `_Handler`'s; nothing where None.
        left: Released for each answer that its caller left.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.refusal: tuple[int, str] | None = None
        self.ignorant = False
        self.fault: Fault | None = None
        self.left = threading.Semaphore(0)
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def openai_server() -> Iterator[OpenAIServer]:
    """Run a server in a thread."""
    server = OpenAIServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Speaks server-sent events."""

    server: OpenAIServer

    def do_GET(self) -> None:
        models = [
            {"id": name, "object": "model", "max_model_len": CONTEXT_TOKENS} for name in ("llama", "routing")
        ]
        self._send(200, json.dumps({"object": "list", "data": models}), "application/json")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        words = sum(len(message["content"].split()) for message in body["messages"])
        too_long = (400, "context_length_exceeded") if words > CONTEXT_TOKENS else None
        if refusal := self.server.refusal or too_long:
            error = {"message": f"{KEY} {body['messages']}", "code": refusal[1]}
            self._send(refusal[0], json.dumps({"error": error}), "application/json")
            return
        whole = re.findall(r"\S+\s*", "In France" if self.server.ignorant else _formed(body))
        texts = whole[: body["max_tokens"]]
        reason = "stop" if texts == whole else "length"
        usage = {"prompt_tokens": words, "completion_tokens": len(texts), "total_tokens": words + len(texts)}
        chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": {"content": t}}]} for t in texts]
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        chunks.append({"choices": [], "usage": usage})
        events = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        fault = self.server.fault or _sent_whole
        try:
            self._head(200, "text/event-stream")
            for piece in fault([*events, "data: [DONE]\n\n"], self.server.closing):
                self.wfile.write(piece)
        except ConnectionError:
            self.server.left.release()

    def _send(self, status: int, body: str, media_type: str) -> None:
        self._head(status, media_type)
        self.wfile.write(body.encode())

    def _head(self, status: int, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def _formed(body: dict[str, Any]) -> str:
    if "structured_outputs" in body:
        return str(body["structured_outputs"]["choice"][0])
    if "response_format" in body:
        return json.dumps(body["response_format"]["json_schema"]["schema"]["enum"][0])
    return "In France"
