"""Numbers of things, in words that agree with them."""

from __future__ import annotations

__all__ = ["counted", "singular"]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which is given in the singular.

    >>> counted(1, "step"), counted(2_000, "step"), counted(0, "query"), counted(2, "day")
    ('1 step', '2,000 steps', '0 queries', '2 days')
    """
    in_ies = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    plural = f"{noun.removesuffix('y')}ies" if in_ies else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def singular(plural: str) -> str:
    """Return what one of several is called.

    >>> singular("steps"), singular("queries")
    ('step', 'query')
    """
    return f"{plural.removesuffix('ies')}y" if plural.endswith("ies") else plural.removesuffix("s")
