"""What `Engine` promises, kept by every implementation."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from backends.base import Cancelled, ModelError, QuestionError
from backends.generation.batching import BatchingEngine
from backends.generation.engine import Engine, Request
from backends.generation.grammars import Form
from backends.generation.guides import Guide, Guides
from backends.generation.model import LoadedModel
from backends.generation.packed_torch import PackedTorch
from backends.generation.turns import TurnsEngine
from backends.processor import multiplies_bfloat16
from tests.backends.engines import write, write_all
from tests.backends.lora import save_adapter

Guiding = Callable[[Form], Callable[[], Guide]]

STOP = frozenset([2])
LABELS = Form(("Pay", "Payment", "Zahlung überfällig", "日本 😀", 'a "quoted" \\n', "<|im_end|>"))
SCHEMA = Form(
    schema=json.dumps(
        {
            "type": "object",
            "properties": {
                "city": {"enum": ["Paris", "Lyon"]},
                "years": {"type": "array", "items": {"$ref": "#/$defs/year"}, "maxItems": 2},
            },
            "required": ["city", "years"],
            "additionalProperties": False,
            "$defs": {"year": {"type": "integer", "minimum": 0, "maximum": 99}},
        }
    )
)
PROMPTS = [[3 + (7 * place + 5 * at) % 300 for at in range(9 + 60 * place)] for place in range(6)]


def batching(folder: Path) -> Engine:
    """Return the engine that writes many answers at once."""
    return BatchingEngine(PackedTorch(LoadedModel(folder)))


def turns(folder: Path) -> Engine:
    """Return the engine that writes one answer after another."""
    return TurnsEngine(LoadedModel(folder))


def openvino(folder: Path) -> Engine:
    """Return the engine that computes by OpenVINO."""
    pytest.importorskip("openvino")
    from backends.generation.packed_openvino import PackedOpenVINO

    return BatchingEngine(PackedOpenVINO(LoadedModel(folder).release()))


def bfloat16(folder: Path) -> Engine:
    """Return the engine that computes by OpenVINO in bfloat16."""
    pytest.importorskip("openvino")
    from backends.generation.packed_openvino import PackedOpenVINO

    if not multiplies_bfloat16():
        pytest.skip("this processor has no units for bfloat16")
    return BatchingEngine(PackedOpenVINO(LoadedModel(folder).release(), bfloat16=True))


@pytest.fixture(params=[batching, turns, openvino, bfloat16])
def engine(request: pytest.FixtureRequest, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return each engine, on the tiny model."""
    monkeypatch.setattr("backends.generation.batching._LINGER_S", 0.01)
    made: Engine = request.param(tiny_model)
    return made


@pytest.fixture(scope="module")
def guiding(tiny_model: Path) -> Guiding:
    """Return what makes the guides of a form."""
    from transformers import AutoTokenizer

    guides = Guides(AutoTokenizer.from_pretrained(tiny_model))
    return lambda form: partial(guides.guide, form, STOP)


def ask(place: int, adapter: Path | None = None, *, limit: int = 32, **options: Any) -> Request:
    """Return a request for the answer to one of the prompts."""
    return Request(PROMPTS[place], limit, STOP, adapter, **options)


