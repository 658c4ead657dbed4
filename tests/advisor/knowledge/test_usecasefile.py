"""Use-case files: what they may say, and one clear message for each mistake."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from advisor.errors import InvalidInput
from advisor.knowledge.facts import facts_to_mapping
from advisor.knowledge.inventory import Inventory
from advisor.knowledge.usecasefile import read_examples, read_use_case, take_stock


def write(folder: Path, text: str, name: str = "my-case.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_everything_that_a_file_says_is_read(tmp_path: Path) -> None:
    """Description, facts, documents by path and glob, and examples."""
    for name in ("b.md", "a.md", "c.txt"):
        write(tmp_path, "text", name)
    write(tmp_path, '{"question": "q", "answer": "a"}\n', "examples.jsonl")
    text = "id: a-bot\ndescription: A bot.\nfacts: {update_interval: 7d}\n"
    text += "documents: ['*.md', c.txt, a.md]\nexamples: examples.jsonl"
    case = read_use_case(write(tmp_path, text))
    assert case.id == "a-bot"
    assert case.description == "A bot."
    assert facts_to_mapping(case.facts) == {"update_interval": "7d"}
    assert [path.name for path in case.documents] == ["a.md", "b.md", "c.txt"]
    assert case.examples == tmp_path / "examples.jsonl"


def test_what_is_left_empty_is_unknown(tmp_path: Path) -> None:
    """A key without a value is as good as none, so that a file can be filled in bit by bit."""
    case = read_use_case(
        write(tmp_path, "id:\ndescription:\nfacts:\n  task:\n  can_train: yes\ndocuments:\n")
    )
    assert (case.id, case.description, case.documents) == (None, "", ())
    assert facts_to_mapping(case.facts) == {"can_train": True}


def test_stock_is_taken_as_the_store_counts(tmp_path: Path) -> None:
    """Equal examples are one."""
    line = '{"question": "q", "answer": "a"}\n'
    write(tmp_path, line * 2 + line.replace('"q"', '"r"'), "examples.jsonl")
    write(tmp_path, "12345", "a.md")
    case = read_use_case(write(tmp_path, "documents: a.md\nexamples: examples.jsonl"))
    assert take_stock(case) == Inventory(1, 5, 2)


def test_what_is_held_out_is_counted_apart(tmp_path: Path) -> None:
    """It is no example to learn from, and another one than the same that is."""
    line = '{"question": "q", "answer": "a"}\n'
    write(tmp_path, line + line.replace("}", ', "held_out": true}'), "examples.jsonl")
    case = read_use_case(write(tmp_path, "examples: examples.jsonl"))
    assert take_stock(case) == Inventory(0, 0, 1, held_out=1)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.odt", b"text", "'a.odt' cannot be read; convert it to one of .txt, "),
        ("a", b"text", "'a' cannot be read; convert it to one of .txt, "),
        ("a.md", b"", "'a.md' is empty; leave it out"),
        ("a.zip", b"PK", "a.zip: it is not a .zip that can be read"),
    ],
)
def test_a_file_that_is_named_and_cannot_be_read_is_pointed_at(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """As any fault of the file, before anything is decided or imported; a pattern's files are another matter."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        read_use_case(write(tmp_path, f"documents:\n  - {name}"))
    (violation,) = refused.value.violations
    assert violation.field.endswith("my-case.yaml:2:5")
    assert violation.description.startswith(message)


