"""Import a folder, import it again unchanged, and again with one file changed.

    python -m benchmarks.reimport [FOLDER]

Without a folder, the manual of Apache is taken, which `benchmarks.retrieval`
fetches. A server with the default models is started, and `advisor import`
is run as a person would run it, on a copy of the folder. Prints the seconds of
each command, the start of Python among them, and whether the change is found
by the next question.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from advisor.cli.connection import own_server
from advisor.client import Client
from advisor.v1 import use_case_pb2
from backends.models.resolve import default_cache
from benchmarks.retrieval.corpora import CORPORA, fetch

APACHE = next(corpus for corpus in CORPORA if corpus.name == "apache")
CACHE = default_cache().parent / "benchmarks"
AGAIN = 5
"""Imports of the unchanged folder, of which the median is told."""
CHANGE = "\n<p>The zebraquagga of this manual is striped.</p>\n"
QUESTION = "What is the zebraquagga?"


def run(*arguments: str) -> float:
    """Run a command line of the program, and return its seconds."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "advisor", *arguments], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    lines = done.stdout.strip().splitlines()
    print(f"{seconds:9.2f} s  {lines[0] if lines else ''}", flush=True)
    return seconds


def measure(folder: Path, address: str) -> None:
    """Import a folder three ways, and print how long each took."""
    command = ("import", str(folder), "--server", address, "--yes")
    print("start of Python and of the program")
    start = run("--version")
    print("first import")
    first = run(*command)
    print("again, unchanged")
    again = statistics.median(run(*command) for _ in range(AGAIN))
    changed = next(
        path for path in sorted(folder.rglob("*")) if path.suffix in (".html", ".md", ".txt", ".rst")
    )
    changed.write_text(changed.read_text(errors="replace") + CHANGE)
    print("again, one file changed")
    run(*command)
    with Client(address) as client:
        name = next(iter(client.use_cases())).name
        found = client.search(name, QUESTION, limit=1)[0].source
    print(f"the next question finds {found}, changed was {changed.relative_to(folder)}")
    print(
        f"unchanged, the import takes 1/{first / again:.0f} of the first; without the start of the program, "
        f"{again - start:.2f} s, 1/{first / max(again - start, 1e-3):.0f}"
    )


def main() -> None:
    """Start a server, measure, and stop it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    given = parser.parse_args().folder
    with tempfile.TemporaryDirectory(prefix="reimport-") as temporary:
        Path(temporary).chmod(0o755)  # the embedded PostgreSQL may run as another user
        folder = Path(temporary) / "documents"
        shutil.copytree(given or fetch(APACHE, CACHE), folder)
        with own_server(data_dir=Path(temporary) / "data") as address:
            with Client(address) as client:  # models are loaded when the first passage is embedded
                client.create_use_case("warm")
                client.import_documents("warm", [use_case_pb2.Document(source="a.txt", content=b"Warm.")])
                client.delete_use_case("warm")
            measure(folder, address)


if __name__ == "__main__":
    main()
