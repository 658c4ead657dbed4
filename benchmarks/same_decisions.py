"""Whether two versions decide alike, on use cases drawn at random.

Before a change that should leave every decision as it is:

    python benchmarks/same_decisions.py save before.npz

and after it, with the new code and the new knowledge base:

    python benchmarks/same_decisions.py compare before.npz

The file holds the use cases themselves, so that a change of the priors does not
change what is compared. Four in five are drawn from the priors, one in five
evenly between each fact's bounds; each leaves out a share of its facts. Exit
status 1 where a decision differs, or points by more than 1e-9.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from advisor.decision.advisor import default_advisor
from advisor.decision.scoring import Scores
from advisor.decision.worlds import Worlds
from advisor.knowledge.facts import Rows, facts
from advisor.knowledge.rules import Knowledge

COUNT = 100_000
EVEN = 5
"""One use case in so many is drawn evenly."""
HIGHEST = 1e12
"""Upper end of the even draws, where a fact may be larger still."""
TOLERANCE = 1e-9
DECISIONS = ("order", "approach", "feasible")


def main(command: str, path: Path) -> int:
    """Save decisions, or compare them; return the exit status."""
    advisor = default_advisor()
    if command == "save":
        rows = draw(advisor.knowledge)
        save(path, rows, advisor.scorer.score(rows))
        print(f"saved what is decided about {len(rows):,} use cases in {path}")
        return 0
    with np.load(path) as before:
        return report(dict(before), advisor.scorer.score(before["rows"]))


def draw(knowledge: Knowledge) -> Rows:
    """Return use cases, shape (COUNT, facts), NaN where unknown."""
    generator = np.random.default_rng(0)
    rows = Worlds(knowledge, COUNT, seed=1).fill(np.full(len(facts()), np.nan))
    low = np.array([item.minimum for item in facts()])
    high = np.minimum([item.maximum for item in facts()], HIGHEST)
    even = low + generator.random(rows.shape) * (high - low)
    whole = np.array([item.kind in ("flag", "choice", "count") for item in facts()])
    rows[::EVEN] = np.where(whole, np.rint(even), even)[::EVEN]
    known = generator.random(rows.shape) < generator.random((COUNT, 1))
    return np.where(known, rows, np.nan)


def save(path: Path, rows: Rows, scores: Scores) -> None:
    """Write use cases and what was decided about them."""
    decisions = {name: getattr(scores, name) for name in ("points", *DECISIONS)}
    np.savez(path, rows=rows, **decisions)


def report(before: dict[str, np.ndarray], scores: Scores) -> int:
    """Print how many use cases differ in what; return the exit status."""
    count = len(before["rows"])
    differing = {
        name: int((before[name] != getattr(scores, name)).reshape(-1, count).any(axis=0).sum())
        for name in DECISIONS
    }
    for name, number in differing.items():
        print(f"{name}: differs in {number:,} of {count:,} use cases")
    apart = float(np.abs(before["points"] - scores.points).max())
    print(f"points: at most {apart:.1e} apart, {TOLERANCE:g} allowed")
    return int(any(differing.values()) or not apart <= TOLERANCE)  # not a number is no match either


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("save", "compare"):
        sys.exit("usage: python benchmarks/same_decisions.py (save | compare) FILE")
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
