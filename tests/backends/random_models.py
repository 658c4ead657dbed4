"""Random language models of two layers, small enough for a test."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def save_random_model(folder: Path, family: str = "llama", **settings: Any) -> Any:
    """Write a model of a family, and return it.

    Its weights are numbers that float16 holds too: engines that keep it say the same.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        family,
        **{
            "vocab_size": 384,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 2,
        }
        | settings,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config).half().float()
    model.save_pretrained(folder)
    return model
