"""The API keeps to the rules of https://google.aip.dev that a linter of protos cannot see, read from descriptors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.api import annotations_pb2, field_behavior_pb2, resource_pb2
from google.longrunning import operations_proto_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from advisor.rpc.permissions import role_for
from advisor.storage.tokens import Role
from tests.rpc.test_any_request import METHODS

OWN = [each for each in METHODS if each.full_name.startswith("advisor.")]
POOL = descriptor_pool.Default()
STREAMED = {"ImportDocuments", "ImportExamples"}
"""Uploads: what a request says of itself is in their header."""


def named(verb: str) -> list[MethodDescriptor]:
    """Return the standard methods of a verb."""
    return [each for each in OWN if each.name.startswith(verb)]


def behaviours(field: FieldDescriptor) -> set[int]:
    return set(field.GetOptions().Extensions[field_behavior_pb2.field_behavior])


def resource(message: Descriptor) -> resource_pb2.ResourceDescriptor:
    return message.GetOptions().Extensions[resource_pb2.resource]


def sent(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    """Yield the fields of a message that clients send, and of those within it."""
    if message.full_name in seen or not message.full_name.startswith("advisor."):
        return
    seen.add(message.full_name)
    for field in message.fields:
        yield field
        output_only = field_behavior_pb2.OUTPUT_ONLY in behaviours(field)
        if field.message_type is not None and not output_only:
            yield from sent(field.message_type, seen)


def is_repeated(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated)


@pytest.mark.parametrize("method", OWN, ids=lambda each: each.name)
def test_fields_that_clients_send_say_how_they_are_taken(method: MethodDescriptor) -> None:
    """AIP-203: required, optional, or set by the server. Of a oneof one is taken; facts may all be unknown."""
    silent = [
        field.full_name
        for field in sent(method.input_type, set())
        if field.containing_oneof is None and field.containing_type.name != "Facts" and not behaviours(field)
    ]
    assert silent == []


@pytest.mark.parametrize("method", named("Get") + named("Delete"), ids=lambda each: each.name)
def test_one_resource_is_asked_for_by_its_name(method: MethodDescriptor) -> None:
    """AIP-131 and 135: by a required name that refers to a type; Get returns that, Delete nothing."""
    if method.name in ("GetServerInfo", "GetTrackRecord"):  # there is only one
        assert "name" not in method.input_type.fields_by_name
        return
    field = method.input_type.fields_by_name["name"]
    assert field_behavior_pb2.REQUIRED in behaviours(field)
    referred = field.GetOptions().Extensions[resource_pb2.resource_reference].type
    assert referred.startswith("advisor.dev/")
    if method.name.startswith("Delete"):
        assert method.output_type.full_name == "google.protobuf.Empty"
    elif method.name != "GetTrialReport":  # a view of a trial
        assert resource(method.output_type).type == referred


@pytest.mark.parametrize("method", named("List"), ids=lambda each: each.name)
def test_lists_come_in_pages(method: MethodDescriptor) -> None:
    """AIP-132 and 158, from the first day."""
    assert {"page_size", "page_token"} <= set(method.input_type.fields_by_name)
    assert "next_page_token" in method.output_type.fields_by_name
    first = method.output_type.fields[0]
    assert is_repeated(first)
    assert first.name == "".join(
        f"_{each.lower()}" if each.isupper() else each for each in method.name.removeprefix("List")
    ).lstrip("_")


def test_updates_name_what_changes_and_notice_other_ones() -> None:
    """AIP-134 and 154: a mask, and an etag in the resource."""
    for method in named("Update"):
        fields = method.input_type.fields_by_name
        message = method.output_type
        held = fields["".join(f"_{c.lower()}" if c.isupper() else c for c in message.name).lstrip("_")]
        assert held.message_type is message
        assert fields["update_mask"].message_type.full_name == "google.protobuf.FieldMask"
        assert "etag" in message.fields_by_name
        deleting = next(each for each in named("Delete") if each.name == f"Delete{message.name}")
        assert "etag" in deleting.input_type.fields_by_name


@pytest.mark.parametrize(
    "method",
    [each for each in OWN if each.output_type.full_name == "google.longrunning.Operation"],
    ids=lambda each: each.name,
)
def test_long_work_says_what_comes_of_it(method: MethodDescriptor) -> None:
    """AIP-151: the types of its response and its metadata are told, and there are such."""
    info = method.GetOptions().Extensions[operations_proto_pb2.operation_info]
    for name in (info.response_type, info.metadata_type):
        full_name = name if "." in name else f"advisor.v1.{name}"
        assert POOL.FindMessageTypeByName(full_name)


@pytest.mark.parametrize("method", OWN, ids=lambda each: each.name)
def test_what_changes_something_can_be_repeated(method: MethodDescriptor) -> None:
    """AIP-155: by an id of the request, unless a repetition changes nothing more by itself."""
    if role_for(f"/{method.containing_service.full_name}/{method.name}") is Role.READ:
        return
    if method.name.startswith(("Update", "Delete")):
        return
    message = method.input_type
    if method.name in STREAMED:
        message = message.fields_by_name["header"].message_type
    assert "request_id" in message.fields_by_name


def test_resources_have_names() -> None:
    """AIP-122 and 123: each type has a pattern, its words in one and in many, and a field for its name."""
    found = {
        message.full_name: message
        for method in OWN
        for message in (
            method.output_type,
            *(f.message_type for f in method.output_type.fields if f.message_type),
        )
        if resource(message).type
    }
    assert len(found) >= 5
    for message in found.values():
        told = resource(message)
        assert told.pattern
        assert told.singular
        assert told.plural
        assert {field_behavior_pb2.IDENTIFIER, field_behavior_pb2.OUTPUT_ONLY} & behaviours(
            message.fields_by_name["name"]
        )


def test_times_and_spans_are_told_by_their_names() -> None:
    """AIP-142: a moment is a Timestamp called ..._time, and no number of seconds stands for a span."""
    seen: set[str] = set()
    fields = [
        field
        for method in OWN
        for message in (method.input_type, method.output_type)
        for field in sent(message, seen)
    ]
    assert len(fields) > 100
    for field in fields:
        kind = field.message_type.full_name if field.message_type else ""
        if kind == "google.protobuf.Timestamp":
            assert field.name.endswith("_time"), field.full_name
        assert not field.name.endswith(("_s", "_ms", "_secs", "_seconds", "_millis")), field.full_name


def test_nothing_is_mapped_to_http() -> None:
    """It is an API of gRPC alone: a mapping would promise another one."""
    assert not any(each.GetOptions().HasExtension(annotations_pb2.http) for each in OWN)
