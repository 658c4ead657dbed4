"""Training runs asked for: checked, then queued."""

from __future__ import annotations

from advisor.decision.recommendation import BASIC
from advisor.errors import AlreadyExists, FailedPrecondition
from advisor.execution.answering import Execution, refuse_vetoed
from advisor.knowledge.approaches import Approach
from advisor.storage import adapters, operations, requests, use_cases
from advisor.storage.database import Database
from advisor.storage.operations import Operation
from advisor.storage.records import Request, UseCase
from advisor.work.tuning import TUNE, TuneJob
from backends.training.schedule import MIN_TRAINING_EXAMPLES

__all__ = ["TuneQueue"]


class TuneQueue:
    """Takes training runs.

    Args:
        database: Where use cases and operations are kept.
        execution: Decides about the use case.
    """

    def __init__(self, database: Database, execution: Execution) -> None:
        self._database = database
        self._execution = execution

    def submit(self, job: TuneJob, *, queue_limit: int, request: Request | None = None) -> Operation:
        """Check that a training run can begin, and queue it.

        Raises:
            NotFound: The use case does not exist.
            AlreadyExists: The adapter exists, or is being made.
            FailedPrecondition: There is not enough to learn from, or a veto excludes it.
            ResourceExhausted: The queue is full.
        """
        use_case = use_cases.get(self._database, job.use_case_id)
        refuse_vetoed(self._execution.recommend_use_case(use_case, BASIC), job.approach)
        _refuse_too_little(use_case, job.approach)
        self._refuse_taken(job, request)
        return operations.create(
            self._database,
            kind=TUNE,
            use_case_id=job.use_case_id,
            target=job.adapter_name,
            payload=job.to_payload(),
            queue_limit=queue_limit,
            request=request,
        )

    def _refuse_taken(self, job: TuneJob, request: Request | None) -> None:
        def refuse() -> dict[str, str]:
            raise AlreadyExists(job.adapter_name)

        with self._database.transaction() as connection:
            if adapters.exists(connection, job.use_case_id, job.adapter_id):
                requests.once(connection, request, refuse)  # returns where the same request made it


def _refuse_too_little(use_case: UseCase, approach: Approach) -> None:
    name = f"useCases/{use_case.id}"
    if use_case.example_count < MIN_TRAINING_EXAMPLES:
        raise FailedPrecondition(
            "TOO_FEW_EXAMPLES",
            f"{name} has {use_case.example_count} examples, and training needs {MIN_TRAINING_EXAMPLES} "
            "besides those held out; import more with ImportExamples",
            metadata={"resource": name},
        )
    if approach.retrieves and use_case.passage_count == 0:
        raise FailedPrecondition(
            "NO_DOCUMENTS",
            f"HYBRID learns to answer from retrieved passages, and {name} has no documents; "
            "import some with ImportDocuments, or tune for FINE_TUNING",
            metadata={"resource": name},
        )
