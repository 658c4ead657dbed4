"""What documents tell of a use case."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from advisor.knowledge.inventory import Changes
from advisor.profiling import documents as documents_module
from advisor.profiling.documents import Document, profile_documents
from advisor.profiling.measured import Profile

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def text(count: int, seed: int) -> str:
    """Return so many words of no language, of changing length."""
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(count))


def profiled(*documents: Document, **others: object) -> Profile:
    return profile_documents(documents, count_tokens=lambda piece: len(piece.split()), now=NOW, **others)


def test_few_tokens_are_counted():
    """All of them, without an interval."""
    tokens = profiled(Document("a", text(300, 1), size=7), Document("b", text(200, 2), size=5)).get(
        "corpus_tokens"
    )
    assert (tokens.value, tokens.method, tokens.low, tokens.high) == (500, "counted", None, None)


def test_many_tokens_are_estimated(monkeypatch):
    """From a sample, whatever the order of the documents; the interval holds the number in most of 12 cases."""
    monkeypatch.setattr(documents_module, "_PIECE", 200)
    monkeypatch.setattr(documents_module, "_PIECES", 30)
    held = 0
    for seed in range(12):
        rng = random.Random(seed)
        counts = [rng.randint(50, 400) for _ in range(60)]
        some = [Document(f"{seed}/{at}", text(count, seed * 100 + at)) for at, count in enumerate(counts)]
        tokens = profiled(*some).get("corpus_tokens")
        held += tokens.low <= sum(counts) <= tokens.high
        assert tokens.count == 30
        assert tokens.value == pytest.approx(sum(counts), rel=0.15)
    assert held >= 9
    assert profiled(*reversed(some)).get("corpus_tokens") == tokens


def test_copies_and_near_copies_are_told():
    """By their places; each once."""
    first, second = text(200, 1), text(200, 2)
    changed = first.replace(first.split()[100], "changed")
    profile = profiled(
        Document("a", first),
        Document("b", f" {first.upper()}\n"),
        Document("c", second),
        Document("d", changed),
    )
    same, near = profile.get("same_documents"), profile.get("near_documents")
    assert (same.value, same.concerned) == (1, (1,))
    assert (near.value, near.concerned) == (1, (3,))
    assert same.warning == "1 document repeats the text of others: search finds it several times."
    assert near.warning.startswith("1 document is nearly the same as others")


def test_what_is_given_is_told():
    """Passages, and their languages as shares."""
    profile = profiled(
        Document("a", "text", size=4), passages=10, languages={"english": 8, "german": 2, "french": 0}
    )
    assert profile.get("documents").value == 1
    assert profile.get("document_bytes").value == 4
    assert profile.get("passages").value == 10
    assert [each.name for each in profile.measurements if each.name.startswith("language.")] == [
        "language.english",
        "language.german",
    ]
    assert profile.get("language.english").value == 0.8


def dated(*days: float) -> list[Document]:
    return [Document(f"{day}", f"text {day}", NOW - day * DAY) for day in days]


def test_dates_tell_how_often_documents_change():
    """Which is told with how it was told, since each date is that of the last change alone."""
    profile = profiled(*dated(30, 23, 16, 9, 2), Document("undated", "text"))
    told = profile.get("update_interval")
    assert (told.value, told.count) == ("7.5d", 4)
    assert told.low < 7.5 * 86_400 < told.high
    assert told.method == "4 changes in 30 days, by the dates of the documents"
    assert told.warning.startswith("How often documents change is told by their dates")
    assert profile.get("dated_documents").value == 5
    assert profile.get("oldest_document").value == (NOW - 30 * DAY).isoformat()
    assert profile.get("newest_document").value == (NOW - 2 * DAY).isoformat()
    assert profile.facts["update_interval"] == told.value


def test_what_was_watched_is_better_than_dates():
    """And needs no warning."""
    profile = profiled(*dated(30, 23, 16, 9, 2), changes=Changes(12, 9 * DAY, 18 * timedelta(hours=1)))
    told = profile.get("update_interval")
    assert (told.value, told.count, told.warning) == ("18h", 12, "")
    assert told.method == "12 changes in 9 days"


def test_the_interval_of_a_rate_is_that_of_poisson():
    """Of 10 changes the exact limits are 4.795 and 18.39."""
    told = profiled(Document("a", "text"), changes=Changes(10, 100 * DAY, 10 * DAY)).get("update_interval")
    assert told.low == pytest.approx(100 * 86_400 / 18.39, rel=0.003)
    assert told.high == pytest.approx(100 * 86_400 / 4.795, rel=0.003)


@pytest.mark.parametrize("days", [(), (5,), (5, 5, 5, 5, 5), (3, 2)])
def test_dates_that_tell_no_interval_tell_none(days):
    """As those of files that were all copied at once."""
    assert profiled(Document("undated", "text"), *dated(*days)).get("update_interval") is None


def test_dates_to_come_are_left_out():
    """They are wrong."""
    profile = profiled(*dated(-2, 4))
    assert profile.get("dated_documents").value == 1
    assert (
        profile.get("dated_documents").warning
        == "1 document is dated later than now: such dates are left out."
    )
    assert profile.get("newest_document").value == (NOW - 4 * DAY).isoformat()


def test_a_date_without_a_zone_is_refused():
    """It says of which document, and what to do."""
    with pytest.raises(
        ValueError, match="modified of 'a' is 2026-01-01T00:00:00, which has no time zone; give it one"
    ):
        profiled(Document("a", "text", datetime(2026, 1, 1)))
    with pytest.raises(ValueError, match="now is 2026-01-01T00:00:00"):
        profile_documents([], count_tokens=len, now=datetime(2026, 1, 1))


def test_personal_data_are_counted_by_document():
    """And hint at what may have to be erasable."""
    told = profiled(Document("a", "nothing"), Document("b", "Mr Smith, Mrs Jones")).get("personal_data.name")
    assert (told.value, told.concerned) == (2, (1,))
    assert told.warning == (
        "1 document seems to hold personal data (name with a title, 2 times): "
        "must_forget and per_user_access may apply."
    )


def test_nothing_is_told_of_no_documents():
    """There is nothing to measure."""
    assert profiled() == Profile()


def test_empty_documents_have_no_tokens():
    """Nor are they compared with others."""
    profile = profiled(Document("a", ""), Document("b", " "))
    assert profile.get("corpus_tokens").value == 0
    assert profile.get("same_documents").value == 1
