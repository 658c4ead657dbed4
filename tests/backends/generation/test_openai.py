"""The generator on a server, against a small one on loopback that speaks the protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.base import Cancelled, FinishReason, GenerationOptions, Message, ModelError, QuestionError
from backends.generation.openai import OpenAIGenerator
from tests.openai_server import KEY, OpenAIServer, openai_server

CHAT = (Message("user", "Where is Paris?"),)
OPTIONS = GenerationOptions(max_output_tokens=5)


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    """Yield a server on a free port of loopback."""
    with openai_server() as server:
        yield server


def test_the_server_counts(server: OpenAIServer) -> None:
    """Tokens and the length of the context are as the server says, not as estimated."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    result = generator.generate(CHAT, options=OPTIONS, emit=lambda text: None, cancelled=lambda: False)
    assert (result.input_tokens, result.output_tokens, generator.context_tokens) == (3, 2, 4096)
    assert generator.count_tokens(CHAT) > result.input_tokens


def test_adapter_is_a_served_model(server: OpenAIServer) -> None:
    """The folder's name is the name on the server."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    generator.generate(
        CHAT, options=OPTIONS, emit=lambda text: None, cancelled=lambda: False, adapter=Path("/a/routing")
    )
    assert server.asked[-1]["model"] == "routing"


def test_adapter_that_is_not_served_is_refused(server: OpenAIServer) -> None:
    """The message names what the server has."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    with pytest.raises(ModelError, match="serves llama, routing, but no adapter 'style'"):
        generator.generate(
            CHAT, options=OPTIONS, emit=lambda text: None, cancelled=lambda: False, adapter=Path("style")
        )


@pytest.mark.parametrize(
    ("form", "sent"),
    [
        ({"labels": ("b", "a")}, {"structured_outputs": {"choice": ["b", "a"]}}),
        (
            {"output_schema": '{"enum": [1]}'},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "strict": True, "schema": {"enum": [1]}},
                }
            },
        ),
        ({}, {}),
    ],
)
def test_a_form_is_asked_for(server: OpenAIServer, form: dict[str, Any], sent: dict[str, Any]) -> None:
    """Schemas as OpenAI takes them, labels as vLLM does, and nothing where there is no form."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    options = GenerationOptions(max_output_tokens=5, **form)
    generator.generate(CHAT, options=options, emit=lambda text: None, cancelled=lambda: False)
    asked = server.asked[-1]
    assert {name: asked[name] for name in ("structured_outputs", "response_format") if name in asked} == sent


@pytest.mark.parametrize("form", [{"labels": ("France", "In")}, {"output_schema": '{"type": "string"}'}])
def test_a_server_that_ignores_forms_is_found_out(server: OpenAIServer, form: dict[str, Any]) -> None:
    """Its answer is none, and what to do is said; one that refuses to run is told apart."""
    server.ignorant = True
    generator = OpenAIGenerator(server.url, "llama", KEY)
    options = GenerationOptions(max_output_tokens=5, **form)
    with pytest.raises(ModelError, match="answered something else; name another server or model"):
        generator.generate(CHAT, options=options, emit=lambda text: None, cancelled=lambda: False)
    server.refusal = (400, "bad_request")
    with pytest.raises(ModelError, match="or ask without labels and output schema"):
        generator.generate(CHAT, options=options, emit=lambda text: None, cancelled=lambda: False)


def test_unknown_model_is_refused(server: OpenAIServer) -> None:
    """A model that the server lacks is found before the first question."""
    with pytest.raises(ModelError, match="does not serve 'gpt'; it serves llama, routing"):
        OpenAIGenerator(server.url, "gpt", KEY)


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [((401, "invalid_api_key"), ModelError), ((400, "context_length_exceeded"), QuestionError)],
)
def test_refusal_quotes_neither_key_nor_question(
    server: OpenAIServer, refusal: tuple[int, str], expected: type[Exception]
) -> None:
    """A server's refusal comes without what its message may repeat."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    server.refusal = refusal
    with pytest.raises(expected) as error:
        generator.generate(CHAT, options=OPTIONS, emit=lambda text: None, cancelled=lambda: False)
    assert KEY not in str(error.value)
    assert "Paris" not in str(error.value)


def test_server_that_is_down_is_a_model_error(server: OpenAIServer) -> None:
    """Nobody listens on port 9 of loopback."""
    with pytest.raises(ModelError, match="check that it runs"):
        OpenAIGenerator("http://127.0.0.1:9/v1", "llama")


def byte_by_byte(events: list[str], _: threading.Event) -> Iterable[bytes]:
    """Send an answer in the smallest pieces, some letters in two."""
    return (bytes([each]) for each in "".join(events).replace("France", "Orléans").encode())


