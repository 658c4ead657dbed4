"""YAML with the place of every value."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.errors import RulesError
from advisor.knowledge.notation import NotationError
from advisor.knowledge.yamltree import MAX_DEPTH, MAX_FILE_BYTES, Entry, Place, read_yaml


def parse(tmp_path: Path, text: str | bytes) -> Entry:
    """Write a file and read it."""
    path = tmp_path / "rules.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path)


def refusal(tmp_path: Path, text: str | bytes) -> str:
    """Return the error that a file raises, without its folder."""
    with pytest.raises(RulesError) as caught:
        parse(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_values_know_their_place(tmp_path: Path) -> None:
    """Lines and columns count from 1."""
    root = parse(tmp_path, "a: 1\nb:\n  - x\n  - y\n")
    second = list(root.mapping()["b"].sequence())[1]
    assert second.place == Place(str(tmp_path / "rules.yaml"), 4, 5)
    assert str(second.place).endswith("rules.yaml:4:5")


@pytest.mark.parametrize(
    ("text", "place"),
    [('k: "a {b}"', "1:7"), ("k: >-\n  one\n  a {b}\nl: {b}\n", "3:5"), ("k: a\nl: '{b}'\n", "1:4")],
)
def test_words_are_pointed_at_on_their_own_line(tmp_path: Path, text: str, place: str) -> None:
    """In a text over several lines too; without such words, the value is pointed at."""
    value = parse(tmp_path, text).mapping()["k"]
    head, *_ = str(value.error_at_words("bad", "{b}")).splitlines()
    assert head.endswith(f"rules.yaml:{place}: bad")


def test_an_error_shows_the_line_and_a_caret(tmp_path: Path) -> None:
    """The message is the place, what is wrong, the line, and a caret under the value."""
    with pytest.raises(RulesError) as caught:
        parse(tmp_path, "a: 1\nbb:  x\n").mapping(("a", "bc"))
    head, line, caret = str(caught.value).splitlines()
    assert head.endswith("rules.yaml:2:1: 'bb' is not a key here; allowed: a, bc")
    assert (line, caret) == ("bb:  x", "^")


@pytest.mark.parametrize(
    "text", ["k: <= 7x", 'k: "<= 7x"', "k: '<= 7x'", "{k: '<= 7x'}", "é: <= 7x", "k:   <= 7x"]
)
def test_the_caret_is_under_the_character_at_fault(tmp_path: Path, text: str) -> None:
    """Quotes, braces and letters beyond ASCII before it do not move the caret."""
    (value,) = parse(tmp_path, text).mapping().values()
    _, line, caret = str(value.notation_error(NotationError("bad", "<= 7x", 4))).splitlines()
    assert line[caret.index("^")] == "x"


@pytest.mark.parametrize("text", ["k: |\n  <= 7x\n", "k: >-\n  a\n  <= 7x\n", 'k: "a\n  b"'])
def test_a_value_of_several_lines_is_pointed_at_where_it_starts(tmp_path: Path, text: str) -> None:
    """Offsets mean nothing in a folded text, so the caret stays at its start."""
    _, line, caret = str(parse(tmp_path, text).mapping()["k"].error_at("bad", 3)).splitlines()
    assert line == text.splitlines()[0]
    assert caret == "   ^"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "rules.yaml: the file is empty"),
        ("# nothing\n", "rules.yaml: the file is empty"),
        (b"a: \xff\n", "rules.yaml: not UTF-8 text: invalid start byte at byte 3"),
        ("a: 1".encode("utf-16"), "rules.yaml: not UTF-8 text"),
        (b"a: \x00", "rules.yaml: not YAML: unacceptable character"),
        ("a: [1\nb: 2", "rules.yaml:2:2: not YAML:"),
        ("a: 1\n---\nb: 2\n", "rules.yaml:2:1: not YAML:"),
        ("é:\n\tb: 1\n", "rules.yaml:2:1: not YAML: a tab, which YAML does not take for indentation"),
        ("a:\n  b: 1\n\tc: 1\n", "rules.yaml:3:1: not YAML: a tab"),
        (
            "a: *b",
            (
                "rules.yaml:1:4: *b is an alias; write out what it stands for instead, or put a pattern in quotes\n"
                "a: *b\n   ^"
            ),
        ),
        (
            "é: **/*.md",
            "rules.yaml:1:4: not YAML: a value that begins with * is an alias; put the pattern in quotes: '**/*.md'",
        ),
        (
            "a:\n- b\n- *.md\n",
            "rules.yaml:3:3: not YAML: a value that begins with * is an alias; put the pattern in quotes: '*.md'",
        ),
        (
            "a: [*m/*, b]",
            "rules.yaml:1:5: not YAML: a value that begins with * is an alias; put the pattern in quotes: '*m/*'",
        ),
        ("a: &a [*a]", "rules.yaml:1:8: *a is an alias"),
        ("a: &a x\nb: *a", "rules.yaml:2:4: *a is an alias"),
        ("a: &a {b: 1}\nc: {<<: *a}", "rules.yaml:2:9: *a is an alias"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(tmp_path: Path, text: str | bytes, message: str) -> None:
    """The error says what is wrong, and where the file has lines to point at."""
    assert refusal(tmp_path, text).startswith(message)


def test_exploding_aliases_are_refused(tmp_path: Path) -> None:
    """Nine lines that stand for nine to the ninth values are refused at the first alias."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]" for level in range(1, 9)]
    assert refusal(tmp_path, "\n".join(lines)).startswith("rules.yaml:2:10: *a0 is an alias")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(tmp_path: Path, opening: str) -> None:
    """A hundred thousand levels end in an error, not in a crash of the process."""
    assert refusal(tmp_path, opening * 100_000).startswith("rules.yaml:1:")


