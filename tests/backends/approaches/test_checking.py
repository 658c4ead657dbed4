"""Numbers, names as written and proper names are told from other words, and found however they are written."""

from __future__ import annotations

import pytest

from backends.approaches.checking import Checked, items_of
from backends.base import Passage


def _missing(sentence: str, passage: str) -> tuple[str, ...]:
    checked = Checked([Passage("1", "guide.md", 0, 0, passage)])
    return checked.missing(checked.items(sentence), ())


@pytest.mark.parametrize(
    ("sentence", "items"),
    [
        ("It takes 10 seconds.", ["10 seconds"]),
        ("2. It takes 10s [1].", ["10s"]),
        ("Set `max_connections=100` with --quiet.", ["100", "max_connections", "--quiet"]),
        ("The well-known read-only mode is fine.", []),
        ("Ask Jane Smith or the Board.", ["Jane Smith", "Board"]),
        ("Note: The server stops. It is good.", []),
        ("A process gets SIGHUP in UTF-8 on MaxClients.", ["SIGHUP", "UTF-8", "MaxClients"]),
        ("In 1,000 of cases, 5-10 MB or 50 % fit 10.0.0.1.", ["1,000", "5", "10 MB", "50 %", "10.0.0.1"]),
        ("It is not possible.", []),
    ],
)
def test_what_must_stand_in_a_passage(sentence: str, items: list[str]) -> None:
    """A capital at the start of a sentence, the mark of a list and that of a passage tell nothing."""
    assert [item.text for item in items_of(sentence)] == items


@pytest.mark.parametrize(
    ("sentence", "passage"),
    [
        ("It is 1000.", "Up to 1,000 of them."),
        ("It is 1,000.", "Up to 1000."),
        ("It takes 10s.", "It waits for 10 seconds."),
        ("It takes 10 seconds.", "| timeout | 10 |"),
        ("It is 10.", "It waits for 10s."),
        ("It is 3.", "There are three modes."),
        ("It holds 8 MB.", "It holds 8MB."),
        ("It is half, 50%.", "That is 50 percent."),
        ("Use Requests for it.", "A request is sent."),
        ("The URLs are kept.", "Each URL is kept."),
        ("It reads MAX_CLIENTS.", "Set max_clients."),
        ("As the guide.md says.", "Nothing."),
    ],
)
def test_the_same_in_another_form_is_found(sentence: str, passage: str) -> None:
    """Digits in groups, signs of units, small counts in words, another number of a noun."""
    assert _missing(sentence, passage) == ()


@pytest.mark.parametrize(
    ("sentence", "passage", "missing"),
    [
        ("It takes 10 seconds.", "It waits for 10 minutes.", ("10 seconds",)),
        ("It is 100.", "It is 1000, or 10.0, or 3.100.", ("100",)),
        ("Give --quiet.", "Be quiet.", ("--quiet",)),
        ("Set max_connections.", "Set max_connections_total.", ("max_connections",)),
        ("Ask Jane Smith.", "Jane Doe and John Smith know.", ("Jane Smith",)),
        ("It is version 2.1.", "It is version 2.10.", ("2.1",)),
        ("It was Python that failed.", "It failed.", ("Python",)),
    ],
)
def test_another_thing_is_missing(sentence: str, passage: str, missing: tuple[str, ...]) -> None:
    """What only looks alike does not support a sentence."""
    assert _missing(sentence, passage) == missing


def test_german_nouns_are_no_proper_names() -> None:
    """In German texts a capital tells nothing; numbers and names as written are checked all the same."""
    passage = "Die Sicherung läuft jede Nacht und wird auf einem anderen Rechner abgelegt, damit sie erhalten bleibt."
    assert _missing("Es ist eine Datei mit 7 Seiten.", passage) == ("7",)
