"""Facts as messages, mappings and rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import InvalidInput
from advisor.knowledge.facts import (
    Fact,
    decode_value,
    encode_facts,
    encode_many,
    encode_value,
    fact,
    fact_index,
    facts,
    facts_from_mapping,
    facts_to_mapping,
    nearest,
    value_to_notation,
    value_to_text,
)
from advisor.v1 import facts_pb2


def values_of(item: Fact) -> st.SearchStrategy[Any]:
    """Return plain values that the fact allows."""
    match item.kind:
        case "flag":
            return st.booleans()
        case "choice":
            return st.sampled_from(item.choices)
        case "count":
            return st.integers(int(item.minimum), int(item.maximum))
        case "duration":
            seconds = st.integers(math.ceil(item.minimum), int(item.maximum)).map(lambda each: f"{each}s")
            return st.one_of(seconds, st.sampled_from(["1d", "1.5h", "2w", "1y"]).filter(fits(item)))
        case _:
            return st.floats(item.minimum, item.maximum)


def fits(item: Fact) -> Any:
    """Return whether a value is within the fact's bounds."""

    def within(value: str) -> bool:
        try:
            encode_value(item, value)
        except ValueError:
            return False
        return True

    return within


MAPPINGS = st.fixed_dictionaries({}, optional={item.name: values_of(item) for item in facts()})


def problems(values: dict[Any, Any]) -> dict[str, str]:
    """Return the violations that the values raise, by field."""
    with pytest.raises(InvalidInput) as caught:
        facts_from_mapping(values)
    return {each.field: each.description for each in caught.value.violations}


def test_every_field_is_a_described_fact() -> None:
    """Each field of the message carries what people and checks need to know about it."""
    assert [item.name for item in facts()] == [field.name for field in facts_pb2.Facts.DESCRIPTOR.fields]
    for item in facts():
        assert item.title, item.name
        assert item.question.endswith("?"), item.name
        assert item.measure, item.name
        assert item.minimum < item.maximum, item.name
        assert item.minimum <= item.usual[0] < item.usual[1] <= item.maximum, item.name
        assert item.group in ("freshness", "knowledge", "specialization", "cost", "retraining"), item.name
        assert bool(item.unit) == (item.kind not in ("flag", "choice")), item.name


def test_the_usual_range_is_stated_or_all_that_is_allowed() -> None:
    """Facts without a natural end state where their values lie in practice; shares need not."""
    assert fact("update_interval").usual == (3_600, 94_608_000)
    assert fact("closed_book_score").usual == (0, 1)
    for item in facts():
        assert not item.logarithmic or item.usual != (item.minimum, item.maximum), item.name


def test_facts_are_found_by_name() -> None:
    """Names give the fact and its column; others are no facts."""
    assert fact("output_form").choices == ("FREE_TEXT", "LABEL", "STRUCTURED", "STYLE", "CODE")
    assert facts()[fact_index()["input_price"]].name == "input_price"
    with pytest.raises(KeyError):
        fact("speed")


@given(MAPPINGS)
def test_mappings_survive_the_round_trip(values: dict[str, Any]) -> None:
    """A message made from plain values gives equal values back, and the same message from those."""
    message = facts_from_mapping(values)
    again = facts_to_mapping(message)
    assert set(again) == set(values)
    assert facts_from_mapping(again) == message


@given(MAPPINGS)
def test_rows_hold_what_mappings_say(values: dict[str, Any]) -> None:
    """Each value stands in its column, in the row's unit; all else is unknown."""
    row = encode_facts(facts_from_mapping(values))
    for item, number in zip(facts(), row, strict=True):
        if item.name not in values:
            assert math.isnan(number)
        else:
            assert number == pytest.approx(encode_value(item, values[item.name]), abs=1e-9)


@given(st.integers(1, 315_360_000 * 10**9 - 1))
def test_durations_keep_their_nanoseconds(nanoseconds: int) -> None:
    """A duration on the wire is read to the precision of a float, and written and read alike."""
    message = facts_pb2.Facts()
    message.max_staleness.seconds, message.max_staleness.nanos = divmod(nanoseconds, 10**9)
    number = encode_facts(message)[fact_index()["max_staleness"]]
    again = encode_facts(facts_from_mapping(facts_to_mapping(message)))[fact_index()["max_staleness"]]
    assert again == pytest.approx(number, abs=1e-7)
    assert number == pytest.approx(nanoseconds / 1e9, rel=1e-15)


