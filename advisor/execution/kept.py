"""Opened things kept: the last used ones, each as long as what it was made from stays the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Kept"]

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Values by name, each with the state of what it was made from; safe to share between threads.

    Args:
        limit: Most values to keep; the least recently used go first.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[Hashable, Value]] = OrderedDict()
        self._forgotten = 0

    def get(self, name: Hashable, state: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value kept under a name for this state, or make it and keep it in place of another's.

        Threads that ask at the same time may each make one: making takes long, and
        nobody waits for somebody else's.
        """
        with self._lock:
            kept = self._values.get(name)
            if kept is not None and kept[0] == state:
                self._values.move_to_end(name)
                return kept[1]
            forgotten = self._forgotten
        value = make()
        with self._lock:
            if forgotten != self._forgotten:  # it may hold what was to be forgotten while it was made
                return value
            self._values[name] = state, value
            self._values.move_to_end(name)
            while len(self._values) > self._limit:
                self._values.popitem(last=False)
        return value

    def forget(self, chosen: Callable[[Hashable], bool]) -> None:
        """Keep no value whose name is chosen, nor any that is being made now."""
        with self._lock:
            self._forgotten += 1
            for name in [name for name in self._values if chosen(name)]:
                del self._values[name]