@pytest.mark.parametrize(
    ("name", "content"), [("a.pdf", b"%PDF"), ("a.txt", b"Gr\xf6\xdfe"), ("a.jsonl", b"{")]
)
def test_nothing_is_parsed(tmp_path: Path, name: str, content: bytes) -> None:
    """What reads a format is the server's: it tells what cannot be read."""
    (tmp_path / name).write_bytes(content)
    assert read_use_case(write(tmp_path, f"documents: {name}")).documents == (tmp_path / name,)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("**/*.md", ["a.md", "in/b.md"]),
        ("in/*", ["in/b.md"]),
        (".venv/**/*.md", [".venv/deep/c.md"]),
        ("in/.*.md", ["in/.d.md"]),
        ("../*/a.md", ["a.md"]),
    ],
)
def test_hidden_files_are_documents_only_where_they_are_named(
    tmp_path: Path, pattern: str, expected: list[str]
) -> None:
    """A wildcard matches no name that begins with a dot, as in a shell, but for the dots of `..`."""
    base = tmp_path / "base"
    for name in ("a.md", "in/b.md", ".venv/deep/c.md", "in/.d.md"):
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        write(base, "text", name)
    case = read_use_case(write(base, f"documents: '{pattern}'"))
    assert [path.resolve().relative_to(base).as_posix() for path in case.documents] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("facts: {update_interval: 7}", r"my-case.yaml:1:26: update_interval: 7 has no unit; write 7d"),
        ("facts: {update_intervall: 7d}", r'no such fact; did you mean "update_interval"'),
        ("facts: {new_knowledge_share: 1.5}", r"1.5 is out of bounds; allowed: 0 to 1"),
        ("facts: {can_train: maybe}", r"'maybe' is neither true nor false"),
        ("facts: {can_train: 'yes'}", r"1:20: can_train: 'yes' is neither true nor false; .* without quotes"),
        ("facts: {retrieval_hit_rate: 80%}", r"'80%' is not a number; write 0.8"),
        ("facts: {output_form: LABLE}", r'did you mean "LABEL"'),
        ("documents: [missing.md]", r"there is no file .*missing.md"),
        ("examples: missing.jsonl", r"there is no file"),
        ("document: a.md", r'did you mean "documents"'),
        ("- a list", r"expected a mapping, found a list"),
        ("id: Not An Id", r"is not an id; write 1 to 63"),
        ("description: [", r"not YAML"),
        ("", r"the file is empty"),
    ],
)
def test_each_mistake_has_one_line_that_points_at_it(tmp_path: Path, text: str, message: str) -> None:
    """The message names the value, what is allowed and where it stands."""
    with pytest.raises(InvalidInput, match=message) as caught:
        read_use_case(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_pattern_without_files_is_noted(tmp_path: Path) -> None:
    """Whether it is misspelt the store can tell; where nothing is asked of a store it is refused."""
    write(tmp_path, "text", "a.md")
    case = read_use_case(write(tmp_path, "documents: [a.md, '*.nothing']"))
    assert case.documents == (tmp_path / "a.md",)
    assert case.patterns == ("a.md", "*.nothing")
    with pytest.raises(
        InvalidInput, match=r"my-case.yaml:1:19: no file matches '\*.nothing'; is it misspelt"
    ):
        take_stock(case)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is said to."""
    with pytest.raises(InvalidInput, match=r"nowhere.yaml: cannot be read"):
        read_use_case(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"question": "q"}', r"examples.jsonl:2: the example has no 'answer'"),
        ('{"question": " ", "answer": "a"}', r"no 'question'"),
        ('{"question": "q", "answer": 5}', r"'answer' is 5, which is no text"),
        ('{"question": "q", "anwser": "a"}', r"no 'answer'; is 'anwser' meant for it\?"),
        ('{"question": "q", "answer": "a"', r"not JSON: .* at column 32"),
        ('{"question": "q", "answer": "a", "held_out": "no"}', r"'held_out' is \"no\"; write true to keep"),
        ('{"question": "q", "answer": "a", "context": 5}', r"'context' is 5, which is no text"),
        ("[1]", r"not an object"),
        ("{", r"not JSON"),
        ("[" * 100_000, r"not JSON that can be read"),
        ("1" * 10_000, r"not JSON that can be read"),
        ('"' + "ä" * 1_000_001 + '"', r"more than the 1,000,000 characters allowed"),
        ('"' + "ä" * 8_000_000 + '"', r"more than the 1,000,000 characters allowed"),
    ],
    ids=range(13),
)
def test_a_bad_example_is_named_by_its_line(tmp_path: Path, line: str, message: str) -> None:
    """Examples without an answer are found before anything is sent."""
    path = write(tmp_path, '{"question": "q", "answer": "a"}\n' + line + "\n", "examples.jsonl")
    with pytest.raises(InvalidInput, match=message):
        list(read_examples(path))


def test_a_line_without_end_is_not_held(tmp_path: Path) -> None:
    """What follows it is read."""
    lines = [b'{"question": "' + b"q" * 60_000_000, b'{"question": "q", "answer": "a"}']
    (tmp_path / "examples.jsonl").write_bytes(b"\n".join(lines))
    examples = read_examples(tmp_path / "examples.jsonl")
    tracemalloc.start()
    try:
        assert next(examples).answer == "a"
        with pytest.raises(InvalidInput, match=r"examples.jsonl:1: more than the 1,000,000 characters"):
            next(examples)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


def test_all_bad_examples_are_named_up_to_twenty(tmp_path: Path) -> None:
    """The rest are counted."""
    path = write(tmp_path, "{\n" * 25 + '{"question": "q", "answer": "a"}\n', "examples.jsonl")
    with pytest.raises(InvalidInput) as caught:
        list(read_examples(path))
    fields = [each.field for each in caught.value.violations]
    assert fields == [*(f"{path}:{number}" for number in range(1, 21)), str(path)]
    assert caught.value.violations[-1].description.startswith("and 5 more")