@pytest.mark.parametrize(
    ("item", "value", "number"),
    [
        ("needs_citations", True, 1), ("needs_citations", False, 0), ("output_form", "LABEL", 2),
        ("update_interval", "7d", 604_800), ("queries_per_month", "1e6", 1e6), ("queries_per_month", 12, 12),
        ("closed_book_score", 0, 0), ("input_price", "0.15", 0.15),
        ("model_parameters", "7_000_000_000", 7e9), ("model_parameters", "7B", 7e9), ("monthly_budget", "1.5K", 1500),
    ],
)  # fmt: skip
def test_plain_values_become_numbers(item: str, value: object, number: float) -> None:
    """Flags, choices, durations and numbers, also those that YAML leaves as text, have one number each."""
    assert encode_value(fact(item), value) == number


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("update_interval", 7, "7 has no unit; write 7d, 7h, 7m or 7s"),
        ("update_interval", "7x", "'x' is not a unit of time; allowed: ms, s, m, h, d, w, y"),
        ("update_interval", True, "'True' is not a duration"),
        ("update_interval", "1__0s", "'1__0s' is not a duration"),
        ("update_interval", "0s", "0s is out of bounds; allowed: 1s to 10y"),
        ("update_interval", "-1d", "-86400s is out of bounds; allowed: 1s to 10y"),
        ("update_interval", "11y", "11y is out of bounds; allowed: 1s to 10y"),
        ("latency_budget", "0.5ms", "allowed: 1ms to 1d"),
        ("update_interval", float("nan"), "'nan' is not a duration"),
        ("new_knowledge_share", 1.0000000000000002, "1.0000000000000002 is out of bounds; allowed: 0 to 1"),
        ("queries_per_month", -1, "-1 is out of bounds; allowed: 0 to 1,000,000,000,000 queries per month"),
        ("queries_per_month", 1.5, "1.5 is not a whole number of queries per month"),
        ("queries_per_month", float("nan"), "nan is out of bounds"),
        ("queries_per_month", float("inf"), "inf is out of bounds"),
        ("queries_per_month", 10**400, "inf is out of bounds"),
        ("queries_per_month", "1e400", "1e400 is not a finite number"),
        ("queries_per_month", "10k", "'10k' is not a number: 'k' is none of K, M, B, T"),
        ("queries_per_month", True, "True is not a number of queries per month"),
        ("queries_per_month", [1], "[1] is not a number"),
        ("corpus_tokens", 10**13 + 1, "10,000,000,000,001 is out of bounds; allowed: 0 to 10,000"),
        ("new_knowledge_share", 1.01, "1.01 is out of bounds; allowed: 0 to 1"),
        ("new_knowledge_share", -0.01, "-0.01 is out of bounds"),
        ("new_knowledge_share", "35%", "'35%' is not a number; write 0.35"),
        ("input_price", float("inf"), "inf is out of bounds; allowed: 0 to 100,000 US dollars per million"),
        ("needs_citations", "yes", "'yes' is neither true nor false; write one of them, without quotes"),
        ("needs_citations", 1, "1 is neither true nor false"),
        ("output_form", "LABLE", 'did you mean "LABEL"?'),
        ("output_form", 2, "allowed: FREE_TEXT, LABEL, STRUCTURED, STYLE, CODE"),
        ("updateinterval", "7d", 'there is no such fact; did you mean "update_interval"?'),
        ("colour", "red", "there is no such fact; allowed: update_interval, max_staleness"),
        (1, 2, "there is no such fact"),
    ],
)  # fmt: skip
def test_bad_values_are_refused(name: object, value: object, words: str) -> None:
    """The violation names the field, the value and what is allowed."""
    found = problems({name: value})
    assert list(found) == [f"facts.{name}"]
    assert words in found[f"facts.{name}"]


def test_all_violations_come_at_once() -> None:
    """One error lists every field at fault, in order, and says them all."""
    found = problems(
        {"update_interval": 7, "task": "QUESTION_ANSWERING", "colour": 1, "closed_book_score": 2}
    )
    assert list(found) == ["facts.update_interval", "facts.colour", "facts.closed_book_score"]


def test_none_is_unknown() -> None:
    """A value left empty is unknown, not zero."""
    assert facts_from_mapping({"queries_per_month": None}) == facts_pb2.Facts()


