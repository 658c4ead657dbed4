"""Answers, tuning and adapters over the wire."""

from __future__ import annotations

import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from google.protobuf import duration_pb2
from structlog.testing import capture_logs

from advisor.storage import adapters, leases, records
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import facts_pb2, recommendation_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as service_pb2
from advisor.v1 import use_case_service_pb2_grpc as service_grpc
from tests.doubles import saved_adapter

PROMPTING = recommendation_pb2.APPROACH_PROMPTING
RAG = recommendation_pb2.APPROACH_RAG
FINE_TUNING = recommendation_pb2.APPROACH_FINE_TUNING
HYBRID = recommendation_pb2.APPROACH_HYBRID
DAILY = facts_pb2.Facts(update_interval=duration_pb2.Duration(seconds=86400))


@pytest.fixture
def stub(channel: grpc.Channel) -> execution_grpc.ExecutionServiceStub:
    return execution_grpc.ExecutionServiceStub(channel)


@pytest.fixture
def operations(channel: grpc.Channel) -> operations_pb2_grpc.OperationsStub:
    return operations_pb2_grpc.OperationsStub(channel)


def inline(
    question: str, facts: facts_pb2.Facts | None = None, **fields: object
) -> execution_pb2.AnswerRequest:
    use_case = use_case_pb2.UseCase(facts=facts)
    return execution_pb2.AnswerRequest(inline_use_case=use_case, question=question, **fields)


def store(channel: grpc.Channel, facts: facts_pb2.Facts | None = None) -> None:
    """Store a use case `faq`."""
    request = service_pb2.CreateUseCaseRequest(use_case=use_case_pb2.UseCase(facts=facts), use_case_id="faq")
    service_grpc.UseCaseServiceStub(channel).CreateUseCase(request)


def give_examples(server, number: int) -> None:
    """Give the use case `faq` examples, as an import would."""
    with server.database.transaction() as connection:
        connection.execute("UPDATE use_cases SET example_count = %s WHERE id = 'faq'", [number])


def make_adapter(server, adapter_id: str, approach: str) -> None:
    """Give the use case `faq` an adapter's row, without its folder."""
    with server.database.transaction() as connection:
        adapters.insert(
            connection,
            records.Adapter(
                use_case_id="faq",
                id=adapter_id,
                approach=approach,
                base_model="echo",
                data_sha256="0" * 64,
                settings={"epochs": 2},
                metrics={"steps": 7, "held_out_loss": None},
                folder=f"adapters/faq/{adapter_id}",
                create_time=datetime.now(UTC),
            ),
        )


def test_answer_streams_events_in_order(stub):
    """First the recommendation, then tokens, last the summary."""
    events = list(stub.Answer(inline("one two three", approach=PROMPTING)))
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds == ["recommendation", "token", "token", "token", "summary"]
    assert "".join(event.token.text for event in events) == "one two three "
    summary = events[-1].summary
    assert (summary.finish_reason, summary.approach) == (
        execution_pb2.AnswerSummary.FINISH_REASON_STOP,
        PROMPTING,
    )
    assert (summary.model, summary.output_tokens) == ("echo", 3)
    assert 0 < summary.time_to_first_token.ToMicroseconds() <= summary.total_time.ToMicroseconds()
    assert summary.attribution_token == "", "nothing is kept of a use case given inline"


def test_answer_stops_at_the_limit(stub):
    """`max_output_tokens` ends an answer, and the summary says so."""
    options = execution_pb2.GenerationOptions(max_output_tokens=2)
    events = list(stub.Answer(inline("one two three", approach=PROMPTING, options=options)))
    assert events[-1].summary.finish_reason == execution_pb2.AnswerSummary.FINISH_REASON_LENGTH


def test_cancelling_stops_the_model(stub, server):
    """When the client goes away, the generating thread stops."""
    call = stub.Answer(inline("forever", approach=PROMPTING))
    assert next(call).WhichOneof("event") == "recommendation"
    assert next(call).token.text
    call.cancel()
    assert server.generator.stopped.wait(5)


