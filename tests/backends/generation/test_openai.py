"""The generator on a server, against a small one on loopback that speaks the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.base import GenerationOptions, Message, ModelError, QuestionError
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
