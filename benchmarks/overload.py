"""What is left of a server that is asked for five times as much as it can do.

    python -m benchmarks.overload [--seconds 30] [--times 5] [--tokens 16]

Starts a server with the default model. First it decides alone; then as many
ask for answers as it writes at a time, each the next one as soon as it has one:
the best that it can do. Then five times as many ask, and try again when they
are told to. Goodput is answers that came whole, in a second; beside them runs
one client that wants decisions.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from advisor.client import Client
from advisor.settings import Settings
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import facts_pb2, recommendation_pb2, use_case_pb2
from benchmarks.answer_memory import running
from benchmarks.serving import question

PAUSE_S = 0.05
WARM_UP_S = 5.0


@dataclass
class Seen:
    """What the clients saw of a phase."""

    decisions_s: list[float] = field(default_factory=list)
    answers: int = 0
    ended: Counter[str] = field(default_factory=Counter)


async def decide(channel: grpc.aio.Channel, seen: Seen) -> None:
    """Ask for one decision after another, with pauses, for ever."""
    stub = decision_grpc.DecisionServiceStub(channel)
    facts = facts_pb2.Facts(task=facts_pb2.TASK_CLASSIFICATION, labelled_examples=500)
    request = decision_pb2.RecommendRequest(inline_use_case=use_case_pb2.UseCase(facts=facts))
    while True:
        began = time.perf_counter()
        await stub.Recommend(request)
        seen.decisions_s.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE_S)


async def ask(channel: grpc.aio.Channel, place: int, tokens: int, seen: Seen) -> None:
    """Ask for one answer after another, for ever; try again when the server says so."""
    stub = execution_grpc.ExecutionServiceStub(channel)
    request = execution_pb2.AnswerRequest(
        inline_use_case=use_case_pb2.UseCase(),
        question=question(place),
        approach=recommendation_pb2.APPROACH_PROMPTING,
        options=execution_pb2.GenerationOptions(max_output_tokens=tokens),
    )
    while True:
        try:
            events = [event.WhichOneof("event") async for event in stub.Answer(request)]
        except grpc.aio.AioRpcError as error:
            seen.ended[error.code().name] += 1
            await asyncio.sleep(_pause_s(error) * random.uniform(0.75, 1.25))
        else:
            assert events[-1] == "summary"
            seen.ended["OK"] += 1
            seen.answers += 1


def _pause_s(error: grpc.aio.AioRpcError) -> float:
    status, told = rpc_status.from_call(error), error_details_pb2.RetryInfo()
    assert status is not None
    assert error.code() is grpc.StatusCode.UNAVAILABLE, error
    assert any(each.Unpack(told) for each in status.details)
    return told.retry_delay.ToMilliseconds() / 1000


async def phase(address: str, askers: int, seconds: float, tokens: int) -> Seen:
    """Return what is seen while so many ask for answers, after a while in which they begin."""
    seen = Seen()
    options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)]
    async with (
        grpc.aio.insecure_channel(address, options) as answers,
        grpc.aio.insecure_channel(address, options) as decisions,
    ):
        tasks = [asyncio.create_task(ask(answers, place, tokens, seen)) for place in range(askers)]
        tasks.append(asyncio.create_task(decide(decisions, seen)))
        await asyncio.sleep(WARM_UP_S)
        seen.decisions_s.clear()
        seen.ended.clear()
        seen.answers = 0
        await asyncio.sleep(seconds)
        found = Seen(list(seen.decisions_s), seen.answers, Counter(seen.ended))
        for task in tasks:
            if task.done():
                task.result()  # raises what it failed by
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return found


def _at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(address: str, places: int, times: int, seconds: float, tokens: int) -> None:
    """Measure and print."""
    rows = {
        "decisions alone": await phase(address, 0, seconds, tokens),
        f"{places} ask": await phase(address, places, seconds, tokens),
        f"{times * places} ask": await phase(address, times * places, seconds, tokens),
    }
    for name, seen in rows.items():
        print(
            f"{name:18} {seen.answers / seconds:6.2f} answers/s  "
            f"decisions p50 {1e3 * statistics.median(seen.decisions_s):6.1f} ms  "
            f"p99 {1e3 * _at(seen.decisions_s, 0.99):6.1f} ms  {dict(seen.ended)}",
            flush=True,
        )
    alone, best, over = rows.values()
    print(f"goodput: {over.answers / best.answers:.2f} of the best")
    for name, seen in (("at capacity", best), ("beyond it", over)):
        ratio = _at(seen.decisions_s, 0.99) / _at(alone.decisions_s, 0.99)
        print(f"decisions' p99 {name}: {ratio:.1f} times that alone")


def main() -> None:
    """Start a server, measure, and stop it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=16)
    arguments = parser.parse_args()
    places = Settings().concurrent_answers
    with running() as (address, _):
        with Client(address) as client:  # the models are there, then
            list(client.answer({}, "What is a test?", approach="PROMPTING", max_output_tokens=4))
        asyncio.run(measure(address, places, arguments.times, arguments.seconds, arguments.tokens))


if __name__ == "__main__":
    main()