def test_deadline_stops_the_model(stub, server, failure):
    """A deadline ends the call and the work."""
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.Answer(inline("forever", approach=PROMPTING), timeout=0.5))
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert server.generator.stopped.wait(5)


def test_internal_errors_tell_nothing(stub, failure):
    """An error that nobody foresaw keeps its text to itself; the log finds it by its id."""
    with capture_logs() as logged:
        found = failure(lambda: list(stub.Answer(inline("explode now", approach=PROMPTING))))
    assert (found.code, found.reason) == ("INTERNAL", "INTERNAL")
    assert "secret" not in found.message
    assert logged[0]["error_id"] == found.metadata["error_id"]


def test_answer_reports_all_faults(stub, failure):
    """Question, approach, options and target are checked in one go."""
    options = execution_pb2.GenerationOptions(max_output_tokens=0, temperature=3, passages=21)
    request = execution_pb2.AnswerRequest(
        question=" ", approach=recommendation_pb2.APPROACH_UNDECIDED, options=options, adapter="x"
    )
    assert set(failure(lambda: list(stub.Answer(request))).fields) == {
        "target",
        "question",
        "approach",
        "adapter",
        "options.max_output_tokens",
        "options.temperature",
        "options.passages",
    }


def test_long_questions_are_refused(stub, failure):
    """A question above the limit is refused before anything is done."""
    found = failure(lambda: list(stub.Answer(inline("x" * 8001))))
    assert found.fields == ("question",)
    assert "8,000" in found.message


def test_history_is_shown_to_the_model(stub, server):
    """Earlier questions and answers stand before the question, in their order."""
    history = [execution_pb2.Exchange(question=f"q{n}", answer=f"a{n}") for n in range(2)]
    list(stub.Answer(inline("one", approach=PROMPTING, history=history)))
    chat, _ = server.generator.asked[-1]
    assert [message.content for message in chat[1:]] == ["q0", "a0", "q1", "a1", "one"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"labels": ["Zahlung fällig", "Pay"]}, "Zahlung fällig"),
        ({"output_schema": '{"enum": [{"a": 1}]}'}, '{"a": 1}'),
        ({"output_schema": '{"type": "string"}'}, '"one "'),
    ],
)
def test_an_answer_in_a_form(stub, options, expected):
    """The tokens are exactly that, and the answer is whole."""
    request = inline("one", approach=PROMPTING, options=execution_pb2.GenerationOptions(**options))
    events = list(stub.Answer(request))
    assert "".join(event.token.text for event in events) == expected
    assert events[-1].summary.finish_reason == execution_pb2.AnswerSummary.FINISH_REASON_STOP


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"labels": ["a", ""]}, "options.labels[1]", "is empty"),
        ({"labels": ["a" * 201]}, "options.labels[0]", "201 characters; at most 200"),
        ({"labels": ["a", "b", "a"]}, "options.labels[2]", "'a' is there before; give it once"),
        ({"labels": [" a"]}, "options.labels[0]", "white space; leave that out"),
        ({"labels": ["a\nb"]}, "options.labels[0]", "control character"),
        ({"labels": map(str, range(1001))}, "options.labels", "1,001 entries; at most 1,000"),
        ({"labels": ["a"], "output_schema": "{}"}, "options.output_schema", "cannot go with labels"),
        ({"unsupported": 9}, "options.unsupported", "is 9; give UNSUPPORTED_FLAG or UNSUPPORTED_LEAVE_OUT"),
        ({"output_schema": ""}, "options.output_schema", "is not JSON"),
        ({"output_schema": "[]"}, "options.output_schema", "is no JSON object"),
        ({"output_schema": "[" * 40_000}, "options.output_schema", "nested too deeply"),
        ({"output_schema": f'{{"const": "{"x" * 65_536}"}}'}, "options.output_schema", "at most 65,536"),
        ({"output_schema": '{"type": "nothing"}'}, "options.output_schema", "cannot be followed"),
        ({"output_schema": '{"not": {}}'}, "options.output_schema", 'Unimplemented keys: ["not"]'),
        ({"output_schema": '{"$ref": "#"}'}, "options.output_schema", "no JSON value that follows it"),
    ],
)
def test_forms_that_are_refused(stub, failure, options, field, says):
    """Before anything is streamed, with what is allowed."""
    request = inline("one", options=execution_pb2.GenerationOptions(**options))
    found = failure(lambda: list(stub.Answer(request)))
    assert (found.code, found.fields) == ("INVALID_ARGUMENT", (field,))
    assert says in found.message


