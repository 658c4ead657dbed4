"""What is likely to be personal data in a text, by its form: how much of which kind, and never the text itself.

Addresses that name an office, networks, documentation and versions are left out. Names are found beside a title alone,
and much else is not found at all: that nothing was found does not prove that nothing is there.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from advisor.profiling import check_digits
from advisor.profiling.national_ids import Span, national_ids

__all__ = ["Found", "PersonalData", "personal_data", "personal_data_of"]


class PersonalData(StrEnum):
    """A kind of personal data, by what it is called."""

    EMAIL = "e-mail address"
    IBAN = "IBAN"
    CREDIT_CARD = "payment card"
    NATIONAL_ID = "national id"
    IP_ADDRESS = "IP address"
    PHONE = "phone number"
    NAME = "name with a title"


@dataclass(frozen=True, slots=True)
class Found:
    """Where personal data of a kind stand.

    Attributes:
        kind: Of which kind.
        count: How many of them.
        texts: The places of the texts that they stand in, from 0, in order.
    """

    kind: PersonalData
    count: int
    texts: tuple[int, ...]

    @property
    def name(self) -> str:
        """What it is measured as."""
        return f"personal_data.{self.kind.name.lower()}"


def personal_data(text: str) -> Counter[PersonalData]:
    """Return how many of each kind are likely to stand in a text; no character is counted twice."""
    rest = _URL.sub(" ", text)
    found: Counter[PersonalData] = Counter()
    for kind, spans in _FINDERS:
        places = list(spans(rest))
        if places:
            found[kind] = len(places)
            rest = _without(rest, places)
    return found


def personal_data_of(texts: Iterable[str]) -> list[Found]:
    """Return what is likely to stand in texts by its kind, the kinds in their order."""
    counts: Counter[PersonalData] = Counter()
    places: dict[PersonalData, list[int]] = {}
    for index, text in enumerate(texts):
        for kind, number in personal_data(text).items():
            counts[kind] += number
            places.setdefault(kind, []).append(index)
    return [Found(kind, counts[kind], tuple(places[kind])) for kind in PersonalData if kind in counts]


_URL = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://\S+", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.%+/@-])[\w%+][\w.%+-]{0,63}@(?:[\w-]+\.)+[^\W\d_]{2,24}(?![\w@-])")
_OFFICES = frozenset(
    re.findall(
        r"\S+",
        "abuse admin billing contact datenschutz donotreply git hello help helpdesk hr info jobs legal mail marketing "
        "name newsletter no-reply noreply office postmaster press privacy root sales security service someone support "
        "team user username webmaster",
    )
)
"""What stands before the @ and is no person."""
_RESERVED = re.compile(r"(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost|local)$")
_FILE_ENDINGS = frozenset(
    ("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "py", "md", "html")
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}")
_CARD = re.compile(
    r"(?<![\w.-])(?:\d{13,19}|\d{4}(?:([ -])\d{4})(?:\1\d{4}){2}|\d{4}([ -])\d{6}\2\d{5})(?![\w-])"
)
_IP = re.compile(
    r"(?<![\w.:=@/-])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{1,4}(?::{1,2}[0-9a-fA-F]{1,4}){3,7})(?![\w:/-]|\.\d)"
)
_VERSION_BEFORE = re.compile(
    r"(?:\b(?:version|versions|release|ver|build|firmware|driver|upgrade to|update to|section|chapter|clause|figure"
    r"|table|step|paragraph|rule|article|abschnitt|kapitel)\b|§)[\s.:#]*$",
    re.IGNORECASE,
)
_IP_BEFORE = re.compile(r"\bip\b[\w\s:-]{0,20}$|\baddress\b[\s:]*(?:is|was)?\s*$", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)(?:\d{4}([-/. ])\d{1,2}\1\d{1,2}|\d{1,2}([-/. ])\d{1,2}\2(?:19|20)\d\d)(?!\d)")
_PHONE_BEFORE = (
    r"\b(?:tele?(?:phone|fono?|foon)?|t[ée]l(?:[ée]phone)?|phone|mobile?|m[oó]vil|handy|cell(?:phone)?|fax|whatsapp)"
    r"(?: (?:number|no|nr))?\b[.:]?[\s:]{0,3}(?:is |was |ist )?"
)
_PHONE = re.compile(
    r"(?<![\w.+#-])(?<!\d )(?:"
    r"\+[1-9]\d{0,2}(?:[\s./-]{0,2}\(?\d{1,6}\)?){1,6}"
    r"|00[1-9]\d{0,2}[ /-]\d(?:[\d /-]{5,14})\d"
    r"|(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([-. ]))[2-9]\d{2}(?:\1|[-. ])\d{4}"
    r"|0[1-9](?:[ .]\d\d){4}"
    r"|\(?0[1-9]\d{0,4}\)?(?: ?[/-] ?| )\d{3,8}(?:[ -]\d{2,8}){0,3}"
    r")(?![\w-]|[:.,]\d)"
)
_CALLED = re.compile(rf"{_PHONE_BEFORE}(\+?\(?\d[\d ()/.-]{{4,18}}\d)(?![\w-]|[:.,]\d)", re.IGNORECASE)
_TITLES = r"(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Herrn?|Frau|Mme|Mlle|Monsieur|Madame|Señora?|Sra|Signora?|Dhr|Mevr)"
_PARTICLES = r"(?:(?:de|da|di|van|von|der|den|la|le|O')[ ']?){0,2}"
_NO_NAMES = (
    r"(?:President|Chair\w+|Speaker|Minister|Chancellor|Secretary|Ambassador|Justice|Judge|Doctor|Professor|And|Und|Or"
    r"|The|Word|Excel|Access|Office|Outlook|Teams|Windows)"
)
_WORD = r"[A-ZÀ-Þ][^\W\d_]*[a-zß-ÿ]"
_NAME = re.compile(
    rf"(?<![\w.]){_TITLES}\b\.?(?: {_TITLES}\b\.?){{0,3}}(?: [A-ZÀ-Þ]\.){{0,3}} {_PARTICLES}"
    rf"(?!(?:{_NO_NAMES}|{_TITLES})\b){_WORD}(?:[- ]{_WORD})?"
)
_STREET_BEFORE = re.compile(r"\d[\w-]* (?:[A-Z]\w+ )+$")


def _emails(text: str) -> Iterator[Span]:
    for found in _EMAIL.finditer(text):
        local, _, domain = found.group().lower().partition("@")
        office = local in _OFFICES or _RESERVED.search(domain) or domain.rpartition(".")[2] in _FILE_ENDINGS
        if not office:
            yield found.span()


def _ibans(text: str) -> Iterator[Span]:
    for found in _IBAN.finditer(text):
        length = check_digits.iban_length(found.group()[:2])
        places = [at for at in range(*found.span()) if text[at] != " "][:length]
        end = places[-1] + 1
        whole = not text[end : end + 1].isalnum()
        if length and whole and check_digits.is_iban("".join(text[at] for at in places)):
            yield found.start(), end


def _cards(text: str) -> Iterator[Span]:
    for found in _CARD.finditer(text):
        if check_digits.is_card(re.sub(r"\D", "", found.group())):
            yield found.span()


def _ips(text: str) -> Iterator[Span]:
    for found in _IP.finditer(text):
        try:
            address = ipaddress.ip_address(found.group())
        except ValueError:
            continue
        before = text[max(0, found.start() - 40) : found.start()]
        # 2.1.4.3 is more often a version or a section; what is not routed belongs to no person.
        small = address.version == 4 and all(len(part) == 1 for part in found.group().split("."))
        given_out = address.is_global and not address.is_multicast
        in_use = address.version == 4 or int(address) >> 125 == 1
        if (
            given_out
            and in_use
            and not _VERSION_BEFORE.search(before)
            and (not small or _IP_BEFORE.search(before))
        ):
            yield found.span()


def _phones(text: str) -> Iterator[Span]:
    for found in _CALLED.finditer(text):
        if _is_phone(found.group(1), fewest=6):
            yield found.span(1)
    known = [found.span(1) for found in _CALLED.finditer(text)]
    for found in _PHONE.finditer(text):
        apart = all(found.end() <= start or end <= found.start() for start, end in known)
        if apart and _is_phone(found.group(), fewest=8):
            yield found.span()


def _is_phone(written: str, *, fewest: int) -> bool:
    digits = re.sub(r"\D", "", written)
    decimal = re.fullmatch(r"\+?\d+\.\d+", written)
    return fewest <= len(digits) <= 15 and not decimal and not _DATE.search(written)


def _names(text: str) -> Iterator[Span]:
    for found in _NAME.finditer(text):
        is_street = found.group().startswith("Dr ") and _STREET_BEFORE.search(text[: found.start()][-60:])
        if not is_street:
            yield found.span()


_FINDERS: tuple[tuple[PersonalData, Callable[[str], Iterator[Span]]], ...] = (
    (PersonalData.EMAIL, _emails),
    (PersonalData.IBAN, _ibans),
    (PersonalData.CREDIT_CARD, _cards),
    (PersonalData.NATIONAL_ID, national_ids),
    (PersonalData.IP_ADDRESS, _ips),
    (PersonalData.PHONE, _phones),
    (PersonalData.NAME, _names),
)


def _without(text: str, spans: Sequence[Span]) -> str:
    """Return a text with blanks in place of what was found."""
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text
