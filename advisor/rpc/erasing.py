"""What deletion leaves behind, cleared away after it: in memory at once, in the model and on disk soon."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from advisor.errors import Unavailable
from advisor.execution.answering import Execution
from advisor.rpc.lanes import Lane
from advisor.storage.database import Database

__all__ = ["Eraser"]

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
    """Clears away what was deleted or replaced; for the event loop's thread alone.

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

    def clear(self, use_case_id: str) -> None:
        """Forget a use case's texts in memory, and begin to clear the rest; call it after the commit."""
        self._execution.forget(use_case_id)
        self._database.erase_soon(*TABLES)
        task = asyncio.create_task(self._forget_prompts())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Wait for the run at work."""
        self._lane.close()

    async def _forget_prompts(self) -> None:
        with suppress(Unavailable):  # one waits already
            await self._lane.run(lambda _: self._execution.forget_prompts())
