"""What Prometheus reads."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from advisor.errors import ConfigurationError
from advisor.telemetry.metrics import Metrics


def read(port: int) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return the samples that are served on a port, by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_calls_are_counted() -> None:
    """By method and code, with how long they take; those that fail by their reason as well."""
    metrics = Metrics()
    meter = metrics.meter("a.B/C")
    assert metrics.meter("a.B/C") is meter
    began = meter.begun()
    with metrics.served("127.0.0.1", 0) as port:
        assert port is not None
        assert read(port)["advisor_errors_total", (("method", "a.B/C"), ("reason", "INTERNAL"))] == 0
        assert read(port)["advisor_calls_under_way", (("method", "a.B/C"),)] == 1
        meter.ended(began, "OK")
        meter.ended(meter.begun(), "NOT_FOUND", "RESOURCE_NOT_FOUND")
        found = read(port)
    assert found["advisor_calls_under_way", (("method", "a.B/C"),)] == 0
    for code in ("OK", "NOT_FOUND"):
        assert found["advisor_calls_total", (("code", code), ("method", "a.B/C"))] == 1
    assert found["advisor_errors_total", (("method", "a.B/C"), ("reason", "RESOURCE_NOT_FOUND"))] == 1
    assert found["advisor_call_seconds_count", (("method", "a.B/C"),)] == 2
    assert found["advisor_call_seconds_bucket", (("le", "+Inf"), ("method", "a.B/C"))] == 2


def test_what_cannot_be_read_hides_nothing_else() -> None:
    """While the database is away, the rest is told."""

    def broken() -> list[object]:
        raise OSError("away")

    metrics = Metrics()
    metrics.gauges("broken", "Broken.", ("a",), broken)  # type: ignore[arg-type]
    metrics.gauges("whole", "Whole.", ("a",), lambda: [(("b",), 3)])
    metrics.info({"rules": "1.2"})
    with metrics.served("127.0.0.1", 0) as port:
        assert port is not None
        found = read(port)
    assert found["advisor_whole", (("a", "b"),)] == 3
    assert found["advisor_info", (("rules", "1.2"),)] == 1
    assert not [name for name, _ in found if name == "advisor_broken"]


def test_a_port_that_is_taken() -> None:
    """Is told with what to set."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with (
            pytest.raises(ConfigurationError, match="ADVISOR_METRICS_PORT"),
            Metrics().served("127.0.0.1", taken.getsockname()[1]),
        ):
            pass


def test_nothing_is_served_where_nobody_asked() -> None:
    """By default there is no port."""
    with Metrics().served("127.0.0.1", None) as port:
        assert port is None
