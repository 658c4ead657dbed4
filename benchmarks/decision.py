"""Measure the decision: one recommendation, a million, and the command line.

    python benchmarks/decision.py

Times are the best of several runs, since what else the machine does only adds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from advisor.decision.advisor import default_advisor
from advisor.decision.cost import estimate_cost
from advisor.decision.pricing import monthly_usd
from advisor.decision.recommendation import BASIC, FULL
from advisor.decision.scoring import CHUNK
from advisor.decision.worlds import Worlds
from advisor.knowledge.facts import encode_facts, facts, facts_from_mapping
from advisor.wire.recommendation import recommendation_to_proto

FACTS = {
    "update_interval": "7d",
    "needs_citations": True,
    "new_knowledge_share": 0.6,
    "task": "QUESTION_ANSWERING",
    "labelled_examples": 800,
    "queries_per_month": 20_000,
    "retrieval_hit_rate": 0.7,
    "can_train": True,
}


def best_s(work: Callable[[], object], runs: int) -> float:
    """Return the shortest of several runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print a line for each figure."""
    advisor = default_advisor()
    message = facts_from_mapping(FACTS)
    print(f"recommend, basic view: {best_s(lambda: advisor.recommend(message, BASIC), 2000) * 1e6:.0f} us")
    print(f"recommend, everything: {best_s(lambda: advisor.recommend(message, FULL), 200) * 1e3:.2f} ms")
    whole = best_s(lambda: recommendation_to_proto(advisor.recommend(message)).SerializeToString(), 200)
    print(f"recommend, everything, to the bytes that are sent: {whole * 1e3:.2f} ms")
    row = encode_facts(message)
    print(f"estimate of costs, explained: {best_s(lambda: estimate_cost(row), 2000) * 1e6:.0f} us")
    rows = Worlds(advisor.knowledge, 200_000).fill(np.full(len(facts()), np.nan))
    for count in (1, CHUNK):
        columns = np.ascontiguousarray(rows[:count].T)
        seconds = best_s(lambda columns=columns: monthly_usd(columns), 2000)  # type: ignore[misc]
        print(f"months of {count} use cases, priced: {seconds * 1e6:.0f} us")
    for count in (10_000, 50_000, 200_000):
        seconds = best_s(lambda count=count: advisor.scorer.score(rows[:count]), 3)  # type: ignore[misc]
        print(f"arrays: {count:,} use cases in {seconds:.3f} s, {count / seconds:,.0f} a second")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "use-case.yaml"
        file.write_text("facts: {update_interval: 7d, needs_citations: true}\n")
        command = [sys.executable, "-m", "advisor", "recommend", str(file)]
        seconds = best_s(lambda: subprocess.run(command, check=True, capture_output=True), 5)
        print(f"advisor recommend, the whole process: {seconds:.2f} s")


if __name__ == "__main__":
    main()
