"""A server in a process of its own, with fakes for the models; run by tests that look at the process, or kill it.

Arguments: address of the database, data folder, port of the metrics, and the file that takes the server's address.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.ports import free_port

__all__ = ["ServerProcess", "server_process"]


TRIES = 3
"""A port that was free a moment ago may be taken by others."""


@dataclass(frozen=True)
class ServerProcess:
    """A server that runs, where it answers, and where it tells what it does."""

    process: subprocess.Popen[bytes]
    address: str
    metrics_port: int

    def status(self, name: str) -> int:
        """Return what the system says of the process: `VmRSS` in kB, `Threads`."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])

    @property
    def open_files(self) -> int:
        """How many file descriptors it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))


@contextmanager
def server_process(url: str, folder: Path, until: Callable[..., None]) -> Iterator[ServerProcess]:
    """Run a server until the block ends, or it is killed in it."""
    folder.mkdir(exist_ok=True)
    told = folder / "address"
    told.unlink(missing_ok=True)
    for _ in range(TRIES):
        metrics_port = free_port()
        command = [sys.executable, "-m", "tests.rpc.server_process", url, folder, str(metrics_port), told]
        with subprocess.Popen(command) as process:
            try:
                until(lambda process=process: told.exists() or process.poll() is not None)
                if told.exists():
                    yield ServerProcess(process, told.read_text(), metrics_port)
                    return
            finally:
                process.kill()
    raise AssertionError(f"the server does not start, though it was tried {TRIES} times")


def main(url: str, data_dir: str, metrics_port: str, told: str) -> None:
    """Serve until killed."""
    from advisor.decision.advisor import Advisor
    from advisor.knowledge.rulefile import load_rules
    from advisor.telemetry.logs import configure_logging
    from tests.servers import fake_parts, serve_until_killed

    configure_logging("warning")
    advisor = Advisor(load_rules(Path(__file__).with_name("rules.yaml")))
    with fake_parts(url, Path(data_dir), advisor) as parts:
        settings = parts.settings.model_copy(update={"metrics_port": int(metrics_port)})
        serve_until_killed(replace(parts, settings=settings), Path(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
