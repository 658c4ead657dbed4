"""What is opened once is kept as long as it is right."""

from __future__ import annotations

from collections.abc import Callable

from advisor.execution.kept import Kept


def made(log: list[str], value: str) -> Callable[[], str]:
    """Return a function that makes a value, and logs that it did."""
    return lambda: log.append(value) or value  # type: ignore[func-returns-value]


def test_a_value_is_made_once() -> None:
    """The same name in the same state is the same value."""
    kept, log = Kept[str](2), list[str]()
    assert [kept.get("a", 1, made(log, "one")) for _ in range(3)] == ["one"] * 3
    assert log == ["one"]


def test_another_state_is_another_value() -> None:
    """What was made from an earlier state, or a later one, is never handed out."""
    kept, log = Kept[str](2), list[str]()
    states = (1, 2, 1)
    assert [kept.get("a", state, made(log, f"{state}")) for state in states] == ["1", "2", "1"]
    assert log == ["1", "2", "1"]


def test_the_least_recently_used_goes() -> None:
    """Beyond the limit, what was not asked for the longest is made again."""
    kept, log = Kept[str](2), list[str]()
    for name in ("a", "b", "a", "c", "a", "b"):
        kept.get(name, 1, made(log, name))
    assert log == ["a", "b", "c", "b"]


def test_what_fails_is_not_kept() -> None:
    """A value that could not be made is made when it is asked for again."""
    kept = Kept[float](2)
    try:
        kept.get("a", 1, lambda: 1 / 0)
    except ZeroDivisionError:
        assert kept.get("a", 1, lambda: 2.0) == 2.0


def test_what_is_forgotten_while_it_is_made_is_not_kept() -> None:
    """It may hold what was to be forgotten; who asked for it gets it all the same."""
    kept = Kept[str](2)
    kept.get("b", 1, lambda: "b")

    def make() -> str:
        kept.forget(lambda name: name == "a")
        return "old"

    assert kept.get("a", 1, make) == "old"
    assert kept.get("a", 1, lambda: "new") == "new"
    assert kept.get("b", 1, lambda: "again") == "b", "what was not meant is kept"
