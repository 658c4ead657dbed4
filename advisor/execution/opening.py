"""Backends of plans: which data of the use case goes into which approach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg_pool import ConnectionPool

from advisor.execution.answering import Plan
from advisor.execution.indexing import ModelIndex
from advisor.execution.models import Models
from advisor.knowledge.approaches import Approach
from advisor.storage import documents
from advisor.storage.database import Database
from advisor.storage.records import Adapter, UseCase
from backends.approaches.prompting import PromptingBackend
from backends.approaches.tuned import TunedBackend
from backends.base import Backend, Example, Generator, Passage
from backends.documents.reading import read_document
from backends.training.adapters import verify_adapter

__all__ = ["ModelBackends"]

BYTES_PER_CONTEXT_TOKEN = 16
"""Documents with more bytes than this for each token of the context are not read: they cannot fit."""


class ModelBackends:
    """Makes backends of a server's models and the data of use cases.

    Args:
        database: Where use cases are kept.
        pool: Connections for retrieval.
        index: The passages.
        data_dir: Folder of the adapters.
    """

    def __init__(
        self, database: Database, pool: ConnectionPool[Any], index: ModelIndex, data_dir: Path
    ) -> None:
        self._database = database
        self._pool = pool
        self._index = index
        self._data_dir = data_dir

    def open(self, plan: Plan, models: Models) -> Backend:
        """Return what answers the plan's question.

        Raises:
            ModelError: The adapter does not fit the model, or passages were embedded by another.
        """
        folder = self._adapter_folder(plan.adapter, models.generator)
        if plan.approach is Approach.FINE_TUNING and folder is not None:
            return TunedBackend(models.generator, folder)
        if plan.approach.retrieves and plan.use_case is not None:
            from backends.approaches.rag import RagBackend

            self._index.prepare(models)
            return RagBackend(
                self._pool,
                plan.use_case.id,
                models.embedder,
                models.generator,
                # An adapter is asked in the words it was trained in; its examples said the rest.
                instructions="" if folder else plan.instructions,
                adapter=folder,
            )
        return PromptingBackend(
            models.generator,
            instructions=plan.instructions,
            examples=self._examples(plan.use_case),
            documents=self._documents(plan.use_case, models.generator),
        )

    def _adapter_folder(self, adapter: Adapter | None, generator: Generator) -> Path | None:
        if adapter is None:
            return None
        folder = self._data_dir / adapter.folder
        verify_adapter(folder, generator.name)
        return folder

    def _examples(self, use_case: UseCase | None) -> tuple[Example, ...]:
        if use_case is None or use_case.example_count == 0:
            return ()
        return documents.read_examples(self._database, use_case.id)

    def _documents(self, use_case: UseCase | None, generator: Generator) -> list[Passage]:
        """Return a use case's documents, each as one passage; none where they cannot fit the prompt."""
        if use_case is None or use_case.document_count == 0:
            return []
        room = generator.context_tokens * BYTES_PER_CONTEXT_TOKEN
        page = documents.list_page(self._database, use_case.id, size=1000)
        if page.next_page_token or sum(each.size_bytes for each in page.items) > room:
            return []
        found = []
        for each in documents.contents(self._database, use_case.id):
            text = read_document(each.source, each.media_type, each.content)
            found.append(Passage(each.source, each.source, 0, len(text.encode()), text))
        return found
