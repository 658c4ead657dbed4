"""What goes wrong only after many times: streams that are cut, one after another.

`ADVISOR_SOAK_STREAMS` sets how many are; the more the slower.
"""

from __future__ import annotations

import os
import random
import re
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import recommendation_pb2, use_case_pb2
from tests.rpc.server_process import ServerProcess, server_process

STREAMS = int(os.environ.get("ADVISOR_SOAK_STREAMS") or 400)
AT_ONCE = 16
MEMORY_GROWTH_KB = 16 * 1024
"""Growth that is no leak: pools of memory and of threads fill by and by, whatever the number of streams."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how a process is")


@pytest.fixture
def served(empty_database_url: str, tmp_path: Path, until: Callable[..., None]) -> Iterator[ServerProcess]:
    """Yield a server in a process of its own."""
    with server_process(empty_database_url, tmp_path / "data", until) as served:
        yield served


def asked() -> execution_pb2.AnswerRequest:
    return execution_pb2.AnswerRequest(
        inline_use_case=use_case_pb2.UseCase(),
        question="forever",
        approach=recommendation_pb2.APPROACH_PROMPTING,
    )


def cut(address: str, shared: grpc.Channel, number: int) -> None:
    """Begin a stream that has no end, and cut it: by a cancellation, a deadline, or the end of the connection."""
    chance = random.Random(number)
    way = number % 8
    if way == 0:
        with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            next(execution_grpc.ExecutionServiceStub(channel).Answer(asked()))
        return
    timeout = chance.uniform(0.02, 0.2) if way == 1 else 60
    call = execution_grpc.ExecutionServiceStub(shared).Answer(asked(), timeout=timeout)
    try:
        for place, _ in enumerate(call):
            if way != 1 and place >= chance.randrange(8):
                call.cancel()
    except grpc.RpcError as error:
        assert error.code() in (  # noqa: PT017 - which one says how it was cut
            grpc.StatusCode.CANCELLED,
            grpc.StatusCode.DEADLINE_EXCEEDED,
            grpc.StatusCode.UNAVAILABLE,
        )


def told(served: ServerProcess, name: str) -> float:
    """Return the sum of a metric, over all labels that the pattern lets through."""
    with urllib.request.urlopen(f"http://127.0.0.1:{served.metrics_port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(name, line))


@pytest.mark.timeout(3600)
def test_streams_that_are_cut_leave_nothing_behind(served: ServerProcess, until: Callable[..., None]) -> None:
    """Neither memory, threads, files, places nor calls, however they are cut."""

    def quiet() -> bool:
        """Return whether all that was cut has ended."""
        running = told(served, r'advisor_lane\{lane="answers",state="(running|waiting)"\}')
        return running == 0 and told(served, "advisor_calls_under_way") == 0

    def used() -> tuple[int, int, int]:
        until(quiet)
        return served.status("VmRSS"), served.status("Threads"), served.open_files

    with grpc.insecure_channel(served.address) as shared, ThreadPoolExecutor(AT_ONCE) as callers:
        for number in callers.map(lambda number: cut(served.address, shared, number), range(STREAMS // 2)):
            assert number is None
        before = used()
        for number in callers.map(lambda number: cut(served.address, shared, number), range(STREAMS)):
            assert number is None
        after = used()
    sys.stdout.write(f"{STREAMS} streams: memory in kB, threads, files: {before}, then {after}\n")
    assert told(served, r'advisor_errors_total\{.*reason="INTERNAL"') == 0
    assert after[0] < before[0] + MEMORY_GROWTH_KB
    assert after[1] <= before[1] + AT_ONCE
    assert after[2] <= before[2] + AT_ONCE
    cancelled = told(
        served, r'advisor_calls_total\{code="CANCELLED",method="advisor.v1.ExecutionService/Answer"\}'
    )
    assert cancelled >= STREAMS
