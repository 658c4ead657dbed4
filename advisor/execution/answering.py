"""The chosen approach carried out: decide, check what it needs, answer.

What the stored data says completes the facts where they are silent: the
number of examples imported, and the size of the documents, estimated.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from advisor.decision.recommendation import FULL, Recommendation, Score, View
from advisor.errors import FailedPrecondition, InvalidInput
from advisor.execution.current import Deciding
from advisor.execution.loading import ModelLoader, Models
from advisor.execution.stored_facts import known_facts
from advisor.knowledge.approaches import Approach
from advisor.knowledge.inventory import NOTHING
from advisor.names import adapter_name, principal, use_case_name
from advisor.storage import adapters, use_cases
from advisor.storage.database import Database
from advisor.storage.records import Adapter, UseCase
from advisor.v1 import facts_pb2
from backends.base import Answer, AnswerEvent, Backend, Exchange, GenerationOptions, Hit, Restriction
from backends.spans import span

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
        history: What was asked and answered before, oldest first.
    """

    question: str
    options: GenerationOptions
    use_case_id: str | None
    facts: facts_pb2.Facts
    description: str = ""
    approach: Approach | None = None
    adapter_id: str | None = None
    history: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a question will be answered.

    Attributes:
        ask: The question.
        use_case: The stored use case; None where it was given inline.
        recommendation: The decision.
        approach: The approach that answers.
        adapter: The adapter it uses; None without one.
        notes: What to mind of the answer, one sentence each.
    """

    ask: Ask
    use_case: UseCase | None
    recommendation: Recommendation
    approach: Approach
    adapter: Adapter | None
    notes: tuple[str, ...] = ()

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

    def search(
        self, use_case_id: str, models: Models, question: str, limit: int, within: Restriction | None
    ) -> tuple[Hit, ...]:
        """Return the passages of a use case that fit a question best."""
        ...

    def forget(self, use_case_id: str | None) -> None:
        """Keep nothing that holds texts of a use case; of any where None."""
        ...

    def forget_files(self) -> None:
        """Keep no files here of adapters that are deleted."""
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
        return self.considered(use_case, view, advisor)[1]

    def considered(
        self, use_case: UseCase, view: View, advisor: Deciding | None = None
    ) -> tuple[facts_pb2.Facts, Recommendation]:
        """Return what is known of a use case that was read, and what is decided by it."""
        facts, gathered = known_facts(self._database, use_case)
        return facts, (advisor or self._advisor).recommend(facts, view, gathered=gathered)

    def prepare(self, ask: Ask) -> Plan:
        """Decide, choose the approach, and check that it has what it needs.

        Where the evidence does not decide, the most probable approach that can be
        carried out answers; where HYBRID is recommended and nothing is trained for
        it yet, or a prompt that holds all documents is, RAG does. A note says so.

        Raises:
            NotFound: The use case or the adapter does not exist.
            FailedPrecondition: The approach is vetoed, or lacks documents or an adapter; or nothing is
                decided and no approach can be carried out.
            InvalidInput: The adapter is not one of the approach, or that reads no passages to be filtered.
            ModelError: The adapter is damaged, or does not fit the model.
        """
        use_case = None if ask.use_case_id is None else use_cases.get(self._database, ask.use_case_id)
        facts, gathered = (ask.facts, NOTHING) if use_case is None else known_facts(self._database, use_case)
        with span("decide"):
            recommendation = self._advisor.recommend(facts, FULL, gathered=gathered)
        named = None
        if use_case is not None and ask.adapter_id is not None:
            named = adapters.get(self._database, use_case.id, ask.adapter_id)
        approach = ask.approach or (named.approach if named else None)
        notes: tuple[str, ...] = ()
        if approach is None:
            approach, notes = self._recommended(use_case, facts, recommendation)
        refuse_vetoed(recommendation, approach)
        _refuse_other(named, approach)
        _refuse_unread(ask.options, approach)
        adapter = self._needed(use_case, approach, named)
        plan = Plan(ask, use_case, recommendation, approach, adapter, (*notes, *_erased(adapter)))
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
        with span("open"):
            backend = self._backends.open(plan, self._loader.models(emit, cancelled))
        ask = plan.ask
        options = replace(ask.options, scope=principal())
        with span("answer", {"approach": plan.approach}):
            answer = backend.answer(
                ask.question, options=options, emit=emit, cancelled=cancelled, history=ask.history
            )
        return replace(answer, notes=(*plan.notes, *answer.notes))

    def search(
        self,
        use_case_id: str,
        question: str,
        limit: int,
        within: Restriction | None,
        cancelled: Callable[[], bool],
    ) -> tuple[Hit, ...]:
        """Return the passages of a use case, or of some of its documents, that fit a question best, best first.

        Raises:
            NotFound: The use case does not exist.
            FailedPrecondition: It has no documents.
            ModelError: The embedder of its passages cannot be loaded.
        """
        if use_cases.get(self._database, use_case_id).document_count == 0:
            raise FailedPrecondition(
                "NO_DOCUMENTS",
                f"{use_case_name(use_case_id)} has no documents to search; import some with ImportDocuments",
            )
        models = self._loader.models(lambda _: None, cancelled)
        with span("search"):
            return self._backends.search(use_case_id, models, question, limit, within)

    def _recommended(
        self, use_case: UseCase | None, facts: facts_pb2.Facts, recommendation: Recommendation
    ) -> tuple[Approach, tuple[str, ...]]:
        """Return the approach that answers where none is asked for, and what is to be said of it."""
        taken = recommendation.approach
        if taken is None:
            return self._best_that_can(use_case, recommendation)
        if (
            taken is Approach.PROMPTING
            and use_case is not None
            and _documents_belong_in_the_prompt(use_case, facts)
        ):
            return Approach.RAG, (_PASSAGES_OF_THEM,)
        if taken is Approach.HYBRID:
            try:
                self._needed(use_case, taken, None)
            except FailedPrecondition as error:
                # The documents are there, and RAG is what HYBRID begins with.
                if error.reason == "NO_ADAPTER":
                    return Approach.RAG, (_NOT_TRAINED,)
                raise
        return taken, ()

    def _best_that_can(
        self, use_case: UseCase | None, recommendation: Recommendation
    ) -> tuple[Approach, tuple[str, ...]]:
        """Return the most probable approach that can be carried out, and the doubt, in a sentence."""
        for score in recommendation.scores:
            with suppress(FailedPrecondition):
                refuse_vetoed(recommendation, score.approach)
                self._needed(use_case, score.approach, None)
                return score.approach, (_doubt(recommendation, score),)
        raise FailedPrecondition(
            "UNDECIDED",
            "the evidence does not decide for an approach, and none can be carried out: "
            f"{_to_decide(recommendation)}, or give what an approach needs: documents, or an adapter",
            metadata={"facts": ",".join(_worth_telling(recommendation))},
        )

    def _needed(self, use_case: UseCase | None, approach: Approach, named: Adapter | None) -> Adapter | None:
        """Return the adapter that an approach answers with; FailedPrecondition where it lacks something."""
        if approach is Approach.PROMPTING:
            return None
        use_case = _stored(use_case, approach)
        if approach.retrieves and use_case.passage_count == 0:
            raise FailedPrecondition(
                "NO_DOCUMENTS",
                f"{approach} answers from documents, and {use_case_name(use_case.id)} has none; "
                "import some with ImportDocuments, or ask for another approach",
                metadata={"resource": use_case_name(use_case.id)},
            )
        return (named or self._newest_adapter(use_case, approach)) if approach.trained else None

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

    def forget(self, use_case_id: str | None) -> None:
        """Drop at once what memory holds of a use case's texts, but for what the model holds; of any where None."""
        self._backends.forget(use_case_id)

    def forget_prompts(self) -> None:
        """Drop what the model keeps of earlier prompts and adapters, and files of such as are deleted.

        Waits for the answer under way; Unavailable while the database is away.
        """
        if (models := self._loader.loaded) is not None:
            models.generator.forget()
        self._backends.forget_files()


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


