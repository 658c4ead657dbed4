"""The generator on a server, against a small one on loopback that speaks the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
