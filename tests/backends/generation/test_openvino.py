"""The engine by OpenVINO: what it says beside torch, what it refuses, and that it tells nobody."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from backends.base import ModelError
from backends.generation.batching import BatchingEngine
from backends.generation.engine import Request
from backends.generation.model import LoadedModel
from backends.generation.opening import open_engine
from backends.generation.packed import PackedModel, Span
from backends.generation.packed_torch import PackedTorch
from backends.generation.turns import TurnsEngine
from backends.processor import multiplies_bfloat16
from tests.backends.engines import write, write_all
from tests.backends.lora import save_adapter
from tests.backends.random_models import save_random_model
from tests.processes import run_at_home

pytest.importorskip("openvino")

needs_bfloat16 = pytest.mark.skipif(
    not multiplies_bfloat16(), reason="the processor has no units for bfloat16"
)

TEXTS = [
    "Retrieval finds passages that hold the answer, and a language model writes it from them.",
    "A fine-tuned model has learned a form or a label set from examples of right answers.",
    "PostgreSQL writes every change to a log before it changes the table, so that a crash loses nothing.",
    "The index of a book lists words in order, each with the pages on which it stands.",
    "Paris is the capital of France and lies on the Seine, a river that flows to the Channel.",
    "To bake bread, mix flour, water, salt and yeast, and let the dough rise in a warm place.",
    "A bicycle has two wheels, and its gears make it easier to ride up a hill or fast on a plain.",
    "In winter the days are short in Norway, and beyond the Arctic Circle the sun does not rise.",
]


def by_openvino(folder: Path, **kind: bool) -> PackedModel:
    """Return a model by OpenVINO."""
    from backends.generation.packed_openvino import PackedOpenVINO

    return PackedOpenVINO(LoadedModel(folder).release(), **kind)


def ask(adapter: Path | None = None, limit: int = 24) -> Request:
    """Return a request."""
    return Request([3 + 7 * at % 300 for at in range(40)], limit, frozenset(), adapter)


def mean_loss(model: PackedModel, texts: Sequence[Sequence[int]]) -> float:
    """Return the mean loss of texts of one length after their first token, in nats, read side by side."""
    slots = [slot for text in texts if (slot := model.take(len(text))) is not None]
    losses = []
    for at in range(len(texts[0]) - 1):
        logits = model.read([Span(slot, [text[at]]) for slot, text in zip(slots, texts, strict=True)])
        right = torch.tensor([text[at + 1] for text in texts])
        losses.append(torch.nn.functional.cross_entropy(logits, right))
        for slot in slots:
            slot.length += 1
    for slot in slots:
        model.release(slot)
    return float(torch.stack(losses).mean())


def test_it_is_chosen_where_it_is_installed(tiny_model: Path) -> None:
    """Its name says how precise its weights are; integers are taken on demand alone."""
    fast = "bfloat16" if multiplies_bfloat16() else "float16 weights"
    assert open_engine(tiny_model, name="auto").name.endswith(fast)
    assert open_engine(tiny_model, name="openvino").name.endswith("float16 weights")
    assert "int8" in open_engine(tiny_model, name="openvino-int8").name
    assert open_engine(tiny_model, name="torch").name == "torch float32"


def test_it_is_not_installed(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for, that is an error with the next step; chosen by itself, torch answers."""
    monkeypatch.setitem(sys.modules, "backends.generation.packed_openvino", None)
    with pytest.raises(ModelError, match=r"not installed .*pip install 'rag-or-tune\[openvino\]'"):
        open_engine(tiny_model, name="openvino")
    assert open_engine(tiny_model, name="auto").name == "torch float32"


