"""Bytes that are no message, and what is said of them."""

from __future__ import annotations

import pytest

from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import facts_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2
from advisor.wire.unreadable import unreadable

LATIN = "Grüße".encode("latin-1")


def examples(*answers: str) -> bytes:
    batch = service_pb2.ExampleBatch(
        examples=[use_case_pb2.Example(question="q", answer=answer) for answer in answers]
    )
    return service_pb2.ImportExamplesRequest(batch=batch).SerializeToString()


@pytest.mark.parametrize(
    ("content", "field", "description"),
    [
        (examples("a", "Grxxe").replace(b"Grxxe", LATIN), "batch.examples[1].answer", "byte 2 of it (0xfc)"),
        (examples("a")[:-1], "batch", "breaks off: at byte"),
        (b"\x0a\x05ab", "header", "at byte 2 it says that 5 more follow, and 2 do"),
        (b"\xff" * 10, "request", "byte 0 of the message is not the beginning of a field"),
        (b"\x00", "request", "byte 0"),
        (b"\x12", "batch", "send the whole message"),
        (b"\x9a\x06\x01", "request", "send the whole message"),
    ],
    ids=["latin-1", "cut", "short", "garbage", "zero", "tag", "unknown field"],
)
def test_the_fault_is_placed(content, field, description):
    """Field, byte and remedy are named."""
    (violation,) = unreadable(service_pb2.ImportExamplesRequest.DESCRIPTOR, content).violations
    assert violation.field == field
    assert description in violation.description


def test_what_is_sound_is_passed_over():
    """Numbers of every width before the fault do not hide it."""
    facts = facts_pb2.Facts(corpus_tokens=2**40, closed_book_score=0.5, needs_citations=True)
    facts.update_interval.seconds = 60
    use_case = use_case_pb2.UseCase(facts=facts, document_count=-1)
    request = decision_pb2.RecommendRequest(inline_use_case=use_case, view=1).SerializeToString()
    (violation,) = unreadable(decision_pb2.RecommendRequest.DESCRIPTOR, request + b"\x0a\x01\x80").violations
    assert (violation.field, "byte 0 of it (0x80)" in violation.description) == ("use_case", True)


def test_a_fault_behind_very_many_fields():
    """It is not looked for without end: the bytes are refused in general."""
    content = b"\x98\x06\x01" * 1_000_000 + b"\x00"
    (violation,) = unreadable(use_case_pb2.UseCase.DESCRIPTOR, content).violations
    assert violation.field == "request"
    assert "is no advisor.v1.UseCase" in violation.description


def test_what_no_reading_finds():
    """Where everything holds, and yet protobuf refused it, the kind of message is named."""
    (violation,) = unreadable(use_case_pb2.UseCase.DESCRIPTOR, b"").violations
    assert violation.field == "request"
    assert "is no advisor.v1.UseCase" in violation.description
