"""What the processor computes fast."""

from __future__ import annotations

__all__ = ["multiplies_bfloat16"]


def multiplies_bfloat16() -> bool:
    """Return whether matrices of bfloat16 are multiplied by units of their own (AMX).

    Multiplied by AVX-512 they are slower than those of float32 (0.78 times).
    """
    import torch

    return bool(torch.cpu.get_capabilities().get("amx_bf16"))
