"""A client in Python: typed calls, answers by iteration, long work as futures.

    with Client("localhost:50051") as client:
        print(client.recommend({"update_interval": "7d", "needs_citations": True}).summary)
        client.create_use_case("faq", facts={"update_interval": "7d"}, exist_ok=True)
        client.import_documents("faq", Path("docs").glob("*.md"))
        print(client.answer("faq", "How do I reset it?").text)

Calls return the messages of `advisor.v1`. What fails raises the errors of
`advisor.errors`, as the server raised them, or `CallFailed` where none of them
fits. UNAVAILABLE is tried again by gRPC, as `advisor/data/service_config.json`
says; every change carries a `request_id`, so trying again never does it twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc

from advisor.client import targets
from advisor.client.calls import AnswerEvent, AnswerStream, import_result, translated
from advisor.client.channel import open_channel
from advisor.client.learning import LearningCalls
from advisor.client.operations import OperationFuture
from advisor.client.targets import FactsLike, facts_of, name_of, view_of
from advisor.client.trials import TrialCalls
from advisor.client.uploads import DocumentUpload, example_messages, example_of, import_header
from advisor.errors import AlreadyExists
from advisor.knowledge.approaches import Approach
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import progress_pb2, recommendation_pb2, use_case_pb2
from advisor.v1 import server_service_pb2 as server_pb2
from advisor.v1 import server_service_pb2_grpc as server_grpc
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from advisor.v1 import use_case_service_pb2_grpc as use_cases_grpc
from advisor.wire.recommendation import approach_to_proto
from advisor.wire.status import CallFailed
from backends.base import Example, Exchange

__all__ = ["AnswerEvent", "AnswerStream", "CallFailed", "Client", "OperationFuture"]


class Client:
    """A connection to one server; safe to use from several threads.

    Use cases are named by id or resource name: `faq` or `useCases/faq`. `trials` and `learning` have more calls.

    Args:
        target: Address of the server.
        timeout_s: Longest a short call may take; answers and imports have no limit of their own.
        credentials: For TLS; plain text where None.
        token: Sent as a bearer token with every call.
    """

    def __init__(
        self,
        target: str = "localhost:50051",
        *,
        timeout_s: float = 30.0,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
    ) -> None:
        self._channel = open_channel(target, credentials)
        self._metadata = [("authorization", f"Bearer {token}")] if token else []
        self._timeout_s = timeout_s
        self._target = target
        self._decisions: Any = decision_grpc.DecisionServiceStub(self._channel)
        self._use_cases: Any = use_cases_grpc.UseCaseServiceStub(self._channel)
        self._execution: Any = execution_grpc.ExecutionServiceStub(self._channel)
        self._server: Any = server_grpc.ServerServiceStub(self._channel)
        self._operations: Any = operations_pb2_grpc.OperationsStub(self._channel)
        self.trials = TrialCalls(self._channel, self._call, self._pages, self._future)
        self.learning = LearningCalls(self._channel, self._call, self._pages)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls that go on end with CANCELLED."""
        self._channel.close()

    def server_info(self) -> server_pb2.ServerInfo:
        """Return the server's versions, models and limits, and whom it takes the caller for."""
        return self._call(self._server.GetServerInfo, server_pb2.GetServerInfoRequest())  # type: ignore[no-any-return]

    def recommend(
        self, use_case: FactsLike | str, *, basic: bool = False
    ) -> recommendation_pb2.Recommendation:
        """Recommend an approach for facts, or for a stored use case.

        Raises:
            InvalidInput: Facts that are not allowed, all of them at once.
            NotFound: There is no such use case.
        """
        request = decision_pb2.RecommendRequest(**targets.target_of(use_case), view=view_of(basic=basic))
        response: decision_pb2.RecommendResponse = self._call(self._decisions.Recommend, request)
        return response.recommendation

    def recommend_many(
        self, use_cases: Iterable[FactsLike | str], *, basic: bool = True
    ) -> list[decision_pb2.BatchRecommendResult]:
        """Recommend an approach for each of at most 1,000 use cases, in order."""
        requests = [
            decision_pb2.RecommendRequest(**targets.target_of(each), view=view_of(basic=basic))
            for each in use_cases
        ]
        batch = decision_pb2.BatchRecommendRequest(requests=requests)
        response: decision_pb2.BatchRecommendResponse = self._call(self._decisions.BatchRecommend, batch)
        return list(response.results)

    def rules(self) -> Iterator[decision_pb2.Rule]:
        """Yield the knowledge base, in the order of its file."""
        return self._pages(self._decisions.ListRules, decision_pb2.ListRulesRequest(), "rules")

    def create_use_case(
        self,
        use_case_id: str = "",
        *,
        description: str = "",
        facts: FactsLike | None = None,
        origins: Sequence[str] = (),
        exist_ok: bool = False,
    ) -> use_case_pb2.UseCase:
        """Store a use case; the server chooses an id where none is given.

        Args:
            use_case_id: Last part of its name.
            description: What it is.
            facts: What is known about it.
            origins: Where it is kept in step from, see `UseCase.origins`.
            exist_ok: Whether one that is there takes the description and the facts that are given here; its
                documents, examples and adapters stay.

        Raises:
            AlreadyExists: The id is taken.
            InvalidInput: The id, the description or facts are not allowed.
        """
        stated = use_case_pb2.UseCase(description=description, facts=facts_of(facts or {}), origins=origins)
        request = use_cases_pb2.CreateUseCaseRequest(
            use_case=stated, use_case_id=use_case_id, request_id=str(uuid.uuid4())
        )
        try:
            created: use_case_pb2.UseCase = self._call(self._use_cases.CreateUseCase, request)
        except AlreadyExists:
            if not exist_ok:
                raise
            return self.update_use_case(
                use_case_id,
                description=description or None,
                facts=stated.facts,
                replace_facts=facts is not None,
            )
        return created

    def get_use_case(self, use_case: str) -> use_case_pb2.UseCase:
        """Return a use case; NotFound where there is none."""
        request = use_cases_pb2.GetUseCaseRequest(name=name_of(use_case))
        return self._call(self._use_cases.GetUseCase, request)  # type: ignore[no-any-return]

    def use_cases(self) -> Iterator[use_case_pb2.UseCase]:
        """Yield all use cases, by name."""
        return self._pages(self._use_cases.ListUseCases, use_cases_pb2.ListUseCasesRequest(), "use_cases")

    def update_use_case(
        self,
        use_case: str,
        *,
        description: str | None = None,
        facts: FactsLike | None = None,
        replace_facts: bool = False,
        origins: Sequence[str] | None = None,
        etag: str = "",
    ) -> use_case_pb2.UseCase:
        """Change what is given: the description, and each fact named; other facts stay, unless all are replaced.

        With the `etag` of the use case as it was read, Conflict where it has changed since.
        """
        changed = use_case_pb2.UseCase(
            name=name_of(use_case),
            description=description or "",
            facts=facts_of(facts or {}),
            origins=origins or (),
            etag=etag,
        )
        request = use_cases_pb2.UpdateUseCaseRequest(use_case=changed)
        named = [f"facts.{field.name}" for field, _ in changed.facts.ListFields()]
        request.update_mask.paths.extend(["facts"] if replace_facts else named)
        if description is not None:
            request.update_mask.paths.append("description")
        if origins is not None:
            request.update_mask.paths.append("origins")
        return self._call(self._use_cases.UpdateUseCase, request)  # type: ignore[no-any-return]

    def delete_use_case(self, use_case: str, *, etag: str = "") -> None:
        """Delete a use case with all that hangs off it; Conflict where it is not that of its `etag` any more."""
        request = use_cases_pb2.DeleteUseCaseRequest(name=name_of(use_case), etag=etag)
        self._call(self._use_cases.DeleteUseCase, request)

    def documents(self, use_case: str) -> Iterator[use_cases_pb2.DocumentSummary]:
        """Yield the documents of a use case, by source, without their content."""
        request = use_cases_pb2.ListDocumentsRequest(parent=name_of(use_case), page_size=1000)
        return self._pages(self._use_cases.ListDocuments, request, "documents")

    def get_document(self, name: str) -> use_case_pb2.Document:
        """Return a document with its content, by its resource name."""
        request = use_cases_pb2.GetDocumentRequest(name=name)
        return self._call(self._use_cases.GetDocument, request)  # type: ignore[no-any-return]

    def delete_document(self, name: str) -> None:
        """Delete a document with its passages, by its resource name."""
        self._call(self._use_cases.DeleteDocument, use_cases_pb2.DeleteDocumentRequest(name=name))

    def examples(self, use_case: str) -> Iterator[use_case_pb2.Example]:
        """Yield the examples of a use case, in the order they came."""
        request = use_cases_pb2.ListExamplesRequest(parent=name_of(use_case), page_size=1000)
        return self._pages(self._use_cases.ListExamples, request, "examples")

    def get_example(self, name: str) -> use_case_pb2.Example:
        """Return an example by its resource name."""
        request = use_cases_pb2.GetExampleRequest(name=name)
        return self._call(self._use_cases.GetExample, request)  # type: ignore[no-any-return]

    def delete_example(self, name: str) -> None:
        """Delete an example by its resource name."""
        self._call(self._use_cases.DeleteExample, use_cases_pb2.DeleteExampleRequest(name=name))

    def import_documents(
        self,
        use_case: str,
        documents: Iterable[Path | str | use_case_pb2.Document],
        *,
        root: Path | None = None,
        mirror: bool = False,
        strict: bool = False,
        report: Callable[[progress_pb2.Progress], None] | None = None,
    ) -> use_cases_pb2.ImportDocumentsResult:
        """Import documents, given whole or as paths of files; all that can be read or, on an error, none.

        Args:
            use_case: The use case.
            documents: What to import; files are read as they are sent, and a .zip stands for the documents in it.
            root: Folder from which the sources of files are told; as the paths are given where None.
            mirror: Whether documents that are there and are not sent are deleted.
            strict: Whether a document that cannot be read is an error; else the result tells of it.
            report: Takes how far it is, while documents are made searchable.

        Raises:
            InvalidInput: None are given, as by a pattern that matches no file, without `mirror`; or one is at fault.
            Conflict: Another import into the use case is under way.
            DocumentError: An archive is none, or is not safe to unpack.
            OSError: A file cannot be read.
        """
        header = import_header(name_of(use_case), mirror=mirror, strict=strict)
        upload = DocumentUpload(header, documents, root)
        with translated(self._target), upload.telling():
            call = self._use_cases.ImportDocuments(upload.messages(), metadata=self._metadata)
            return import_result(call, report)

    def import_examples(
        self,
        use_case: str,
        examples: Iterable[Example | use_case_pb2.Example | Mapping[str, str]],
        *,
        mirror: bool = False,
    ) -> use_cases_pb2.ImportExamplesResponse:
        """Import examples: `question`, `answer` and, where known, `context`; all of them or none.

        With `mirror`, examples that are there and are not sent are deleted.
        """
        given = [example_of(each) for each in examples]
        response: use_cases_pb2.ImportExamplesResponse = self._call(
            self._use_cases.ImportExamples,
            example_messages(import_header(name_of(use_case), mirror=mirror), given),
            timeout_s=None,
        )
        return response

    def answer(
        self,
        use_case: FactsLike | str,
        question: str,
        *,
        approach: str | None = None,
        adapter: str = "",
        history: Iterable[Exchange | execution_pb2.Exchange | Mapping[str, str]] = (),
        output_schema: str | Mapping[str, Any] | None = None,
        unsupported: str | None = None,
        timeout_s: float | None = None,
        **options: Any,
    ) -> AnswerStream:
        """Answer a question, as a stream of events.

        Args:
            use_case: A stored use case, or facts alone, for which only PROMPTING can answer.
            question: The question.
            approach: Such as `RAG`; the recommended one where None.
            adapter: Resource name of the adapter; the newest where empty.
            history: What was asked and answered before, oldest first: `question` and `answer` of each.
            output_schema: A JSON schema that the answer, a JSON value, follows; as JSON or as what that holds.
            unsupported: What becomes of sentences that the passages do not support: `FLAG`, the default, or
                `LEAVE_OUT`.
            timeout_s: Longest that the whole answer may take.
            **options: Fields of `GenerationOptions`, such as `max_output_tokens=64`, `labels=["yes"]`, `filter`.
        """
        request = execution_pb2.AnswerRequest(
            **targets.target_of(use_case),
            question=question,
            approach=approach_to_proto(Approach(approach)) if approach else None,
            adapter=adapter,
            options=targets.options_of(output_schema, unsupported, options),
            history=map(targets.exchange_of, history),
        )
        call = self._execution.Answer(request, timeout=timeout_s, metadata=self._metadata)
        return AnswerStream(call, self._target)

    def search(self, use_case: str, question: str, **options: Any) -> Sequence[execution_pb2.Reference]:
        """Return the passages of a stored use case that fit a question best, best first.

        Args:
            use_case: The use case.
            question: The question.
            **options: `limit`, and `filter`, such as `source = "a/*" AND media_type = text/html`.
        """
        request = execution_pb2.SearchRequest(use_case=name_of(use_case), question=question, **options)
        return self._call(self._execution.Search, request).references  # type: ignore[no-any-return]

    def tune(
        self, use_case: str, *, approach: str = "FINE_TUNING", adapter_id: str = "", **settings: Any
    ) -> OperationFuture[use_case_pb2.Adapter]:
        """Start to train an adapter on the examples of a use case.

        Args:
            use_case: The use case.
            approach: `FINE_TUNING` or `HYBRID`.
            adapter_id: Last part of the adapter's name; chosen by the server where empty.
            **settings: Fields of `TuningSettings`, such as `epochs=2`.

        Raises:
            AlreadyExists: There is such an adapter, or `operation` of the error is making it.
            FailedPrecondition: There are no examples, or tuning is out of the question.
        """
        request = targets.tune_request(use_case, approach, adapter_id, settings)
        return self._future(self._call(self._execution.Tune, request))

    def reindex(self) -> OperationFuture[execution_pb2.ReindexResponse]:
        """Start to make all passages anew by the server's embedder; AlreadyExists where it is at it."""
        request = execution_pb2.ReindexRequest(request_id=str(uuid.uuid4()))
        return self._future(self._call(self._execution.Reindex, request))

    def operation(self, name: str) -> OperationFuture[Any]:
        """Return long work that was started before, by its resource name."""
        request = operations_pb2.GetOperationRequest(name=name)
        return self._future(self._call(self._operations.GetOperation, request))

    def operations(self, filter: str = "") -> Iterator[OperationFuture[Any]]:  # noqa: A002 - as in the API
        """Yield long work, newest first: all, or what a filter lets through, such as `done = false`."""
        request = operations_pb2.ListOperationsRequest(name="operations", filter=filter)
        for operation in self._pages(self._operations.ListOperations, request, "operations"):
            yield self._future(operation)

    def get_adapter(self, name: str) -> use_case_pb2.Adapter:
        """Return an adapter by its resource name."""
        request = execution_pb2.GetAdapterRequest(name=name)
        return self._call(self._execution.GetAdapter, request)  # type: ignore[no-any-return]

    def adapters(self, use_case: str) -> Iterator[use_case_pb2.Adapter]:
        """Yield the adapters of a use case, newest first."""
        request = execution_pb2.ListAdaptersRequest(parent=name_of(use_case))
        return self._pages(self._execution.ListAdapters, request, "adapters")

    def delete_adapter(self, name: str) -> None:
        """Delete an adapter by its resource name."""
        self._call(self._execution.DeleteAdapter, execution_pb2.DeleteAdapterRequest(name=name))

    def _future(self, operation: operations_pb2.Operation) -> OperationFuture[Any]:
        return OperationFuture(self._operations, operation, self._metadata, self._target)

    def _call(self, method: Callable[..., Any], request: Any, *, timeout_s: float | None = -1) -> Any:
        timeout = self._timeout_s if timeout_s == -1 else timeout_s
        with translated(self._target):
            return method(request, timeout=timeout, metadata=self._metadata)

    def _pages(self, method: Callable[..., Any], request: Any, field: str) -> Iterator[Any]:
        while True:
            response = self._call(method, request)
            yield from getattr(response, field)
            if not response.next_page_token:
                return
            request.page_token = response.next_page_token
