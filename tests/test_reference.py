"""The reference of the API: that it is current, whole, and leads where it says."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from advisor.v1 import decision_service_pb2, execution_service_pb2, use_case_service_pb2
from tests.documents import DOCS, load_tool

PAGE = DOCS / "api.md"
FILES = [each.DESCRIPTOR for each in (decision_service_pb2, execution_service_pb2, use_case_service_pb2)]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("reference")


def test_the_reference_is_current(tool: ModuleType) -> None:
    """It says what the protos and the errors say now; `make docs` writes it anew."""
    written = PAGE.read_text(encoding="utf-8")
    assert written == tool.reference(tool.compile_protos()), "docs/api.md is stale: make docs"


def test_every_link_leads_to_a_heading() -> None:
    """Types, calls and services can be followed within the page."""
    text = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w-]", "", heading.replace(" ", "-")).lower() for heading in headings}
    assert len(headings) == len(anchors)
    assert set(re.findall(r"\]\(#(.+?)\)", text)) <= anchors


@pytest.mark.parametrize(
    "name", [name for file in FILES for name in (*file.services_by_name, *file.message_types_by_name)]
)
def test_every_service_and_message_is_described(name: str) -> None:
    """A heading, then its comment."""
    text = PAGE.read_text(encoding="utf-8")
    assert re.search(rf"^### {name}\n\n[A-Z].+", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("| `use_case_id` |", "Last part of its name"),
        ("| `retrieval_hit_rate` |", "Allowed: 0 to 1."),
        ("| `inline_use_case` |", "one of `target`"),
        ("| `page_size` |", "at most 1,000"),
        ("| `create_time` |", "output only"),
        ("| `requests` |", "| required |"),
        ("| FAILED_PRECONDITION |", "`APPROACH_VETOED`"),
        ("| ABORTED |", "`CONFLICT`"),
    ],
)
def test_a_row_tells_what_a_client_must_know(row: str, expected: str) -> None:
    """Comments, bounds, groups, behaviour, and the reasons of errors."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(row) and expected in line for line in lines)


def test_every_error_for_clients_has_a_row_and_a_reason(tool: ModuleType) -> None:
    """No code is missing from the table, and nothing is raised without a reason."""
    found = tool.reasons()
    assert found.keys() - {"CANCELLED"} == tool.CODES.keys()
    assert "ADVISOR_ERROR" not in set().union(*found.values())