def test_it_says_otherwise_than_torch(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph that is wrong is found out at load."""
    from backends.generation.packed_openvino import PackedOpenVINO

    read = PackedOpenVINO.read
    monkeypatch.setattr(PackedOpenVINO, "read", lambda self, spans: read(self, spans) + 3)
    with pytest.raises(ModelError, match="says otherwise than torch"):
        open_engine(tiny_model, name="openvino")
    assert open_engine(tiny_model, name="auto").name == "torch float32"


@needs_bfloat16
def test_only_bfloat16_says_otherwise(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine may be chosen, it is the same with more precision rather than torch."""
    from backends.generation.packed_openvino import PackedOpenVINO

    read = PackedOpenVINO.read
    monkeypatch.setattr(
        PackedOpenVINO, "read", lambda self, spans: read(self, spans) + 3 * ("bfloat16" in self.name)
    )
    with pytest.raises(ModelError, match="set ADVISOR_ENGINE to openvino or torch"):
        open_engine(tiny_model, name="openvino-bfloat16")
    assert open_engine(tiny_model, name="auto").name.endswith("float16 weights")


def test_a_model_of_another_kind(tiny_model: Path, tmp_path: Path) -> None:
    """Sliding windows are refused, and taken by torch where it may choose."""
    save_random_model(tmp_path, "mistral", sliding_window=16)
    with pytest.raises(ModelError, match="OpenVINO cannot run the model"):
        open_engine(tmp_path, name="openvino")
    assert isinstance(open_engine(tmp_path, name="auto"), TurnsEngine)


def test_integers_stay_near(tiny_model: Path) -> None:
    """The loss of a random model hardly changes with weights of 8 bits."""
    texts = [[3 + (start + 11 * at) % 300 for at in range(24)] for start in range(8)]
    plain = mean_loss(PackedTorch(LoadedModel(tiny_model)), texts)
    assert mean_loss(by_openvino(tiny_model, int8=True), texts) == pytest.approx(plain, rel=0.005)


@needs_bfloat16
def test_bfloat16_keeps_what_an_adapter_adds(tiny_model: Path, tmp_path: Path) -> None:
    """It is added to weights of which fewer digits are read; what it changes stays."""
    adapter = save_adapter(tiny_model, tmp_path / "a", seed=1)

    def added(model: PackedModel) -> torch.Tensor:
        slots = [slot for _ in range(2) if (slot := model.take(64)) is not None]
        prompt = [3 + 11 * at % 300 for at in range(24)]
        keys = (None, model.load(adapter))
        plain, tuned = model.read([Span(slot, prompt, key) for slot, key in zip(slots, keys, strict=True)])
        return tuned - plain

    expected = added(PackedTorch(LoadedModel(tiny_model)))
    found = added(by_openvino(tiny_model, bfloat16=True))
    assert torch.nn.functional.cosine_similarity(found, expected, dim=0) > 0.99


@needs_bfloat16
def test_in_bfloat16_who_asks_beside_changes_nothing(tiny_model: Path) -> None:
    """Logits are the same to the last bit for a request alone and among others, in any number."""
    model = by_openvino(tiny_model, bfloat16=True)

    def logits(beside: int) -> torch.Tensor:
        slots = [slot for _ in range(1 + beside) if (slot := model.take(64)) is not None]
        model.read([Span(slot, [5 + number, 9, 40, 77]) for number, slot in enumerate(slots)])
        for slot in slots:
            slot.length += 4
        found = model.read([Span(slot, [3 + number]) for number, slot in enumerate(slots)])
        for slot in slots:
            model.release(slot)
        return found[0]

    alone = logits(0)
    assert all(torch.equal(logits(beside), alone) for beside in (1, 2, 7, 15))


def test_few_adapters_stay_at_hand(tiny_model: Path, tmp_path: Path) -> None:
    """Each takes the memory of a model: the least recently used goes, and is made again when asked for."""
    model = by_openvino(tiny_model)
    engine = BatchingEngine(model)
    folders = [save_adapter(tiny_model, tmp_path / str(seed), seed=seed) for seed in range(6)]
    found = [write(engine, ask(folder)) for folder in folders]
    assert len(model._requests) == 5  # type: ignore[attr-defined]
    assert write(engine, ask(folders[0])) == found[0]
    assert len({tuple(tokens) for tokens in found}) == 6
    engine.forget()
    assert len(model._requests) == 1  # type: ignore[attr-defined]


def test_an_adapter_of_another_model(tiny_model: Path, tmp_path: Path) -> None:
    """It is refused by its shapes, and the plain model answers as before."""
    import json

    engine = BatchingEngine(by_openvino(tiny_model))
    plain = write(engine, ask())
    folder = save_adapter(tiny_model, tmp_path / "a", seed=1)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"r": 8}))
    with pytest.raises(ModelError, match="does not fit the model"):
        write(engine, ask(folder))
    assert write(engine, ask()) == plain


def test_room_is_bounded(tiny_model: Path) -> None:
    """Who finds too few blocks waits for them."""
    from backends.generation.packed_openvino import PackedOpenVINO

    torch_model = LoadedModel(tiny_model)
    alone = write(BatchingEngine(PackedTorch(torch_model)), ask())
    model = LoadedModel(tiny_model).release()
    packed = PackedOpenVINO(model, cache_bytes=1024 * 512)
    assert packed.take(64 * 1024) is None
    assert write_all(BatchingEngine(packed), [ask()] * 12) == [alone] * 12


def test_its_makers_are_not_told(tmp_path: Path) -> None:
    """It is loaded without its telemetry, which makes an id for the machine in the user's home."""
    script = (
        "import sys, backends.generation.packed_openvino\n"
        "assert sys.modules['openvino_telemetry'] is None and 'openvino' in sys.modules"
    )
    run_at_home(script, tmp_path)


@pytest.mark.models
@pytest.mark.parametrize("kind", ["float16", "int8", pytest.param("bfloat16", marks=needs_bfloat16)])
def test_the_default_model_is_as_sure_of_texts(default_generator_folder: Path, kind: str) -> None:
    """Perplexity is within 1.5% of torch's in float32."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(default_generator_folder)
    texts = [tokenizer.encode(text)[:18] for text in TEXTS]
    assert {len(text) for text in texts} == {18}
    expected = mean_loss(PackedTorch(LoadedModel(default_generator_folder)), texts)
    found = mean_loss(
        by_openvino(default_generator_folder, **{kind: True} if kind != "float16" else {}), texts
    )
    assert found == pytest.approx(expected, abs=0.0149)  # in nats: 1.5% of the perplexity


@pytest.mark.models
@needs_bfloat16
def test_bfloat16_tells_positions_apart(
    default_generator_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds no odd numbers above 256: rotations are looked up, and computed ones are found out at load."""
    assert "bfloat16" in open_engine(default_generator_folder, name="openvino-bfloat16").name
    monkeypatch.setattr("backends.generation.openvino_graph._look_rotations_up", lambda _: None)
    with pytest.raises(ModelError, match="says otherwise than torch"):
        open_engine(default_generator_folder, name="openvino-bfloat16")
