"""The dashboard and the alarms under `examples/monitoring` ask for what a server tells."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from advisor.client import Client
from advisor.errors import AdvisorError, InvalidInput
from advisor.rpc.server import AdvisorServer
from advisor.v1 import use_case_pb2
from tests.ports import free_port

FOLDER = Path(__file__).parents[1] / "examples" / "monitoring"
PANELS = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
ALARMS = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]
TWICE = "count_over_time(advisor_ready[1m]) > 1"
"""Finds something once the server was read twice: then what is counted can have increased."""
QUERIES = [
    *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
    *((alarm["alert"], alarm["expr"]) for alarm in ALARMS),
]
needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs Prometheus, which Debian has as a package"
)


async def test_every_query_asks_for_what_is_told(session_parts) -> None:
    """By its name, and by labels that it has."""
    told = {
        metric.name: {label for sample in metric.samples for label in sample.labels}
        for metric in AdvisorServer(session_parts).metrics.registry.collect()
    }
    for title, query in QUERIES:
        names = re.findall(r"\b(?:advisor|process)_[a-z_]+", query)
        for name in names:
            assert re.sub("_(bucket|total)$", "", name) in told or name in told, (title, name)
        assert names or query.startswith("up{"), title


def test_every_alarm_is_explained() -> None:
    """With what to do, where an operator looks."""
    text = (FOLDER.parents[1] / "docs" / "operations.md").read_text()
    assert [alarm["alert"] for alarm in ALARMS if f"`{alarm['alert']}`" not in text] == []


@pytest.fixture
def prometheus(tmp_path: Path, session_parts, run_server) -> Iterator[tuple[str, Client]]:
    """Yield the address of a Prometheus, and a client of the server that it reads."""
    metrics_port, port = free_port(), free_port()
    settings = session_parts.settings.model_copy(update={"metrics_port": metrics_port})
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{metrics_port}"]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    command = [
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with (
        run_server(dataclasses.replace(session_parts, settings=settings)) as address,
        Client(address) as client,
    ):
        _use(client)  # what is there when it is first read is no increase
        process = subprocess.Popen(command)
        try:
            yield f"http://127.0.0.1:{port}", client
        finally:
            process.kill()
            process.wait()


def _use(client: Client) -> None:
    """Have a bit of everything happen."""
    client.recommend({"needs_citations": True})
    client.create_use_case("faq", exist_ok=True)
    list(client.answer({}, "One two three?", approach="PROMPTING"))
    client.import_documents("faq", [use_case_pb2.Document(source="a.md", content=b"# Leave\n\nTwenty days.")])
    client.search("faq", "How long?")
    with pytest.raises(InvalidInput):
        client.search("faq", "")


def _asked(address: str, query: str) -> list[Any]:
    expression = query.replace("$__rate_interval", "1m").replace("$job", "advisor")
    url = f"{address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            found = json.load(answer)
    except urllib.error.URLError as error:
        if isinstance(error, urllib.error.HTTPError) and error.code != 503:
            raise
        return []  # it has not begun yet
    assert found["status"] == "success"
    result: list[Any] = found["data"]["result"]
    return result


@needs_prometheus
def test_the_dashboard_shows_something(server, prometheus, until) -> None:
    """Each panel, read by a real Prometheus from a real server."""
    address, client = prometheus
    client.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
    client.tune("faq")

    until(lambda: _asked(address, TWICE))
    _use(client)
    queries = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
    until(lambda: all(_asked(address, query) for _, query in queries))
    for _, query in QUERIES:
        _asked(address, query)


@needs_prometheus
def test_an_alarm_goes_off(server, prometheus, until) -> None:
    """Where a call fails in a way that nobody foresaw."""
    address, client = prometheus
    (query,) = [alarm["expr"] for alarm in ALARMS if alarm["alert"] == "AdvisorInternalErrors"]

    until(lambda: _asked(address, TWICE))
    assert not _asked(address, query)
    with pytest.raises(AdvisorError):
        list(client.answer({}, "explode", approach="PROMPTING"))
    until(lambda: _asked(address, query))
