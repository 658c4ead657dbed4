"""Resource names: pairs that undo each other, and no other module that makes or takes apart any."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor import names
from advisor.errors import InvalidInput

PACKAGE = Path(names.__file__).parent
IDS = st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
PAIRS = [
    (names.use_case_name, names.parse_use_case, "useCases/ID", 1),
    (names.adapter_name, names.parse_adapter, "useCases/ID/adapters/ID", 2),
    (names.operation_name, names.parse_operation, "operations/ID", 1),
]


@given(IDS, IDS, st.uuids())
def test_what_is_built_is_parsed(one: str, other: str, operation: Any) -> None:
    """Each pair gives back the ids."""
    assert names.parse_use_case(names.use_case_name(one)) == one
    assert names.parse_adapter(names.adapter_name(one, other)) == (one, other)
    assert names.parse_operation(names.operation_name(str(operation))) == str(operation)


@pytest.mark.parametrize(("build", "parse", "form", "ids"), PAIRS)
@given(text=st.text(max_size=90))
def test_what_is_no_name_is_refused(
    build: Callable[..., str], parse: Callable[..., Any], form: str, ids: int, text: str
) -> None:
    """The error has the field, the value and the right form."""
    for name in (text, build(*["-"] * ids), f"{build(*['a'] * ids)}/", f"{build(*['a'] * ids)}\n"):
        with pytest.raises(InvalidInput) as caught:
            parse(name, "parent")
        (violation,) = caught.value.violations
        assert violation.field == "parent"
        assert names.shown(name) in violation.description
        assert f"write {form}," in violation.description


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("useCases/faq", True),
        ("useCases/faq/adapters/a", True),
        ("useCases/faq-2/adapters/a", False),
        ("operations/faq", False),
    ],
)
def test_what_belongs_to_a_use_case(name: str, *, within: bool) -> None:
    """The use case itself, and what its name begins."""
    assert names.is_within(name, "faq") is within


def handmade(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that put a resource name together, or take one apart, by hand."""
    cutting = {"split", "rsplit", "partition", "rpartition", "startswith", "removeprefix"}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                texts = [each.value for each in values if isinstance(each, ast.Constant)]
                if any(
                    part in str(text) for text in texts for part in ("useCases/", "operations/", "/adapters/")
                ):
                    yield node.lineno
            case ast.Call(func=ast.Attribute(attr=attr), args=[ast.Constant(value=str(cut)), *_]):
                if attr in cutting and (
                    cut == "/" or cut.startswith(("useCases", "operations/", "adapters"))
                ):
                    yield node.lineno


def test_handmade_names_are_found() -> None:
    """The check below sees what it is there for."""
    source = 'f"useCases/{x}"\nname.split("/")\nf"{a}/adapters/{b}"\nname.partition("/")\n"useCases/ID"\n'
    assert sorted(handmade(ast.parse(source))) == [1, 2, 3, 4]


def test_names_are_made_and_taken_apart_in_one_module() -> None:
    """Whoever needs a name calls `advisor.names`."""
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in PACKAGE.rglob("*.py")
        if "v1" not in path.parts and path.name != "names.py"
        for line in handmade(ast.parse(path.read_text()))
    ]
    assert found == []
