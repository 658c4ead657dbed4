"""Every error has a code and a reason for clients."""

from __future__ import annotations

import errno
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import advisor
import backends
from advisor.errors import AdvisorError, failure_of
from backends.base import BackendError, TuningError

CODES = {
    "ABORTED", "ALREADY_EXISTS", "CANCELLED", "FAILED_PRECONDITION", "INTERNAL", "INVALID_ARGUMENT", "NOT_FOUND",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNAUTHENTICATED", "UNAVAILABLE", "UNIMPLEMENTED",
}  # fmt: skip


def subclasses(root: type[BaseException]) -> Iterator[type[BaseException]]:
    """Yield all classes below one, once every module of both packages was imported."""
    for package in (advisor, backends):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(("advisor.v1", "advisor.storage.migrations", "advisor.__main__")):
                importlib.import_module(module.name)
    waiting = root.__subclasses__()
    while waiting:
        found = waiting.pop()
        waiting += found.__subclasses__()
        yield found


def test_every_backend_error_reaches_clients() -> None:
    """A class without a code of its own would be an internal error to whoever meets it."""
    found = {kind: failure_of(kind.__new__(kind)) for kind in subclasses(BackendError)}
    assert len(found) >= 7
    assert [kind for kind, failure in found.items() if failure is None or failure.code not in CODES] == []
    assert len({failure.reason for failure in found.values() if failure}) == len(found)


def test_every_own_error_reaches_clients() -> None:
    """The code of a class is one that gRPC knows; `CallFailed` repeats that of another server."""
    found = [kind for kind in subclasses(AdvisorError) if kind.__name__ != "CallFailed"]
    assert len(found) >= 9
    assert [kind for kind in found if getattr(kind, "code", None) not in CODES] == []


def test_a_full_disk_keeps_its_advice() -> None:
    """What a backend says of a full disk reaches the client, under the disk's own code."""
    error = TuningError("the disk is full; free 20 MB and tune again to go on from here")
    error.__cause__ = OSError(errno.ENOSPC, "full")
    failure = failure_of(error)
    assert failure is not None
    assert (failure.code, failure.reason, failure.message) == ("RESOURCE_EXHAUSTED", "DISK_FULL", str(error))


@pytest.mark.parametrize("error", [RuntimeError("secret"), KeyError("x")])
def test_faults_of_the_program_stay_inside(error: Exception) -> None:
    """An error that nobody foresaw has no text for clients."""
    assert failure_of(error) is None