def test_nesting_is_refused_at_its_place(tmp_path: Path) -> None:
    """One level more than allowed is pointed at."""
    message = refusal(tmp_path, "- " * (MAX_DEPTH + 1) + "x")
    assert message.startswith(f"rules.yaml:1:{2 * MAX_DEPTH + 1}: nested more than {MAX_DEPTH} levels")


def test_some_nesting_is_fine(tmp_path: Path) -> None:
    """The limit itself is allowed."""
    assert parse(tmp_path, "[" * MAX_DEPTH + "]" * MAX_DEPTH).is_sequence


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    """Of a file of 100 MB no more than the limit is read."""
    path = tmp_path / "rules.yaml"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    with pytest.raises(RulesError, match=f"over {MAX_FILE_BYTES:,} bytes, the most allowed"):
        read_yaml(path)


@pytest.mark.parametrize(("name", "problem"), [("absent.yaml", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, problem: str) -> None:
    """The error says which file and why."""
    with pytest.raises(RulesError, match=problem) as caught:
        read_yaml(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfa: 1\n", b"a: 1\r\n", b"a: 1"])
def test_marks_and_line_ends_of_other_systems_are_fine(tmp_path: Path, text: bytes) -> None:
    """A byte order mark and carriage returns are not part of the values."""
    assert parse(tmp_path, text).mapping()["a"].text() == "1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "rules.yaml:2:1: 'a' stands here twice"),
        ("{a: 1, c: 2}", "rules.yaml:1:8: 'c' is not a key here; allowed: a, b"),
        ("a: 1", "rules.yaml:1:1: the key 'b' is missing"),
        ("[a, b]", "rules.yaml:1:1: expected a mapping, found a list"),
        ("word", "rules.yaml:1:1: expected a mapping, found 'word'"),
        ("[x]: 1", "rules.yaml:1:1: expected a value, found a list"),
    ],
)
def test_a_mapping_has_the_keys_it_should(tmp_path: Path, text: str, message: str) -> None:
    """Keys that are doubled, unknown or missing are refused."""
    with pytest.raises(RulesError) as caught:
        parse(tmp_path, text).mapping(("a", "b"), required=("b",))
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(message)


def test_a_list_is_not_a_mapping_nor_a_value(tmp_path: Path) -> None:
    """Each kind of value says what it is when another is expected."""
    values = parse(tmp_path, "{list: [1], map: {a: 1}}").mapping()
    with pytest.raises(RulesError, match="expected a list, found a mapping"):
        list(values["map"].sequence())
    with pytest.raises(RulesError, match="expected a value, found a list"):
        values["list"].text()


@pytest.mark.parametrize("text", ["nan", ".nan", "inf", ".inf", "-inf", "1e999", "ten", "''", "7d"])
def test_numbers_are_finite(tmp_path: Path, text: str) -> None:
    """Whatever is no finite number is refused."""
    with pytest.raises(RulesError, match="is not a (finite )?number"):
        parse(tmp_path, f"a: {text}").mapping()["a"].number()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("~", None),
        ("1e6", "1e6"),
        ("7", "7"),
        ("7d", "7d"),
        ("'true'", "true"),
    ],
)
def test_plain_values_keep_numbers_as_text(tmp_path: Path, text: str, value: object) -> None:
    """Only truth values and nothing are read as YAML reads them."""
    assert parse(tmp_path, f"a: {text}").mapping()["a"].plain() == value
