"""Whether an answer holds the right one: fair to short answers, numbers, units and names."""

from __future__ import annotations

import pytest

from advisor.metrics.holds import Holds
from advisor.metrics.outputs import Output


def holds(text: str, right: str, question: str = "") -> bool:
    return Holds().scores([Output(text, right, question=question)]) == [1.0]


@pytest.mark.parametrize(
    ("text", "right"),
    [
        # yes and no
        ("no", "no"),
        ("No, it is not.", "no"),
        ("The answer is no", "no"),
        ("No restart is needed.", "no"),
        ("Yes, no restart is needed.", "yes"),
        # numbers
        ("It is 5.", "5"),
        ("It is −5", "-5"),
        ("1,000 rows", "1000"),
        ("1000", "1,000"),
        ("five", "5"),
        ("$5", "5"),
        ("v5", "5"),
        ("not 5 but 6", "6"),
        ("6 rather than 5", "6"),
        ("1. The default is 60", "60"),
        ("The default is 60 [2]", "60"),
        ("3 attempts within 10 minutes", "3 attempts"),
        # units
        ("5%", "5"),
        ("5 percent", "5%"),
        ("60 seconds", "60s"),
        ("60s", "60 seconds"),
        ("1 minute", "60 seconds"),
        ("60 seconds (1 minute)", "60 seconds"),
        ("2300 ms", "2.3 s"),  # not as floats
        ("16 MB (16384 kB)", "16MB"),
        ("a 10-minute timeout", "10 minutes"),
        # names
        ("`wal_sender_timeout`.", "wal_sender_timeout"),
        ("WAL_SENDER_TIMEOUT's value", "wal_sender_timeout"),
        ("Set --quiet.", "--quiet"),
        ("https://docs.example.org/3/", "docs.example.org/3"),
        ("It is written in C.", "C"),
        ("on localhost:5432", "5432"),
        # small words
        ("The default is on.", "on"),
        ("It is on by default", "on"),
        ("It is on, not off", "on"),
        ("A is right", "A"),
        # words, lists, scripts, signs
        ("JANE  SMITH wrote it", "Jane Smith"),
        ("read, write and execute", "read, write, execute"),
        ("transaction log", "the transaction log"),
        ("東京です", "東京"),
        ("Müller", "Mu\u0308ller"),
        ("Use `->` here", "->"),
        ("👍", "👍"),
    ],
)
def test_what_holds_the_right_answer(text: str, right: str) -> None:
    """However it is put."""
    assert holds(text, right)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("", "5"),
        ("  \n", "no"),
        ("nothing", "no"),
        ("not", "no"),
        ("It is no longer so.", "no"),
        ("There is no need.", "no"),
        ("No one knows.", "no"),
        ("yes or no", "no"),
        ("No information is given.", "no"),
        ("15", "5"),
        ("5.5", "5"),
        ("1,5", "5"),
        ("-5", "5"),
        ("5", "-5"),
        ("5th", "5"),
        ("5-10", "5"),
        ("10²", "102"),
        ("15.20", "15.2"),
        ("not 5", "5"),
        ("It isn't 5", "5"),
        ("5 or 6", "5"),
        ("60. Valid values are 1 to 3600.", "60"),
        ("3 attempts, or 4 attempts", "3 attempts"),
        ("60", "60 seconds"),
        ("60 minutes", "60 seconds"),
        ("60 seconds or 5 minutes", "60 seconds"),
        ("10 MB/s", "10 MB"),
        ("5", "5%"),
        ("timeout", "wal_sender_timeout"),
        ("wal_sender_timeout", "timeout"),
        ("--quiet", "quiet"),
        ("quiet", "--quiet"),
        ("C++", "C"),
        ("/etc/passwd", "/etc"),
        ("10:30", "30"),
        ("It depends on the disk", "on"),
        ("It is on disk", "on"),
        ("a dog", "A"),
        ("on and off", "on"),
        ("it is false, true otherwise", "true"),
        ("Smith, Jane", "Jane Smith"),
        ("Janet Smith", "Jane Smith"),
        ("京都", "東京"),
        ("a->b", "->"),
    ],
)
def test_what_does_not_hold_it(text: str, right: str) -> None:
    """Part of another word, denied, in another unit, or beside what contradicts it."""
    assert not holds(text, right)


@pytest.mark.parametrize(("words", "held"), [(39, True), (40, False)])
def test_quoting_everything_does_not_count(words: int, held: bool) -> None:
    """A short answer has at most 40 words."""
    assert holds("word " * words + "right", "right") is held


@pytest.mark.parametrize(("words", "held"), [(40, True), (41, False)])
def test_a_long_right_answer_allows_for_more_words(words: int, held: bool) -> None:
    """An answer has at most three times as many as the right one."""
    right = "one two three four " * 5
    assert holds("word " * words + right, right) is held


def test_what_the_question_names_contradicts_nothing() -> None:
    """Numbers of a question may be said again."""
    assert holds("In version 15 it is 10.", "10", "What is it in version 15?")
    assert not holds("In version 15 it is 10.", "10", "What is it?")


def test_a_name_contradicts_the_name_that_is_right() -> None:
    """Of the other right answers, unless the question has it."""
    text = "max_connections and superuser_reserved_connections"
    right = ("max_connections", "superuser_reserved_connections")
    outputs = [Output(text, name) for name in right]
    assert Holds().scores(outputs) == [0.0, 0.0]
    assert Holds().scores([outputs[0], Output("Jane", "Jane")]) == [1.0, 1.0]
    asked = Output(text, right[0], question="What holds superuser_reserved_connections?")
    assert Holds().scores([asked, outputs[1]]) == [1.0, 0.0]


def test_what_is_right_more_than_once_is_a_set_of_values() -> None:
    """Its values contradict each other; what is right once only contradicts nothing."""
    rights = ["integer", "integer", "string", "string", "once"]
    texts = ["integer or string", "integer", "string", "string, not integer", "integer once"]
    scores = Holds().scores([Output(text, right) for text, right in zip(texts, rights, strict=True)])
    assert scores == [0.0, 1.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "score"),
    [("a refund", 1.0), ("refund request", 0.0), ("refund or sale", 0.0), ("refund, not a sale", 1.0)],
)
def test_candidates_contradict_each_other(text: str, score: float) -> None:
    """A longer one that holds the right one is another."""
    metric = Holds(["refund", "refund request", "sale"])
    assert metric.scores([Output(text, "refund")]) == [score]
