"""Backends of plans: which data of the use case goes into which approach, opened once and kept."""

from __future__ import annotations

from pathlib import Path

from advisor.execution.answering import Plan
from advisor.execution.indexing import ModelIndex
from advisor.execution.kept import Kept
from advisor.execution.loading import Models
from advisor.knowledge.approaches import Approach
from advisor.storage import adapters, documents, examples
from advisor.storage.database import Database
from advisor.storage.records import UseCase
from backends.approaches.prompting import PromptingBackend, may_fit, not_shown
from backends.base import Backend, Example, Hit, Passage, Restriction
from backends.prompts import PROMPT_FORM
from backends.retrieval.index import Connections
from backends.training.adapters import adapter_state, verify_adapter
from backends.training.stores import AdapterFiles

__all__ = ["ModelBackends"]

KEPT = 64
"""Backends kept open. One holds at most the documents that fit a prompt."""


class ModelBackends:
    """Makes backends of a server's models and the data of use cases.

    A backend is kept until its use case, its adapter or the adapter's files change.

    Args:
        database: Where use cases are kept.
        pool: Connections for retrieval.
        index: The passages.
        files: Of the adapters.
    """

    def __init__(self, database: Database, pool: Connections, index: ModelIndex, files: AdapterFiles) -> None:
        self._database = database
        self._pool = pool
        self._index = index
        self._files = files
        self._kept = Kept[Backend](KEPT)

    def forget(self, use_case_id: str | None) -> None:
        """Keep nothing open that holds texts of a use case; of any where None."""
        self._kept.forget(
            lambda name: use_case_id is None or (isinstance(name, tuple) and name[0] == use_case_id)
        )

    def forget_files(self) -> None:
        """Keep no files here of adapters that are deleted.

        Raises:
            Unavailable: The database is away.
        """

        def kept() -> set[str]:
            with self._database.transaction() as connection:
                return set(adapters.folders(connection))

        self._files.remove_fetched(kept)

    def search(
        self, use_case_id: str, models: Models, question: str, limit: int, within: Restriction | None
    ) -> tuple[Hit, ...]:
        """Return the passages of a use case that fit a question best.

        Raises:
            ModelError: The embedder that made them cannot be loaded.
        """
        from backends.retrieval.asking import ask

        embedder = self._index.prepare(models)
        return ask(
            self._pool,
            use_case_id,
            question,
            embedder,
            limit,
            self._index.embedder,
            within,
            models.reranker,
        )

    def check(self, plan: Plan, models: Models | None) -> None:
        """Refuse a plan that cannot be carried out, as far as can be seen without waiting for models.

        Raises:
            ModelError: As `open` does; without models, where the adapter's files are not whole.
        """
        if models is not None:
            self.open(plan, models)
        elif plan.adapter is not None:
            verify_adapter(self._files.local(plan.adapter.folder), plan.adapter.base_model)

    def open(self, plan: Plan, models: Models) -> Backend:
        """Return what answers the plan's question.

        Raises:
            ModelError: The adapter does not fit the model, or the embedder of the passages cannot be loaded.
        """
        if plan.use_case is None:
            return PromptingBackend(models.generator, instructions=plan.instructions)
        name: tuple[object, ...] = (plan.use_case.id, plan.approach)
        state: tuple[object, ...] = (plan.use_case.version, models)
        folder = None
        if plan.adapter is not None:
            folder = self._files.local(plan.adapter.folder)
            name += (plan.adapter.id,)
            state += (plan.adapter.create_time, adapter_state(folder))
        use_case = plan.use_case
        return self._kept.get(name, state, lambda: self._opened(plan.approach, use_case, folder, models))

    def _opened(self, approach: Approach, use_case: UseCase, folder: Path | None, models: Models) -> Backend:
        manifest = None if folder is None else verify_adapter(folder, models.generator.name)
        # An adapter is asked in the words it was trained in; its examples said the rest.
        instructions = "" if folder else use_case.description
        if approach.retrieves:
            from backends.approaches.rag import RagBackend

            return RagBackend(
                self._pool,
                use_case.id,
                self._index.prepare(models),
                models.generator,
                instructions=instructions,
                adapter=folder,
                named=self._index.embedder,
                prompt_form=manifest.prompt_form if manifest else PROMPT_FORM,
                reranker=models.reranker,
            )
        if folder is not None:
            return PromptingBackend(models.generator, instructions=instructions, adapter=folder)
        shown, notes = self._documents(use_case, models.generator.context_tokens)
        return PromptingBackend(
            models.generator,
            instructions=instructions,
            examples=self._examples(use_case),
            documents=shown,
            notes=notes,
        )

    def _examples(self, use_case: UseCase) -> tuple[Example, ...]:
        if use_case.example_count == 0:
            return ()
        return tuple(each.value for each in examples.read(self._database, use_case.id))

    def _documents(self, use_case: UseCase, context_tokens: int) -> tuple[list[Passage], list[str]]:
        """Return a use case's documents, each as one passage; none and a note where they cannot fit."""
        if use_case.document_count == 0:
            return [], []
        size = documents.size_bytes(self._database, use_case.id)
        if not may_fit(size, context_tokens):
            return [], [not_shown(use_case.document_count, f"{size:,} bytes", context_tokens)]
        found = []
        for each in documents.contents(self._database, use_case.id):
            text = self._index.read(each).text
            found.append(Passage(each.source, each.source, 0, len(text.encode()), text))
        return found, []
