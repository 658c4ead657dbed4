"""A server to talk to: one that runs already, or one of our own for as long as a command needs it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from advisor.cli.extras import require_server
from advisor.cli.output import notices
from advisor.client import Client
from advisor.client.credentials import credentials_from, refuse_plain_text
from advisor.environment import check_environment
from advisor.errors import ConfigurationError, Unavailable

__all__ = ["connected", "own_client", "own_server"]

_OF_THE_NETWORK = (
    "ADVISOR_TLS_CERTIFICATE",
    "ADVISOR_TLS_KEY",
    "ADVISOR_TLS_CLIENT_CA",
    "ADVISOR_METRICS_PORT",
    "ADVISOR_METRICS_HOST",
)
"""Not for a server of our own, which listens on the loopback."""
START_S = 60.0
STOP_S = 20.0


@contextmanager
def connected(target: str | None) -> Iterator[Client]:
    """Yield a client of the server named, or of one that is started for the command.

    Args:
        target: Address such as `localhost:50051`; ADVISOR_SERVER where None, and our own where that is not set.
    """
    check_environment()
    target = target or os.environ.get("ADVISOR_SERVER")
    if target:
        token, credentials = os.environ.get("ADVISOR_TOKEN"), credentials_from(os.environ)
        if token and credentials is None:
            refuse_plain_text(target, os.environ)
        with _reachable(), Client(target, token=token, credentials=credentials) as client:
            yield client
        return
    require_server("a server of its own", "name a running one by --server ADDRESS")
    with ExitStack() as stack:
        with notices().status("starting a server"):
            _, client = stack.enter_context(own_client())
        yield client


@contextmanager
def own_client(*, data_dir: Path | None = None) -> Iterator[tuple[str, Client]]:
    """Start a server that nobody else can call, yield its address and a client of it; raises as `own_server`.

    Args:
        data_dir: Its data folder; the usual one where None.
    """
    token = secrets.token_urlsafe()
    with own_server(data_dir=data_dir, token=token) as address, Client(address, token=token) as client:
        yield address, client


@contextmanager
def own_server(*, data_dir: Path | None = None, token: str | None = None) -> Iterator[str]:
    """Start a server on a free port of the loopback, yield its address, and stop it.

    Args:
        data_dir: Its data folder; the usual one where None.
        token: What it asks of every call; where None, one only if any was ever made.

    Raises:
        ConfigurationError: It did not start; the message says what it printed of why.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_NETWORK}
    environment |= {"ADVISOR_HOST": "127.0.0.1", "ADVISOR_PORT": "0"}
    if data_dir is not None:
        environment["ADVISOR_DATA_DIR"] = str(data_dir)
    if token is not None:
        environment["ADVISOR_ADMIN_TOKEN"] = token
    with tempfile.TemporaryDirectory(prefix="advisor-") as folder:
        port_file, log = Path(folder) / "port", Path(folder) / "log"
        command = [sys.executable, "-m", "advisor", "serve", "--port-file", str(port_file)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            with _ending_by_signals():
                yield f"127.0.0.1:{_port(process, port_file, log)}"
        finally:
            _stop(process)


@contextmanager
def _ending_by_signals() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the command as Ctrl-C does: what it started ends with it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are taken by the main thread alone
        return

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    taken = [each for each in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(each) is signal.SIG_DFL]
    for each in taken:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)


@contextmanager
def _reachable() -> Iterator[None]:
    """Say of a server that cannot be reached that the command can do without it."""
    try:
        yield
    except Unavailable as error:
        if error.reason != "UNREACHABLE":
            raise
        raise Unavailable(
            error.reason,
            f"{error}; where it encrypts, set ADVISOR_SERVER_CA; without a server named, the command starts its own",
            retry_s=error.retry_s,
        ) from error


def _port(process: subprocess.Popen[bytes], port_file: Path, log: Path) -> int:
    deadline = time.monotonic() + START_S
    while process.poll() is None:
        if port_file.exists() and (text := port_file.read_text().strip()):
            return int(text)
        if time.monotonic() > deadline:
            raise Unavailable("SERVER_START", f"the server did not start within {START_S:.0f} s", retry_s=5)
        time.sleep(0.05)
    lines = log.read_text(errors="replace").strip().splitlines()
    faults = [line.removeprefix("advisor: ") for line in lines if line.startswith("advisor: ")]
    raise ConfigurationError(*(faults or lines[-1:] or ["the server ended as it started"]))


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
