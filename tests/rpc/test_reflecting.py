"""What a client that knows nothing learns of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc

Asked = Callable[..., reflection_pb2.ServerReflectionResponse]


@pytest.fixture(params=["v1", "v1alpha"])
def ask(request, channel) -> Asked:
    """Return a function that asks one question of reflection, under each of its names."""
    call = channel.stream_stream(
        f"/grpc.reflection.{request.param}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return lambda **asked: next(call(iter([reflection_pb2.ServerReflectionRequest(**asked)])))


def files(response: reflection_pb2.ServerReflectionResponse) -> list[descriptor_pb2.FileDescriptorProto]:
    """Return the files that a response holds."""
    given = response.file_descriptor_response.file_descriptor_proto
    return [descriptor_pb2.FileDescriptorProto.FromString(each) for each in given]


def read(ask: Asked, packed: any_pb2.Any) -> Any:
    """Return the message that an Any holds, read by nothing but what reflection says of it."""
    pool = descriptor_pool.DescriptorPool()
    for each in reversed(files(ask(file_containing_symbol=packed.TypeName()))):
        pool.Add(each)
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(packed.TypeName()))()
    message.ParseFromString(packed.value)
    return message


def test_every_service_that_is_listed_is_described(ask: Asked) -> None:
    """Google's operations, health and reflection itself included."""
    names = {each.name for each in ask(list_services="").list_services_response.service}
    assert {"advisor.v1.UseCaseService", "google.longrunning.Operations", "grpc.health.v1.Health"} < names
    assert {"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"} < names
    for name in names:
        described = files(ask(file_containing_symbol=name))[0]
        assert name in [f"{described.package}.{service.name}" for service in described.service]


def test_a_method_is_a_symbol(ask: Asked) -> None:
    """Tools describe single methods; one that does not exist is not found."""
    found = files(ask(file_containing_symbol="advisor.v1.DecisionService.Recommend"))
    assert found[0].name == "advisor/v1/decision_service.proto"
    unknown = ask(file_containing_symbol="advisor.v1.DecisionService.Nothing")
    assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_the_details_of_an_error_can_be_read_by_reflection_alone(ask: Asked, channel) -> None:
    """What a tool shows of a refusal is the message that was sent, not bytes."""
    with pytest.raises(grpc.RpcError) as caught:
        decision_grpc.DecisionServiceStub(channel).Recommend(decision_pb2.RecommendRequest())
    info, bad, request = (read(ask, detail) for detail in rpc_status.from_call(caught.value).details)
    assert info.domain == "advisor.dev"
    assert [each.field for each in bad.field_violations] == ["target"]
    assert request.request_id


@pytest.mark.parametrize("name", ["RetryInfo", "PreconditionFailure", "QuotaFailure", "ResourceInfo", "Help"])
def test_every_detail_of_errors_is_described(ask: Asked, name: str) -> None:
    """Also those that this call does not send; none of them has extensions."""
    symbol = f"google.rpc.{name}"
    described = files(ask(file_containing_symbol=symbol))
    assert {each.name for each in described} == {
        "google/rpc/error_details.proto",
        "google/protobuf/duration.proto",
    }
    extensions = ask(all_extension_numbers_of_type=symbol).all_extension_numbers_response
    assert (extensions.base_type_name, list(extensions.extension_number)) == (symbol, [])
