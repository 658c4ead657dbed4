"""Random LoRA weights."""

from __future__ import annotations

from pathlib import Path


def save_adapter(base: Path, folder: Path, *, seed: int) -> Path:
    """Write random LoRA weights that change what the model in a folder says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(folder)
    return folder
