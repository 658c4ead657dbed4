"""What the documents of a use case tell: how large they are, how often they change, how many are the same."""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from advisor.knowledge.facts import decode_value, fact, value_to_text
from advisor.knowledge.inventory import Changes, observed_changes
from advisor.knowledge.measurement import Measurement
from advisor.profiling.measured import Profile, agreeing, share_of, student
from advisor.profiling.personal_data import Found, PersonalData, personal_data_of
from advisor.profiling.shingles import Sketch, alike, likeness, runs, sketch
from advisor.profiling.wording import plain
from backends.counts import counted

__all__ = ["Document", "profile_documents"]

_Z = 1.959964  # the normal quantile of a 95% interval
_PIECE = 2_000
"""Characters, about, of a piece whose tokens are counted."""
_PIECES = 400
"""Pieces that are counted of documents that are larger together."""
_NEAR = 0.8
"""Jaccard index of runs of five words from which on documents are nearly the same."""
_RUN = 5
_FEWEST_WORDS, _MOST_WORDS = 20, 50_000
"""Words of a document that is compared with others, and of its beginning that are."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it is read.

    Attributes:
        source: Where it comes from.
        text: Its text.
        modified: When it was last changed, by its metadata, with a time zone; None where they do not say.
        size: Bytes of the file.
    """

    source: str
    text: str
    modified: datetime | None = None
    size: int = 0


def profile_documents(
    documents: Iterable[Document],
    *,
    count_tokens: Callable[[str], int],
    now: datetime,
    passages: int | None = None,
    languages: Mapping[str, int] | None = None,
    changes: Changes | None = None,
) -> Profile:
    """Return what documents tell of a use case; an empty profile where there are none.

    Args:
        documents: The documents, read once, one by one; of their texts only pieces are kept.
        count_tokens: Returns the tokens of a text.
        now: With a time zone; documents dated later are taken as undated.
        passages: How many passages they were cut into, where that is known.
        languages: How many passages are in which language, where that is known.
        changes: How often they were seen to change, where that was watched; else the dates tell, which is less.

    Raises:
        ValueError: `now`, or the date of a document, has no time zone.
    """
    _mind_zone("now", now)
    read = _Read()
    for each in documents:
        if each.modified is not None:
            _mind_zone(f"modified of {each.source!r}", each.modified)
        read.add(each)
    if not read.sources:
        return Profile()
    found = [
        Measurement("documents", len(read.sources), "counted", len(read.sources)),
        Measurement("document_bytes", read.size, "counted", len(read.sources)),
        read.tokens(count_tokens),
        *([] if passages is None else [Measurement("passages", passages, "counted", len(read.sources))]),
        *_duplicates(read),
        *_languages(languages or {}),
        *_dates(read, now),
        *_changes(read, now, changes),
        *_personal_data(read),
    ]
    return Profile(tuple(found))


class _Read:
    """What is kept of documents while they are read: no more than a bounded part of their text."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.dates: list[datetime] = []
        self.size = 0
        self.characters = 0
        self.hashes: defaultdict[bytes, list[int]] = defaultdict(list)
        self.sketches: list[tuple[int, Sketch]] = []
        self.personal: list[Found] = []
        self._whole: list[str] | None = []
        self._pieces: list[tuple[int, str]] = []

    def add(self, document: Document) -> None:
        """Take in a document."""
        place = len(self.sources)
        self.sources.append(document.source)
        self.size += document.size
        self.characters += len(document.text)
        if document.modified is not None:
            self.dates.append(document.modified)
        text = plain(document.text)
        self.hashes[hashlib.sha256(text.encode(errors="surrogatepass")).digest()].append(place)
        words = text.split()
        if len(words) >= _FEWEST_WORDS:
            self.sketches.append((place, sketch(runs(words[:_MOST_WORDS], _RUN))))
        self.personal.extend(replace(each, texts=(place,)) for each in personal_data_of([document.text]))
        self._keep(document)

    def tokens(self, count_tokens: Callable[[str], int]) -> Measurement:
        """Return how many tokens all have: counted where they are few, else by pieces chosen at random."""
        if self._whole is not None:
            total = sum(map(count_tokens, self._whole))
            return Measurement("corpus_tokens", total, "counted", len(self.sources))
        counts = [(count_tokens(piece), len(piece)) for _, piece in self._pieces]
        tokens, characters = (sum(each) for each in zip(*counts, strict=True))
        rate = tokens / characters
        # Of a ratio of sums (Cochran, Sampling Techniques, 6.4).
        spread = math.sqrt(sum((count - rate * size) ** 2 for count, size in counts) / (len(counts) - 1))
        half = student(len(counts) - 1) * spread * math.sqrt(len(counts)) / characters
        total, margin = self.characters * rate, self.characters * half
        method = f"tokens of {len(counts)} pieces chosen at random, for {self.characters:,} characters"
        low, high = max(0.0, total - margin), total + margin
        return Measurement("corpus_tokens", round(total), method, len(counts), low, high)

    def _keep(self, document: Document) -> None:
        if self._whole is not None:
            self._whole.append(document.text)
            if self.characters > _PIECE * _PIECES:
                self._whole = None
        # The pieces with the least hashes: a sample whatever the order, every character as likely as any other.
        for number, piece in enumerate(_pieces(document.text)):
            key = hashlib.sha256(
                f"{document.source}\0{number}\0{piece}".encode(errors="surrogatepass")
            ).digest()
            item = (-int.from_bytes(key[:8], "big"), piece)
            if len(self._pieces) < _PIECES:
                heapq.heappush(self._pieces, item)
            elif item > self._pieces[0]:
                heapq.heapreplace(self._pieces, item)


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces of equal length, about; they end with words."""
    start = 0
    while start < len(text):
        end = min(len(text), start + _PIECE)
        space = text.find(" ", end, end + 100)
        end = space if 0 <= space < len(text) else end
        yield text[start:end]
        start = end


