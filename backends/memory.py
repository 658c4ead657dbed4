"""Memory that is free in this process, given back to the system."""

from __future__ import annotations

import ctypes
import gc

__all__ = ["give_back"]


def give_back() -> None:
    """Return to the system what is free in this process.

    The C library keeps it else, in pieces between what is in use: after some steps of training on long examples more
    than twice of what a step takes.

    Where that library has no such function, nothing is done.
    """
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    trim(0)