def _refuse_other(adapter: Adapter | None, approach: Approach) -> None:
    if adapter is not None and adapter.approach != approach:
        raise InvalidInput.of(
            "adapter",
            f"was trained for {adapter.approach}, not {approach}; ask for {adapter.approach}, "
            "name another adapter, or none",
        )


def _refuse_unread(options: GenerationOptions, approach: Approach) -> None:
    """Refuse a filter that would be passed over: what it is to keep out may be in the prompt, or learned."""
    if options.within is not None and not approach.retrieves:
        raise InvalidInput.of(
            "options.filter",
            f"is for approaches that read passages, and {approach} would answer; ask for RAG, or leave it out",
        )


_NOT_TRAINED = (
    "HYBRID is recommended and nothing is trained for it yet, so RAG answers; "
    "train an adapter with Tune and the approach HYBRID."
)


_FITTING_TOKENS = 200_000
"""Of documents that fit into a usual prompt together (docs/knowledge.md)."""
_INPUT_AT_HAND = (facts_pb2.TASK_CLASSIFICATION, facts_pb2.TASK_EXTRACTION, facts_pb2.TASK_SUMMARIZATION)
_PASSAGES_OF_THEM = (
    "A prompt that holds all documents is recommended; this server puts the passages of them into it that are nearest "
    "to the question, as RAG does."
)


def _documents_belong_in_the_prompt(use_case: UseCase, facts: facts_pb2.Facts) -> bool:
    """Return whether a prompt is recommended because the documents fit into it."""
    fit = use_case.passage_count > 0 and facts.corpus_tokens <= _FITTING_TOKENS
    return fit and facts.task not in _INPUT_AT_HAND


def _erased(adapter: Adapter | None) -> tuple[str, ...]:
    """Say where an adapter has learned from what was to be forgotten."""
    if adapter is None or not (adapter.erased_examples or adapter.erased_documents):
        return ()
    name = adapter_name(adapter.use_case_id, adapter.id)
    note = (
        f"{name} was trained on what is deleted or replaced by now (examples: {adapter.erased_examples:,}, "
        f"documents: {adapter.erased_documents:,}); train a new one with Tune, and delete this one."
    )
    return (note,)


def _doubt(recommendation: Recommendation, answering: Score) -> str:
    ahead = ", ".join(
        f"{each.approach} {each.probability:.0%}"
        for each in recommendation.scores
        if each.feasible and each.probability > answering.probability
    )
    passed = f" that can be carried out here ({ahead} cannot)" if ahead else ""
    return (
        f"The evidence does not decide. {answering.approach} answers, at {answering.probability:.0%} the most "
        f"probable{passed}: {_to_decide(recommendation)} to decide."
    )


def _to_decide(recommendation: Recommendation) -> str:
    worth = _worth_telling(recommendation)
    return f"state {', '.join(worth)}" if worth else "state more facts"


def _worth_telling(recommendation: Recommendation) -> list[str]:
    questions = recommendation.explanation.questions if recommendation.explanation else ()
    return [question.fact for question in questions[:3]]


def _stored(use_case: UseCase | None, approach: Approach) -> UseCase:
    if use_case is None:
        raise FailedPrecondition(
            "NOT_STORED",
            f"{approach} needs documents or an adapter, which an inline use case lacks; "
            "store it with CreateUseCase and name it, or ask for PROMPTING",
        )
    return use_case
