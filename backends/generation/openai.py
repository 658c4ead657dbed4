"""Text from a chat, by a model behind an OpenAI-compatible server such as vLLM."""

from __future__ import annotations

import asyncio
import json
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from backends.base import (
    FinishReason,
    Generation,
    GenerationOptions,
    Message,
    ModelError,
    QuestionError,
)
from backends.generation.engine import TOGETHER, awaited, stop_if
from backends.generation.marks import KNOWN_MARKS, without_marks
from backends.generation.words import WordStream

__all__ = ["OpenAIGenerator"]

T = TypeVar("T")

_ASSUMED_CONTEXT_TOKENS = 8192
_BYTES_PER_TOKEN = 3  # fewer than English has, so that an estimate errs on the safe side
_TOKENS_PER_MESSAGE = 8
_TIMEOUT_S = 120.0
_Said = SimpleQueue[str | None]  # the pieces of an answer, and None at its end
_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


class OpenAIGenerator:
    """A model on a server; LoRA adapters are those that the server itself serves, by name.

    Args:
        base_url: Address of the API, such as `http://localhost:8000/v1`.
        model: Name of the model on the server.
        api_key: What the server asks for; None where it asks for nothing.

    Attributes:
        context_tokens: How much the model reads, as the server says; 8,192 where it does not.

    Raises:
        ModelError: The server cannot be reached, or does not serve the model.
    """

    def __init__(self, base_url: str, model: str, api_key: str | None = None):
        import openai

        self.name = f"{model} at {base_url}"
        self._base_url = base_url
        self._model = model
        self._client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key or "none", timeout=_TIMEOUT_S)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=_run, args=(self._loop,), name="advisor-openai", daemon=True).start()
        weakref.finalize(self, _end, self._loop, self._client)
        served = self._begin(self._served()).result()
        if model not in served:
            raise ModelError(
                f"the server {base_url} does not serve {model!r}; it serves {_listed(served)}: name one of them"
            )
        said = getattr(served[model], "max_model_len", None)  # vLLM says it, OpenAI does not
        self.parameters: int | None = None  # no server says
        self.context_tokens: int = said if isinstance(said, int) else _ASSUMED_CONTEXT_TOKENS

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return an estimate of the chat's input tokens, on the high side: the server has the tokenizer."""
        return sum(
            _TOKENS_PER_MESSAGE + -(-len(message.content.encode()) // _BYTES_PER_TOKEN)
            for message in messages
        )

    def forget(self) -> None:
        """Do nothing: what the server keeps is its own affair."""

    def generate(
        self,
        messages: Sequence[Message],
        *,
        options: GenerationOptions,
        emit: Callable[[str], bool | None],
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> Generation:
        """Write the assistant's turn, as `Generator.generate` says; an adapter is served by its folder's name."""
        stop_if(cancelled)
        words, said = WordStream(emit), _Said()
        writing = self._write(messages, options, adapter, said.put, lambda: words.wanted)
        generation = self._follow(writing, said, words.write, cancelled)
        words.finish()
        return generation

    def generate_all(
        self,
        chats: Sequence[Sequence[Message]],
        *,
        options: GenerationOptions,
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> list[Generation]:
        """Write the turns of many chats by as many requests at once as pays, as `Generator.generate_all` says."""
        stop_if(cancelled)
        return self._follow(self._write_all(chats, options, adapter), _Said(), lambda _: None, cancelled)

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start work beside the caller's thread, who can leave it while the server is silent."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _follow(
        self,
        work: Coroutine[Any, Any, T],
        said: _Said,
        tell: Callable[[str], None],
        cancelled: Callable[[], bool],
    ) -> T:
        """Return what comes of work, passing on in the caller's thread what it says meanwhile."""
        begun = self._begin(work)
        begun.add_done_callback(lambda _: said.put(None))
        try:
            while (text := awaited(said, cancelled)) is not None:
                tell(text)
            return begun.result()
        finally:
            begun.cancel()

    async def _write_all(
        self, chats: Sequence[Sequence[Message]], options: GenerationOptions, adapter: Path | None
    ) -> list[Generation]:
        """Return the turns of many chats; where one fails, the others are left, and its error is raised."""
        together = asyncio.Semaphore(TOGETHER)

        async def write(messages: Sequence[Message]) -> Generation:
            async with together:
                return await self._write(messages, options, adapter, lambda _: None)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(write(messages)) for messages in chats]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _write(
        self,
        messages: Sequence[Message],
        options: GenerationOptions,
        adapter: Path | None,
        say: Callable[[str], None],
        wanted: Callable[[], bool] = lambda: True,
    ) -> Generation:
        """Return a turn, telling its pieces as they come, as far as they are wanted."""
        pieces, finished, usage = list[str](), None, None
        async with self._translated(formed=options.formed):
            stream = await self._stream(messages, options, adapter)
            async with stream:
                async for chunk in stream:
                    usage = chunk.usage or usage
                    for choice in chunk.choices[:1]:
                        if choice.delta.content:
                            pieces.append(choice.delta.content)
                            say(choice.delta.content)
                        finished = choice.finish_reason or finished
                    if not wanted():
                        finished = "stop"
                        break
        text, reason = "".join(pieces), self._reason(finished)
        if reason is FinishReason.STOP:
            self._check_form(text, options)
        return Generation(
            text=text,
            finish_reason=reason,
            input_tokens=usage.prompt_tokens if usage else self.count_tokens(messages),
            output_tokens=usage.completion_tokens if usage else len(pieces),
            engine=f"server {self._base_url}",
        )

    async def _stream(
        self, messages: Sequence[Message], options: GenerationOptions, adapter: Path | None
    ) -> Any:
        create: Any = self._client.chat.completions.create  # its overloads are by literal model names
        return await create(
            model=self._model if adapter is None else await self._adapter(adapter),
            # A server may read marks in a text as its own: which ones are, its tokenizer knows.
            messages=[
                {"role": each.role, "content": without_marks(each.content, KNOWN_MARKS)} for each in messages
            ],
            max_tokens=options.max_output_tokens,
            temperature=options.temperature,
            seed=options.seed,
            stream=True,
            stream_options={"include_usage": True},
            **_form(options),
        )

    def _reason(self, finished: str | None) -> FinishReason:
        """Return why an answer ended, by what the server said of that; it may have said nothing."""
        if finished is None:
            raise ModelError(
                f"the server {self._base_url} ended the stream before the answer was complete; ask again, and "
                "look at its log if it lasts"
            )
        if finished not in _REASONS:
            raise ModelError(
                f"the server {self._base_url} ended the answer for another reason than its end or length "
                f"({finished[:40]!r}); ask something else, or name another model"
            )
        return _REASONS[finished]

    def _check_form(self, text: str, options: GenerationOptions) -> None:
        """Refuse an answer in which the server ignored the form."""
        asked = ""
        if options.labels and text not in options.labels:
            asked = "one of the labels, by structured_outputs as vLLM knows it"
        elif options.output_schema is not None and not _is_json(text):
            asked = "JSON by the output schema, by response_format as OpenAI knows it"
        if asked:
            raise ModelError(
                f"the server {self._base_url} was asked for {asked}, and answered something else; "
                "name another server or model, or ask without"
            )

    async def _adapter(self, folder: Path) -> str:
        served = await self._served()
        if folder.name not in served:
            raise ModelError(
                f"the server {self._base_url} serves {_listed(served)}, but no adapter {folder.name!r}; "
                "load it there under that name"
            )
        return folder.name

    async def _served(self) -> dict[str, Any]:
        async with self._translated():
            return {model.id: model async for model in self._client.models.list()}

    @asynccontextmanager
    async def _translated(self, *, formed: bool = False) -> AsyncIterator[None]:
        """Turn the client's errors into ours, without what they may quote: keys and the user's text."""
        import httpx
        import openai

        try:
            yield
        except openai.APIStatusError as error:
            if error.code == "context_length_exceeded":
                raise QuestionError(
                    f"the chat does not fit the context of {self.name}; shorten it, or give fewer passages"
                ) from None
            hint = ", or ask without labels and output schema, which it may not take" if formed else ""
            raise ModelError(
                f"the server {self._base_url} refused to run {self._model!r}: HTTP {error.status_code}"
                f"{f' ({error.code})' if error.code else ''}; check the model's name and OPENAI_API_KEY{hint}"
            ) from None
        except (openai.APIError, httpx.HTTPError, json.JSONDecodeError) as error:
            raise ModelError(
                f"the server {self._base_url} failed ({type(error).__name__}); check that it runs and is reachable"
            ) from None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until it is stopped."""
    try:
        loop.run_forever()
    finally:
        loop.close()


def _end(loop: asyncio.AbstractEventLoop, client: Any) -> None:
    """Close a client, and stop its loop."""
    closing = asyncio.run_coroutine_threadsafe(client.close(), loop)
    closing.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))


def _form(options: GenerationOptions) -> dict[str, Any]:
    """Return what asks a server for a form: schemas as OpenAI takes them, labels as vLLM does."""
    if options.labels:
        return {"extra_body": {"structured_outputs": {"choice": list(options.labels)}}}
    if options.output_schema is None:
        return {}
    schema = {"name": "answer", "strict": True, "schema": json.loads(options.output_schema)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _listed(served: dict[str, Any]) -> str:
    return ", ".join(sorted(served)) or "nothing"
