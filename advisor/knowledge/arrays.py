"""The arrays that decisions are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Bools", "Floats"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
