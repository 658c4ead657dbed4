"""Many requests on one model: who is read when, what is kept, what is shared, and what fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from backends.base import ModelError
from backends.generation.batching import BatchingEngine
from backends.generation.engine import Engine, Request
from backends.generation.model import LoadedModel
from backends.generation.opening import open_engine
from backends.generation.packed_torch import PackedTorch, reads_packed
from backends.generation.prefixes import PIECE_TOKENS
from backends.generation.slots import Layout
from backends.generation.turns import TurnsEngine
from tests.backends.engines import write, write_all
from tests.backends.lora import save_adapter
from tests.backends.random_models import save_random_model

DYNAMIC = {
    "rope_type": "dynamic",
    "rope_theta": 100.0,
    "factor": 4.0,
    "original_max_position_embeddings": 256,
}
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 100.0,
    "original_max_position_embeddings": 256,
    "short_factor": [1.0] * 4,
    "long_factor": [1.0, 2.0, 4.0, 8.0],
}


class Watched(LoadedModel):
    """A model that notes how many tokens it reads in each step.

    Attributes:
        steps: The tokens of each step.
        fault: Raised in place of the next step; None to go on.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.steps: list[int] = []
        self.fault: Exception | None = None

    def read_packed(self, tokens: Sequence[int], *more: Any) -> torch.Tensor:
        fault, self.fault = self.fault, None
        if fault is not None:
            raise fault
        self.steps.append(len(tokens))
        return super().read_packed(tokens, *more)


