"""The chosen approach carried out: decide, check what it needs, answer.

What the stored data says completes the facts where they are silent: the
number of examples imported, and the size of the documents, estimated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from advisor.decision.recommendation import FULL, Recommendation, View
from advisor.errors import FailedPrecondition, InvalidInput
from advisor.execution.current import Deciding
from advisor.execution.loading import ModelLoader, Models
from advisor.execution.stored_facts import known_facts
from advisor.knowledge.approaches import Approach
from advisor.names import use_case_name
from advisor.storage import adapters, use_cases
from advisor.storage.database import Database
from advisor.storage.records import Adapter, UseCase
from advisor.v1 import facts_pb2
from backends.base import Answer, AnswerEvent, Backend, GenerationOptions

__all__ = ["Ask", "Backends", "Execution", "Plan", "refuse_vetoed"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that was checked.

    Attributes:
        question: The question.
        options: How to generate.
        use_case_id: The stored use case; None where it was given inline.
        facts: Facts of a use case given inline.
        description: Description of a use case given inline.
        approach: The approach asked for; None for the recommended one.
        adapter_id: The adapter asked for; None for the newest.
    """

    question: str
    options: GenerationOptions
    use_case_id: str | None
    facts: facts_pb2.Facts
    description: str = ""
    approach: Approach | None = None
    adapter_id: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question will be answered.

    Attributes:
        ask: The question.
        use_case: The stored use case; None where it was given inline.
        recommendation: The decision.
        approach: The approach that answers.
        adapter: The adapter it uses; None without one.
    """

    ask: Ask
    use_case: UseCase | None
    recommendation: Recommendation
    approach: Approach
    adapter: Adapter | None

    @property
    def instructions(self) -> str:
        """What the use case wants of every answer: its description."""
        return self.use_case.description if self.use_case else self.ask.description


class Backends(Protocol):
    """Makes the backend of a plan."""

    def check(self, plan: Plan, models: Models | None) -> None:
        """Raise what `open` would raise, as far as can be seen without models where they are None."""
        ...

    def open(self, plan: Plan, models: Models) -> Backend:
        """Return what answers the plan's question."""
        ...


class Execution:
    """Decides about stored use cases, and answers questions.

    All methods block.

    Args:
        database: Where use cases are kept.
        advisor: Decides where a call does not bring its own.
        loader: Has the models.
        backends: Makes backends.
    """

    def __init__(
        self, database: Database, advisor: Deciding, loader: ModelLoader, backends: Backends
    ) -> None:
        self._database = database
        self._advisor = advisor
        self._loader = loader
        self._backends = backends

    def recommend_stored(
        self, use_case_id: str, view: View = FULL, advisor: Deciding | None = None
    ) -> Recommendation:
        """Decide about a stored use case, by its facts and by what its data says.

        Raises:
            NotFound: It does not exist.
        """
        return self.recommend_use_case(use_cases.get(self._database, use_case_id), view, advisor)

    def recommend_use_case(
        self, use_case: UseCase, view: View, advisor: Deciding | None = None
    ) -> Recommendation:
        """Decide about a use case that was read."""
        facts, learned = known_facts(self._database, use_case)
        return (advisor or self._advisor).recommend(facts, view, taken=learned)

    def prepare(self, ask: Ask) -> Plan:
        """Decide, choose the approach, and check that it has what it needs.

        Raises:
            NotFound: The use case or the adapter does not exist.
            FailedPrecondition: The approach is undecided, vetoed, or lacks documents or an adapter.
            InvalidInput: The adapter is not one of the approach.
            ModelError: The adapter is damaged, or does not fit the model.
        """
        use_case = None if ask.use_case_id is None else use_cases.get(self._database, ask.use_case_id)
        facts, learned = (ask.facts, "") if use_case is None else known_facts(self._database, use_case)
        recommendation = self._advisor.recommend(facts, FULL, taken=learned)
        named = None
        if use_case is not None and ask.adapter_id is not None:
            named = adapters.get(self._database, use_case.id, ask.adapter_id)
        approach = _approach(ask, recommendation, named)
        if approach is not Approach.PROMPTING:
            use_case = _stored(use_case, approach)
            if approach.retrieves and use_case.passage_count == 0:
                raise FailedPrecondition(
                    "NO_DOCUMENTS",
                    f"{approach} answers from documents, and {use_case_name(use_case.id)} has none; "
                    "import some with ImportDocuments, or ask for another approach",
                    metadata={"resource": use_case_name(use_case.id)},
                )
            if approach.trained:
                named = named or self._newest_adapter(use_case, approach)
        plan = Plan(ask, use_case, recommendation, approach, named)
        self._backends.check(plan, self._loader.loaded)
        return plan

    def answer(
        self, plan: Plan, emit: Callable[[AnswerEvent], None], cancelled: Callable[[], bool]
    ) -> Answer:
        """Answer the question of a plan.

        Raises:
            Cancelled: `cancelled` said so.
            BackendError: What `Backends.open` and `Backend.answer` raise.
        """
        backend = self._backends.open(plan, self._loader.models(emit, cancelled))
        return backend.answer(plan.ask.question, options=plan.ask.options, emit=emit, cancelled=cancelled)

    def _newest_adapter(self, use_case: UseCase, approach: Approach) -> Adapter:
        adapter = adapters.newest(self._database, use_case.id, approach)
        if adapter is None:
            raise FailedPrecondition(
                "NO_ADAPTER",
                f"{approach} needs an adapter, and {use_case_name(use_case.id)} has none for it; "
                f"train one with Tune and the approach {approach}, or ask for another approach",
                metadata={"resource": use_case_name(use_case.id)},
            )
        return adapter


def refuse_vetoed(recommendation: Recommendation, approach: Approach) -> None:
    """Raise FailedPrecondition where a veto excludes the approach."""
    for veto in recommendation.vetoes:
        if approach in veto.approaches:
            raise FailedPrecondition(
                "APPROACH_VETOED",
                f"{approach} is out of the question: {veto.reason} "
                "Ask for another approach, or change the fact where it is wrong.",
                metadata={"veto": veto.id, "approach": approach},
            )


def _approach(ask: Ask, recommendation: Recommendation, adapter: Adapter | None) -> Approach:
    approach = ask.approach or (adapter.approach if adapter else None)
    if approach is None:
        if recommendation.approach is None:
            raise _undecided(recommendation)
        approach = recommendation.approach
    refuse_vetoed(recommendation, approach)
    if adapter is not None and adapter.approach != approach:
        raise InvalidInput.of(
            "adapter",
            f"was trained for {adapter.approach}, not {approach}; ask for {adapter.approach}, "
            "name another adapter, or none",
        )
    return approach


def _undecided(recommendation: Recommendation) -> FailedPrecondition:
    questions = recommendation.explanation.questions if recommendation.explanation else ()
    worth = [question.fact for question in questions[:3]]
    first = f"state {', '.join(worth)}" if worth else "state more facts"
    return FailedPrecondition(
        "UNDECIDED",
        f"the evidence does not decide for an approach: {first}, or name the approach to use",
        metadata={"facts": ",".join(worth)},
    )


def _stored(use_case: UseCase | None, approach: Approach) -> UseCase:
    if use_case is None:
        raise FailedPrecondition(
            "NOT_STORED",
            f"{approach} needs documents or an adapter, which an inline use case lacks; "
            "store it with CreateUseCase and name it, or ask for PROMPTING",
        )
    return use_case
