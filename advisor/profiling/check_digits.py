"""Check digits, by which numbers of persons and of accounts are told from other numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = [
    "iban_length",
    "is_ahv",
    "is_bsn",
    "is_card",
    "is_codice_fiscale",
    "is_cpf",
    "is_dni",
    "is_iban",
    "is_nir",
    "is_pesel",
    "is_steuer_id",
    "luhn",
]

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 "
        "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 "
        "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 "
        "SE24 SI19 SK24 SM27 TL23 TN24 TR26 UA29 VA22 VG24 XK20",
    )
}
"""Characters of an IBAN by country, from the IBAN registry of SWIFT."""
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        ),
        strict=True,
    )
)
"""What a character at an odd place adds to the check of a codice fiscale (decree of 23 December 1976)."""


def luhn(digits: str) -> bool:
    """Return whether the last digit is that of Luhn's sum (ISO/IEC 7812).

    >>> luhn("79927398713"), luhn("79927398710")
    (True, False)
    """
    doubled = (2 * int(each) for each in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(each - 9 if each > 9 else each for each in doubled)) % 10 == 0


def is_card(digits: str) -> bool:
    """Return whether digits are a number that a network of payment cards gives out."""
    start = int(digits[:4])
    lengths: Sequence[int] = ()
    if digits[0] == "4":
        lengths = (13, 16, 19)
    elif 5100 <= start <= 5599 or 2221 <= start <= 2720:
        lengths = (16,)
    elif digits[:2] in ("34", "37"):
        lengths = (15,)
    elif start == 6011 or digits[:2] == "65" or 6440 <= start <= 6499 or 3528 <= start <= 3589:
        lengths = (16, 19)
    elif digits[:2] in ("36", "38") or 3000 <= start <= 3059:
        lengths = (14,)
    return len(digits) in lengths and luhn(digits)


def is_iban(text: str) -> bool:
    """Return whether text without spaces is an IBAN, by its country's length and modulo 97 (ISO 13616).

    >>> is_iban("DE89370400440532013000"), is_iban("DE89370400440532013001")
    (True, False)
    """
    if _IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(each, 36)) for each in text[4:] + text[:4])) % 97 == 1


def iban_length(country: str) -> int | None:
    """Return how long a country's IBAN are; None for a country without."""
    return _IBAN_LENGTHS.get(country)


def is_dni(text: str) -> bool:
    """Return whether text is a Spanish DNI or NIE by its letter."""
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI_LETTERS[int(number) % 23] == text[-1]


def is_codice_fiscale(text: str) -> bool:
    """Return whether text is an Italian codice fiscale by its last letter."""
    odd = sum(_ODD[each] for each in text[:15:2])
    even = sum(int(each) if each.isdigit() else ord(each) - ord("A") for each in text[1:15:2])
    return chr(ord("A") + (odd + even) % 26) == text[15]


def is_nir(text: str) -> bool:
    """Return whether text is a French NIR by its last two digits, those of Corsica included."""
    number = text[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(text[13:])


def is_steuer_id(digits: str) -> bool:
    """Return whether 11 digits are a German tax id: ISO 7064, modulo 11, 10, and a digit twice or thrice among ten."""
    first = digits[:10]
    if digits[0] == "0" or not any(first.count(each) in (2, 3) for each in set(first)):
        return False
    product = 10
    for each in first:
        total = (int(each) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_pesel(digits: str) -> bool:
    """Return whether 11 digits are a Polish PESEL."""
    return _weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_bsn(digits: str) -> bool:
    """Return whether 9 digits are a Dutch BSN."""
    return _weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_cpf(digits: str) -> bool:
    """Return whether 11 digits are a Brazilian CPF."""
    if len(set(digits)) == 1:
        return False
    checks = (_weighted(digits[:count], range(count + 1, 1, -1)) * 10 % 11 % 10 for count in (9, 10))
    return [*map(int, digits[9:])] == [*checks]


def is_ahv(digits: str) -> bool:
    """Return whether 13 digits are a Swiss AHV number by the check digit of EAN-13."""
    return _weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(each) * weight for each, weight in zip(digits, weights, strict=True))
