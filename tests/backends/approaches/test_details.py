"""What a question asks of its subject, and whether passages tell it."""

from __future__ import annotations

import pytest

from backends.approaches.details import missing_detail
from backends.approaches.statements import statements_of
from backends.base import Hit, Passage

HANDBOOK = """The workshop was founded by Ada Miller in 1998. It is open to members every weekday from eight.

Members may borrow up to three tools for at most two weeks. A drill weighs 4 kg and takes a deposit of 40 euros.

The saw runs at 3,000 turns per second. The kiln reaches 1,200 degrees. Blue pots stay in the workshop."""
MANUAL = """cache_lifetime (integer)

How long an answer is kept, in seconds. The default is 60, the largest value 3600. Set it by CACHE_LIFETIME
in the environment, or in /etc/cache.conf. Only administrators may change it. Added in version 2.1.

cache_owner (string)

A name that is written to the log. Letters and digits are kept as they are."""


def hits(text: str, names: str = "") -> list[Hit]:
    """Return a text as the one passage that was found."""
    return [Hit(Passage("1", "a.md", 0, len(text), text, "Guide", "", names), 1.0, 1.0, 0.8)]


def missing(question: str, found: list[Hit]) -> str | None:
    """Return the detail that is asked for and not told."""
    return missing_detail(question, list(statements_of([hit.passage for hit in found])), found)


@pytest.mark.parametrize(
    "question",
    [
        "Who founded the workshop?",
        "When was the workshop founded?",
        "How many tools may members borrow?",
        "How long may members keep a tool?",
        "What does a drill weigh?",
        "How much is the deposit for a drill?",
        "How hot does the kiln get?",
        "How fast is the saw?",
        "What colour are the pots that stay in the workshop?",
        "What is the workshop for?",
        "drill deposit",
    ],
)
def test_what_is_told_is_not_missing(question: str) -> None:
    """Words may differ, and what is not known to be a detail is not judged."""
    assert missing(question, hits(HANDBOOK)) is None


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who invented the kiln?", "author"),
        ("How much does the kiln weigh?", "weight"),
        ("How many pots stay in the workshop?", "number"),
        ("What is the web address of the workshop?", "address"),
        ("Which licence does the saw have?", "licence"),
        ("How much memory does the saw need?", "memory"),
        ("Which port does the kiln listen at?", "port"),
        ("On which operating systems can the saw be used?", "operating system"),
    ],
)
def test_what_is_not_told_is_missing(question: str, kind: str) -> None:
    """Statements on other subjects do not help."""
    assert missing(question, hits(HANDBOOK)) == kind


def test_only_what_is_said_of_the_name_counts() -> None:
    """A neighbour's range, version and variable are not those of the setting asked about."""
    found = hits(MANUAL, "cache_lifetime (integer)\ncache_owner (string)")
    for detail in (
        "What is the largest value of {}?",
        "In which version was {} introduced?",
        "Which environment variable overrides {}?",
        "How many seconds does {} take?",
        "Which permission does {} need?",
    ):
        assert missing(detail.format("cache_lifetime"), found) is None
        assert missing(detail.format("cache_owner"), found)


@pytest.mark.parametrize(
    "question",
    [
        "Which setting does this: sets the largest price of a licence?",
        "Which command prints the version?",
        "I need an option that does this: use the mode of a file in place of a number",
        "Which option weighs the most?",
    ],
)
def test_a_name_asked_for_by_what_it_does_is_no_detail(question: str) -> None:
    """What the description speaks of is not asked for."""
    assert missing(question, hits("--first\n\nPuts the beginning before the end.")) is None


def test_other_languages_are_not_judged() -> None:
    """The words that tell a detail are known in English alone."""
    text = (
        "Die Werkstatt steht allen Mitgliedern an Werktagen offen, und das Werkzeug darf ausgeliehen werden."
    )
    assert missing("Who invented the workshop?", hits(text)) is None


def test_nothing_found_tells_nothing() -> None:
    """Without statements there is no language, and so no judgement."""
    assert missing("How are you?", []) is None
