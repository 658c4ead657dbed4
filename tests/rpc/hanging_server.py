"""A server process whose imports hang at one point; run by `test_killed.py`.

Arguments: address of the database, data folder, the point, the file that is made when it is reached, and the file that
takes the server's address: what is printed, logs may break.
"""

from __future__ import annotations

import faulthandler
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from advisor.decision.advisor import Advisor
from advisor.knowledge.rulefile import load_rules
from advisor.storage import imports
from backends.retrieval.index import Publication
from tests.servers import fake_parts, serve_until_killed

START_S = 100.0
MARK = "hang"
"""Passages and sources that hold it make an import hang."""


def hang(reached: Path) -> None:
    """Tell that the point is reached, and never go on."""
    reached.touch()
    threading.Event().wait()


def after(function: Callable[..., Any], reached: Path) -> Callable[..., Any]:
    """Return a function that hangs at its end, where its arguments hold the mark."""

    def hanging(self: Any, *given: Any) -> Any:
        result = function(self, *given)
        if MARK in repr(given) or MARK in repr(getattr(self, "_changed", "")):
            hang(reached)
        return result

    return hanging


def main(url: str, data_dir: str, point: str, file: str, told: str) -> None:
    """Serve until killed."""
    owner, name = {
        "a document was staged": (imports.DocumentImport, "add"),
        "passages were written": (Publication, "add"),
        "all but the commit is done": (imports.DocumentImport, "_publish"),
    }[point]
    setattr(owner, name, after(getattr(owner, name), Path(file)))
    faulthandler.dump_traceback_later(START_S, exit=True)  # it tells where it hangs, rather than for ever
    advisor = Advisor(load_rules(Path(__file__).with_name("rules.yaml")))
    with fake_parts(url, Path(data_dir), advisor) as parts:
        serve_until_killed(parts, Path(told), serving=faulthandler.cancel_dump_traceback_later)


if __name__ == "__main__":
    main(*sys.argv[1:])
