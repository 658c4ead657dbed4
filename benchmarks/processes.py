"""How many decisions a second one, two and more server processes on a port make.

    python -m benchmarks.processes [--processes 1 2] [--seconds 10] [--rounds 5]

The load comes from h2load (Debian's `nghttp2-client`), which is written in C and
sends one prepared request over many connections: a generator in Python would
itself need as much of the processor as the servers. All share this machine, so
its share of the processor's time is printed beside. The servers take turns, and
of the rounds the median counts.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from advisor.client import Client
from benchmarks.rpc_throughput import models_loaded, requests

METHOD = "/advisor.v1.DecisionService/Recommend"
CONNECTIONS, STREAMS = 16, 4
START_S = 120.0


@contextmanager
def serving(processes: int) -> Iterator[int]:
    """Serve on so many processes, with models loaded, and yield the port."""
    import asyncio

    with tempfile.TemporaryDirectory(prefix="advisor-benchmark-") as folder:
        Path(folder).chmod(0o755)
        port_file = Path(folder) / "port"
        command = [sys.executable, "-m", "advisor", "serve", "--port", "0", "--port-file", str(port_file)]
        environment = {**os.environ, "ADVISOR_DATA_DIR": f"{folder}/data", "ADVISOR_WORKERS": "0"}
        server = subprocess.Popen(
            [*command, "--processes", str(processes)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + START_S
            while not port_file.exists():
                if server.poll() is not None or time.monotonic() > end:
                    raise SystemExit("the server did not start")
                time.sleep(0.1)
            port = int(port_file.read_text())
            for _ in range(4 * processes):  # a connection each, so that each process is asked
                asyncio.run(models_loaded(port))
            yield port
        finally:
            server.terminate()
            server.wait(60)


def rate(port: int, body: Path, seconds: float) -> tuple[float, float]:
    """Return calls a second, and the share of a core that the generator took."""
    with Client(f"127.0.0.1:{port}") as client:  # h2load does not read the status of a call
        assert client.recommend({"needs_citations": True}).summary
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [
            *("h2load", "-t", "1", "-c", str(CONNECTIONS), "-m", str(STREAMS), "-D", f"{seconds:g}"),
            *("-H", "content-type: application/grpc", "-H", "te: trailers", "-d", str(body)),
            f"http://127.0.0.1:{port}{METHOD}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", done.stdout)
    failed = re.search(r"(\d+) failed, (\d+) errored", done.stdout)
    if found is None or failed is None or set(failed.groups()) != {"0"}:
        raise SystemExit(done.stdout)
    return float(found.group(1)), used / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if shutil.which("h2load") is None:
        raise SystemExit("h2load is not here; apt-get install nghttp2-client")
    rates: dict[int, list[float]] = {each: [] for each in asked.processes}
    shares: dict[int, list[float]] = {each: [] for each in asked.processes}
    with ExitStack() as stack, tempfile.NamedTemporaryFile() as body:
        message = requests()[0].SerializeToString()
        body.write(b"\0" + len(message).to_bytes(4, "big") + message)
        body.flush()
        ports = {each: stack.enter_context(serving(each)) for each in asked.processes}
        for _ in range(asked.rounds):
            for each, port in ports.items():
                calls, share = rate(port, Path(body.name), asked.seconds)
                rates[each].append(calls)
                shares[each].append(share)
    first = rates[asked.processes[0]]
    for each in asked.processes:
        ratios = sorted(now / before for now, before in zip(rates[each], first, strict=True))
        print(
            f"{each} processes {statistics.median(rates[each]):7,.0f} decisions/s, "
            f"{statistics.median(ratios):.2f} times (from {ratios[0]:.2f} to {ratios[-1]:.2f}); "
            f"the generator took {statistics.median(shares[each]):.2f} of a core, of {os.cpu_count()}"
        )


if __name__ == "__main__":
    main()
