"""The memory of this process: how much it holds while it does something."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PeakMemory"]

_EVERY_S = 0.1
_STATE = Path("/proc/self/statm")


class PeakMemory:
    """Watches, while it is entered, how much memory this process holds: models and mapped files included.

    Attributes:
        bytes: The most that was seen; None where the system does not tell.
    """

    def __init__(self) -> None:
        self.bytes: int | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._look()

    def _look(self) -> None:
        try:
            pages = int(_STATE.read_text().split()[1])
        except OSError:
            return
        self.bytes = max(self.bytes or 0, pages * os.sysconf("SC_PAGE_SIZE"))
