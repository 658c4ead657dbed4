"""Lists in pages (AIP-158): by the key of the last item seen, so that changes in between shift nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from advisor.errors import InvalidInput
from advisor.storage.records import Item, Page

__all__ = ["MOST_ITEMS", "after", "after_position", "after_time", "page_of", "page_size", "start"]

MOST_ITEMS = 1000
"""Items of a page, however many are asked for."""
LONGEST_POSITION = 19
"""Digits of the largest bigint of PostgreSQL; a token with as many is none that was handed out."""


def page_size(asked: int, *, default: int = 50, maximum: int = MOST_ITEMS) -> int:
    """Return how many items a page holds; 0 asks for the default.

    Raises:
        InvalidInput: `asked` is negative.
    """
    if asked < 0:
        raise InvalidInput.of("page_size", f"{asked:,} is negative; 0 for {default}, or 1 to {maximum:,}")
    return min(asked or default, maximum)


def after(token: str, listing: str, parts: int = 1) -> tuple[str, ...] | None:
    """Return the key after which a page starts; None at the start of the list.

    Args:
        token: What the client sent.
        listing: The list asked for with its filters; a token of another list is refused.
        parts: Texts that a key of this list has.

    Raises:
        InvalidInput: The token is not one that this list handed out.
    """
    if not token:
        return None
    try:
        found, *key = json.loads(base64.urlsafe_b64decode(token.encode()))
        if found == listing and len(key) == parts and all(_is_text(part) for part in key):
            return tuple(key)
    except (ValueError, TypeError, RecursionError):
        pass
    raise _refused()


def start(token: str, listing: str, keys: Sequence[str]) -> int:
    """Return where in a list that is in memory a page starts; raises as `after`."""
    key = after(token, listing)
    if key is None:
        return 0
    if key[0] not in keys:
        raise _refused()
    return keys.index(key[0]) + 1


def after_position(token: str, listing: str) -> int:
    """Return the position after which a page of a list by position starts; raises as `after`."""
    key = after(token, listing)
    if key is None:
        return 0
    if not (key[0].isdecimal() and len(key[0]) < LONGEST_POSITION):
        raise _refused()
    return int(key[0])


def after_time(token: str, listing: str) -> tuple[datetime, str]:
    """Return the time and the id below which a page of a list "newest first" starts; raises as `after`."""
    key = after(token, listing, 2)
    if key is None:
        return datetime.max.replace(tzinfo=UTC), ""
    try:
        time, identifier = key
        return datetime.fromisoformat(time), identifier
    except ValueError:
        raise _refused() from None


def page_of(
    rows: Sequence[Item], size: int, listing: str, key: Callable[[Item], tuple[str, ...]]
) -> Page[Item]:
    """Return the page made of `rows`, of which one more than `size` was asked for."""
    items = tuple(rows[:size])
    if len(rows) <= size:
        return Page(items)
    token = json.dumps([listing, *key(items[-1])]).encode()
    return Page(items, base64.urlsafe_b64encode(token).decode())


def _is_text(part: object) -> bool:
    """Return whether PostgreSQL takes a part of a key: UTF-8 without U+0000; UnicodeError where it is not UTF-8."""
    return isinstance(part, str) and b"\0" not in part.encode()


def _refused() -> InvalidInput:
    return InvalidInput.of(
        "page_token",
        "is not the next_page_token of an earlier page of this list; leave it empty to start over",
    )
