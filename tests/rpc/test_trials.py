"""Trials over the wire: begun, read, listed, deleted; the arms are run by a worker, which these tests do not have."""

from __future__ import annotations

import uuid

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import duration_pb2

from advisor.storage import leases, trials
from advisor.trials.arms import Arm
from advisor.trials.codec import arm_to_json
from advisor.trials.conditions import Conditions
from advisor.trials.results import ArmResult, ArmState, Figure, Prediction
from advisor.v1 import trial_pb2, use_case_pb2
from advisor.v1 import trial_service_pb2 as service_pb2
from advisor.v1 import trial_service_pb2_grpc as service_grpc
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from advisor.v1 import use_case_service_pb2_grpc as use_cases_grpc

NAME = "useCases/faq/trials/one"
CONDITIONS = Conditions(
    form="LABEL",
    metric="accuracy",
    labels=("a", "b"),
    max_output_tokens=16,
    guessed=0.5,
    seed=0,
    groups=40,
    facts={},
    vetoes={},
    prediction=Prediction("RAG", {"RAG": 0.7}, {"RAG": 3.0}),
    model="echo",
    embedder="words",
    arms=(Arm.ZERO_SHOT, Arm.FEW_SHOT),
)
DONE = ArmResult(Arm.ZERO_SHOT, ArmState.DONE, quality=Figure(0.5, 0.4, 0.6, 20), total_s=(0.1, 0.2))


@pytest.fixture
def stub(channel: grpc.Channel) -> service_grpc.TrialServiceStub:
    return service_grpc.TrialServiceStub(channel)


@pytest.fixture
def faq(channel, server):
    """Store a use case `faq` that says it has 64 examples."""
    request = use_cases_pb2.CreateUseCaseRequest(use_case=use_case_pb2.UseCase(), use_case_id="faq")
    use_cases_grpc.UseCaseServiceStub(channel).CreateUseCase(request)
    with server.database.transaction() as connection:
        connection.execute("UPDATE use_cases SET example_count = 64 WHERE id = 'faq'")


def begin(stub, server) -> str:
    """Begin a trial, and have a worker get as far as its first arm; return its operation's name."""
    started = stub.RunTrial(service_pb2.RunTrialRequest(parent="useCases/faq", trial_id="one"))
    claimed = leases.claim(server.database, "w", ["TRIAL"])
    with server.database.transaction() as connection:
        trials.begin(connection, ("faq", "one"), claimed.id, CONDITIONS.to_json(), held_out=[], training=[])
        trials.add_arm(connection, ("faq", "one"), arm_to_json(DONE))
    return started.name


def test_a_trial_is_queued(stub, channel, faq):
    """It is long work with its metadata."""
    started = stub.RunTrial(service_pb2.RunTrialRequest(parent="useCases/faq", trial_id="one"))
    metadata = service_pb2.TrialMetadata()
    assert started.metadata.Unpack(metadata)
    assert (metadata.trial, metadata.stage) == (NAME, service_pb2.TrialMetadata.STAGE_QUEUED)


def test_a_trial_is_begun_once(stub, faq, failure):
    """The same request id gives the same operation, and another request under it is refused."""
    request = service_pb2.RunTrialRequest(parent="useCases/faq", request_id=str(uuid.uuid4()))
    first = stub.RunTrial(request)
    assert stub.RunTrial(request).name == first.name
    request.settings.seed = 7
    assert failure(lambda: stub.RunTrial(request)).reason == "REQUEST_ID_REUSED"


def test_a_trial_that_is_only_looked_at_does_not_begin(stub, server, faq, failure):
    """It has no name, and what stands in the way of it is told."""
    request = service_pb2.RunTrialRequest(parent="useCases/faq", trial_id="one", validate_only=True)
    assert stub.RunTrial(request).name == ""
    begin(stub, server)
    assert failure(lambda: stub.RunTrial(request)).code == "ALREADY_EXISTS"


def test_a_trial_in_the_making_names_its_operation(stub, server, faq, failure):
    """So that whoever begins it again can wait for it: also once it has begun, and no more once it has ended."""
    name = begin(stub, server)
    again = service_pb2.RunTrialRequest(parent="useCases/faq", trial_id="one")
    found = failure(lambda: stub.RunTrial(again))
    assert (found.code, found.metadata["operation"]) == ("ALREADY_EXISTS", name)
    with server.database.transaction() as connection:
        connection.execute("UPDATE operations SET state = 'FAILED'")
    assert "operation" not in failure(lambda: stub.RunTrial(again)).metadata