@pytest.mark.parametrize(
    ("exchanges", "fields", "says"),
    [
        ([("q", "a")] * 51, ("history",), "51 exchanges; at most 50"),
        ([("q", "a"), (" ", "")], ("history[1].question", "history[1].answer"), "leave the exchange out"),
        ([("q", "a" * 64_000)], ("history",), "64,001 characters; at most 64,000"),
    ],
)
def test_histories_that_are_refused(stub, failure, exchanges, fields, says):
    """What is too long or empty is refused, with what to leave out."""
    history = [execution_pb2.Exchange(question=question, answer=answer) for question, answer in exchanges]
    found = failure(lambda: list(stub.Answer(inline("one", history=history))))
    assert found.fields == fields
    assert says in found.message


def test_undecided_answers_and_says_so(stub):
    """Without facts nothing is decided: what can be done is done, with the questions worth answering."""
    *_, last = stub.Answer(inline("one"))
    (note,) = last.summary.notes
    assert "does not decide" in note
    assert "update_interval" in note


@pytest.mark.parametrize(
    ("facts", "approach", "reason", "says"),
    [
        (facts_pb2.Facts(can_train=False), FINE_TUNING, "APPROACH_VETOED", "nothing to train on"),
        (None, FINE_TUNING, "NO_ADAPTER", "Tune"),
        (None, HYBRID, "NO_DOCUMENTS", "ImportDocuments"),
        (None, RAG, "NO_DOCUMENTS", "ImportDocuments"),
        (DAILY, recommendation_pb2.APPROACH_UNSPECIFIED, "NO_DOCUMENTS", "RAG"),
    ],
)
def test_preconditions(stub, channel, failure, facts, approach, reason, says):
    """What an approach lacks is named, with the next step."""
    store(channel, facts)
    request = execution_pb2.AnswerRequest(use_case="useCases/faq", question="one", approach=approach)
    found = failure(lambda: list(stub.Answer(request)))
    assert (found.code, found.reason) == ("FAILED_PRECONDITION", reason)
    assert says in found.message


def test_inline_use_cases_only_prompt(stub, failure):
    """An inline use case has nothing to retrieve from."""
    found = failure(lambda: list(stub.Answer(inline("one", approach=RAG))))
    assert found.reason == "NOT_STORED"


def test_asked_for_beats_recommended(stub):
    """An approach that is not vetoed runs even where another is recommended."""
    events = list(stub.Answer(inline("one", DAILY, approach=PROMPTING)))
    assert events[0].recommendation.approach == RAG
    assert events[-1].summary.approach == PROMPTING


def test_stored_data_completes_the_facts(stub, channel, server):
    """Examples imported count as labelled examples, and the answer says so."""
    store(channel, facts_pb2.Facts(output_form=facts_pb2.OUTPUT_FORM_LABEL))
    give_examples(server, 64)
    request = execution_pb2.AnswerRequest(use_case="useCases/faq", question="one", approach=PROMPTING)
    recommendation = next(iter(stub.Answer(request))).recommendation
    assert recommendation.approach == FINE_TUNING
    assert "labelled_examples 64" in recommendation.summary


def test_adapter_of_another_use_case(stub, channel, failure):
    """An adapter must belong to the use case."""
    store(channel)
    request = execution_pb2.AnswerRequest(
        use_case="useCases/faq", question="one", adapter="useCases/other/adapters/a"
    )
    assert failure(lambda: list(stub.Answer(request))).fields == ("adapter",)


def test_adapter_of_another_approach(stub, channel, server, failure):
    """An adapter trained for one approach does not serve another."""
    store(channel)
    make_adapter(server, "a", "HYBRID")
    request = execution_pb2.AnswerRequest(
        use_case="useCases/faq", question="one", approach=FINE_TUNING, adapter="useCases/faq/adapters/a"
    )
    assert "trained for HYBRID" in failure(lambda: list(stub.Answer(request))).message


