"""How much of gRPC's own throughput is left with a decision in the call.

Two servers in processes of their own serve `Recommend`: ours, and one whose
handler returns a prepared response of the same kind. One client process sends
the same requests to both by turns, so that what else the machine does weighs on
both alike; of the rounds, the median counts, and the smallest and the largest
ratio say how much it weighed. Ours is measured once its models are loaded, which
would compete with the calls.

    python -m benchmarks.rpc_throughput [--seconds 20] [--concurrency 32]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from advisor.decision.advisor import default_advisor
from advisor.decision.recommendation import BASIC
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import facts_pb2, use_case_pb2
from advisor.wire.recommendation import recommendation_to_proto

ROUNDS = 10
EXECUTION = "advisor.v1.ExecutionService"
LOADING_S = 300.0


def requests() -> list[decision_pb2.RecommendRequest]:
    """Return requests that differ in their facts."""
    made = []
    for days, share, examples in itertools.product((1, 7, 30, 365), (0.1, 0.5, 0.9), (0, 100, 1000)):
        facts = facts_pb2.Facts(
            new_knowledge_share=share,
            labelled_examples=examples,
            needs_citations=days < 30,
            output_form=facts_pb2.OUTPUT_FORM_LABEL,
            queries_per_month=10_000 * days,
            can_train=True,
        )
        facts.update_interval.seconds = 86400 * days
        use_case = use_case_pb2.UseCase(facts=facts)
        made.append(decision_pb2.RecommendRequest(inline_use_case=use_case, view="RECOMMENDATION_VIEW_BASIC"))
    return made


class Empty(decision_grpc.DecisionServiceServicer):
    """Returns prepared responses."""

    def __init__(self) -> None:
        advisor = default_advisor()
        found = advisor.recommend(requests()[0].inline_use_case.facts, BASIC)
        self._response = decision_pb2.RecommendResponse(recommendation=recommendation_to_proto(found))

    async def Recommend(  # noqa: N802
        self, _request: decision_pb2.RecommendRequest, _context: object
    ) -> decision_pb2.RecommendResponse:
        """Return what was prepared."""
        return self._response


def serve_empty(port: Connection) -> None:
    """Serve the empty handler until killed."""

    async def run() -> None:
        server = grpc.aio.server()
        decision_grpc.add_DecisionServiceServicer_to_server(Empty(), server)
        port.send(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        await server.wait_for_termination()

    asyncio.run(run())


def serve_whole(port: Connection) -> None:
    """Serve the whole server, without training processes."""
    from advisor.rpc.server import serve
    from advisor.settings import read_settings

    with tempfile.TemporaryDirectory(prefix="advisor-benchmark-") as folder:
        Path(folder).chmod(0o755)
        serve(read_settings(port=0, data_dir=folder, workers=0), ready=port.send)


async def models_loaded(port: int) -> None:
    """Return when a whole server has all that it needs, its models too."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch
        async for response in watch(health_pb2.HealthCheckRequest(service=EXECUTION), timeout=LOADING_S):
            if response.status == health_pb2.HealthCheckResponse.SERVING:
                return


async def load(port: int, seconds: float, concurrency: int) -> float:
    """Return calls per second."""
    made = requests()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = decision_grpc.DecisionServiceStub(channel)
        end = time.perf_counter() + seconds
        began = time.perf_counter()

        async def calls(offset: int) -> int:
            number = 0
            while time.perf_counter() < end:
                response = await stub.Recommend(made[(offset + number) % len(made)])
                assert len(response.recommendation.scores) == 4
                number += 1
            return number

        total = sum(await asyncio.gather(*(calls(each) for each in range(concurrency))))
        return total / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each server, in all")
    parser.add_argument("--concurrency", type=int, default=32)
    arguments = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    ports, processes = [], []
    for target in (serve_empty, serve_whole):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=target, args=(theirs,))
        process.start()
        processes.append(process)
        ports.append(ours.recv())
    try:
        asyncio.run(models_loaded(ports[1]))
        for port in ports:
            asyncio.run(load(port, 1.0, arguments.concurrency))
        rates: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            slice_s = arguments.seconds / ROUNDS
            empty, whole = (asyncio.run(load(port, slice_s, arguments.concurrency)) for port in ports)
            rates.append((empty, whole))
    finally:
        for process in processes:
            process.terminate()
            process.join(20)
    empty, whole = (statistics.median(column) for column in zip(*rates, strict=True))
    ratios = sorted(whole / empty for empty, whole in rates)
    print(f"empty handler  {empty:8,.0f} calls/s")
    print(f"Recommend      {whole:8,.0f} calls/s")
    print(f"ratio          {statistics.median(ratios):8.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f}")


if __name__ == "__main__":
    main()
