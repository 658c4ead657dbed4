"""Generation by a tiny local model: determinism, cancel, tiny_adapters, memory, and the real model."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backends.base import (
    Cancelled,
    FinishReason,
    Generation,
    GenerationOptions,
    Message,
    ModelError,
    QuestionError,
)
from backends.generation.local import LocalGenerator, open_generator
from tests.backends.lora import save_adapter

CHAT = (Message("system", "Answer."), Message("user", "What is the capital of France?"))
LONG = (Message("user", "The capital of France is Paris. " * 40),)


@pytest.fixture
def generator(tiny_model: Path) -> LocalGenerator:
    """Return a fresh generator on the tiny model."""
    return LocalGenerator(tiny_model, "tiny")


def say(
    generator: LocalGenerator,
    messages: Sequence[Message] = CHAT,
    *,
    adapter: Path | None = None,
    **options: Any,
) -> Generation:
    """Generate twelve tokens, unless said otherwise."""
    given = GenerationOptions(**({"max_output_tokens": 12} | options))
    return generator.generate(
        messages, options=given, emit=lambda text: None, cancelled=lambda: False, adapter=adapter
    )


def test_greedy_text_is_that_of_the_library(generator: LocalGenerator, tiny_model: Path) -> None:
    """The loop chooses the tokens that transformers' own `generate` chooses."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from backends.generation.chat import chat_tokens

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    prompt = torch.tensor([chat_tokens(tokenizer, LONG)])
    mask = torch.ones_like(prompt)
    expected = model.generate(prompt, attention_mask=mask, max_new_tokens=12, do_sample=False)[0]
    assert say(generator, LONG).text == tokenizer.decode(
        expected[prompt.shape[1] :], skip_special_tokens=True
    )


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_same_question_has_the_same_answer(generator: LocalGenerator, temperature: float) -> None:
    """Also when the beginning of the prompt was kept from the call before."""
    first = say(generator, LONG, temperature=temperature)
    assert say(generator, LONG, temperature=temperature) == first
    say(generator, CHAT)
    assert say(generator, LONG, temperature=temperature) == first


def test_seed_changes_a_sample(generator: LocalGenerator) -> None:
    """Sampling follows the seed, and the seed alone."""
    assert say(generator, temperature=1.0, seed=1).text != say(generator, temperature=1.0, seed=2).text


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-30])
def test_a_temperature_near_zero(generator: LocalGenerator, temperature: float) -> None:
    """It takes the most probable token each time, as 0 does; no arithmetic overflows."""
    assert say(generator, temperature=temperature) == say(generator, temperature=0.0)


@pytest.mark.parametrize("after", [0, 1, 5])
def test_cancelled_caller_hears_no_more(generator: LocalGenerator, after: int) -> None:
    """Whoever cancels after so many words gets no further one, and the next question is answered."""
    pieces: list[str] = []
    options = GenerationOptions(temperature=1.0, max_output_tokens=400)
    with pytest.raises(Cancelled):
        generator.generate(CHAT, options=options, emit=pieces.append, cancelled=lambda: len(pieces) >= after)
    assert len(pieces) == after
    assert say(generator).text


def test_slow_caller_holds_nobody_up(generator: LocalGenerator) -> None:
    """While one caller does not take its words, another is answered, and a third can leave."""
    began, go_on, found = threading.Event(), threading.Event(), list[str]()

    def hold(_: str) -> None:
        began.set()
        go_on.wait(30)

    def answer() -> None:
        options = GenerationOptions(max_output_tokens=12)
        found.append(generator.generate(CHAT, options=options, emit=hold, cancelled=lambda: False).text)

    running = threading.Thread(target=answer)
    running.start()
    assert began.wait(30)
    with pytest.raises(Cancelled):
        generator.generate(CHAT, options=GenerationOptions(), emit=lambda text: None, cancelled=lambda: True)
    assert say(generator, LONG).text
    assert found == []
    go_on.set()
    running.join(30)
    assert found == [say(generator).text]