def spoil_base_model(folder: Path) -> None:
    saved_adapter(folder, base_model="other@1")


def spoil_weights(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"damaged")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_base_model, "adapts other@1, not echo"),
        (spoil_weights, "the manifest says"),
        (shutil.rmtree, "cannot be read"),
    ],
)
@pytest.mark.parametrize("answered_before", [False, True])
def test_an_adapter_that_does_not_fit(stub, channel, server, failure, spoil, says, answered_before):
    """It is refused before anything is streamed, also where it was whole when it was opened."""
    store(channel)
    make_adapter(server, "a", "FINE_TUNING")
    folder = saved_adapter(server.settings.data_dir / "adapters/faq/a")
    request = execution_pb2.AnswerRequest(use_case="useCases/faq", question="one", approach=FINE_TUNING)
    if answered_before:
        assert list(stub.Answer(request))[-1].summary.adapter == "useCases/faq/adapters/a"
    spoil(folder)
    events = []
    found = failure(lambda: events.extend(stub.Answer(request)))
    assert (found.code, found.reason) == ("FAILED_PRECONDITION", "MODEL")
    assert says in found.message
    assert events == []


def test_what_does_not_fit_is_said(stub, channel, server):
    """Documents too large for the model are left out, and the summary says so with the way round."""
    store(channel)
    with server.database.transaction() as connection:
        connection.execute(
            "INSERT INTO documents (use_case_id, source, media_type, content, size_bytes, sha256)"
            " VALUES ('faq', 'a.txt', 'text/plain', 'x', 900000, '')"
        )
        connection.execute("UPDATE use_cases SET document_count = 1 WHERE id = 'faq'")
    request = execution_pb2.AnswerRequest(use_case="useCases/faq", question="one", approach=PROMPTING)
    (note,) = list(stub.Answer(request))[-1].summary.notes
    assert note == (
        "the documents (1 with 900,000 bytes) do not fit the model's 4,096 tokens: "
        "answered without them; RAG searches them"
    )


def test_tune_queues_an_operation(stub, channel, server, operations):
    """Tuning is long work: an operation with its metadata, found again by name."""
    store(channel)
    give_examples(server, 64)
    started = stub.Tune(execution_pb2.TuneRequest(parent="useCases/faq", adapter_id="a"))
    assert not started.done
    found = operations.GetOperation(operations_pb2.GetOperationRequest(name=started.name))
    metadata = execution_pb2.TuneMetadata()
    assert found.metadata.Unpack(metadata)
    assert metadata.stage == execution_pb2.TuneMetadata.STAGE_QUEUED
    assert metadata.adapter == "useCases/faq/adapters/a"


def test_tune_is_repeatable(stub, channel, server, failure):
    """The same request id gives the same operation, and another request under it is refused."""
    store(channel)
    give_examples(server, 64)
    request = execution_pb2.TuneRequest(parent="useCases/faq", request_id=str(uuid.uuid4()))
    first = stub.Tune(request)
    assert stub.Tune(request).name == first.name
    request.settings.epochs = 7
    assert failure(lambda: stub.Tune(request)).reason == "REQUEST_ID_REUSED"


def test_tuning_that_is_only_looked_at_does_not_begin(stub, channel, server, operations, failure):
    """It is refused as it would be, or returned as it would be, but for a name."""
    store(channel)
    request = execution_pb2.TuneRequest(parent="useCases/faq", adapter_id="a", validate_only=True)
    assert failure(lambda: stub.Tune(request)).code == "FAILED_PRECONDITION"
    give_examples(server, 64)
    looked_at = stub.Tune(request)
    metadata = execution_pb2.TuneMetadata()
    assert looked_at.metadata.Unpack(metadata)
    assert (looked_at.name, metadata.adapter) == ("", "useCases/faq/adapters/a")
    assert not operations.ListOperations(operations_pb2.ListOperationsRequest()).operations


