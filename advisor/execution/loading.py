"""The models of a server: loaded once, in the background, while decisions are served already.

Importing torch and reading the models takes seconds, fetching them for the
first time minutes. Whoever needs them before waits, and hears how far it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from advisor.settings import Settings
from backends.base import BackendError, Cancelled, Generator, Message, ModelError, Progress
from backends.base import GenerationOptions as Options
from backends.retrieval.embedding import Embedder
from backends.retrieval.reranking import Reranker, open_reranker

__all__ = ["ModelLoader", "Models", "load_generator", "load_models"]

Report = Callable[[Progress], None]

POLL_S = 0.05
RETRY_S = 10.0
"""How long a failure to load is repeated before loading is tried again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """The models that answer."""

    generator: Generator
    embedder: Embedder
    reranker: Reranker | None = None


def load_models(settings: Settings, report: Report) -> Models:
    """Fetch, load and use the models once, so that the first answer is as fast as the next.

    Raises:
        ModelError: A model cannot be fetched or loaded.
    """
    from backends.generation.local import LocalGenerator
    from backends.retrieval.embedding import open_embedder

    report(Progress("Loading the embedder"))
    import backends.approaches.rag  # noqa: F401 - haystack takes seconds to import: now, not in the first answer

    embedder = open_embedder(settings.embedder, cache=settings.model_cache, report=report)
    embedder.warm()
    report(Progress("Loading the language model"))
    generator = load_generator(settings.generator, settings, report)
    if isinstance(generator, LocalGenerator):  # on a server elsewhere a token costs money
        generator.generate(
            (Message("user", "Hello"),),
            options=Options(max_output_tokens=1),
            emit=lambda _: None,
            cancelled=lambda: False,
        )
    return Models(generator, embedder, _reranker(settings, report))


def load_generator(name: str, settings: Settings, report: Report) -> Generator:
    """Return a model that writes, by the engine of the settings; fetched where needed, loaded when it is first used.

    Raises:
        ModelError: It cannot be fetched, or is none that generates.
    """
    from backends.generation.local import open_generator

    return open_generator(
        name,
        cache=settings.model_cache,
        report=report,
        engine=settings.engine,
        together=settings.concurrent_answers,
    )


def _reranker(settings: Settings, report: Report) -> Reranker | None:
    if settings.reranker:
        report(Progress("Loading the reranker"))
    reranker = open_reranker(settings.reranker, cache=settings.model_cache, report=report)
    if reranker is not None:
        reranker.warm()
    return reranker


class ModelLoader:
    """Loads models in a thread, and hands them out when they are there.

    Args:
        load: Loads the models, reporting how far it is.
    """

    def __init__(self, load: Callable[[Report], Models]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._models: Models | None = None
        self._failure: Exception | None = None
        self._failed_at = 0.0
        self._progress = Progress("Loading the models")
        self._callbacks: list[Callable[[], None]] = []

    def start(self) -> None:
        """Start to load, unless loading goes on, has succeeded, or failed a moment ago."""
        with self._lock:
            loading = self._thread is not None and self._thread.is_alive()
            resting = self._failure is not None and time.monotonic() - self._failed_at < RETRY_S
            if self._models is None and not loading and not resting:
                self._failure = None
                self._thread = threading.Thread(target=self._run, name="models", daemon=True)
                self._thread.start()

    def when_ready(self, callback: Callable[[], None]) -> None:
        """Call back in the loading thread once the models are there; at once where they are."""
        with self._lock:
            if self._models is None:
                self._callbacks.append(callback)
                return
        callback()

    @property
    def loaded(self) -> Models | None:
        """The models; None while they are not there."""
        return self._models

    def models(self, report: Report, cancelled: Callable[[], bool]) -> Models:
        """Return the models; waits for them, reporting how far they are.

        Raises:
            Cancelled: `cancelled` said so.
            ModelError: They cannot be fetched or loaded.
        """
        reported: Progress | None = None
        while (models := self._models) is None:
            self.start()
            if self._failure is not None:
                raise ModelError(str(self._failure)) from self._failure
            if cancelled():
                raise Cancelled("the caller stopped waiting for the models")
            if (progress := self._progress) != reported:
                reported = progress
                report(progress)
            time.sleep(POLL_S)
        return models

    def _run(self) -> None:
        began = time.monotonic()
        try:
            models = self._load(self._note)
        except Exception as error:  # noqa: BLE001 - kept, and raised for every caller
            self._failed_at = time.monotonic()
            self._failure = error if isinstance(error, BackendError) else _unforeseen(error)
            _log.error("the models cannot be loaded", message=str(self._failure), exc_info=error)
        else:
            with self._lock:
                self._models = models
            for callback in self._callbacks:
                callback()
            _log.info("models loaded", seconds=round(time.monotonic() - began, 1))

    def _note(self, progress: Progress) -> None:
        self._progress = progress


def _unforeseen(error: Exception) -> ModelError:
    return ModelError(
        f"the models cannot be loaded ({type(error).__name__}); the server's log has the details"
    )
