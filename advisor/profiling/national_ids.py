"""Numbers that a state gives a person, by their form, their check digits, or what stands before them.

Of the US, the UK, Spain, Italy, France, Brazil, Switzerland and Sweden by their form; of Germany, Poland and the
Netherlands, whose numbers look like any other, where they are called by their name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from advisor.profiling import check_digits

__all__ = ["Span", "national_ids"]

Span = tuple[int, int]
"""Where something begins in a text, and where it ends."""


def national_ids(text: str) -> Iterator[Span]:
    """Yield where numbers of persons stand in a text; none overlaps another."""
    taken: set[int] = set()
    for pattern, is_valid in _FORMS:
        for found in pattern.finditer(text):
            start, end = found.span("id")
            if taken.isdisjoint(range(start, end)) and is_valid(re.sub(r"[\W_]", "", found["id"])):
                taken.update(range(start, end))
                yield start, end


def _form(pattern: str) -> re.Pattern[str]:
    """Return what finds a form that stands alone."""
    return re.compile(rf"(?<![\w.-])(?P<id>{pattern})(?![\w-])")


def _called(names: str, pattern: str) -> re.Pattern[str]:
    """Return what finds a form beside what it is called."""
    return re.compile(rf"\b(?i:{names})\b[\w\s.:()-]{{0,20}}?(?<![\d-])(?P<id>{pattern})(?![\w-])")


def _digits(count: int) -> str:
    return rf"\d(?:[ ./-]?\d){{{count - 1}}}"


def _always(_: str) -> bool:
    return True


def _is_personnummer(digits: str) -> bool:
    """Return whether digits begin with a day, that of a coordination number included, and end with Luhn's."""
    month, day = int(digits[-8:-6]), int(digits[-6:-4])
    is_day = 1 <= month <= 12 and (1 <= day <= 31 or 61 <= day <= 91)
    return is_day and check_digits.luhn(digits[-10:])


_NINO = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (_form(r"(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}"), _always),
    (_form(rf"{_NINO} \d\d \d\d \d\d [A-D]"), _always),
    (_called(r"nino|ni (?:number|no)|national insurance", rf"{_NINO}\d{{6}}[A-D]"), _always),
    (_form(r"(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]"), check_digits.is_dni),
    (_form(r"[A-Z]{6}\d\d[ABCDEHLMPRST]\d\d[A-Z]\d{3}[A-Z]"), check_digits.is_codice_fiscale),
    (_form(r"[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d"), check_digits.is_nir),
    (_form(r"\d{3}\.\d{3}\.\d{3}-\d\d"), check_digits.is_cpf),
    (_form(r"756\.\d{4}\.\d{4}\.\d\d"), check_digits.is_ahv),
    (_form(r"(?:19|20)?\d{6}[-+]\d{4}"), _is_personnummer),
    (_called(r"steuer-?id\w*|idnr|identifikationsnummer|tin|tax id", _digits(11)), check_digits.is_steuer_id),
    (_called("pesel", _digits(11)), check_digits.is_pesel),
    (_called("bsn|burgerservicenummer|sofinummer", _digits(9)), check_digits.is_bsn),
)
