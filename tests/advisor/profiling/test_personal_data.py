"""Personal data told from what looks like it."""

from __future__ import annotations

from collections import Counter

import pytest

from advisor.profiling.personal_data import Found, PersonalData, personal_data, personal_data_of

EMAIL, PHONE, NAME = PersonalData.EMAIL, PersonalData.PHONE, PersonalData.NAME
IBAN, CARD, IP, ID = (
    PersonalData.IBAN,
    PersonalData.CREDIT_CARD,
    PersonalData.IP_ADDRESS,
    PersonalData.NATIONAL_ID,
)

FOUND = [
    ("write to jane.doe@acme-mail.de today", EMAIL),
    ("jane+news@mail.acme.co.uk", EMAIL),
    ("E-Mail:müller@firma.at.", EMAIL),
    ("<j_doe99@acme.io>", EMAIL),
    ("my number is +49 170 1234567", PHONE),
    ("+1 (415) 555-2671", PHONE),
    ("+442079460958", PHONE),
    ("0043 1 5880120", PHONE),
    ("call (415) 555-2671 after six", PHONE),
    ("415-555-2671", PHONE),
    ("0171/1234567", PHONE),
    ("030 12345678", PHONE),
    ("020 7946 0958", PHONE),
    ("06 12 34 56 78", PHONE),
    ("Tel.: 5880120", PHONE),
    ("Mobile 07700 900123", PHONE),
    ("IBAN DE89 3704 0044 0532 0130 00, please", IBAN),
    ("GB29NWBK60161331926819", IBAN),
    ("FR14 2004 1010 0505 0001 3M02 606 ABC", IBAN),
    ("card 4111 1111 1111 1111", CARD),
    ("5500-0055-5555-5559", CARD),
    ("378282246310005", CARD),
    ("3782 822463 10005", CARD),
    ("logged in from 91.198.174.192", IP),
    ("my IP address is 8.8.8.8", IP),
    ("from 2a00:1450:4001:81b::200e", IP),
    ("SSN 536-22-1234", ID),
    ("AB 12 34 56 C", ID),
    ("National Insurance number: AB123456C", ID),
    ("DNI 12345678Z", ID),
    ("NIE X1234567L", ID),
    ("RSSMRA85T10A562S", ID),
    ("2 55 08 14 168 025 38", ID),
    ("CPF 529.982.247-25", ID),
    ("756.9217.0769.85", ID),
    ("personnummer 811228-9874", ID),
    ("Steuer-ID: 86 095 742 719", ID),
    ("PESEL 44051401359", ID),
    ("BSN: 111222333", ID),
    ("Ask Mr Smith about it", NAME),
    ("Dear Mrs. O'Brien,", NAME),
    ("Prof. Dr. Müller-Lüdenscheidt", NAME),
    ("Frau Schulze hat angerufen", NAME),
    ("for Dr. J. van der Berg", NAME),
]

NOT_FOUND = [
    "upgrade to version 10.4.2.1",
    "v1.22.333.4444",
    "Chrome 96.0.4664.110",
    "numpy==2.1.0.1",
    "see section 4.3.2.1",
    "bind to 127.0.0.1 or 0.0.0.0",
    "the mask 255.255.255.0",
    "10.0.0.0/8 and 192.168.1.10",
    "203.0.113.7 is for documentation",
    "the release 1.2.3.4",
    "on 2024-01-15 at 12:30:45",
    "2024-01-15T12:30:45.123456",
    "between 01/02/2024 and 03/04/2024",
    "15.01.2024 10:30",
    "from 01.02.2024 to 02.03.2024",
    "the 2019-2024 period",
    "part number 1234-5678-90",
    "order 4711-0815",
    "serial 0001-2345-6789",
    "ISBN 978-3-16-148410-0",
    "invoice 2024/000123",
    "SKU AB123456",
    "the model AB123456C of the drill",
    "4111 1111 1111 1112",
    "order 1234567890123456",
    "DE89 3704 0044 0532 0130 01",
    "GB29 is the first part",
    "the hash 9f86d081884c7d659a2feaa0c55ad015",
    "id 123e4567-e89b-12d3-a456-426614174000",
    "π is +3.14159265",
    "1,000,000 to 2,500,000 rows",
    "10 20 30 40 50 60 70 80",
    "0 1 2 3 4 5 6 7 8 9",
    "resize to 1920 x 1080",
    "port 5432, timeout 30000",
    "12345678A",
    "529.982.247-26",
    "811228-9873",
    "987-65-4321",
    "000-12-3456",
    "44051401359 rows",
    "111222333 rows",
    "RSSMRA85T10A562T",
    "install lodash@4.17.21",
    "icon@2x.png",
    "git@github.com:owner/name.git",
    "postgres://user:secret@db.acme.io:5432/name",
    "write to support@acme.io",
    "jane@example.com",
    "@app.route and @media",
    "std::vector<int>::size",
    "at 12:30:45:10",
    "the MAC is 00:1b:44:11:3a:b7",
    "fe80::1 and ::1",
    "the abc::def namespace",
    "45 Elm Dr Springfield",
    "in 5 Ms Word opens",
    "Ms Word and MS Access",
    "Mr. President, thank you",
    "the Dr. and the patient",
    "the drive DR Site",
    "+5 10 15 20",
    "temperatures of -10 to +40 degrees",
    "2 55 08 14 168 025 39",
    "latitude 48.208174, longitude 16.373819",
    "GET /v2/items/00123456789",
    "https://acme.io/u/4111111111111111",
    "0123456789abcdef",
    "the years 1939 1945 1989 2001",
]


@pytest.mark.parametrize(("text", "kind"), FOUND)
def test_what_is_personal_is_found(text, kind):
    """It is counted once, and as nothing else."""
    assert personal_data(text) == Counter({kind: 1})


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_looks_like_it_is_not(text):
    """Versions, numbers of parts, days, times, networks and names of things are none."""
    assert personal_data(text) == Counter()


def test_several_are_counted_by_kind():
    """Each is counted where it stands."""
    text = "Mr Smith, j.smith@acme.io, or his wife's: a.smith@acme.io, +49 170 1234567"
    assert personal_data(text) == Counter({EMAIL: 2, PHONE: 1, NAME: 1})


def test_only_counts_and_places_are_told():
    """The text of none is in what is returned."""
    found = personal_data_of(["nothing", "Mr Smith and Mrs Jones", "j.smith@acme.io", "Mr Smith"])
    assert found == [Found(EMAIL, 1, (2,)), Found(NAME, 3, (1, 3))]
    assert "mith" not in repr(found)


@pytest.mark.parametrize(
    "text", ["a." * 50_000, "1,000" + ",000" * 20_000 + "0", "+1" + "1" * 50_000, "Mr " * 30_000]
)
def test_long_texts_take_no_longer_than_they_are(text):
    """No pattern starts over at every character; the limit of a test is its time."""
    assert personal_data(text) == Counter()
