"""How far an import of documents is: passages made so far, of about how many, and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable

from backends.base import Progress

__all__ = ["ImportMeter"]

WARM_UP_S = 3.0
"""Seconds from the first report on before a time is promised: until then it is chance how fast work seems."""


class ImportMeter:
    """Measures an import by the bytes of its documents, which are all known before they are split.

    Args:
        total_bytes: Size of all documents.
        report: Takes how far it is.
        clock: Tells the time, in seconds.
    """

    def __init__(
        self,
        total_bytes: int,
        report: Callable[[Progress], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total_bytes = total_bytes
        self._report = report
        self._clock = clock
        self._done_bytes = 0.0
        self._done_passages = 0
        self._first: tuple[float, float] | None = None

    def within(self, size_bytes: float, passages: int) -> Callable[[int, float], None]:
        """Return what takes how many passages are done of the next documents, and their share.

        Args:
            size_bytes: Size of these documents.
            passages: How many passages they are.
        """
        began_bytes, began_passages = self._done_bytes, self._done_passages
        self._done_bytes += size_bytes
        self._done_passages += passages
        known = self._all_passages()

        def note(done: int, share: float) -> None:
            fraction = round((began_bytes + share * size_bytes) / self._total_bytes, 6)
            activity = f"Embedding passages, {began_passages + done:,} of {known}"
            self._report(Progress(activity, fraction, self._left_s(fraction)))

        return note

    def _all_passages(self) -> str:
        """Return how many passages there will be, by those of the documents split so far, in words."""
        if self._done_bytes > self._total_bytes - 1:
            return f"{self._done_passages:,}"
        estimate = self._done_passages * self._total_bytes / self._done_bytes
        return f"about {max(float(f'{estimate:.2g}'), self._done_passages):,.0f}"

    def _left_s(self, fraction: float) -> float | None:
        """Return the seconds left at the pace since the first report: before it, models loaded and warmed up."""
        now = self._clock()
        if self._first is None:
            self._first = (now, fraction)
        began, before = self._first
        if fraction >= 1:
            return 0.0
        if now - began < WARM_UP_S or fraction <= before:
            return None
        return (now - began) * (1 - fraction) / (fraction - before)
