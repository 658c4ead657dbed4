"""What single answers are."""

from __future__ import annotations

import warnings

import pytest

from advisor.profiling.answers import fields, is_code, is_json, is_markup, is_short, leaves, record

CODE = [
    "def f(x):\n    return x + 1",
    "import os\nprint(os.getcwd())",
    "x = [y for y in range(3)]",
    "print(total)",
    "```python\nyes\n```",
    "SELECT name FROM users WHERE id = 3;",
    "update users set name = 'x' where id = 1",
    "git commit -m 'message'",
    "$ docker run --rm alpine",
    "for (int i = 0; i < 3; i++) {\n  sum += i;\n}",
    'console.log("hello");',
    "#include <stdio.h>\nint main() {\n  return 0;\n}",
    "const f = (x) => x + 1;\nf(2);",
]
NO_CODE = [
    "yes",
    "not allowed",
    "Refund (partial)",
    "billing",
    "x = 5",
    "card_arrival",
    "Select a plan from the list.",
    "Update your address; then set a new password.",
    "Find the answer in the manual.",
    "pip is a tool that installs packages",
    "5 > 3",
    "a, b",
    "Go to Settings > Account (at the top); choose Delete.",
    "",
    "'quoted'",
    "(" * 3_000,
]


@pytest.mark.parametrize("answer", CODE)
def test_code_is_told(answer):
    """Python, SQL, command lines, and lines that end as code does."""
    assert is_code(answer)


@pytest.mark.parametrize("answer", NO_CODE)
def test_words_that_parse_are_no_code(answer):
    """Nor are sentences that begin with a keyword."""
    assert not is_code(answer)


def test_parsing_warns_of_nothing():
    """What an answer holds is its own affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert is_code(r'print("\d")')


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"a": 1}', True),
        ('```json\n["a", "b"]\n```', True),
        ("[]", True),
        ("5", False),
        ('"text"', False),
        ("{not json}", False),
        ("[1] as cited", False),
        ("[" * 100_000, False),
    ],
)
def test_json_is_told(answer, expected):
    """Objects and arrays; a number alone is none."""
    assert is_json(answer) is expected


def test_markup_is_told():
    """One element with its end."""
    assert is_markup('<?xml version="1.0"?><a b="c"><d/></a>')
    assert not is_markup("<a> is less than <b>")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("name: Smith\nage: 30", {"name": "Smith", "age": "30"}),
        ("- Name: Smith\n- Age:", {"name": "Smith", "age": ""}),
        ("name=Smith; age=30", {"name": "Smith", "age": "30"}),
        ("name=Smith age=30", {"name": "Smith", "age": "30"}),
        ("priority=high", {"priority": "high"}),
        ("Note: read the manual", {}),
        ("name: Smith\nand so on", {}),
        ("see https://acme.io\nor http://acme.io", {}),
        ("a == b", {}),
        ("plain text", {}),
    ],
)
def test_records_are_told(answer, expected):
    """All lines are pairs; one sentence with a colon is none."""
    assert record(answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("a;b;c", (";", 3)),
        ("| a | b | c |", ("|", 3)),
        ("red, green, dark blue", (",", 3)),
        ("Yes, you can, but only if it was bought within a year.", ("", 1)),
        ("a, b", ("", 1)),
        ("plain", ("", 1)),
    ],
)
def test_fields_are_told(answer, expected):
    """Short parts, three at least; clauses of a sentence are none."""
    assert fields(answer) == expected


def test_leaves_are_the_values():
    """Of JSON however deep, of a record as they stand; flags and nothing are left out."""
    assert list(leaves('{"a": ["x", {"b": 5}], "c": null, "d": true}')) == ["x", "5"]
    assert list(leaves("name: Smith\nage: 30")) == ["Smith", "30"]


def test_a_label_is_short():
    """By words and by characters."""
    assert is_short("Reporting and Logging / What to Log")
    assert not is_short("This is a whole sentence of text.")
    assert not is_short("x" * 61)
