"""Several processes that serve on one port: the system hands each new connection to one of them.

Each is a whole server, with models of its own; database, workers and the port
are their parent's. It starts them, replaces those that die, and passes on what
it is told: SIGHUP, and to stop. As `python -m advisor.rpc.processes` this is such a server.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from advisor.errors import ConfigurationError, RulesError
from advisor.execution.current import CurrentAdvisor, LearnedGains
from advisor.rpc.exposure import certificates_of
from advisor.rpc.listening import cannot_listen, check_free, write_port
from advisor.rpc.reloading import has_terminal
from advisor.rpc.server import GRACE_S, serve
from advisor.settings import Settings, read_settings
from advisor.storage.database import Database
from advisor.storage.postgres import open_postgres
from advisor.telemetry.logs import configure_logging
from advisor.work.children import Child, Parent
from advisor.work.supervisor import WorkerPool

__all__ = ["serve_together"]

COMMAND = (sys.executable, "-m", "advisor.rpc.processes")
POLL_S = 0.2
STOP_S = GRACE_S + 10.0
"""How long servers may take to stop: the grace of their calls, and what lanes still do."""

_log = structlog.get_logger(__name__)


def serve_together(
    settings: Settings, *, ready: Callable[[int], None], port_file: Path | None = None
) -> None:
    """Keep `settings.processes` servers on one port until SIGTERM or SIGINT; otherwise as `server.serve`.

    Raises:
        ConfigurationError: They cannot be started like this.
        RulesError: The rules are wrong.
    """
    configure_logging(settings.log_level)
    check_free(settings.host, settings.port)
    if (certificates := certificates_of(settings)) is not None:
        certificates.read()
    CurrentAdvisor.open(settings.rules, LearnedGains(settings.gains_path, named=settings.gains is not None))
    with (
        open_postgres(settings) as url,
        Database.open(url, connections=3) as database,
        _kept(settings.host, settings.port) as port,
    ):
        workers = WorkerPool(settings, url, database)
        servers = ServerPool(settings, url, port)
        stopping = _stopping(servers)
        try:
            workers.start()
            servers.start(stopping)
            if port_file is not None:
                write_port(port_file, port)
            _log.info("serving", host=settings.host, port=port, processes=settings.processes)
            ready(port)
            while not stopping.wait(POLL_S):
                servers.tend()
            _log.info("stopping", grace_s=GRACE_S)
        finally:
            servers.stop()
            workers.stop()
            if port_file is not None:
                port_file.unlink(missing_ok=True)


def _stopping(servers: ServerPool) -> threading.Event:
    """Return what a signal to stop sets; SIGHUP is passed on, unless it says that the terminal has gone."""
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    ends_with_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_DFL and has_terminal()

    def hung_up(*_: object) -> None:
        if ends_with_terminal and not has_terminal():
            stopping.set()
        else:
            servers.signal(signal.SIGHUP)

    signal.signal(signal.SIGHUP, hung_up)
    return stopping


class ServerPool:
    """Keeps `settings.processes` servers alive.

    Args:
        settings: What all run with. Metrics are served on as many ports, from `metrics_port` on.
        url: The database.
        port: Where they listen.
    """

    def __init__(self, settings: Settings, url: str, port: int) -> None:
        given = settings.model_dump(mode="json", exclude_none=True, exclude={"admin_token"})
        given |= {"database_url": url, "port": port, "workers": 0}
        if settings.admin_token is not None:
            given["admin_token"] = settings.admin_token.get_secret_value()
        self._children = [
            Child(COMMAND, partial(_introduction, given, number), speaks=True)
            for number in range(settings.processes)
        ]

    def start(self, stopping: threading.Event) -> None:
        """Start one after the other: the first may have models to fetch.

        Raises:
            ConfigurationError: One ended at its start.
        """
        for number, child in enumerate(self._children):
            if stopping.is_set():
                return
            child.start()
            if child.output is None or not child.output.readline():
                raise ConfigurationError(f"server process {number} ended at its start; the log says why")

    def tend(self) -> None:
        """Start one in place of each that has died."""
        for number, child in enumerate(self._children):
            if (code := child.ended()) is not None:
                _log.warning("server ended", process=number, code=code)
            child.start()

    def signal(self, number: int) -> None:
        """Send a signal to all."""
        for child in self._children:
            child.signal(number)

    def stop(self) -> None:
        """Stop all; those under way have their grace. Takes up to `STOP_S`."""
        deadline = time.monotonic() + STOP_S
        for child in self._children:
            child.ask_to_stop()
        for child in self._children:
            child.end(deadline)


def _introduction(given: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    metrics_port = given.get("metrics_port")
    own = {**given, "metrics_port": metrics_port + number} if metrics_port else given
    return {"number": number, "settings": own}


@contextmanager
def _kept(host: str, port: int) -> Iterator[int]:
    """Keep a port for the servers, without listening there, and yield it: the one asked for, or any that is free."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            kept.bind(address)
        except OSError as error:
            raise cannot_listen(host, port, error.strerror) from None
        yield int(kept.getsockname()[1])


def main() -> None:
    """Serve as one of several, as the parent says on standard input."""
    configure_logging()
    parent = Parent()
    said = parent.introduction()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    def ready(port: int) -> None:
        parent.when_gone(lambda: os.kill(os.getpid(), signal.SIGTERM))
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()

    try:
        settings = read_settings(**said["settings"])
        structlog.contextvars.bind_contextvars(process=said["number"])
        serve(settings, ready=ready, shared_port=True)
    except (ConfigurationError, RulesError) as error:
        for fault in error.faults:
            _log.error("server cannot start", fault=fault)
        sys.exit(2)


if __name__ == "__main__":
    main()
