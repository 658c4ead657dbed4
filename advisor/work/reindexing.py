"""Re-indexing as long work: the passages of all use cases made anew by another embedder, or of a newer form.

Questions are answered from the old passages meanwhile. An attempt that resumes
goes on with the documents that are left.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar

import structlog

from advisor.execution.indexing import BATCH_PASSAGES, in_language
from advisor.execution.meter import ImportMeter
from advisor.storage import reindexing
from advisor.work.jobs import Job, Outcome
from backends.base import Cancelled, DocumentError, Progress
from backends.documents.passages import FORM
from backends.documents.reader import DocumentReader
from backends.retrieval.index import Made

if TYPE_CHECKING:
    from backends.retrieval.embedding import Embedder

__all__ = ["ReindexJob", "run_reindex"]

RETRY_S = 5.0
"""How long imports have their way before the switch is tried again."""
POLL_S = 0.1
_SWITCHED = "switched"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReindexJob:
    """What re-indexing is asked for.

    Attributes:
        embedder: Name of the embedder to be.
    """

    kind: ClassVar[str] = "REINDEX"

    embedder: str

    @property
    def use_case_id(self) -> None:
        """It belongs to no use case: all share the passages' tables."""
        return

    @property
    def target(self) -> str:
        """What is made."""
        return "passages"

    def to_payload(self) -> dict[str, Any]:
        """Return the payload of the operation."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> ReindexJob:
        """Return what a payload asks for."""
        return cls(**payload)


def run_reindex(job: Job) -> Outcome:
    """Make all passages anew as a `ReindexJob` asks, and put them in the place of the old in one transaction.

    Raises:
        ModelError: The embedder cannot be loaded, or its vectors cannot be indexed.
        FailedPrecondition: The database's user may not make room for new passages.
    """
    from backends.retrieval.embedding import open_embedder

    asked = ReindexJob.from_payload(job.operation.payload)
    if _SWITCHED in job.operation.steps:
        return Outcome(job.operation.steps[_SWITCHED])
    embedder = open_embedder(
        asked.embedder,
        cache=job.settings.model_cache,
        report=lambda progress: job.report(_progress("PREPARING", progress)),
    )
    return remake(job, embedder)


def remake(job: Job, embedder: Embedder) -> Outcome:
    """Do the work with an embedder that is loaded."""
    made = Made(embedder.name, embedder.dimensions, FORM)
    with job.database.transaction() as connection:
        if reindexing.is_current(connection, made):
            return Outcome({"embedder": embedder.name})
    reindexing.begin(job.database, made)
    erases = job.operation.attempt > 1
    while True:
        with DocumentReader(1) as reader:
            erases |= _catch_up(job, embedder, reader)
        _mind_cancelled(job)
        told = asdict(reindexing.totals(job.database))
        result = {"embedder": embedder.name, **told}
        try:
            job.keep(_SWITCHED, Outcome(result, reindexing.switch))
        except reindexing.Behind:
            continue
        except reindexing.InUse:
            job.report({"stage": "SWITCHING"})
            _pause(job)
        else:
            break
    log.info("passages replaced", embedder=embedder.name, form=FORM, **told)
    if erases:  # what was replaced or deleted on the way lies in the new tables' pages still
        job.database.erase_soon("passages")
    return Outcome(result)


def _catch_up(job: Job, embedder: Embedder, reader: DocumentReader) -> bool:
    """Make the passages of all documents that lack them; return whether any were removed or made again."""
    stale = reindexing.stale(job.database)
    before = reindexing.totals(job.database).documents
    removed = reindexing.remove_gone(job.database)
    done, total = 0, len(stale)
    meter = ImportMeter(
        sum(size for _, _, size in stale) or 1,
        lambda progress: job.report(
            {
                **_progress("EMBEDDING", progress),
                "step": before - removed + done,
                "total_steps": before + total,
            }
        ),
    )
    for use_case_id, rows in groupby(stale, key=itemgetter(0)):
        for batch in _batches(job, reader, use_case_id, [source for _, source, _ in rows]):
            _make(job, embedder, use_case_id, batch, meter)
            done += len(batch)
            removed += reindexing.remove_gone(job.database)
    return removed > 0 or reindexing.totals(job.database).documents < before + total


def _batches(
    job: Job, reader: DocumentReader, use_case_id: str, sources: list[str]
) -> Iterator[list[reindexing.Remade]]:
    """Yield documents of a use case cut anew, so many together as make a batch for the embedder."""
    batch: list[reindexing.Remade] = []
    for source in sources:
        _mind_cancelled(job)
        version = reindexing.read(job.database, use_case_id, source)
        if version is None:
            continue
        try:
            reading = reader.read(version.source, version.media_type, version.content, job.cancelled)
            batch.append(reindexing.Remade(version, in_language(reading)))
        except DocumentError as error:
            log.warning("document skipped", use_case=use_case_id, reason=str(error))
            batch.append(reindexing.Remade(version, (), skipped=True))
        if sum(len(each.passages) for each in batch) >= BATCH_PASSAGES:
            yield batch
            batch = []
    if batch:
        yield batch


def _make(
    job: Job, embedder: Embedder, use_case_id: str, batch: list[reindexing.Remade], meter: ImportMeter
) -> None:
    from backends.retrieval.embedding import embed_passages

    passages = [passage for each in batch for passage, _ in each.passages]
    size = sum(len(each.version.content) for each in batch)
    vectors = embed_passages(
        embedder, passages, report=meter.within(size, len(passages)), cancelled=job.cancelled
    )
    reindexing.keep(job.database, use_case_id, batch, vectors)


def _pause(job: Job) -> None:
    until = time.monotonic() + RETRY_S
    while time.monotonic() < until:
        _mind_cancelled(job)
        time.sleep(POLL_S)


def _mind_cancelled(job: Job) -> None:
    if job.cancelled():
        raise Cancelled("re-indexing was stopped; the passages are as they were")


def _progress(stage: str, progress: Progress) -> dict[str, Any]:
    return {"stage": stage, "remaining_s": progress.remaining_s}