@pytest.fixture
def model(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Return the tiny model, watched."""
    monkeypatch.setattr("backends.generation.batching._LINGER_S", 0.01)
    return Watched(tiny_model)


def token_bytes(model: Watched) -> int:
    """Return the memory that a token takes."""
    return Layout.of(model.config).token_bytes


def prompt(tokens: int, start: int = 3) -> list[int]:
    """Return a prompt of so many tokens."""
    return [3 + (start + 5 * at) % 300 for at in range(tokens)]


def ask(tokens: int, start: int = 3, *, limit: int = 4, adapter: Path | None = None) -> Request:
    """Return a request with a prompt of so many tokens."""
    return Request(prompt(tokens, start), limit, frozenset(), adapter)


def in_order(engine: Engine, requests: Sequence[Request]) -> list[int]:
    """Return whose tokens come when, by the place of the request."""
    places: list[int] = []

    def take(place: int, token: int) -> bool:
        places.append(place)
        return True

    engine.batch(requests, take=take, cancelled=lambda: False)
    return places


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Do some work so many times at the same time."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_model_that_can_is_batched(tiny_model: Path) -> None:
    """The engine of a usual model answers many at once."""
    assert isinstance(open_engine(tiny_model), BatchingEngine)


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        *((family, {"head_dim": 8, "sliding_window": 16}) for family in ("mistral", "gemma2", "mamba")),
        ("llama", {"max_position_embeddings": 256, "rope_parameters": DYNAMIC}),
        ("phi3", {"max_position_embeddings": 512, "rope_parameters": LONGROPE}),
    ],
)
def test_a_model_that_cannot_takes_turns(family: str, settings: dict[str, Any], tmp_path: Path) -> None:
    """Windows, states and positions of another kind are seen at load, and it still answers as the library does."""
    made = save_random_model(tmp_path, family, **settings)
    engine = open_engine(tmp_path)
    assert isinstance(engine, TurnsEngine)
    ids = torch.tensor([prompt(300)])
    expected = made.train(False).generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=8,
        do_sample=False,
        eos_token_id=None,
    )
    assert write(engine, ask(300, limit=8)) == expected[0, 300:].tolist()


def test_usual_positions_are_batched(tmp_path: Path) -> None:
    """What is scaled once and for all is the same for every request."""
    save_random_model(tmp_path, rope_parameters={**DYNAMIC, "rope_type": "yarn"})
    assert isinstance(open_engine(tmp_path), BatchingEngine)


def test_a_model_that_reads_otherwise_is_found_out(tiny_model: Path) -> None:
    """Logits that differ from the library's are enough."""

    class Other(LoadedModel):
        def read_packed(self, *given: Any) -> torch.Tensor:
            return super().read_packed(*given) + 0.01

    assert reads_packed(LoadedModel(tiny_model))
    assert not reads_packed(Other(tiny_model))


def test_requests_share_steps(model: Watched) -> None:
    """Sixteen answers of four tokens take little more than the steps of one."""
    engine = BatchingEngine(PackedTorch(model))
    in_order(engine, [ask(8, start) for start in range(16)])
    assert len(model.steps) <= 6
    assert max(model.steps) > 16


def test_a_long_prompt_holds_nobody_up(model: Watched) -> None:
    """Beside it a short one is read, answered and done first, in steps that read little more than a piece."""
    engine = BatchingEngine(PackedTorch(model))
    assert in_order(engine, [ask(900), ask(8)])[:4] == [1] * 4
    assert max(model.steps[:4]) <= PIECE_TOKENS + 8


def test_a_prompt_alone_is_read_in_larger_pieces(model: Watched) -> None:
    """Where nobody writes there is nobody to hold up."""
    write(BatchingEngine(PackedTorch(model)), ask(900, limit=1))
    assert model.steps == [512, 384, 4]


def test_short_prompts_do_not_starve_a_long_one(model: Watched) -> None:
    """However many of them come, it is read after as many steps as it has pieces more."""
    engine = BatchingEngine(PackedTorch(model), together=2)
    places = in_order(engine, [ask(900, limit=1), *(ask(100, start, limit=1) for start in range(40))])
    assert 0 < places.index(0) <= 9


def test_a_beginning_is_read_once(model: Watched) -> None:
    """Of a prompt seen before only the last piece is read, also with another end."""
    engine = BatchingEngine(PackedTorch(model))
    first = write(engine, ask(300, limit=1))
    assert model.steps == [256, 44]
    model.steps.clear()
    assert write(engine, ask(300, limit=1)) == first
    assert model.steps == [44]
    model.steps.clear()
    write(engine, ask(310, limit=1))
    assert model.steps == [54]


def test_a_shared_beginning_is_read_once(model: Watched) -> None:
    """Also by those who ask at the same time."""
    engine = BatchingEngine(PackedTorch(model))
    shared = prompt(256)
    in_order(engine, [Request([*shared, end], 1, frozenset()) for end in range(5, 21)])
    assert sum(model.steps) == 256 + 16


def test_a_beginning_is_kept_for_its_adapter(model: Watched, tiny_adapters: tuple[Path, Path]) -> None:
    """What one adapter has read is of no use to another, nor to the plain model."""
    engine = BatchingEngine(PackedTorch(model))
    alone = [
        write(BatchingEngine(PackedTorch(LoadedModel(model._folder))), ask(300, adapter=each))
        for each in tiny_adapters
    ]
    write(engine, ask(300))
    assert [write(engine, ask(300, adapter=each)) for each in tiny_adapters] == alone
    assert [write(engine, ask(300, adapter=each)) for each in tiny_adapters] == alone


def test_a_beginning_is_kept_for_its_scope(model: Watched) -> None:
    """How soon an answer begins tells nobody what others asked."""
    engine = BatchingEngine(PackedTorch(model))
    read = []
    for scope in ("red", "blue", "red"):
        model.steps.clear()
        write(engine, replace(ask(PIECE_TOKENS + 1, limit=1), scope=scope))
        read.append(sum(model.steps))
    assert read == [PIECE_TOKENS + 1, PIECE_TOKENS + 1, 1]


def test_little_is_kept(model: Watched) -> None:
    """Beyond the bound the beginning used least recently goes."""
    piece = PIECE_TOKENS * token_bytes(model)
    engine = BatchingEngine(PackedTorch(model), prefix_bytes=2 * piece)
    for start in (0, 1, 0, 2):
        write(engine, ask(129, start, limit=1))
    model.steps.clear()
    write(engine, ask(129, 0, limit=1))
    write(engine, ask(129, 1, limit=1))
    assert model.steps == [1, 128, 1]


def test_nothing_is_kept_after_forget(model: Watched) -> None:
    """Neither of what was read before, nor of what was under way."""
    engine = BatchingEngine(PackedTorch(model))
    tokens = engine.stream(ask(300, limit=50), cancelled=lambda: False)
    next(tokens)
    engine.forget()
    assert len(list(tokens)) == 49
    model.steps.clear()
    write(engine, ask(300, limit=1))
    assert model.steps == [256, 44]


def test_an_adapter_in_use_stays(model: Watched, tiny_adapters: tuple[Path, Path]) -> None:
    """To forget, or to load another, takes it from nobody who is being answered."""
    engine, request = BatchingEngine(PackedTorch(model)), ask(8, limit=300, adapter=tiny_adapters[0])
    alone = write(engine, request)
    tokens = engine.stream(request, cancelled=lambda: False)
    begun = [next(tokens)]
    engine.forget()
    write(engine, ask(8, adapter=tiny_adapters[1]))
    assert [*begun, *tokens] == alone


def test_more_adapters_at_once_than_are_kept(model: Watched, tiny_model: Path, tmp_path: Path) -> None:
    """Each of twelve answers at the same time has its own."""
    folders = [save_adapter(tiny_model, tmp_path / str(seed), seed=seed) for seed in range(12)]
    engine = BatchingEngine(PackedTorch(model))
    requests = [ask(8, limit=12, adapter=folder) for folder in folders]
    alone = [write(engine, request) for request in requests]
    found: dict[int, list[int]] = {}
    in_threads(12, lambda place: found.update({place: write(engine, requests[place])}))
    assert [found[place] for place in range(12)] == alone


def test_adapters_mix_after_others_were_forgotten(
    model: Watched, tiny_model: Path, tiny_adapters: tuple[Path, Path]
) -> None:
    """Answers with and without an adapter share steps, whatever was loaded before."""
    engine = BatchingEngine(PackedTorch(model))
    requests = [ask(8, limit=12, adapter=adapter) for adapter in (None, *tiny_adapters)]
    alone = [write(engine, request) for request in requests]
    for _ in range(3):
        engine.forget()
        model.steps.clear()
        assert write_all(engine, requests) == alone
        assert len(model.steps) < 20


def test_an_adapter_may_vanish_while_in_use(model: Watched, tiny_model: Path, tmp_path: Path) -> None:
    """The answer under way is written to its end; who asks next is told."""
    folder = save_adapter(tiny_model, tmp_path / "a", seed=1)
    engine, request = BatchingEngine(PackedTorch(model)), ask(8, limit=100, adapter=folder)
    alone = write(engine, request)
    tokens = engine.stream(request, cancelled=lambda: False)
    begun = [next(tokens)]
    (folder / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no adapter"):
        write(engine, request)
    assert [*begun, *tokens] == alone


def test_a_hundred_at_once(model: Watched) -> None:
    """All are answered as if asked alone, sixteen at a time."""
    engine = BatchingEngine(PackedTorch(model))
    alone = [write(engine, ask(8 + start, start)) for start in range(10)]
    found: dict[int, list[int]] = {}
    in_threads(100, lambda number: found.update({number: write(engine, ask(8 + number % 10, number % 10))}))
    assert [found[number] for number in range(100)] == alone * 10


def test_room_is_bounded(model: Watched) -> None:
    """Who finds no room waits for it; a single request gets what it needs."""
    engine = BatchingEngine(PackedTorch(model, slot_bytes=4 * 128 * token_bytes(model)))
    requests = [ask(8 + start, start) for start in range(10)]
    model.steps.clear()
    alone = [write(BatchingEngine(PackedTorch(LoadedModel(model._folder))), request) for request in requests]
    assert write_all(engine, requests) == alone
    assert len(write(engine, ask(900))) == 4


def test_a_failed_step_is_told_to_those_under_way(model: Watched) -> None:
    """The next request is answered as if nothing had been."""
    engine = BatchingEngine(PackedTorch(model))
    expected = write(engine, ask(8))
    model.fault = RuntimeError("no memory")
    with pytest.raises(ModelError, match="the model failed \\(RuntimeError: no memory\\)"):
        in_order(engine, [ask(8), ask(9)])
    assert write(engine, ask(8)) == expected


def test_a_failure_to_forget_ends_no_thread(model: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked to forget goes on, and so do those who ask next."""
    engine = BatchingEngine(PackedTorch(model))
    expected = write(engine, ask(8))
    with monkeypatch.context() as patched:
        patched.setattr(model, "drop_adapters", lambda used: 1 / 0)
        with pytest.raises(ModelError, match="the model failed \\(ZeroDivisionError"):
            engine.forget()
    assert write(engine, ask(8)) == expected


def test_the_thread_ends_when_nobody_asks(model: Watched) -> None:
    """And begins again with the next request."""
    engine = BatchingEngine(PackedTorch(model))
    first = write(engine, ask(8))
    for thread in threading.enumerate():
        if thread.name == "advisor-engine":
            thread.join(10)
            assert not thread.is_alive()
    assert write(engine, ask(8)) == first