def test_tune_reports_all_faults(stub, failure):
    """Names, approach and settings are checked in one go."""
    settings = use_case_pb2.TuningSettings(epochs=0, learning_rate=float("nan"), held_out_share=0.9)
    request = execution_pb2.TuneRequest(parent="faq", approach=RAG, adapter_id="-", settings=settings)
    assert set(failure(lambda: stub.Tune(request)).fields) == {
        "parent",
        "approach",
        "adapter_id",
        "settings.epochs",
        "settings.learning_rate",
        "settings.held_out_share",
    }


@pytest.mark.parametrize(
    ("facts", "number", "approach", "reason"),
    [
        (None, 0, FINE_TUNING, "TOO_FEW_EXAMPLES"),
        (None, 5, FINE_TUNING, "TOO_FEW_EXAMPLES"),
        (facts_pb2.Facts(can_train=False), 64, FINE_TUNING, "APPROACH_VETOED"),
        (None, 64, HYBRID, "NO_DOCUMENTS"),
    ],
)
def test_tuning_preconditions(stub, channel, server, failure, facts, number, approach, reason):
    """What tuning lacks is named before anything is queued."""
    store(channel, facts)
    give_examples(server, number)
    request = execution_pb2.TuneRequest(parent="useCases/faq", approach=approach)
    assert failure(lambda: stub.Tune(request)).reason == reason


@pytest.mark.parametrize(("share", "number", "needed"), [(0.1, 0, 10), (0.5, 12, 16)])
def test_the_number_of_examples_needed_is_told_with_those_held_out(
    stub, channel, server, failure, share, number, needed
):
    """It is never fewer than the rules ask for, and with so many training begins."""
    store(channel)
    give_examples(server, number)
    settings = use_case_pb2.TuningSettings(held_out_share=share)
    request = execution_pb2.TuneRequest(parent="useCases/faq", approach=FINE_TUNING, settings=settings)
    assert (
        f"training needs {needed}, those held out among them" in failure(lambda: stub.Tune(request)).message
    )
    give_examples(server, needed)
    assert stub.Tune(request).name.startswith("operations/")


def test_taken_adapter(stub, channel, server, failure):
    """An adapter that exists is not trained again under its name."""
    store(channel)
    give_examples(server, 64)
    make_adapter(server, "a", "FINE_TUNING")
    request = execution_pb2.TuneRequest(parent="useCases/faq", adapter_id="a")
    assert failure(lambda: stub.Tune(request)).code == "ALREADY_EXISTS"


def test_the_queue_is_bounded(stub, channel, server, failure):
    """A full queue refuses further work."""
    store(channel)
    give_examples(server, 64)
    for _ in range(server.settings.queued_operations):
        stub.Tune(execution_pb2.TuneRequest(parent="useCases/faq"))
    found = failure(lambda: stub.Tune(execution_pb2.TuneRequest(parent="useCases/faq")))
    assert (found.code, found.reason) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")


def test_adapters(stub, channel, server, failure):
    """Adapters are read, listed newest first, and deleted."""
    store(channel)
    make_adapter(server, "a", "FINE_TUNING")
    make_adapter(server, "b", "HYBRID")
    name = "useCases/faq/adapters/a"
    found = stub.GetAdapter(execution_pb2.GetAdapterRequest(name=name))
    assert (found.approach, found.settings.epochs, found.metrics.steps) == (FINE_TUNING, 2, 7)
    listed = stub.ListAdapters(execution_pb2.ListAdaptersRequest(parent="useCases/faq")).adapters
    assert [each.name[-1] for each in listed] == ["b", "a"]
    stub.DeleteAdapter(execution_pb2.DeleteAdapterRequest(name=name))
    assert failure(lambda: stub.GetAdapter(execution_pb2.GetAdapterRequest(name=name))).code == "NOT_FOUND"


