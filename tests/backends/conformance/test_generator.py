"""What `Generator` promises, kept by every implementation."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends.base import (
    Cancelled,
    FinishReason,
    GenerationOptions,
    Generator,
    Message,
    ModelError,
    QuestionError,
)
from backends.generation.local import LocalGenerator
from backends.generation.openai import OpenAIGenerator
from backends.generation.words import UNSPACED
from tests.doubles import FakeGenerator
from tests.openai_server import KEY, openai_server

CHAT = (Message("system", "Answer."), Message("user", "What is the capital of France?"))
OPTIONS = GenerationOptions(max_output_tokens=6)


@pytest.fixture(params=["local", "openai", "fake"])
def generator(request: pytest.FixtureRequest) -> Iterator[Generator]:
    """Yield each generator."""
    if request.param == "local":
        yield LocalGenerator(request.getfixturevalue("tiny_model"), "tiny")
    elif request.param == "openai":
        with openai_server() as server:
            yield OpenAIGenerator(server.url, "llama", KEY)
    else:
        yield FakeGenerator()


def say(generator: Generator, question: str = CHAT[-1].content, **options: float) -> str:
    """Return the text that a question gets."""
    given = GenerationOptions(**({"max_output_tokens": 6} | options))  # type: ignore[arg-type]
    chat = (CHAT[0], Message("user", question))
    return generator.generate(chat, options=given, emit=lambda _: None, cancelled=lambda: False).text


def test_pieces_concatenate_to_the_text(generator: Generator) -> None:
    """What is emitted is what is returned, and something is."""
    pieces: list[str] = []
    result = generator.generate(CHAT, options=OPTIONS, emit=pieces.append, cancelled=lambda: False)
    assert "".join(pieces) == result.text != ""


def test_text_ends_where_no_more_is_wanted(generator: Generator) -> None:
    """Soon after `emit` said so, as if the model had ended it."""
    options = GenerationOptions(max_output_tokens=500, temperature=1)
    result = generator.generate(CHAT, options=options, emit=lambda _: False, cancelled=lambda: False)
    assert result.finish_reason is FinishReason.STOP
    assert result.output_tokens < 100


def test_a_piece_is_a_word_or_more(generator: Generator) -> None:
    """Whoever shows the text gets a message a word; words that do not end come in parts."""
    pieces: list[str] = []
    options = GenerationOptions(max_output_tokens=200, temperature=1)
    text = generator.generate(CHAT, options=options, emit=pieces.append, cancelled=lambda: False).text
    words = sum(1 + len(word) // UNSPACED for word in text.split())
    assert "".join(pieces) == text
    assert len(pieces) <= words + 1


def test_tokens_are_counted(generator: Generator) -> None:
    """The count is never too low, and grows with the chat."""
    result = generator.generate(CHAT, options=OPTIONS, emit=lambda _: None, cancelled=lambda: False)
    assert 0 < result.input_tokens <= generator.count_tokens(CHAT)
    assert generator.count_tokens(CHAT[1:]) < generator.count_tokens(CHAT)


def test_the_limit_ends_the_text(generator: Generator) -> None:
    """One token is one token, and the reason is LENGTH."""
    options = GenerationOptions(max_output_tokens=1)
    result = generator.generate(CHAT, options=options, emit=lambda _: None, cancelled=lambda: False)
    assert (result.output_tokens, result.finish_reason) == (1, FinishReason.LENGTH)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_same_question_has_the_same_answer(generator: Generator, temperature: float) -> None:
    """Also after another question, and when sampling with the same seed."""
    first = say(generator, temperature=temperature)
    say(generator, "Something else?", temperature=temperature)
    assert say(generator, temperature=temperature) == first


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_labels_are_kept_to(generator: Generator, temperature: float) -> None:
    """The text is exactly one of them, and the answer is complete."""
    labels = ("Zahlung überfällig", "Pay", "Payment", "日本")
    options = GenerationOptions(max_output_tokens=60, temperature=temperature, labels=labels)
    pieces: list[str] = []
    result = generator.generate(CHAT, options=options, emit=pieces.append, cancelled=lambda: False)
    assert result.text in labels
    assert ("".join(pieces), result.finish_reason) == (result.text, FinishReason.STOP)


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_schema_is_kept_to(generator: Generator, temperature: float) -> None:
    """The text is JSON that follows it, and the answer is complete."""
    values = ["In Paris [9].", {"a": [1, None]}, 3.5]
    options = GenerationOptions(
        max_output_tokens=60, temperature=temperature, output_schema=json.dumps({"enum": values})
    )
    result = generator.generate(CHAT, options=options, emit=lambda _: None, cancelled=lambda: False)
    assert json.loads(result.text) in values
    assert result.finish_reason is FinishReason.STOP


def test_a_form_that_is_cut(generator: Generator) -> None:
    """The limit ends an answer before its form is complete, and the reason says so."""
    options = GenerationOptions(max_output_tokens=1, labels=("One label of many words",))
    result = generator.generate(CHAT, options=options, emit=lambda _: None, cancelled=lambda: False)
    assert (result.output_tokens, result.finish_reason) == (1, FinishReason.LENGTH)
    assert options.labels[0].startswith(result.text)


def test_many_chats_in_one_form(generator: Generator) -> None:
    """Each gets the answer that it gets alone."""
    options = GenerationOptions(max_output_tokens=60, labels=("Paris", "Lyon and Paris"))
    chats = [(CHAT[0], Message("user", f"number {number}")) for number in range(4)]
    alone = [
        generator.generate(chat, options=options, emit=lambda _: None, cancelled=lambda: False)
        for chat in chats
    ]
    assert generator.generate_all(chats, options=options, cancelled=lambda: False) == alone
    assert {each.text for each in alone} <= set(options.labels)


def test_cancelled_before_it_began(generator: Generator) -> None:
    """Nothing is emitted for a caller that has left."""
    pieces: list[str] = []
    with pytest.raises(Cancelled):
        generator.generate(CHAT, options=OPTIONS, emit=pieces.append, cancelled=lambda: True)
    assert pieces == []


def test_cancelled_midway(generator: Generator) -> None:
    """After `cancelled` said so nothing is emitted, and the next question is answered."""
    pieces: list[str] = []
    options = GenerationOptions(max_output_tokens=60, temperature=1)
    with pytest.raises(Cancelled):
        generator.generate(CHAT, options=options, emit=pieces.append, cancelled=lambda: bool(pieces))
    assert len(pieces) == 1
    assert say(generator)


def test_threads_get_their_own_answers(generator: Generator) -> None:
    """Questions asked at the same time are answered as if asked alone."""
    questions = [f"number {number}" for number in range(4)]
    expected = {question: say(generator, question) for question in questions}
    assert in_threads(questions, lambda question: say(generator, question)) == expected


def test_many_chats_at_once(generator: Generator) -> None:
    """Each gets the answer that it gets alone, in the order of the chats."""
    questions = [f"number {number}" for number in range(20)]
    chats = [(CHAT[0], Message("user", question)) for question in questions]
    found = generator.generate_all(chats, options=OPTIONS, cancelled=lambda: False)
    assert [each.text for each in found] == [say(generator, question) for question in questions]


def test_many_chats_can_be_cancelled(generator: Generator) -> None:
    """All of them end, and the next question is answered."""
    with pytest.raises(Cancelled):
        generator.generate_all([CHAT] * 4, options=OPTIONS, cancelled=lambda: True)
    assert say(generator)


def test_one_of_many_chats_is_too_long(generator: Generator) -> None:
    """What is wrong with it is told."""
    long = (Message("user", "France " * 5000),)
    with pytest.raises(QuestionError):
        generator.generate_all([CHAT, long, CHAT], options=OPTIONS, cancelled=lambda: False)


def test_a_chat_that_is_too_long(generator: Generator) -> None:
    """What the model cannot read is the question's fault, and nothing is emitted."""
    chat = (Message("user", "France " * 5000),)
    pieces: list[str] = []
    with pytest.raises(QuestionError):
        generator.generate(chat, options=OPTIONS, emit=pieces.append, cancelled=lambda: False)
    assert pieces == []


def test_an_adapter_that_is_not_there(generator: Generator, tmp_path: Path) -> None:
    """An adapter that cannot be applied is a fault of the model, and the plain model goes on."""
    plain = say(generator)
    with pytest.raises(ModelError):
        generator.generate(
            CHAT,
            options=OPTIONS,
            emit=lambda _: None,
            cancelled=lambda: False,
            adapter=tmp_path / "none",
        )
    assert say(generator) == plain


def in_threads(questions: list[str], work: Callable[[str], str]) -> dict[str, str]:
    """Do some work for each question at the same time, and return what came of it."""
    found: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda each=each: found.update({each: work(each)})) for each in questions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