def _mind_zone(what: str, time: datetime) -> None:
    if time.utcoffset() is None:
        raise ValueError(f"{what} is {time.isoformat()}, which has no time zone; give it one, such as UTC")


def _duplicates(read: _Read) -> Iterator[Measurement]:
    """Yield how many documents are the same as others, or nearly."""
    count = len(read.sources)
    copies = sorted(place for places in read.hashes.values() for place in places[1:])
    yield Measurement(
        "same_documents",
        len(copies),
        "the text is that of another but for case, spaces and signs",
        count,
        warning=f"{agreeing(len(copies), 'document', 'repeat')} the text of others: search finds it several times."
        if copies
        else "",
        concerned=tuple(copies),
    )
    kept = [(place, each) for place, each in read.sketches if place not in set(copies)]
    pairs = alike([each for _, each in kept])
    near = {kept[later][0] for one, later in pairs if likeness(kept[one][1], kept[later][1]) >= _NEAR}
    yield Measurement(
        "near_documents",
        len(near),
        f"an estimated {_NEAR:.0%} of the runs of {_RUN} words are those of an earlier one",
        count,
        warning=f"{agreeing(len(near), 'document', 'are')} nearly the same as others: search may find an old version "
        "in place of the new one."
        if near
        else "",
        concerned=tuple(sorted(near)),
    )


def _languages(languages: Mapping[str, int]) -> Iterator[Measurement]:
    """Yield the share of each language, the largest first."""
    total = sum(languages.values())
    for language, number in sorted(languages.items(), key=lambda each: (-each[1], each[0])):
        if number:
            yield share_of(f"language.{language}", number, total, "passages detected to be in it")


def _dates(read: _Read, now: datetime) -> Iterator[Measurement]:
    dates = [each for each in read.dates if each <= now]
    later = len(read.dates) - len(dates)
    left_out = f"{agreeing(later, 'document', 'are')} dated later than now: such dates are left out."
    yield Measurement(
        "dated_documents",
        len(dates),
        "documents whose metadata tell when they were changed",
        len(read.sources),
        warning=left_out if later else "",
    )
    if dates:
        yield Measurement("oldest_document", min(dates).isoformat(), "by metadata", len(dates))
        yield Measurement("newest_document", max(dates).isoformat(), "by metadata", len(dates))


def _changes(read: _Read, now: datetime, changes: Changes | None) -> Iterator[Measurement]:
    """Yield how often the documents change: as it was watched, else as their dates tell."""
    dates = sorted(each for each in read.dates if each <= now)
    seen = changes
    if seen is None and dates:
        seen = observed_changes(dates[1:], dates[0], now)
    if seen is None:
        return
    item = fact("update_interval")
    over = value_to_text(item, seen.over.total_seconds(), 2)
    method, warning = f"{counted(seen.number, 'change')} in {over}", ""
    if changes is None:
        method += ", by the dates of the documents"
        warning = (
            "How often documents change is told by their dates, of which each is that of the last change alone: "
            "they may change more often."
        )
    seconds = min(max(round(seen.interval.total_seconds()), item.minimum), item.maximum)
    low, high = _between_s(seen)
    value = decode_value(item, seconds)
    yield Measurement("update_interval", value, method, seen.number, low, high, warning)


def _between_s(seen: Changes) -> tuple[float, float]:
    """Return the 95% interval of the seconds between changes, were each as likely at any time as at any other.

    That of a Poisson rate, whose quantiles of chi-squared are those of Wilson and Hilferty (1931).
    """
    over_s = seen.over.total_seconds()

    def quantile(freedom: int, z: float) -> float:
        part = 2 / (9 * freedom)
        return float(freedom * (1 - part + z * math.sqrt(part)) ** 3)

    most, least = quantile(2 * seen.number + 2, _Z), quantile(2 * seen.number, -_Z)
    return 2 * over_s / most, 2 * over_s / least


def _personal_data(read: _Read) -> Iterator[Measurement]:
    for kind in PersonalData:
        own = [each for each in read.personal if each.kind is kind]
        if own:
            total = sum(each.count for each in own)
            places = tuple(place for each in own for place in each.texts)
            what = f"{kind.value}, {counted(total, 'time')}"
            yield Measurement(
                own[0].name,
                total,
                f"by its form: {kind.value}",
                len(read.sources),
                warning=f"{agreeing(len(places), 'document', 'seem')} to hold personal data ({what}): "
                "must_forget and per_user_access may apply.",
                concerned=places,
            )
