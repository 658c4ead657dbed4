"""Numbers that carry their own check."""

from __future__ import annotations

import pytest

from advisor.profiling import check_digits

VALID = [
    (check_digits.luhn, "79927398713"),
    (check_digits.is_card, "4111111111111111"),
    (check_digits.is_card, "5555555555554444"),
    (check_digits.is_card, "2223003122003222"),
    (check_digits.is_card, "378282246310005"),
    (check_digits.is_card, "6011111111111117"),
    (check_digits.is_card, "30569309025904"),
    (check_digits.is_iban, "DE89370400440532013000"),
    (check_digits.is_iban, "GB29NWBK60161331926819"),
    (check_digits.is_iban, "CH9300762011623852957"),
    (check_digits.is_dni, "12345678Z"),
    (check_digits.is_dni, "X1234567L"),
    (check_digits.is_codice_fiscale, "RSSMRA85T10A562S"),
    (check_digits.is_nir, "255081416802538"),
    (check_digits.is_steuer_id, "86095742719"),
    (check_digits.is_pesel, "44051401359"),
    (check_digits.is_bsn, "111222333"),
    (check_digits.is_cpf, "52998224725"),
    (check_digits.is_ahv, "7569217076985"),
]


@pytest.mark.parametrize(("is_valid", "number"), VALID)
def test_a_valid_number_is_told_from_one_with_another_digit(is_valid, number):
    """Changing any single digit breaks the check."""
    assert is_valid(number)
    for at in range(len(number)):
        if number[at].isdigit() and at >= 4:
            other = str((int(number[at]) + 1) % 10)
            assert not is_valid(number[:at] + other + number[at + 1 :])


@pytest.mark.parametrize(
    "number", ["4111111111111", "9111111111111111", "411111111111111", "1234567890123452"]
)
def test_a_card_has_the_start_and_the_length_of_a_network(number):
    """Luhn's sum alone makes no card."""
    assert not check_digits.is_card(number)


def test_an_iban_has_the_length_of_its_country():
    """A country without IBANs has none."""
    assert not check_digits.is_iban("DE8937040044053201300")
    assert check_digits.iban_length("US") is None


def test_digits_that_are_all_the_same_are_no_cpf():
    """They pass the check, and are given to nobody."""
    assert not check_digits.is_cpf("11111111111")
