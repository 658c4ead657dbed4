"""SIGHUP: the rules and the model of gains are read again, or, where the terminal has gone, the server ends with it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import structlog

from advisor.errors import ConfigurationError, RulesError
from advisor.execution.current import CurrentAdvisor

__all__ = ["has_terminal", "reload_on_hangup", "reload_rules"]

_log = structlog.get_logger(__name__)


def reload_on_hangup(current: CurrentAdvisor, stop: Callable[[], None]) -> asyncio.Task[None]:
    """Read the rules again at every SIGHUP, in a thread, until the task is cancelled.

    The signal also says that a terminal was closed. A server that a person started
    there ends as before, unless it was started to outlive it, as by `nohup`.

    Args:
        current: Whose rules to read.
        stop: Ends the server.
    """
    ends_with_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_DFL and has_terminal()
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, told.set)

    async def follow() -> None:
        while True:
            await told.wait()
            told.clear()  # before the files are read: a signal from now on asks for another look
            if ends_with_terminal and not has_terminal():
                stop()
            else:
                await asyncio.to_thread(reload_rules, current)

    return asyncio.create_task(follow())


def reload_rules(current: CurrentAdvisor) -> None:
    """Read rules and model again; where something is wrong, keep those in force, and log every fault."""
    try:
        current.reload()
    except (RulesError, ConfigurationError) as error:
        for fault in error.faults:
            _log.error("rules not taken", fault=fault)
        _log.warning("rules kept", **current.versions, faults=len(error.faults))
    except Exception as error:  # noqa: BLE001 - the next signal must find somebody who listens
        _log.error("rules kept", **current.versions, exc_info=error)
    else:
        _log.info("rules taken", **current.versions, files=[str(path) for path in current.files])


def has_terminal() -> bool:
    """Whether this process has a controlling terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
