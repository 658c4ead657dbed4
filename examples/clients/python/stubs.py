"""One walk through the API with generated stubs: python stubs.py [ADDRESS] [FOLDER OF THE PROTOS]."""

import hashlib
import sys
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from advisor.v1 import decision_service_pb2 as decision
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import execution_service_pb2 as execution
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import facts_pb2, recommendation_pb2, use_case_pb2
from advisor.v1 import use_case_service_pb2 as use_cases
from advisor.v1 import use_case_service_pb2_grpc as use_cases_grpc

EXAMPLES = [
    use_case_pb2.Example(question="The capital of France?", answer="Paris"),
    use_case_pb2.Example(question="The capital of Italy?", answer="Rome"),
]


def request_about(**facts):
    """Return a request for a recommendation by these facts alone."""
    about = use_case_pb2.UseCase(facts=facts_pb2.Facts(**facts))
    return decision.RecommendRequest(inline_use_case=about)


def messages(use_case, examples):
    """Yield an import: a header, the content, then the commit, without which nothing is kept."""
    digest = hashlib.sha256()
    for each in examples:
        digest.update(f"{each.question}\0{each.answer}\0{each.context}\0".encode())
    yield use_cases.ImportExamplesRequest(header={"use_case": use_case})
    yield use_cases.ImportExamplesRequest(batch={"examples": examples})
    yield use_cases.ImportExamplesRequest(commit={"count": len(examples), "sha256": digest.hexdigest()})


def show_error(error):
    """Print what failed: every error carries one ErrorInfo, and for bad input a BadRequest."""
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in rpc_status.from_call(error).details:
        detail.Unpack(info) or detail.Unpack(bad)
    print(error.code().name, info.reason)
    for each in bad.field_violations:
        print(f"  {each.field}: {each.description}")


def main(address="localhost:50051", protos="protos"):
    """Recommend, read an error, create a use case, import examples, stream an answer."""
    # Calls that fail with UNAVAILABLE are sent again, by the policy in the bundle.
    policy = ("grpc.service_config", Path(protos, "service_config.json").read_text())
    with grpc.insecure_channel(address, [policy]) as channel:
        decisions = decision_grpc.DecisionServiceStub(channel)
        known = request_about(update_interval={"seconds": 7 * 86400}, needs_citations=True)
        # Without a timeout a call waits as long as the server does.
        print(decisions.Recommend(known, timeout=10).recommendation.summary)
        try:
            decisions.Recommend(request_about(retrieval_hit_rate=80), timeout=10)
        except grpc.RpcError as error:
            show_error(error)

        stored = use_cases_grpc.UseCaseServiceStub(channel)
        request = use_cases.CreateUseCaseRequest(use_case={"description": "Answer in one word."})
        name = stored.CreateUseCase(request, timeout=10).name
        response = stored.ImportExamples(messages(name, EXAMPLES), timeout=60)
        print(f"imported {response.imported} examples into {name}")

        question = execution.AnswerRequest(
            use_case=name, question="The capital of Spain?", approach=recommendation_pb2.APPROACH_PROMPTING
        )
        for event in execution_grpc.ExecutionServiceStub(channel).Answer(question, timeout=120):
            print(event.token.text, end="", flush=True)
        print(f"\n{event.summary.output_tokens} tokens")
        stored.DeleteUseCase(use_cases.DeleteUseCaseRequest(name=name), timeout=10)


if __name__ == "__main__":
    main(*sys.argv[1:])
