"""What a text says, less how it is put."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.profiling.wording import Wording, conflict, plain, turned, wordings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How do I reset my passwords?", "how reset password"),
        ("Please, how can I reset the password", "how reset password"),
        ("Can you tell me how to reset the password?", "how reset password"),
        ("How do you reset the password?", "how reset password"),
        ("Are you insured?", "you insur"),
        ("Am I insured?", "insur"),
        ("Is it not allowed?", "not allow"),
        ("Isn't it allowed?", "not allow"),
        ("I can’t log in", "can not log in"),
        ("Set the timeout to 5 ms", "set timeout to 5 ms"),
        ("Set the timeout to 5ms", "set timeout to 5 ms"),
        ("after three of 1,000 attempts", "after 3 of 1000 attempt"),
        ("-5 degrees", "-5 degre"),
        ("What does `max_connections` do?", "what max_connections"),
        ("Is C++ or C# faster?", "c++ or c# faster"),
        ("2+3", "2 + 3"),
        ("$20 or €20", "$ 20 or € 20"),
        ("価格は?", "価 格 は"),
        ("What is it?", "what"),
        ("👍", "👍"),
        ("...", "..."),
    ],
)
def test_what_a_text_says(text, words):
    """Small words, case, signs and endings are left aside; numbers, negations and names are not."""
    assert wordings([text])[0].words == tuple(words.split())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("the fee is 5", "the fee is 50", "number"),
        ("smoking is allowed", "smoking is not allowed", "negation"),
        ("the largest file", "the smallest file", "opposite"),
        ("where is the file made", "when is the file made", "question"),
        ("pay in to the bank from the shop", "pay in to the shop from the bank", "order"),
        ("the default of max_size", "the default of min_size", "number"),
        ("we are open in Rome all day and all night", "we are open in Oslo all day and all night", "name"),
        ("delete the account", "remove the account", ""),
    ],
)  # fmt: skip
def test_what_tells_two_texts_apart(one, other, expected):
    """It is named; the same both ways."""
    first, second = wordings([one, other])
    assert (conflict(first, second), conflict(second, first)) == (expected, expected)


def test_a_capital_tells_no_name_where_many_words_have_one():
    """As in German."""
    german = wordings(["wo ist der Hund der Nachbarn", "wo ist die Katze der Nachbarn"])
    assert [each.names for each in german] == [frozenset(), frozenset()]


@given(st.lists(st.sampled_from("abcde"), max_size=8), st.integers(0, 8))
def test_a_part_moved_to_the_other_end_changes_nothing(words, at):
    """Whatever the part."""
    assert turned(words) == turned([*words[at:], *words[:at]])
    assert sorted(turned(words)) == sorted(words)


@given(st.text())
def test_any_text_has_a_wording(text):
    """It is the same for what is the same but for spaces, and plain texts stay as they are."""
    assert plain(plain(text)) == plain(text)
    assert isinstance(wordings([text])[0], Wording)