def ending_early(events: list[str], _: threading.Event) -> Iterable[bytes]:
    """Send the first event, and end as if that were all."""
    return [events[0].encode()]


def breaking_off(events: list[str], _: threading.Event) -> Iterable[bytes]:
    """Break the connection amid an event."""
    yield events[0].encode()
    yield events[1][:20].encode()
    raise ConnectionResetError


def telling_an_error(events: list[str], _: threading.Event) -> Iterable[bytes]:
    """Send an error after the first event, as vLLM does where its engine dies."""
    error = {"message": f"{KEY} Where is Paris?", "type": "InternalServerError", "code": 500}
    return [events[0].encode(), f"data: {json.dumps({'error': error})}\n\n".encode()]


def sending_no_json(events: list[str], _: threading.Event) -> Iterable[bytes]:
    """Send what no server of the protocol sends."""
    return [events[0].encode(), b"data: {Where is Paris?\n\n"]


def withholding(events: list[str], _: threading.Event) -> Iterable[bytes]:
    """Send an answer that a filter ended."""
    return ["".join(events).replace('"stop"', '"content_filter"').encode()]


def falling_silent(events: list[str], closing: threading.Event) -> Iterable[bytes]:
    """Send the first event, and then only signs of life, in which there is no token."""
    yield events[0].encode()
    while not closing.wait(0.02):
        yield b": alive\n\n"


def going_on(events: list[str], closing: threading.Event) -> Iterable[bytes]:
    """Send the first event again and again."""
    while not closing.wait(0.002):
        yield events[0].encode()


def say(generator: OpenAIGenerator) -> str:
    """Return the answer to the question."""
    return generator.generate(CHAT, options=OPTIONS, emit=lambda _: None, cancelled=lambda: False).text


def say_all(
    generator: OpenAIGenerator, number: int, cancelled: Callable[[], bool] = lambda: False
) -> list[str]:
    """Return as many answers, asked for at once."""
    return [
        each.text for each in generator.generate_all([CHAT] * number, options=OPTIONS, cancelled=cancelled)
    ]


def test_a_server_is_left_where_no_more_is_wanted(server: OpenAIServer) -> None:
    """It stops to write what nobody reads, and the answer counts as ended."""
    server.fault = going_on
    generator = OpenAIGenerator(server.url, "llama", KEY)
    said = generator.generate(CHAT, options=OPTIONS, emit=lambda _: False, cancelled=lambda: False)
    assert said.finish_reason is FinishReason.STOP
    assert said.text.startswith("In ")
    assert server.left.acquire(timeout=10)


def test_slow_bytes(server: OpenAIServer) -> None:
    """An answer may come in any pieces."""
    server.fault = byte_by_byte
    assert say(OpenAIGenerator(server.url, "llama", KEY)) == "In Orléans"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (ending_early, "ended the stream before the answer was complete"),
        (breaking_off, "failed|ended the stream before the answer was complete"),
        (telling_an_error, r"failed \(APIError\)"),
        (sending_no_json, r"failed \(JSONDecodeError\)"),
        (withholding, r"another reason than its end or length \('content_filter'\)"),
    ],
)
def test_a_broken_answer_is_none(
    server: OpenAIServer, fault: Callable[..., Iterable[bytes]], says: str
) -> None:
    """It is not taken for a whole one, quotes nothing, and the next one comes."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    server.fault = fault
    for ask in (lambda: say(generator), lambda: say_all(generator, 20)):
        with pytest.raises(ModelError, match=says) as error:
            ask()
        assert KEY not in str(error.value)
        assert "Paris" not in str(error.value)
    server.fault = None
    assert say(generator) == "In France"


def test_a_silent_server_is_left(server: OpenAIServer) -> None:
    """Also by many, each as soon as it is cancelled; the server sees the connection go, and others are served."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    server.fault = falling_silent
    heard = threading.Event()
    with pytest.raises(Cancelled):
        generator.generate(CHAT, options=OPTIONS, emit=lambda _: heard.set(), cancelled=heard.is_set)
    asked = len(server.asked)
    with pytest.raises(Cancelled):
        say_all(generator, 20, lambda: len(server.asked) >= asked + 16)
    assert all(server.left.acquire(timeout=10) for _ in range(17))
    server.fault = None
    assert say(generator) == "In France"


def test_a_server_that_never_answers_is_left(server: OpenAIServer) -> None:
    """Before it has said anything at all."""
    generator = OpenAIGenerator(server.url, "llama", KEY)
    server.refusal = (503, "overloaded")  # the client tries again, later and later
    began = len(server.asked)
    with pytest.raises(Cancelled):
        generator.generate(
            CHAT, options=OPTIONS, emit=lambda _: None, cancelled=lambda: len(server.asked) > began
        )
    assert len(server.asked) == began + 1
