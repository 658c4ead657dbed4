"""Messages as the values that the rest of the program works with, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from google.protobuf import duration_pb2, json_format, timestamp_pb2

from advisor.names import adapter_name, document_name, example_name, source_hash, use_case_name
from advisor.storage import records
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import facts_pb2, progress_pb2, use_case_pb2, use_case_service_pb2
from advisor.wire.recommendation import approach_to_proto
from backends import base

__all__ = [
    "adapter_to_proto",
    "document_summary_to_proto",
    "document_to_proto",
    "duration_from_seconds",
    "event_to_proto",
    "example_from_proto",
    "example_to_proto",
    "facts_from_bytes",
    "facts_to_bytes",
    "options_from_proto",
    "progress_to_proto",
    "references_to_proto",
    "timestamp",
    "use_case_to_proto",
]

_UNSUPPORTED = {
    execution_pb2.GenerationOptions.UNSUPPORTED_FLAG: base.Unsupported.FLAG,
    execution_pb2.GenerationOptions.UNSUPPORTED_LEAVE_OUT: base.Unsupported.LEAVE_OUT,
}


def facts_to_bytes(facts: facts_pb2.Facts) -> bytes:
    """Return facts as they are stored."""
    return facts.SerializeToString(deterministic=True)


def facts_from_bytes(stored: bytes) -> facts_pb2.Facts:
    """Return stored facts."""
    return facts_pb2.Facts.FromString(stored)


def use_case_to_proto(use_case: records.UseCase) -> use_case_pb2.UseCase:
    """Return a stored use case."""
    message = use_case_pb2.UseCase(
        name=use_case_name(use_case.id),
        description=use_case.description,
        facts=facts_from_bytes(use_case.facts),
        origins=use_case.origins,
        create_time=timestamp(use_case.create_time),
        update_time=timestamp(use_case.update_time),
        document_count=use_case.document_count,
        passage_count=use_case.passage_count,
        example_count=use_case.example_count,
        held_out_count=use_case.held_out_count,
    )
    message.etag = hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest()[:16]
    return message


def document_summary_to_proto(
    use_case_id: str, document: records.Document
) -> use_case_service_pb2.DocumentSummary:
    """Return a stored document without its content."""
    return use_case_service_pb2.DocumentSummary(
        name=document_name(use_case_id, source_hash(document.source)),
        source=document.source,
        media_type=document.media_type,
        size_bytes=document.size_bytes,
        sha256=document.sha256,
        passage_count=document.passage_count,
        change_time=timestamp(document.change_time) if document.change_time else None,
        changes=document.changes,
    )


def document_to_proto(use_case_id: str, document: records.DocumentContent) -> use_case_pb2.Document:
    """Return a stored document with its content."""
    return use_case_pb2.Document(
        name=document_name(use_case_id, source_hash(document.source)),
        source=document.source,
        media_type=document.media_type,
        content=document.content,
    )


def example_to_proto(use_case_id: str, example: records.KeptExample) -> use_case_pb2.Example:
    """Return a stored example."""
    return use_case_pb2.Example(
        name=example_name(use_case_id, example.sha256),
        question=example.question,
        answer=example.answer,
        context=example.context or "",
        held_out=example.held_out,
    )


def adapter_to_proto(adapter: records.Adapter) -> use_case_pb2.Adapter:
    """Return a stored adapter."""
    message = use_case_pb2.Adapter(
        name=adapter_name(adapter.use_case_id, adapter.id),
        approach=approach_to_proto(adapter.approach),
        base_model=adapter.base_model,
        data_sha256=adapter.data_sha256,
        create_time=timestamp(adapter.create_time),
        erased_examples=adapter.erased_examples,
        erased_documents=adapter.erased_documents,
    )
    json_format.ParseDict(adapter.settings, message.settings, ignore_unknown_fields=True)
    json_format.ParseDict(adapter.metrics, message.metrics, ignore_unknown_fields=True)
    return message


def example_from_proto(message: use_case_pb2.Example) -> base.Example:
    """Return an example that was sent."""
    return base.Example(message.question, message.answer, message.context or None, message.held_out)


def exchange_from_proto(message: execution_pb2.Exchange) -> base.Exchange:
    """Return an earlier question with its answer."""
    return base.Exchange(message.question, message.answer)


def options_from_proto(message: execution_pb2.GenerationOptions) -> base.GenerationOptions:
    """Return how to generate, but for the filter.

    What is absent takes its default, and so does what this version does not know.
    """
    given: dict[str, Any] = {
        field.name: tuple(value) if field.is_repeated else value
        for field, value in message.ListFields()
        if field.name != "filter"
    }
    if "unsupported" in given:
        given["unsupported"] = _UNSUPPORTED.get(message.unsupported, base.Unsupported.FLAG)
    return base.GenerationOptions(**given)


def event_to_proto(event: base.AnswerEvent) -> execution_pb2.AnswerResponse:
    """Return an event of an answer as it is streamed."""
    match event:
        case base.Token(text):
            return execution_pb2.AnswerResponse(token=execution_pb2.Token(text=text))
        case base.References(hits):
            return execution_pb2.AnswerResponse(
                references=execution_pb2.References(references=references_to_proto(hits))
            )
        case base.Progress():
            return execution_pb2.AnswerResponse(progress=progress_to_proto(event))


def progress_to_proto(progress: base.Progress) -> progress_pb2.Progress:
    """Return how far work is."""
    message = progress_pb2.Progress(activity=progress.activity, fraction=progress.fraction)
    if progress.remaining_s is not None:
        message.remaining.CopyFrom(duration_from_seconds(progress.remaining_s))
    return message


def timestamp(time: datetime) -> timestamp_pb2.Timestamp:
    """Return a time with its zone as a timestamp."""
    message = timestamp_pb2.Timestamp()
    message.FromDatetime(time)
    return message


def duration_from_seconds(seconds: float) -> duration_pb2.Duration:
    """Return a number of seconds as a duration."""
    message = duration_pb2.Duration()
    message.FromMicroseconds(round(seconds * 1e6))
    return message


def references_to_proto(hits: Iterable[base.Hit]) -> Iterator[execution_pb2.Reference]:
    """Yield passages that were found, numbered from 1."""
    for number, hit in enumerate(hits, 1):
        passage = hit.passage
        yield execution_pb2.Reference(
            number=number,
            passage_id=passage.id,
            source=passage.source,
            start_byte=passage.start_byte,
            end_byte=passage.end_byte,
            score=hit.score,
            text=passage.text,
            heading=passage.heading,
            place=passage.place,
            word_score=hit.words,
            similarity=hit.similarity,
        )
