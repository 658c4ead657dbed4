"""What an engine writes, alone and together."""

from __future__ import annotations

from collections.abc import Sequence

from backends.generation.engine import Engine, Request


def write(engine: Engine, request: Request) -> list[int]:
    """Return the tokens of an answer."""
    return list(engine.stream(request, cancelled=lambda: False))


def write_all(engine: Engine, requests: Sequence[Request]) -> list[list[int]]:
    """Return the tokens of many answers."""
    found: list[list[int]] = [[] for _ in requests]

    def take(place: int, token: int) -> bool:
        found[place].append(token)
        return True

    engine.batch(requests, take=take, cancelled=lambda: False)
    return found