def test_all_faults_are_told(stub, failure):
    """Names and settings are checked in one go."""
    settings = trial_pb2.TrialSettings(
        arms=[trial_pb2.ARM_UNSPECIFIED, 99],
        held_out=5,
        metric="beauty",
        max_duration=duration_pb2.Duration(seconds=1),
        tuning=use_case_pb2.TuningSettings(epochs=0),
        output_schema="[]",
    )
    request = service_pb2.RunTrialRequest(parent="faq", trial_id="-", settings=settings)
    assert set(failure(lambda: stub.RunTrial(request)).fields) == {
        "parent",
        "trial_id",
        "settings.arms[0]",
        "settings.arms[1]",
        "settings.held_out",
        "settings.metric",
        "settings.max_duration",
        "settings.output_schema",
        "settings.tuning.epochs",
    }


def test_a_schema_that_nothing_can_follow_is_refused(stub, channel, faq, failure):
    """Before anything is queued."""
    settings = trial_pb2.TrialSettings(output_schema='{"type": "object", "unevaluatedProperties": false}')
    request = service_pb2.RunTrialRequest(parent="useCases/faq", settings=settings)
    found = failure(lambda: stub.RunTrial(request))
    assert list(found.fields) == ["settings.output_schema"]
    assert "cannot be followed" in found.message
    queued = operations_pb2_grpc.OperationsStub(channel).ListOperations(
        operations_pb2.ListOperationsRequest()
    )
    assert not queued.operations


def test_too_few_examples_are_told_before_anything_is_queued(stub, channel, server, faq, failure):
    """So many are needed, and nothing waits."""
    with server.database.transaction() as connection:
        connection.execute("UPDATE use_cases SET example_count = 27 WHERE id = 'faq'")
    found = failure(lambda: stub.RunTrial(service_pb2.RunTrialRequest(parent="useCases/faq")))
    assert (found.code, found.reason) == ("FAILED_PRECONDITION", "TOO_FEW_EXAMPLES")
    assert "has 27 examples, and a trial needs at least 28" in found.message


def test_a_trial_under_way_shows_what_there_is(stub, server, faq):
    """The arms that have ended, what was predicted, no verdict."""
    begin(stub, server)
    trial = stub.GetTrial(service_pb2.GetTrialRequest(name=NAME))
    assert (trial.state, trial.metric) == (trial_pb2.Trial.STATE_RUNNING, "accuracy")
    assert [(each.arm, each.quality.value) for each in trial.arms] == [(trial_pb2.ARM_ZERO_SHOT, 0.5)]
    assert trial.prediction.probabilities == {"RAG": 0.7}
    assert not trial.HasField("verdict")


def test_a_cancelled_trial_keeps_its_arms(stub, channel, server, faq):
    """What was done stays to be read, also as a report, and after its operation is forgotten."""
    name = begin(stub, server)
    with server.database.transaction() as connection:
        connection.execute("UPDATE operations SET state = 'CANCELLED'")
    operations = operations_pb2_grpc.OperationsStub(channel)
    operations.DeleteOperation(operations_pb2.DeleteOperationRequest(name=name))
    (listed,) = stub.ListTrials(service_pb2.ListTrialsRequest(parent="useCases/faq")).trials
    assert (listed.state, len(listed.arms)) == (trial_pb2.Trial.STATE_CANCELLED, 1)
    assert stub.GetTrial(service_pb2.GetTrialRequest(name=NAME)).verdict.headline
    report = stub.GetTrialReport(service_pb2.GetTrialReportRequest(name=NAME))
    assert report.media_type == "text/html; charset=utf-8"
    assert b"not run" in report.content


def test_a_trial_is_deleted_when_it_has_ended(stub, server, faq, failure):
    """One that runs is refused, with what to do."""
    begin(stub, server)
    request = service_pb2.DeleteTrialRequest(name=NAME)
    assert failure(lambda: stub.DeleteTrial(request)).reason == "OPERATION_RUNNING"
    with server.database.transaction() as connection:
        connection.execute("UPDATE operations SET state = 'FAILED'")
    stub.DeleteTrial(request)
    assert failure(lambda: stub.GetTrial(service_pb2.GetTrialRequest(name=NAME))).code == "NOT_FOUND"
    assert stub.ListTrials(service_pb2.ListTrialsRequest(parent="useCases/faq")).trials == []


@pytest.mark.parametrize("call", ["GetTrial", "DeleteTrial", "GetTrialReport"])
def test_a_name_is_checked(stub, failure, call):
    """A name that is none is told, with its form."""
    request = getattr(service_pb2, f"{call}Request")(name="trials/one")
    found = failure(lambda: getattr(stub, call)(request))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("name",))
    assert "useCases/ID/trials/ID" in found.message
