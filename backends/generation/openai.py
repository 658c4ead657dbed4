"""Text from a chat, by a model behind an OpenAI-compatible server such as vLLM."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from backends.base import (
    Cancelled,
    FinishReason,
    Generation,
    GenerationOptions,
    Message,
    ModelError,
    QuestionError,
)
from backends.generation.engine import TOGETHER, stop_if
from backends.generation.words import WordStream

__all__ = ["OpenAIGenerator"]

_ASSUMED_CONTEXT_TOKENS = 8192
_BYTES_PER_TOKEN = 3  # fewer than English has, so that an estimate errs on the safe side
_TOKENS_PER_MESSAGE = 8
_TIMEOUT_S = 120.0


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
        self._client = openai.OpenAI(base_url=base_url, api_key=api_key or "none", timeout=_TIMEOUT_S)
        served = self._served()
        if model not in served:
            raise ModelError(
                f"the server {base_url} does not serve {model!r}; it serves {_listed(served)}: name one of them"
            )
        said = getattr(served[model], "max_model_len", None)  # vLLM says it, OpenAI does not
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
        emit: Callable[[str], None],
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> Generation:
        """Write the assistant's turn, as `Generator.generate` says; an adapter is served by its folder's name."""
        stop_if(cancelled)
        pieces, words = list[str](), WordStream(emit)
        reason, usage = FinishReason.STOP, None
        with self._translated(formed=options.formed), self._stream(messages, options, adapter) as stream:
            for chunk in stream:
                stop_if(cancelled)
                usage = chunk.usage or usage
                for choice in chunk.choices[:1]:
                    if choice.delta.content:
                        pieces.append(choice.delta.content)
                        words.write(choice.delta.content)
                    if choice.finish_reason == "length":
                        reason = FinishReason.LENGTH
        words.finish()
        text = "".join(pieces)
        if reason is FinishReason.STOP:
            self._check_form(text, options)
        return Generation(
            text=text,
            finish_reason=reason,
            input_tokens=usage.prompt_tokens if usage else self.count_tokens(messages),
            output_tokens=usage.completion_tokens if usage else len(pieces),
            engine=f"server {self._base_url}",
        )

    def generate_all(
        self,
        chats: Sequence[Sequence[Message]],
        *,
        options: GenerationOptions,
        cancelled: Callable[[], bool],
        adapter: Path | None = None,
    ) -> list[Generation]:
        """Write the turns of many chats by as many requests at once as pays, as `Generator.generate_all` says."""
        failed = Event()

        def write(messages: Sequence[Message]) -> Generation:
            try:
                return self.generate(
                    messages,
                    options=options,
                    emit=lambda _: None,
                    cancelled=lambda: failed.is_set() or cancelled(),
                    adapter=adapter,
                )
            except Exception:
                failed.set()  # the others stop at their next token
                raise

        with ThreadPoolExecutor(TOGETHER, thread_name_prefix="advisor-openai") as threads:
            asked = [threads.submit(write, messages) for messages in chats]
        errors = [error for each in asked if (error := each.exception()) is not None]
        for error in sorted(errors, key=lambda error: isinstance(error, Cancelled)):
            raise error
        return [each.result() for each in asked]

    def _stream(self, messages: Sequence[Message], options: GenerationOptions, adapter: Path | None) -> Any:
        create: Any = self._client.chat.completions.create  # its overloads are by literal model names
        return create(
            model=self._model if adapter is None else self._adapter(adapter),
            messages=[{"role": message.role, "content": message.content} for message in messages],
            max_tokens=options.max_output_tokens,
            temperature=options.temperature,
            seed=options.seed,
            stream=True,
            stream_options={"include_usage": True},
            **_form(options),
        )

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

    def _adapter(self, folder: Path) -> str:
        served = self._served()
        if folder.name not in served:
            raise ModelError(
                f"the server {self._base_url} serves {_listed(served)}, but no adapter {folder.name!r}; "
                "load it there under that name"
            )
        return folder.name

    def _served(self) -> dict[str, Any]:
        with self._translated():
            return {model.id: model for model in self._client.models.list()}

    @contextmanager
    def _translated(self, *, formed: bool = False) -> Iterator[None]:
        """Turn the client's errors into ours, without what they may quote: keys and the user's text."""
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
        except openai.APIError as error:
            raise ModelError(
                f"the server {self._base_url} failed ({type(error).__name__}); check that it runs and is reachable"
            ) from None


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