def by_library(folder: Path, request: Request) -> list[int]:
    """Return the tokens that transformers' own greedy generation writes, with PEFT's own adapter."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    if request.adapter is not None:
        model = peft.PeftModel.from_pretrained(model, str(request.adapter))
    prompt = torch.tensor([list(request.prompt)])
    written = model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=request.limit,
        do_sample=False,
        eos_token_id=sorted(request.stop),
    )
    found: list[int] = written[0, len(request.prompt) :].tolist()
    return found


def fill(found: list[int], tokens: Iterator[int]) -> None:
    """Append tokens as they come."""
    for token in tokens:
        found.append(token)  # noqa: PERF402 - one by one, since the stream looks at how many there are


def tensors() -> int:
    """Return how many tensors there are in this process, once no engine is at work."""
    import torch

    for thread in threading.enumerate():
        if thread.name == "advisor-engine":
            thread.join()
    gc.collect()
    return sum(issubclass(type(found), torch.Tensor) for found in gc.get_objects())


def text_of(folder: Path, tokens: Sequence[int]) -> str:
    """Return what tokens say, but for the one that ends the answer."""
    from transformers import AutoTokenizer

    assert tokens[-1] in STOP
    return str(AutoTokenizer.from_pretrained(folder).decode(tokens[:-1]))


def test_it_has_a_name(engine: Engine) -> None:
    """The name says what computes."""
    assert engine.name.strip()


@pytest.fixture
def exact(engine: Engine) -> Engine:
    """Return each engine that computes in float32, as the library does here."""
    if "bfloat16" in engine.name:
        pytest.skip("rounds otherwise than the library")
    return engine


@pytest.mark.parametrize("place", [0, 2, 5])
def test_greedy_tokens_are_those_of_the_library(exact: Engine, tiny_model: Path, place: int) -> None:
    """Short prompts and long ones, which are read in pieces."""
    assert write(exact, ask(place)) == by_library(tiny_model, ask(place))


@pytest.mark.parametrize("place", [0, 5])
def test_an_adapter_is_that_of_the_library(
    exact: Engine, tiny_model: Path, tiny_adapters: tuple[Path, Path], place: int
) -> None:
    """Long answers too, by each of two adapters, at their own strength."""
    for adapter in tiny_adapters:
        request = ask(place, adapter, limit=64)
        assert write(exact, request) == by_library(tiny_model, request)


def test_the_plain_model_stays_what_it_is(engine: Engine, tiny_adapters: tuple[Path, Path]) -> None:
    """After an adapter, before another, and with the same prompt."""
    plain = write(engine, ask(5))
    adapted = [write(engine, ask(5, adapter)) for adapter in tiny_adapters]
    assert write(engine, ask(5)) == plain
    assert [write(engine, ask(5, adapter)) for adapter in tiny_adapters] == adapted
    assert len({tuple(tokens) for tokens in (plain, *adapted)}) == 3


def test_many_at_once_are_as_alone(engine: Engine) -> None:
    """Answers do not depend on who else asks."""
    requests = [ask(place) for place in range(6)]
    alone = [write(engine, request) for request in requests]
    assert write_all(engine, requests) == alone
    assert write_all(engine, requests[::-1]) == alone[::-1]


def test_many_adapters_at_once(engine: Engine, tiny_adapters: tuple[Path, Path]) -> None:
    """Each answer has its own, also beside plain ones."""
    requests = [ask(place, adapter) for place in range(6) for adapter in (None, *tiny_adapters)]
    alone = [write(engine, request) for request in requests]
    assert write_all(engine, requests) == alone


def test_a_sample_follows_its_seed(engine: Engine) -> None:
    """Alone and among others, and another seed gives another."""
    requests = [ask(1, temperature=1.0, seed=seed) for seed in (1, 2, 1)]
    first, second, again = write_all(engine, requests)
    assert first == again == write(engine, requests[0])
    assert first != second


@pytest.mark.parametrize("options", [{}, {"temperature": 1.5, "seed": 1}, {"temperature": 1.5, "seed": 2}])
def test_labels_are_kept_to(
    engine: Engine, guiding: Guiding, tiny_model: Path, options: dict[str, float]
) -> None:
    """An answer is exactly one of them, whatever its letters, and ends; labels may begin with others."""
    answers = write_all(engine, [ask(place, guide=guiding(LABELS), **options) for place in range(6)])
    assert {text_of(tiny_model, tokens) for tokens in answers} <= set(LABELS.labels)


def test_every_label_can_be_chosen(engine: Engine, guiding: Guiding, tiny_model: Path) -> None:
    """Also one that another begins with, and one that looks like a control mark."""
    requests = [ask(1, guide=guiding(LABELS), temperature=2.0, seed=seed) for seed in range(60)]
    assert {text_of(tiny_model, tokens) for tokens in write_all(engine, requests)} == set(LABELS.labels)


def test_a_single_label_is_written_out(engine: Engine, guiding: Guiding, tiny_model: Path) -> None:
    """However improbable, and its end costs no token of the limit."""
    only = Form(("Retrieve Paris",))
    tokens = write(engine, ask(1, guide=guiding(only)))
    assert text_of(tiny_model, tokens) == "Retrieve Paris"
    assert write(engine, ask(1, guide=guiding(only), limit=len(tokens) - 1)) == tokens
    assert write(engine, ask(1, guide=guiding(only), limit=len(tokens) - 2)) == tokens[:-2]


@pytest.mark.parametrize("options", [{}, {"temperature": 1.0, "seed": 1}, {"temperature": 1.0, "seed": 2}])
def test_a_schema_is_kept_to(
    engine: Engine, guiding: Guiding, tiny_model: Path, options: dict[str, float]
) -> None:
    """An answer is JSON by the schema, and ends where that does."""
    for tokens in write_all(
        engine, [ask(place, guide=guiding(SCHEMA), limit=200, **options) for place in range(4)]
    ):
        found = json.loads(text_of(tiny_model, tokens))
        assert list(found) == ["city", "years"]
        assert found["city"] in ("Paris", "Lyon")
        assert len(found["years"]) <= 2
        assert all(0 <= year <= 99 for year in found["years"])


def test_forms_among_others(engine: Engine, guiding: Guiding, tiny_adapters: tuple[Path, Path]) -> None:
    """Each answer has its own form or none, as if asked alone."""
    requests = [
        ask(place, adapter, guide=guide, temperature=temperature, limit=100)
        for place, adapter in ((0, None), (3, tiny_adapters[0]))
        for guide in (None, guiding(LABELS), guiding(SCHEMA))
        for temperature in (0.0, 1.0)
    ]
    assert write_all(engine, requests) == [write(engine, request) for request in requests]


@pytest.mark.parametrize(
    "schema",
    [
        '{"type": "nothing"}',
        '{"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"], "additionalProperties": false}',
    ],
)
def test_a_form_that_cannot_be_followed(engine: Engine, guiding: Guiding, schema: str) -> None:
    """It is told to the one who asks, at once or where the answer cannot go on, and the next is answered."""
    with pytest.raises(QuestionError, match="cannot"):
        write(engine, ask(1, guide=guiding(Form(schema=schema)), limit=900))
    assert write(engine, ask(1, limit=2))


def test_the_limit_ends_an_answer(engine: Engine) -> None:
    """After exactly so many tokens."""
    assert len(write(engine, ask(1, limit=1))) == 1
    assert [len(tokens) for tokens in write_all(engine, [ask(1, limit=5), ask(2, limit=3)])] == [5, 3]


def test_a_stop_token_ends_an_answer(engine: Engine) -> None:
    """It is the last that is told."""
    tokens = write(engine, ask(1))
    request = Request(PROMPTS[1], 32, frozenset([tokens[3]]))
    expected = tokens[: tokens.index(tokens[3]) + 1]
    assert write(engine, request) == expected
    assert write_all(engine, [request]) == [expected]


def test_a_caller_may_take_less(engine: Engine) -> None:
    """Closing a stream, or saying so in a batch, ends an answer, and no other."""
    tokens = engine.stream(ask(1), cancelled=lambda: False)
    first = next(tokens)
    tokens.close()  # type: ignore[attr-defined]
    found: dict[int, list[int]] = {0: [], 1: []}

    def take(place: int, token: int) -> bool:
        found[place].append(token)
        return place == 1

    engine.batch([ask(1), ask(2)], take=take, cancelled=lambda: False)
    assert found == {0: [first], 1: write(engine, ask(2))}


@pytest.mark.parametrize("after", [0, 1, 5])
def test_cancel_comes_before_the_next_token(engine: Engine, after: int) -> None:
    """Whoever cancels after so many tokens gets no further one; the next request is answered."""
    found: list[int] = []
    with pytest.raises(Cancelled):
        fill(found, engine.stream(ask(1), cancelled=lambda: len(found) >= after))
    assert len(found) == after
    assert len(write(engine, ask(1))) > after


def test_a_batch_can_be_cancelled(engine: Engine) -> None:
    """All its answers end, and the next request is answered."""
    found: list[int] = []

    def take(place: int, token: int) -> bool:
        found.append(token)
        return True

    with pytest.raises(Cancelled):
        engine.batch([ask(1)] * 4, take=take, cancelled=lambda: len(found) >= 6)
    assert len(found) == 6
    assert write(engine, ask(1))


def test_a_cancelled_caller_among_others(engine: Engine) -> None:
    """Fifteen others are answered as if asked alone."""
    alone = [write(engine, ask(place % 6)) for place in range(15)]
    found: dict[int, list[int]] = {}
    threads = [
        threading.Thread(target=lambda place=place: found.update({place: write(engine, ask(place % 6))}))
        for place in range(15)
    ]
    for thread in threads:
        thread.start()
    taken: list[int] = []
    with pytest.raises(Cancelled):
        fill(taken, engine.stream(ask(5), cancelled=lambda: len(taken) >= 2))
    for thread in threads:
        thread.join()
    assert [found[place] for place in range(15)] == alone


def test_a_missing_adapter_is_told_to_its_caller_alone(engine: Engine, tmp_path: Path) -> None:
    """Others who ask at the same time are answered."""
    plain, found = write(engine, ask(2)), list[list[int]]()
    other = threading.Thread(target=lambda: found.append(write(engine, ask(2))))
    other.start()
    with pytest.raises(ModelError, match="holds no adapter"):
        write(engine, ask(1, tmp_path / "none"))
    other.join()
    assert found == [plain]
    assert write(engine, ask(2)) == plain


def test_to_forget_changes_no_answer(engine: Engine, tiny_adapters: tuple[Path, Path]) -> None:
    """Neither of prompts that were kept nor of adapters."""
    requests = [ask(5), ask(5, tiny_adapters[0])]
    before = [write(engine, request) for request in requests]
    engine.forget()
    assert [write(engine, request) for request in requests] == before


def test_memory_does_not_grow(engine: Engine, tiny_adapters: tuple[Path, Path]) -> None:
    """After the first calls, two hundred more leave no tensor behind."""
    adapters = (None, *tiny_adapters)
    for adapter in adapters:
        write(engine, ask(5, adapter, limit=2))
    before = tensors()
    for call in range(200):
        write(engine, ask(5, adapters[call % 3], limit=2))
    assert tensors() <= before + 4


def test_few_adapters_stay_loaded(engine: Engine, tiny_model: Path, tmp_path: Path) -> None:
    """From the eighth adapter on, another one takes no more memory, and the first is still right."""

    def use(seed: int) -> list[int]:
        folder = tmp_path / str(seed)
        if not folder.exists():
            save_adapter(tiny_model, folder, seed=seed)
        return write(engine, ask(1, folder))

    first = use(0)
    loaded = []
    for seed in range(1, 12):
        use(seed)
        loaded.append(tensors())
    assert loaded[6] == loaded[7] == loaded[-1]
    assert use(0) == first
