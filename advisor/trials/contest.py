"""The arms of a trial made ready to answer, all on the same model and from the same examples."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.trials.arms import Arm
from advisor.trials.asking import Reply, ask_all
from advisor.trials.classifiers import classifier
from advisor.trials.conditions import Conditions, told_labels
from advisor.trials.probe import PROBE, PROBE_TOKENS, right_of
from advisor.trials.results import Training
from backends.approaches.prompting import PromptingBackend
from backends.approaches.shots import NearestExamples
from backends.base import Backend, Example, GenerationOptions, Generator, Passage
from backends.retrieval.asking import Named
from backends.retrieval.embedding import Embedder
from backends.retrieval.index import Connections
from backends.retrieval.reranking import Reranker
from backends.training.adapters import Manifest, TrainingExample, TuningSettings
from backends.training.examples import hybrid_examples, plain_examples

if TYPE_CHECKING:
    from backends.training.run import TuningProgress

__all__ = ["Answerer", "Contest", "Corpus", "Trainer"]

SHOWN = 3
"""Passages among which an answer that was refused is looked for: as many as tell whether there is evidence."""

Answerer = Callable[[Sequence[str], Callable[[], bool]], list[Reply]]
"""Answers questions, in their order; asked often whether to stop."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is retrieved from.

    Attributes:
        pool: Connections to the database that holds the passages.
        collection: Whose passages.
        documents: Returns all documents, each as one passage.
        named: Returns the embedder of the passages by its name, where it is not the one at hand.
        reranker: Orders what is found; None without one.
    """

    pool: Connections
    collection: str
    documents: Callable[[], Sequence[Passage]]
    named: Named
    reranker: Reranker | None = None


@dataclass(frozen=True, slots=True)
class Trainer:
    """How adapters are trained.

    Attributes:
        tune: `backends.training.run.tune`, with the model and its identity filled in.
        folder: Where adapters and checkpoints lie while the trial runs.
        settings: How to train.
        hybrid: How to train on passages.
        report: Takes how far it is.
        generator: What is trained, and writes with the adapters.
    """

    tune: Callable[..., Manifest]
    folder: Path
    settings: TuningSettings
    hybrid: TuningSettings
    report: Callable[[TuningProgress], None]
    generator: Generator

    def adapter(self, arm: Arm, examples: int) -> Path:
        """Return the folder of the adapter that an arm gets from so many examples."""
        return self.folder / f"{arm.value.lower().replace('_', '-')}-{examples}"

    def train(
        self,
        arm: Arm,
        examples: Sequence[TrainingExample],
        learned_from: int,
        cancelled: Callable[[], bool],
    ) -> Training:
        """Train an adapter; called again after an interruption, it goes on where it was.

        Args:
            arm: FINE_TUNING or HYBRID.
            examples: The chats.
            learned_from: Examples that they were made from.
            cancelled: Asked often; True ends the work at once.

        Raises:
            Cancelled: `cancelled` said so.
            BackendError: What `backends.training.run.tune` raises.
        """
        folder, began = self.adapter(arm, learned_from), time.monotonic()
        metrics = self.tune(
            examples,
            self.hybrid if arm is Arm.HYBRID else self.settings,
            output=folder,
            checkpoints=folder.with_name(f"{folder.name}-checkpoints"),
            approach=arm.value,
            report=self.report,
            cancelled=cancelled,
        ).metrics
        seconds = time.monotonic() - began
        return Training(metrics.training_examples, metrics.tokens, seconds, metrics.held_out_loss)


@dataclass(frozen=True, slots=True)
class Contest:
    """Opens arms.

    Attributes:
        generator: What writes without an adapter.
        embedder: What embeds questions.
        conditions: The same for all arms.
        instructions: What the use case wants of every answer.
        training: Examples to learn from.
        corpus: What to retrieve from.
        trainer: Trains adapters.
        together: Questions asked at once.
    """

    generator: Generator
    embedder: Embedder
    conditions: Conditions
    instructions: str
    training: Sequence[Example]
    corpus: Corpus
    trainer: Trainer
    together: int

    @property
    def options(self) -> GenerationOptions:
        """How every arm generates."""
        conditions = self.conditions
        return GenerationOptions(
            max_output_tokens=conditions.max_output_tokens,
            seed=conditions.seed,
            labels=conditions.labels,
            output_schema=conditions.output_schema or None,
        )

    def open(self, arm: Arm) -> Answerer:
        """Return what answers for an arm; what it is to be trained as, `train` has trained.

        Raises:
            BackendError: The arm cannot answer, as its message says.
        """
        if arm.is_reference:
            classify = classifier(arm, self.training, self.embedder, self.conditions.seed)
            return lambda questions, _: classify(questions)
        return self._asking(self._backend(arm), retrieves=arm.retrieves)

    def over(self, pool: Connections) -> Contest:
        """Return the same contest over what other connections see."""
        return replace(self, corpus=replace(self.corpus, pool=pool))

    def open_tuned(self, examples: int) -> Answerer:
        """Return what answers for FINE_TUNING on the first so many examples."""
        adapter = self.trainer.adapter(Arm.FINE_TUNING, examples)
        return self._asking(PromptingBackend(self.trainer.generator, adapter=adapter))

    def probe(self, arm: Arm | None, cancelled: Callable[[], bool]) -> list[bool]:
        """Return which questions of the general probe are answered right by what is trained: before, or for an arm.

        Raises:
            Cancelled: `cancelled` said so.
            BackendError: The model cannot answer.
        """
        adapter = self.trainer.adapter(arm, len(self.training)) if arm else None
        options = GenerationOptions(max_output_tokens=PROBE_TOKENS, seed=self.conditions.seed)
        backend = PromptingBackend(self.trainer.generator, adapter=adapter)
        questions = [question for question, _ in PROBE]
        replies = ask_all(backend, questions, options, cancelled, together=self.together)
        return right_of([each.text for each in replies])

    def train(self, arm: Arm, examples: int, cancelled: Callable[[], bool]) -> Training:
        """Train the adapter of an arm on the first so many examples.

        Raises:
            Cancelled: `cancelled` said so.
            BackendError: It cannot be trained, as the message says.
        """
        given = self.training[:examples]
        chats = self._over_passages(given) if arm is Arm.HYBRID else plain_examples(given)
        return self.trainer.train(arm, chats, examples, cancelled)

    def _asking(self, backend: Backend, *, retrieves: bool = False) -> Answerer:
        def answer(questions: Sequence[str], cancelled: Callable[[], bool]) -> list[Reply]:
            together = min(self.together, len(questions))
            replies = ask_all(backend, questions, self.options, cancelled, together=together)
            if not retrieves:
                return replies
            return [self._with_found(*each) for each in zip(questions, replies, strict=True)]

        return answer

    def _with_found(self, question: str, reply: Reply) -> Reply:
        """Return a reply with what was found: a refusal does not tell."""
        if not reply.refused:
            return reply
        passages = self.search(question, SHOWN)
        return replace(
            reply,
            found=tuple(passage.text for passage in passages),
            sources=tuple(dict.fromkeys(passage.source for passage in passages)),
        )

    def _backend(self, arm: Arm) -> Backend:
        trained = arm.trained_as
        adapter = self.trainer.adapter(trained, len(self.training)) if trained else None
        told = f"{self.instructions.strip()} {told_labels(self.conditions.labels)}".strip()
        if arm.retrieves:
            return self._rag("" if adapter else told, adapter)
        if adapter:
            return PromptingBackend(self.trainer.generator, adapter=adapter)
        return PromptingBackend(
            self.generator,
            instructions=told,
            examples=() if arm is Arm.ZERO_SHOT else self.training,
            documents=self.corpus.documents() if arm is Arm.DOCUMENTS_IN_PROMPT else (),
            nearest=NearestExamples(self.training, self.embedder) if arm is Arm.NEAREST_SHOTS else None,
        )

    def _rag(self, instructions: str, adapter: Path | None) -> Backend:
        from backends.approaches.rag import RagBackend

        return RagBackend(
            self.corpus.pool,
            self.corpus.collection,
            self.embedder,
            self.trainer.generator if adapter else self.generator,
            instructions=instructions,
            adapter=adapter,
            named=self.corpus.named,
            reranker=self.corpus.reranker,
        )

    def _over_passages(self, examples: Sequence[Example]) -> Sequence[TrainingExample]:
        return hybrid_examples(examples, self.search, seed=self.conditions.seed)

    def search(self, question: str, limit: int) -> Sequence[Passage]:
        """Return at most so many passages for a question, best first."""
        from backends.retrieval.search import PassageRetriever

        corpus = self.corpus
        retriever = PassageRetriever(
            corpus.pool, corpus.collection, self.embedder, corpus.named, corpus.reranker
        )
        return [hit.passage for hit in retriever.search(question, limit)]