def test_threads_get_their_own_answers(generator: LocalGenerator, tiny_adapters: tuple[Path, Path]) -> None:
    """Calls at the same time, with different tiny_adapters, do not mix."""
    expected = {adapter: say(generator, adapter=adapter).text for adapter in (None, *tiny_adapters)}
    found: list[tuple[Path | None, str]] = []

    def work(adapter: Path | None) -> None:
        found.extend((adapter, say(generator, adapter=adapter).text) for _ in range(4))

    threads = [threading.Thread(target=work, args=(adapter,)) for adapter in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert all(expected[adapter] == text for adapter, text in found)


def test_too_long_chat_gives_both_numbers(generator: LocalGenerator) -> None:
    """The message says how long the chat is, and how long it may be."""
    chat = (Message("user", "France " * 2000),)
    with pytest.raises(QuestionError, match=rf"takes {generator.count_tokens(chat)} tokens.* at most 1024"):
        say(generator, chat)


def test_adapter_changes_the_text_for_its_call_alone(
    generator: LocalGenerator, tiny_adapters: tuple[Path, Path]
) -> None:
    """The plain model answers as before, between and after."""
    plain = say(generator).text
    a, b = (say(generator, adapter=adapter).text for adapter in tiny_adapters)
    assert len({plain, a, b}) == 3
    assert say(generator).text == plain
    assert say(generator, adapter=tiny_adapters[0]).text == a


def test_replaced_adapter_is_read_again(generator: LocalGenerator, tiny_model: Path, tmp_path: Path) -> None:
    """A folder whose files changed is another adapter."""
    folder = save_adapter(tiny_model, tmp_path / "a", seed=1)
    before = say(generator, adapter=folder).text
    shutil.rmtree(folder)
    save_adapter(tiny_model, folder, seed=2)
    assert say(generator, adapter=folder).text != before


def test_folder_without_an_adapter_is_refused(generator: LocalGenerator, tmp_path: Path) -> None:
    """The message names the folder and what it lacks."""
    with pytest.raises(ModelError, match="holds no adapter"):
        say(generator, adapter=tmp_path)


@pytest.mark.filterwarnings("ignore::UserWarning:peft")
def test_adapter_that_does_not_fit_leaves_the_model(
    generator: LocalGenerator, tiny_adapters: tuple[Path, Path], tmp_path: Path
) -> None:
    """Weights of other shapes are refused, and the plain model answers as before."""
    plain = say(generator).text
    config = (tiny_adapters[0] / "adapter_config.json").read_text()
    folder = Path(shutil.copytree(tiny_adapters[0], tmp_path / "wrong"))
    (folder / "adapter_config.json").write_text(config.replace('"r": 4', '"r": 8'))
    with pytest.raises(ModelError, match="does not fit"):
        say(generator, adapter=folder)
    assert say(generator).text == plain


def test_generator_is_opened_by_name(tiny_model: Path, tmp_path: Path) -> None:
    """A folder's generator is called by its identity."""
    generator = open_generator(str(tiny_model), cache=tmp_path, report=lambda progress: None)
    assert generator.name.startswith(f"{tiny_model.name}@sha256:")
    assert generator.context_tokens == 1024


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """A folder that cannot generate is refused before anything is loaded."""
    with pytest.raises(ModelError, match="holds no config.json"):
        LocalGenerator(tmp_path, "none")


@pytest.mark.models
def test_default_generator_knows_a_capital(default_generator_folder: Path) -> None:
    """The real model answers a plain question, and stops."""
    generator = LocalGenerator(default_generator_folder, "default")
    result = say(generator, (Message("user", "What is the capital of France?"),), max_output_tokens=20)
    assert "Paris" in result.text
    assert result.finish_reason is FinishReason.STOP


@pytest.mark.models
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_real_model_keeps_to_forms(default_generator_folder: Path, temperature: float) -> None:
    """A label is one of the labels, and JSON follows its schema."""
    generator = LocalGenerator(default_generator_folder, "real")
    chat = (Message("user", "My card was charged twice, 20 euros each. Who helps?"),)
    labels = ("billing", "billing dispute", "technical support", "Überweisung", "配送")
    properties: dict[str, Any] = {
        "team": {"enum": ["billing", "support"]},
        "amount": {"type": "integer", "minimum": 0, "maximum": 10_000},
        "words": {"type": "array", "items": {"type": "string", "maxLength": 12}, "maxItems": 3},
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }
    options = {"max_output_tokens": 200, "temperature": temperature}
    for seed in range(3):
        assert say(generator, chat, labels=labels, seed=seed, **options).text in labels
        found = say(generator, chat, output_schema=json.dumps(schema), seed=seed, **options)
        value = json.loads(found.text)
        assert list(value) == [*properties]
        assert value["team"] in properties["team"]["enum"]
        assert 0 <= value["amount"] <= 10_000
        assert len(value["words"]) <= 3
        assert all(len(word) <= 12 for word in value["words"])
        assert found.finish_reason is FinishReason.STOP
