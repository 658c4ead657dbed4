"""Profiles over the wire: begun, and read after a first look; a worker measures the rest, which these tests lack."""

from __future__ import annotations

import uuid

import grpc
import pytest

from advisor.client import Client
from advisor.storage import leases
from advisor.v1 import profile_pb2
from advisor.v1 import trial_service_pb2 as service_pb2
from advisor.v1 import trial_service_pb2_grpc as service_grpc

EXAMPLES = [{"question": f"thing {n}", "answer": ("red", "blue")[n % 2]} for n in range(60)]


@pytest.fixture
def stub(channel: grpc.Channel) -> service_grpc.TrialServiceStub:
    return service_grpc.TrialServiceStub(channel)


@pytest.fixture
def client(server):
    with Client(server.address) as client:
        client.create_use_case("faq")
        yield client


def test_a_first_look_is_there_at_once(client):
    """After an import, without a worker; nothing before."""
    assert not client.trials.profile("faq").measurements
    client.import_examples("faq", EXAMPLES)
    found = client.trials.profile("faq")
    told = {each.name: each for each in found.measurements}
    assert told["output_form"].value.string_value == "LABEL"
    assert told["label_count"].value.number_value == 2
    assert told["label_count"].origin == profile_pb2.Measurement.ORIGIN_EXAMPLES
    assert found.HasField("update_time")


def test_a_profile_is_queued_once(client, stub, server):
    """The same request id gives the same operation, and its settings reach the worker."""
    client.import_examples("faq", EXAMPLES)
    request = service_pb2.MeasureProfileRequest(
        parent="useCases/faq",
        settings=service_pb2.ProfileSettings(asked=40, seed=3),
        request_id=str(uuid.uuid4()),
    )
    started = stub.MeasureProfile(request)
    assert stub.MeasureProfile(request).name == started.name
    metadata = service_pb2.ProfileMetadata()
    assert started.metadata.Unpack(metadata)
    assert metadata.profile == "useCases/faq/profile"
    payload = leases.claim(server.database, "w", ["PROFILE"]).payload
    assert (payload["asked"], payload["seed"]) == (40, 3)


def test_faults_are_told(client, stub, failure):
    """Names and settings; a use case without anything; one that is not there."""
    request = service_pb2.MeasureProfileRequest(
        parent="faq", settings=service_pb2.ProfileSettings(asked=7), request_id="x"
    )
    assert set(failure(lambda: stub.MeasureProfile(request)).fields) == {
        "parent",
        "settings.asked",
        "request_id",
    }
    empty = service_pb2.MeasureProfileRequest(parent="useCases/faq")
    assert failure(lambda: stub.MeasureProfile(empty)).reason == "NOTHING_TO_MEASURE"
    for name, code in (("faq", "INVALID_ARGUMENT"), ("useCases/none/profile", "NOT_FOUND")):
        assert failure(lambda: stub.GetProfile(service_pb2.GetProfileRequest(name=name))).code == code  # noqa: B023
