"""How far engines depart from torch in float32, token by token of a text.

    python -m benchmarks.precision [--engines openvino,openvino-bfloat16,openvino-int8] [--text README.md]

After every eighth of 1,600 tokens the next one's logits are compared: the mean loss of the text's own next token, the
mean Kullback-Leibler divergence from torch's distribution, both in nats, and how often the likeliest token is the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from transformers import AutoTokenizer

from advisor.settings import read_settings
from backends.generation.model import LoadedModel
from backends.generation.packed import PackedModel, Span
from backends.generation.packed_openvino import PackedOpenVINO
from backends.generation.packed_torch import PackedTorch
from backends.models import resolve

TOKENS = 1600
EVERY = 8


def main() -> None:
    """Print a line for each engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--engines", default="openvino,openvino-bfloat16,openvino-int8")
    parser.add_argument("--text", type=Path, default=Path(__file__).parents[1] / "README.md")
    asked = parser.parse_args()
    settings = read_settings()
    folder = resolve.resolve(settings.generator, cache=settings.model_cache, report=lambda _: None)
    tokens = AutoTokenizer.from_pretrained(folder).encode(asked.text.read_text())[: TOKENS + 1]
    right = torch.tensor(tokens[EVERY::EVERY])
    exact = read(PackedTorch(LoadedModel(folder)), tokens)
    print(f"torch: loss {loss(exact, right):.4f}")
    for name in asked.engines.split(","):
        found = read(opened(folder, name), tokens)
        divergence = (exact.exp() * (exact - found)).sum(-1).mean()
        same = (exact.argmax(-1) == found.argmax(-1)).float().mean()
        print(
            f"{name}: loss {loss(found, right):.4f}, divergence {divergence:.4f}, likeliest the same {same:.1%}"
        )


def opened(folder: Path, name: str) -> PackedModel:
    """Return the model by an engine."""
    kind = name.removeprefix("openvino").removeprefix("-")
    return PackedOpenVINO(LoadedModel(folder).release(), **({kind: True} if kind else {}))


def read(model: PackedModel, tokens: list[int]) -> torch.Tensor:
    """Return log-probabilities after every so many tokens: shape (places, vocabulary)."""
    slot = model.take(len(tokens))
    assert slot is not None
    rows = []
    for start in range(0, len(tokens) - EVERY, EVERY):
        rows.append(model.read([Span(slot, tokens[start : start + EVERY])])[0])
        slot.length += EVERY
    return torch.stack(rows).log_softmax(-1)


def loss(found: torch.Tensor, right: torch.Tensor) -> float:
    """Return the mean loss of the right tokens."""
    return float(-found.gather(1, right[: len(found), None]).mean())


if __name__ == "__main__":
    main()