def test_operation_that_succeeded_has_its_adapter(stub, channel, server, operations):
    """The response of a finished operation is the adapter, and waiting for it returns at once."""
    store(channel)
    give_examples(server, 64)
    started = stub.Tune(execution_pb2.TuneRequest(parent="useCases/faq", adapter_id="a"))
    claimed = leases.claim(server.database, "w", ["TUNE"])
    make_adapter(server, "a", "FINE_TUNING")
    with server.database.transaction() as connection:
        leases.succeed(connection, leases.Lease(claimed.id, "w", claimed.attempt), {})
    timeout = duration_pb2.Duration(seconds=30)
    ended = operations.WaitOperation(
        operations_pb2.WaitOperationRequest(name=started.name, timeout=timeout), timeout=10
    )
    adapter = use_case_pb2.Adapter()
    assert ended.done
    assert ended.response.Unpack(adapter)
    assert adapter.name == "useCases/faq/adapters/a"


def test_cancelled_operation(stub, channel, server, operations, failure):
    """A cancelled operation ends with CANCELLED, and can then be deleted."""
    store(channel)
    give_examples(server, 64)
    name = stub.Tune(execution_pb2.TuneRequest(parent="useCases/faq")).name
    delete = operations_pb2.DeleteOperationRequest(name=name)
    assert failure(lambda: operations.DeleteOperation(delete)).reason == "OPERATION_RUNNING"
    operations.CancelOperation(operations_pb2.CancelOperationRequest(name=name))
    ended = operations.GetOperation(operations_pb2.GetOperationRequest(name=name))
    assert (ended.done, ended.error.code) == (True, grpc.StatusCode.CANCELLED.value[0])
    operations.DeleteOperation(delete)
    assert not operations.ListOperations(operations_pb2.ListOperationsRequest()).operations


def test_waiting_returns_when_the_time_is_up(stub, channel, server, operations):
    """WaitOperation returns an operation that goes on as it is."""
    store(channel)
    give_examples(server, 64)
    name = stub.Tune(execution_pb2.TuneRequest(parent="useCases/faq")).name
    timeout = duration_pb2.Duration(nanos=1)
    assert not operations.WaitOperation(operations_pb2.WaitOperationRequest(name=name, timeout=timeout)).done


def test_the_name_of_an_adapter_deleted_since(stub, channel, server, operations):
    """The response of an operation that succeeded outlives what it made."""
    store(channel)
    give_examples(server, 64)
    started = stub.Tune(execution_pb2.TuneRequest(parent="useCases/faq", adapter_id="a"))
    claimed = leases.claim(server.database, "w", ["TUNE"])
    with server.database.transaction() as connection:
        leases.succeed(connection, leases.Lease(claimed.id, "w", claimed.attempt), {"name": claimed.target})
    ended = operations.GetOperation(operations_pb2.GetOperationRequest(name=started.name))
    adapter = use_case_pb2.Adapter()
    assert ended.response.Unpack(adapter)
    assert adapter == use_case_pb2.Adapter(name="useCases/faq/adapters/a")


def test_a_repeated_tune_returns_its_operation_when_the_adapter_is_there(stub, channel, server):
    """The answer to a request does not depend on when its repetition arrives."""
    store(channel)
    give_examples(server, 64)
    request = execution_pb2.TuneRequest(parent="useCases/faq", adapter_id="a", request_id=str(uuid.uuid4()))
    first = stub.Tune(request)
    claimed = leases.claim(server.database, "w", ["TUNE"])
    make_adapter(server, "a", "FINE_TUNING")
    with server.database.transaction() as connection:
        leases.succeed(connection, leases.Lease(claimed.id, "w", claimed.attempt), {"name": claimed.target})
    repeated, adapter = stub.Tune(request), use_case_pb2.Adapter()
    assert repeated.name == first.name
    assert repeated.response.Unpack(adapter)
    assert adapter.metrics.steps == 7


@pytest.mark.parametrize("name", ["", "operations/7", "operations/", "7", f"operations/{uuid.UUID(int=1)}"])
def test_unknown_operations(operations, server, failure, name):
    """Names that are none are refused, and an operation that does not exist is not found."""
    found = failure(lambda: operations.GetOperation(operations_pb2.GetOperationRequest(name=name)))
    assert found.code == ("NOT_FOUND" if "-" in name else "INVALID_ARGUMENT")
