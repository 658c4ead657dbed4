"""What a server does, in numbers, for Prometheus: on a port of its own, where nobody needs a token.

Labels are names of this program alone: of methods, codes, approaches, kinds of
work. None is of a principal or a use case, and no text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from advisor.errors import ConfigurationError

__all__ = ["CallMeter", "Gauges", "Metering", "Metrics", "Sample"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Bounds of the buckets, from a decision to a long answer."""

ALARMING = ("DISK_FULL", "INTERNAL", "OVERLOADED")
"""Reasons that are told before there is any: the first one is an increase, then."""

Sample = tuple[tuple[str, ...], float]
"""Values of labels, and what was measured."""


class Gauges(Protocol):
    """What is read when somebody asks, not counted on the way."""

    def __call__(self) -> Iterable[Sample]:
        """Return the present values; raises where they cannot be read now."""
        ...


class Metrics:
    """All that is measured of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._calls = self._counter("calls", "Calls that have ended, by their code.", "method", "code")
        self._errors = self._counter("errors", "Calls that failed, by the reason.", "method", "reason")
        self._under_way = Gauge(
            "advisor_calls_under_way",
            "Calls that have begun and not ended.",
            ["method"],
            registry=self.registry,
        )
        self._seconds = self._histogram("call", "How long calls take.", "method")
        self._answers = self._counter("answers", "Answers written to the end.", "approach", "finish_reason")
        self._tokens = self._counter(
            "tokens", "Tokens of answers, read and written.", "approach", "direction"
        )
        self._first = self._histogram("first_token", "From the question to the first token.", "approach")
        self._whole = self._histogram("answer", "From the question to the end of the answer.", "approach")
        self._searches = self._histogram("search", "Passages looked for, the question's embedding included.")
        self._meters: dict[str, CallMeter] = {}

    def meter(self, method: str) -> CallMeter:
        """Return what measures the calls of a method."""
        meter = self._meters.get(method)
        if meter is None:
            self._meters[method] = meter = CallMeter(
                self._seconds.labels(method),
                self._under_way.labels(method),
                lambda code: self._calls.labels(method, code),
                lambda reason: self._errors.labels(method, reason),
            )
        return meter

    def answered(
        self,
        approach: str,
        finish_reason: str,
        *,
        input_tokens: int,
        output_tokens: int,
        first_token_s: float,
        total_s: float,
    ) -> None:
        """Count an answer."""
        self._answers.labels(approach, finish_reason).inc()
        self._tokens.labels(approach, "input").inc(input_tokens)
        self._tokens.labels(approach, "output").inc(output_tokens)
        self._first.labels(approach).observe(first_token_s)
        self._whole.labels(approach).observe(total_s)

    def searching(self) -> Metering:
        """Return a context that measures a search."""
        return Metering(self._searches.observe)

    def gauges(self, name: str, help_text: str, labels: tuple[str, ...], read: Gauges) -> None:
        """Have values read whenever somebody asks; none are told while they cannot be read."""
        self.registry.register(_Read(f"advisor_{name}", help_text, labels, read))

    def info(self, values: Mapping[str, str]) -> None:
        """Say what the server is, in labels of a value that is always 1."""
        self.registry.register(_Info(values))

    @contextmanager
    def served(self, host: str, port: int | None) -> Iterator[int | None]:
        """Serve them over HTTP until the block ends, and yield the port; nowhere where None.

        Raises:
            ConfigurationError: The address cannot be listened on.
        """
        if port is None:
            yield None
            return
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise ConfigurationError(
                f"metrics cannot be served on {host}:{port}: {error.strerror}; set ADVISOR_METRICS_PORT to "
                "another port, or leave it out"
            ) from None
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"advisor_{name}", help_text, labels, registry=self.registry)

    def _histogram(self, name: str, help_text: str, *labels: str) -> Histogram:
        return Histogram(
            f"advisor_{name}_seconds", help_text, labels, buckets=SECONDS, registry=self.registry
        )


class CallMeter:
    """Measures the calls of one method."""

    def __init__(
        self,
        seconds: Histogram,
        under_way: Gauge,
        by_code: Callable[[str], Counter],
        by_reason: Callable[[str], Counter],
    ) -> None:
        self._seconds = seconds
        self._under_way = under_way
        self._by_code = by_code
        self._by_reason = by_reason
        self._ended: dict[str, Counter] = {"OK": by_code("OK")}
        for reason in ALARMING:
            by_reason(reason)

    def begun(self) -> float:
        """Note that a call has begun; return the moment, for `ended`."""
        self._under_way.inc()
        return time.perf_counter()

    def ended(self, began: float, code: str, reason: str = "") -> float:
        """Note how a call has ended; return the seconds that it took."""
        seconds = time.perf_counter() - began
        self._under_way.dec()
        self._seconds.observe(seconds)
        counter = self._ended.get(code)
        if counter is None:
            self._ended[code] = counter = self._by_code(code)
        counter.inc()
        if reason:
            self._by_reason(reason).inc()
        return seconds


class Metering:
    """Tells how long a block takes, unless it raises."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        if kind is None:
            self._tell(time.perf_counter() - self._began)


class _Read(Collector):
    def __init__(self, name: str, help_text: str, labels: tuple[str, ...], read: Gauges) -> None:
        self._name = name
        self._help = help_text
        self._labels = labels
        self._read = read

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        family = self._family()
        try:
            for labels, value in self._read():
                family.add_metric(labels, value)
        except Exception:  # noqa: BLE001 - the others are told all the same
            return []
        return [family]

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self._name, self._help, labels=self._labels)


class _Info(Collector):
    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def collect(self) -> Iterable[Metric]:
        return [InfoMetricFamily("advisor", "What the server is.", value=self._values)]