def test_bad_messages_are_refused_whole() -> None:
    """Every value of a message that is out of bounds or not finite is listed by its path."""
    message = facts_pb2.Facts(
        new_knowledge_share=math.nan,
        closed_book_score=1.5,
        labelled_examples=-1,
        corpus_tokens=2**63 - 1,
        input_price=math.inf,
    )
    message.update_interval.seconds = -5
    message.output_form = 99  # type: ignore[assignment]
    with pytest.raises(InvalidInput) as caught:
        encode_facts(message, "use_case.facts")
    assert {each.field: each.description.partition(";")[0] for each in caught.value.violations} == {
        "use_case.facts.update_interval": "-5s is out of bounds",
        "use_case.facts.new_knowledge_share": "nan is out of bounds",
        "use_case.facts.closed_book_score": "1.5 is out of bounds",
        "use_case.facts.output_form": "99 is not a value of the enum",
        "use_case.facts.labelled_examples": "-1 is out of bounds",
        "use_case.facts.corpus_tokens": "9,223,372,036,854,775,807 is out of bounds",
        "use_case.facts.input_price": "inf is out of bounds",
    }


def test_unspecified_is_unknown_and_zero_is_not() -> None:
    """An enum left unspecified is unknown; a number or duration set to zero is known."""
    message = facts_pb2.Facts(output_form=facts_pb2.OUTPUT_FORM_UNSPECIFIED, closed_book_score=0)
    message.max_staleness.SetInParent()
    assert facts_to_mapping(message) == {"max_staleness": "0s", "closed_book_score": 0.0}


def test_many_messages_make_one_array() -> None:
    """Rows of several messages equal those of each alone."""
    messages = [facts_from_mapping({"queries_per_month": count}) for count in (1, 2, 3)]
    rows = encode_many(messages, [f"requests[{index}]" for index in range(3)])
    assert np.array_equal(rows, np.stack([encode_facts(each) for each in messages]), equal_nan=True)


def test_many_messages_name_the_one_at_fault() -> None:
    """A violation carries the path of its message."""
    messages = [facts_pb2.Facts(), facts_pb2.Facts(closed_book_score=2)]
    with pytest.raises(InvalidInput, match=r"^requests\[1\].closed_book_score: 2 is out of bounds"):
        encode_many(messages, ["requests[0]", "requests[1]"])


@pytest.mark.parametrize(
    ("name", "number", "text", "notation"),
    [
        ("update_interval", 86_400.0, "1 day", "1d"),
        ("update_interval", 86_401.0, "1 day", "86401s"),
        ("update_interval", 5_400.0, "1.5 hours", "1.5h"),
        ("update_interval", 315_360_000.0, "10 years", "10y"),
        ("update_interval", 34_560_000.0, "400 days", "400d"),
        ("latency_budget", 0.25, "0.25 seconds", "250ms"),
        ("max_staleness", 0.0, "0 seconds", "0s"),
        ("closed_book_score", 0.35, "35%", "0.35"),
        ("queries_per_month", 1e12, "1,000,000,000,000", "1000000000000"),
        ("model_parameters", 8.03e9, "8.03 billion", "8030000000"),
        ("model_parameters", 135e6, "135 million", "135000000"),
        ("input_price", 0.1, "$0.1", "0.1"),
        ("monthly_budget", 1_234.5, "$1,234.5", "1234.5"),
        ("needs_citations", 1.0, "yes", "true"),
        ("needs_citations", 0.0, "no", "false"),
        ("output_form", 1.0, "free text", "FREE_TEXT"),
    ],
)
def test_values_are_written_for_people_and_files(name: str, number: float, text: str, notation: str) -> None:
    """People read words and units; files read the notation."""
    assert value_to_text(fact(name), number) == text
    assert value_to_notation(fact(name), number) == notation


@given(MAPPINGS)
def test_plain_values_encode_and_decode(values: dict[str, Any]) -> None:
    """Decoding a number gives a plain value that encodes to the same number."""
    for name, value in values.items():
        number = encode_value(fact(name), value)
        assert encode_value(fact(name), decode_value(fact(name), number)) == number


@pytest.mark.parametrize(
    ("name", "hint"), [("tsk", '; did you mean "task"?'), ("zzzzz", "; allowed: task, output_form")]
)
def test_the_nearest_name_is_the_hint(name: str, hint: str) -> None:
    """A near name is proposed; where none is near, all are listed."""
    assert nearest(name, ["task", "output_form"]) == hint


@pytest.mark.parametrize(
    ("name", "logarithmic"),
    [
        ("update_interval", True),
        ("queries_per_month", True),
        ("input_price", True),
        ("closed_book_score", False),
    ],
)
def test_ratios_matter_for_durations_counts_and_prices(name: str, logarithmic: bool) -> None:
    """Twice as many is as far at any size; shares are measured by differences."""
    assert fact(name).logarithmic is logarithmic
