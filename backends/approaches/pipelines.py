"""Haystack's pipelines as spans: which component ran, and for how long; nothing of what went through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from haystack.tracing.tracer import Span, Tracer, enable_tracing, is_tracing_enabled

from backends import spans

__all__ = ["trace_pipelines"]

_TOLD = ("haystack.component.name", "haystack.component.type")
"""Tags that are passed on. Others hold what a pipeline is given: the question, as a plain tag, not as content."""


def trace_pipelines() -> None:
    """Have pipelines tell their spans, where anybody asks for spans and no other tracer is set."""
    if spans.told() and not is_tracing_enabled():
        enable_tracing(_Tracer())


class _Span(Span):
    """Takes no tag: those that are told are known when it begins."""

    def set_tag(self, key: str, value: Any) -> None:
        """Do nothing."""


class _Tracer(Tracer):
    @contextmanager
    def trace(
        self,
        operation_name: str,
        tags: Mapping[str, Any] | None = None,
        parent_span: Span | None = None,  # noqa: ARG002 - the span under way is the parent
    ) -> Iterator[Span]:
        """Open a span."""
        attributes = {key: str(value) for key, value in (tags or {}).items() if key in _TOLD}
        with spans.span(operation_name, attributes):
            yield _Span()

    def current_span(self) -> Span | None:
        """Return a span that takes nothing."""
        return _Span()
