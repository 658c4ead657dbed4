"""What was measured and what became of answers, over the wire."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf import timestamp_pb2

from advisor.execution.attribution import GOOD_FOR, Attribution, token_of
from advisor.storage import outcomes, use_cases
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import facts_pb2, trial_pb2, use_case_pb2
from advisor.v1 import learning_service_pb2 as learning_pb2
from advisor.v1 import learning_service_pb2_grpc as learning_grpc
from advisor.v1 import recommendation_pb2 as rec_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from advisor.v1 import use_case_service_pb2_grpc as use_cases_grpc
from tests.learned import keep_case


@pytest.fixture
def stub(channel: grpc.Channel) -> learning_grpc.LearningServiceStub:
    return learning_grpc.LearningServiceStub(channel)


def create(channel, use_case_id: str = "faq") -> None:
    request = use_cases_pb2.CreateUseCaseRequest(use_case=use_case_pb2.UseCase(), use_case_id=use_case_id)
    use_cases_grpc.UseCaseServiceStub(channel).CreateUseCase(request)


@pytest.fixture
def faq(channel) -> None:
    create(channel)


def ask(channel, use_case_id: str = "faq") -> str:
    """Ask a question, and return the token of the answer."""
    request = execution_pb2.AnswerRequest(
        use_case=f"useCases/{use_case_id}", question="a secret question", approach=rec_pb2.APPROACH_PROMPTING
    )
    return list(execution_grpc.ExecutionServiceStub(channel).Answer(request))[-1].summary.attribution_token


def told(token: str, parent: str = "useCases/faq", **given) -> learning_pb2.RecordOutcomeRequest:
    if not {"quality", "right"} & set(given):
        given["right"] = True
    return learning_pb2.RecordOutcomeRequest(parent=parent, attribution_token=token, **given)


def listed(stub, parent: str = "useCases/-", **given):
    request = learning_pb2.ListMeasuredCasesRequest(parent=parent, **given)
    return stub.ListMeasuredCases(request)


def test_an_outcome_is_recorded_by_the_token_of_the_answer(stub, channel, faq, server):
    """It says what it is of; nothing of the question is kept."""
    found = stub.RecordOutcome(told(ask(channel), quality=0.5)).outcome
    assert (found.use_case, found.approach) == ("useCases/faq", rec_pb2.APPROACH_PROMPTING)
    assert (found.quality, found.adapter) == (0.5, "")
    assert found.answer_time.ToDatetime() <= found.outcome_time.ToDatetime()
    with server.database.transaction() as connection:
        (row,) = connection.execute("SELECT outcomes::text, versions FROM outcomes").fetchall()
    assert "secret" not in row[0]
    assert row[1]["model"] == "echo"


def test_a_second_outcome_of_an_answer_replaces_the_first(stub, channel, faq):
    """What is known later is known better: one answer counts once."""
    token = ask(channel)
    stub.RecordOutcome(told(token, right=True))
    stub.RecordOutcome(told(token, right=False))
    (case,) = listed(stub).measured_cases
    assert [(each.score.value, each.score.count) for each in case.results] == [(0.0, 1)]


def test_a_repeated_request_changes_nothing(stub, channel, faq, failure):
    """Also where another one came between; its id serves no other request."""
    token, request_id = ask(channel), str(uuid.uuid4())
    first = told(token, quality=0.1, request_id=request_id)
    stub.RecordOutcome(first)
    stub.RecordOutcome(told(token, quality=0.9))
    assert stub.RecordOutcome(first).outcome.quality == 0.9
    other = told(token, quality=0.2, request_id=request_id)
    assert failure(lambda: stub.RecordOutcome(other)).reason == "REQUEST_ID_REUSED"


def test_all_faults_of_an_outcome_are_told(stub, failure):
    """Names, numbers, times and ids are checked in one go."""
    ahead = timestamp_pb2.Timestamp(seconds=int(datetime.now(UTC).timestamp()) + 3600)
    request = told("x", parent="faq", quality=1.5, outcome_time=ahead, request_id="-")
    found = failure(lambda: stub.RecordOutcome(request))
    assert set(found.fields) == {"parent", "quality", "outcome_time", "request_id"}
    missing = learning_pb2.RecordOutcomeRequest(parent="useCases/faq")
    assert failure(lambda: stub.RecordOutcome(missing)).fields == ("outcome",)


def altered(token: str) -> dict[str, str]:
    payload, mac = token.split(".")
    middle = len(payload) // 2
    other = "A" if payload[middle] != "A" else "B"
    return {
        "nothing": "",
        "no token": "nonsense",
        "another payload": f"{payload[:middle]}{other}{payload[middle + 1 :]}.{mac}",
        "no signature": f"{payload}.",
        "a shorter signature": f"{payload}.{mac[:4]}",
        "padded": f"{payload}.{mac}==",
        "not ASCII": f"{payload}.{mac}é",
        "long": "a" * 5_000 + "." + mac,
    }


def test_forged_tokens_are_refused(stub, channel, faq, failure, server):
    """Whatever was changed of it, and a token that another database signed."""
    token = ask(channel)
    forged = altered(token)
    use_case = use_cases.get(server.database, "faq")
    now = datetime.now(UTC)
    own = Attribution("faq", use_case.create_time, "RAG", None, now, {}, uuid.uuid4())
    forged["another key"] = token_of(own, b"0" * 32)
    for what, each in forged.items():
        found = failure(lambda each=each: stub.RecordOutcome(told(each)))
        assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("attribution_token",)), what
    assert listed(stub).measured_cases == []


def test_the_token_of_another_use_case_is_refused(stub, channel, faq, failure):
    """Who may tell of one use case may not tell of another."""
    create(channel, "other")
    found = failure(lambda: stub.RecordOutcome(told(ask(channel), parent="useCases/other")))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", ("attribution_token",))
    assert "another use case" in found.message


def signed(server, **changed) -> str:
    """Return a token that is as old, or of as old a use case, as is told."""
    use_case = use_cases.get(server.database, "faq")
    values = {
        "use_case_id": "faq",
        "use_case_time": use_case.create_time,
        "approach": "RAG",
        "adapter_id": None,
        "answer_time": datetime.now(UTC),
        "versions": {},
        "answer_id": uuid.uuid4(),
    }
    return token_of(Attribution(**values | changed), outcomes.signing_key(server.database))


@pytest.mark.parametrize(
    ("age", "reason"), [(GOOD_FOR + timedelta(hours=1), "TOKEN_EXPIRED"), (GOOD_FOR - timedelta(hours=1), "")]
)
def test_a_token_is_good_for_a_while(stub, server, faq, failure, age, reason):
    """The limit, and both sides of it."""
    request = told(signed(server, answer_time=datetime.now(UTC) - age))
    if reason:
        found = failure(lambda: stub.RecordOutcome(request))
        assert (found.code, found.reason) == ("FAILED_PRECONDITION", reason)
        assert "for 90 days" in found.message
    else:
        assert stub.RecordOutcome(request).outcome.approach == rec_pb2.APPROACH_RAG


def test_a_token_ends_with_its_use_case(stub, channel, server, faq, failure):
    """Also where another use case takes its name; what was recorded is gone with it."""
    token = ask(channel)
    stub.RecordOutcome(told(token))
    service = use_cases_grpc.UseCaseServiceStub(channel)
    service.DeleteUseCase(use_cases_pb2.DeleteUseCaseRequest(name="useCases/faq"))
    assert failure(lambda: stub.RecordOutcome(told(token))).code == "NOT_FOUND"
    create(channel)
    assert failure(lambda: stub.RecordOutcome(told(token))).reason == "USE_CASE_REPLACED"
    assert listed(stub).measured_cases == []


def test_an_outcome_is_known_after_the_answer(stub, channel, faq, failure):
    """A time before it is a mistake."""
    early = timestamp_pb2.Timestamp()
    early.FromDatetime(datetime.now(UTC) - timedelta(hours=1))
    found = failure(lambda: stub.RecordOutcome(told(ask(channel), outcome_time=early)))
    assert found.fields == ("outcome_time",)


def test_what_was_measured_is_listed(stub, channel, server, faq):
    """Of a trial facts, scores and versions; of outcomes how many, and how good, by approach."""
    keep_case(server.database)
    for right in (True, True, False):
        stub.RecordOutcome(told(ask(channel), right=right))
    outcome, trial = listed(stub, "useCases/faq").measured_cases
    assert (trial.origin, trial.trial) == (learning_pb2.MeasuredCase.ORIGIN_TRIAL, "useCases/faq/trials/one")
    assert trial.facts.task == facts_pb2.TASK_QUESTION_ANSWERING
    assert trial.measured_facts["closed_book_score"].value == 0.2
    assert [(each.arm, each.score.value) for each in trial.results] == [
        (trial_pb2.ARM_FEW_SHOT, 40),
        (trial_pb2.ARM_RAG, 60),
    ]
    assert trial.versions == {"model": "echo"}
    assert (outcome.origin, outcome.trial) == (learning_pb2.MeasuredCase.ORIGIN_OUTCOMES, "")
    (result,) = outcome.results
    assert (result.approach, result.score.count) == (rec_pb2.APPROACH_PROMPTING, 3)
    assert result.score.value == pytest.approx(200 / 3)
    assert 0 < result.score.low < result.score.value < result.score.high < 100


def test_cases_come_in_pages(stub, channel, server, faq):
    """Of all use cases, or of one."""
    create(channel, "other")
    for use_case_id, trial_id in (("faq", "one"), ("faq", "two"), ("other", "one")):
        keep_case(server.database, use_case_id, trial_id)
    stub.RecordOutcome(told(ask(channel)))
    names, token = [], ""
    while True:
        page = listed(stub, page_size=2, page_token=token)
        names += [each.trial or each.use_case for each in page.measured_cases]
        if not (token := page.next_page_token):
            break
    assert names == [
        "useCases/faq",
        "useCases/faq/trials/one",
        "useCases/faq/trials/two",
        "useCases/other/trials/one",
    ]
    assert len(listed(stub, "useCases/other").measured_cases) == 1


def test_a_use_case_that_is_not_there_is_told(stub, server, failure):
    """A name that is none, and one that nothing has."""
    assert failure(lambda: listed(stub, "faq")).fields == ("parent",)
    assert failure(lambda: listed(stub, "useCases/none")).code == "NOT_FOUND"


def test_without_trials_the_record_is_empty(stub, server):
    """Nothing is divided by nothing."""
    record = stub.GetTrackRecord(learning_pb2.GetTrackRecordRequest())
    assert record == learning_pb2.TrackRecord()


def test_advice_is_held_against_trials(stub, server, faq):
    """How often it agreed, what it lost, and how often what was told came true."""
    keep_case(server.database)
    record = stub.GetTrackRecord(learning_pb2.GetTrackRecordRequest())
    assert (record.trials, record.decided, record.agreed, record.near) == (1, 1, 1, 1)
    assert record.regret.value == 0
    (entry,) = record.entries
    assert (entry.advice, entry.probability) == (rec_pb2.APPROACH_RAG, 0.7)
    assert list(entry.best) == [rec_pb2.APPROACH_RAG]
    assert [each.observed for each in record.calibration] == [0, 1]
