"""Ask one server for many answers at once, and for decisions meanwhile.

    python -m benchmarks.serving [--askers 16]

Starts a server with the default models. Prints how long decisions take while
nothing else happens and while all the answers are streamed, and when the
answers began and ended.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time

from advisor.client import Client
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import facts_pb2
from benchmarks.answer_memory import TOPICS, VERBS, served

FACTS = facts_pb2.Facts(task=facts_pb2.TASK_CLASSIFICATION, labelled_examples=500)
PAUSE_S = 0.05


def decide(client: Client, until: threading.Event) -> list[float]:
    """Return the seconds that each decision takes, one after another with pauses, until told to stop."""
    taken = []
    while not until.wait(PAUSE_S):
        began = time.perf_counter()
        client.recommend(FACTS)
        taken.append(time.perf_counter() - began)
    return taken


def answer(client: Client, question: str) -> tuple[float, float, int]:
    """Return the seconds to the first word and to the end of an answer, and its tokens."""
    began, first = time.perf_counter(), 0.0
    stream = client.answer(FACTS, question, approach="PROMPTING", max_output_tokens=128)
    for event in stream:
        if isinstance(event, execution_pb2.Token) and not first:
            first = time.perf_counter() - began
    assert stream.summary is not None
    return first, time.perf_counter() - began, stream.summary.output_tokens


def show(name: str, seconds: list[float]) -> None:
    """Print how a number of calls went."""
    ordered = sorted(seconds)
    at = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    print(
        f"{name:44} {len(ordered):4}  p50 {1e3 * statistics.median(ordered):7.1f} ms  p95 {1e3 * at:7.1f} ms",
        flush=True,
    )


def measure(client: Client, askers: int) -> None:
    """Ask and print."""
    answer(client, "What is a test?")
    stop = threading.Event()
    threading.Timer(5, stop.set).start()
    show("Decisions alone", decide(client, stop))
    stop.clear()
    found: list[tuple[float, float, int]] = []
    threads = [
        threading.Thread(target=lambda place=place: found.append(answer(client, question(place))))
        for place in range(askers)
    ]
    decisions: list[float] = []
    deciding = threading.Thread(target=lambda: decisions.extend(decide(client, stop)))
    began = time.perf_counter()
    for thread in (deciding, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    stop.set()
    deciding.join()
    show(f"Decisions beside {askers} answers", decisions)
    show("First word of the answers", [first for first, _, _ in found])
    show("End of the answers", [end for _, end, _ in found])
    tokens = sum(each for _, _, each in found)
    print(
        f"{len(found)} answers, {tokens:,} tokens in {seconds:.1f} s: {tokens / seconds:.0f} tokens a second."
    )


def question(place: int) -> str:
    """Return a question for each place."""
    return f"What happens when {TOPICS[place % len(TOPICS)]} {VERBS[place % len(VERBS)]}?"


def main() -> None:
    """Start a server, measure, and stop it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--askers", type=int, default=16)
    arguments = parser.parse_args()
    with served() as (client, _):
        measure(client, arguments.askers)


if __name__ == "__main__":
    main()
