"""Many calls at once with generated stubs and asyncio: python stubs_aio.py [ADDRESS]."""

import asyncio
import sys

import grpc

from advisor.v1 import decision_service_pb2 as decision
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import execution_service_pb2 as execution
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import facts_pb2, use_case_pb2


async def main(address="localhost:50051"):
    """Compare three recommendations, then stream an answer."""
    async with grpc.aio.insecure_channel(address) as channel:
        decisions = decision_grpc.DecisionServiceStub(channel)
        days = (1, 30, 365)
        cases = [use_case_pb2.UseCase(facts={"update_interval": {"seconds": day * 86400}}) for day in days]
        calls = [
            decisions.Recommend(decision.RecommendRequest(inline_use_case=each), timeout=10) for each in cases
        ]
        for day, response in zip(days, await asyncio.gather(*calls), strict=True):
            print(f"{day} days: {response.recommendation.summary}")

        question = execution.AnswerRequest(
            inline_use_case=use_case_pb2.UseCase(
                facts=facts_pb2.Facts(task=facts_pb2.TASK_QUESTION_ANSWERING)
            ),
            question="Name a colour.",
            approach="APPROACH_PROMPTING",
            options={"max_output_tokens": 16},
        )
        async for event in execution_grpc.ExecutionServiceStub(channel).Answer(question, timeout=120):
            print(event.token.text, end="", flush=True)
        print()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
