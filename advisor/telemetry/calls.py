"""The call under way, so that whatever is logged for it can be found by its id."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar

__all__ = ["REQUEST_ID", "Call", "begin_call", "current_call"]

REQUEST_ID = "x-request-id"
"""Metadata in which a client, or a proxy before it, names a call."""
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Call:
    """One call.

    Args:
        method: Its path.
        sent_id: What the client calls it; a name of the server's own where that is none that can be logged.
    """

    __slots__ = ("_id", "method")

    def __init__(self, method: str, sent_id: str = "") -> None:
        self.method = method
        self._id = sent_id if _ID.fullmatch(sent_id) else ""

    @property
    def id(self) -> str:
        """Its id, made when it is first asked for: most calls are never written of."""
        if not self._id:
            self._id = uuid.uuid4().hex[:16]
        return self._id


_current: ContextVar[Call | None] = ContextVar("call", default=None)


def begin_call(method: str, sent_id: str = "") -> Call:
    """Have what follows in this task, and in threads that work for it, belong to a call."""
    call = Call(method, sent_id)
    _current.set(call)
    return call


def current_call() -> Call | None:
    """Return the call under way; None outside of any."""
    return _current.get()
