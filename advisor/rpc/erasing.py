"""What deletion leaves behind, cleared away after it: in memory at once, in the model and on disk soon."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from advisor.errors import Unavailable
from advisor.execution.answering import Execution
from advisor.rpc.lanes import Lane
from advisor.storage.announcing import Announcements
from advisor.storage.database import Database

__all__ = ["Eraser"]

CHANNEL = "advisor_erased"
"""PostgreSQL channel that names each use case of which something was deleted or replaced."""
TABLES = (
    "use_cases",
    "documents",
    "document_changes",
    "examples",
    "passages",
    "adapters",
    "trained_on",
    "operations",
    "trials",
    "trial_examples",
    "trial_answers",
    "measured_cases",
    "outcomes",
)


class Eraser:
    """Clears away what was deleted or replaced, here and on other servers; for the event loop's thread alone.

    Args:
        database: Where it was.
        execution: Keeps backends and prompts in memory.
    """

    def __init__(self, database: Database, execution: Execution) -> None:
        self._database = database
        self._execution = execution
        # One run at work, one that waits and so begins after what is deleted now: it forgets that too.
        self._lane = Lane("erasures", running=1, waiting=1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._untold: deque[str] = deque()
        self._others: Announcements | None = None

    def start(self) -> None:
        """Begin to hear of what is deleted on other servers of the database."""
        loop = asyncio.get_running_loop()

        def heard(use_case_id: str | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._forget, use_case_id)

        self._others = Announcements(self._database, CHANNEL, heard)
        self._others.start()

    def clear(self, use_case_id: str) -> None:
        """Forget a use case's texts in memory, and begin to clear the rest; call it after the commit."""
        self._untold.append(use_case_id)
        self._forget(use_case_id)
        self._database.erase_soon(*TABLES)

    def close(self) -> None:
        """Wait for the run at work."""
        if self._others is not None:
            self._others.close()
        self._lane.close()

    def _forget(self, use_case_id: str | None) -> None:
        self._execution.forget(use_case_id)
        task = asyncio.create_task(self._forget_prompts())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forget_prompts(self) -> None:
        with suppress(
            Unavailable
        ):  # one waits already, or the database is away: then others forget everything
            await self._lane.run(lambda _: self._forget_prompts_and_tell())

    def _forget_prompts_and_tell(self) -> None:
        told = list(self._untold)
        try:
            if told and self._others is not None:
                self._others.tell(told)
            for _ in told:
                self._untold.popleft()
        finally:
            self._execution.forget_prompts()
