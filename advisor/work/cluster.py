"""Workers on a Ray cluster: Ray says on which machine each one runs, and finds another where that one is gone.

A worker is the same process there as elsewhere, and takes its work from the same queue by the same table of kinds.
On its machine an actor keeps it: where the machine dies, actor and worker go, what the worker was at goes back to the
queue, and the pool asks Ray for another actor.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from advisor.errors import ConfigurationError
from advisor.work.children import Child

__all__ = ["RayChild", "connected"]

POLL_S = 0.2
KNOCK_S = 5.0
GONE = -1
"""Stands for the exit status of a worker whose machine is gone."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be connected to a cluster.

    Args:
        address: As Ray takes it: `host:6379` of its head, `auto` for the cluster of this machine.

    Raises:
        ConfigurationError: Ray is not installed, or there is no cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ConfigurationError("Ray is not installed; pip install 'rag-or-tune[ray]'") from error
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False, namespace="advisor")
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"{address!r}: no Ray cluster answers there ({type(error).__name__}); start one with ray start --head, "
            "and name its address"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens at `host:port`; Ray itself would look for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and "/" not in host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()


class RayChild:
    """The place of one worker on the cluster, as `advisor.work.children.Child` is on this machine.

    Args:
        command: What to run on whichever machine it comes to.
        introduction: Returns what the next worker is told.
    """

    def __init__(self, command: Sequence[str], introduction: Callable[[], Mapping[str, Any]]) -> None:
        self._command = tuple(command)
        self._introduction = introduction
        self._keeper: Any = None
        self._run: Any = None

    @property
    def pid(self) -> None:
        """It has none on this machine."""

    @property
    def runs(self) -> bool:
        """Whether there is one, or Ray looks for a machine for it."""
        return self._keeper is not None

    def start(self) -> bool:
        """Ask for one where none runs."""
        if self._keeper is not None:
            return False
        import ray

        # Two threads: one waits for the worker, one is told to stop it.
        keeper = ray.remote(_Keeper).options(num_cpus=1, max_concurrency=2, max_restarts=0)
        self._keeper = keeper.remote(self._command, dict(self._introduction()))
        self._run = self._keeper.run.remote()
        return True

    def ended(self) -> int | None:
        """Return the exit status of one that has ended since the last look; None where none has."""
        if self._keeper is None or not self._waited(0.0):
            return None
        import ray

        try:
            code = int(ray.get(self._run))
        except ray.exceptions.RayError:
            code = GONE
        self._forget()
        return code

    def ask_to_stop(self) -> None:
        """Have its standard input closed."""
        if self._keeper is not None:
            self._keeper.stop.remote()

    def end(self, deadline: float) -> None:
        """Wait for it until a moment of the monotonic clock, then kill it."""
        if self._keeper is not None:
            self._waited(max(0.0, deadline - time.monotonic()))
            self._forget()

    def _waited(self, timeout_s: float) -> bool:
        import ray

        ended, _ = ray.wait([self._run], timeout=timeout_s)
        return bool(ended)

    def _forget(self) -> None:
        import ray

        with suppress(ray.exceptions.RayError, ValueError):
            ray.kill(self._keeper)
        self._keeper = self._run = None


class _Keeper:
    """The actor beside a worker. When it dies the worker's standard input closes, and so it ends too."""

    def __init__(self, command: Sequence[str], introduction: Mapping[str, Any]) -> None:
        self._child = Child(command, lambda: introduction)
        self._child.start()

    def run(self) -> int:
        """Wait for the worker, and return its exit status."""
        while (code := self._child.ended()) is None:
            time.sleep(POLL_S)
        return code

    def stop(self) -> None:
        self._child.ask_to_stop()
