"""Commands around the server: serve, models, the demo's help, and servers that commands start themselves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from advisor.client import Client
from advisor.errors import FailedPrecondition, Unauthenticated

pytestmark = pytest.mark.usefixtures("no_models")


def test_serve_says_where_and_ends_when_told(advisor_process, server, tmp_path, until):
    """It decides at once, whatever becomes of the models; SIGTERM ends it with 0."""
    port_file = tmp_path / "port"
    with advisor_process("serve", "--port", 0, "--port-file", port_file) as process:
        until(lambda: port_file.exists() or process.poll() is not None)
        port = int(port_file.read_text())
        with Client(f"127.0.0.1:{port}") as client:
            assert client.recommend({"needs_citations": True}).summary
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0
    assert f"serving on 127.0.0.1:{port}" in printed
    assert list(tmp_path.glob("*port*")) == []


def test_several_processes_serve_on_one_port(advisor_process, server, tmp_path, until, monkeypatch):
    """Calls are shared among them, one that dies is replaced, and all end when told."""
    monkeypatch.setenv("ADVISOR_ADMIN_TOKEN", "a" * 32)
    port_file = tmp_path / "port"
    with advisor_process("serve", "--processes", 2, "--port", 0, "--port-file", port_file) as process:
        until(lambda: port_file.exists() or process.poll() is not None)
        at = f"127.0.0.1:{port_file.read_text().strip()}"
        first = servers_of(process.pid)
        assert len(first) == 2

        def decide() -> bool:
            with Client(at, token="a" * 32) as client:
                return bool(client.recommend({"needs_citations": True}).summary)

        assert all(decide() for _ in range(8))  # a connection each
        with pytest.raises(Unauthenticated), Client(at) as client:
            client.recommend({})
        os.kill(min(first), signal.SIGKILL)
        until(lambda: len(servers_of(process.pid)) == 2 and servers_of(process.pid) != first)
        assert all(decide() for _ in range(8))
        process.send_signal(signal.SIGHUP)
        assert any("rules taken" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert not any(Path(f"/proc/{each}").exists() for each in first)


def servers_of(parent: int) -> set[int]:
    """Return the process ids of the servers that a process has started."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes()
            of = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if of == parent and b"advisor.rpc.processes" in command:
                found.add(int(folder.name))
    return found


def test_a_server_of_several_that_cannot_start(advisor_process, server, tmp_path, monkeypatch):
    """Ends all of them, with why in the log."""
    monkeypatch.setenv("ADVISOR_METRICS_HOST", "192.0.2.1")  # nobody's
    monkeypatch.setenv("ADVISOR_METRICS_PORT", "9464")
    with advisor_process("serve", "--processes", 2, "--port", 0) as process:
        _, written = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "192.0.2.1" in written
    assert "server process 0 ended at its start; the log says why" in written


def test_health_is_told_to_whoever_watches(advisor, at, server):
    """By the status, without a token; a service that there is not is an error of its own."""
    told = advisor("health", *at)
    assert (told.status, told.out) == (0, f"the server at {server.address} serves\n")
    assert advisor("health", *at, "--service", "advisor.v1.ExecutionService").status == 0
    unknown = advisor("health", *at, "--service", "advisor.v1.Nothing")
    assert (unknown.status, "reflection lists those there are" in unknown.err) == (2, True)


def test_a_server_that_does_not_serve_yet(advisor_process, advisor, tmp_path, until):
    """While its models do not load, what needs them does not serve."""
    port_file = tmp_path / "port"
    with advisor_process("serve", "--port", 0, "--port-file", port_file) as process:
        until(lambda: port_file.exists() or process.poll() is not None)
        at = ("--server", f"127.0.0.1:{port_file.read_text().strip()}")
        assert advisor("health", *at).status == 0
        told = advisor("health", *at, "--service", "advisor.v1.ExecutionService")
        assert (told.status, "does not serve yet, or not any more" in told.err) == (2, True)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_workers_without_a_server(advisor_process, client, until):
    """They take up what a server elsewhere was asked for, and end when told."""
    client.create_use_case("faq")
    client.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
    future = client.tune("faq")
    with advisor_process("worker", "--count", 1) as process:
        assert process.stdout.readline() == "1 worker at work\n"
        until(future.done)  # the model does not load here, which the worker finds
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    with pytest.raises(FailedPrecondition) as caught:
        future.result(timeout=10)
    assert caught.value.reason == "MODEL"


def test_a_call_is_traced_from_the_server_to_the_worker(
    advisor_process, server, tmp_path, until, monkeypatch, collector
):
    """Their spans are of one trace, sent to the collector that OpenTelemetry's variables name, with no text."""
    monkeypatch.setenv("ADVISOR_TRACING", "true")
    monkeypatch.setenv("ADVISOR_WORKERS", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    port_file = tmp_path / "port"
    with advisor_process("serve", "--port", 0, "--port-file", port_file) as process:
        until(lambda: port_file.exists() or process.poll() is not None)
        with Client(f"127.0.0.1:{port_file.read_text().strip()}") as client:
            client.create_use_case("faq", description="a text of somebody's")
            client.import_examples("faq", [{"question": f"q{number}", "answer": "a"} for number in range(64)])
            future = client.tune("faq")
            until(future.done)  # the model does not load here
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    named = {span.name: (service, span) for service, span in collector.spans()}
    (asked_by, call), (done_by, work) = (
        named["advisor.v1.ExecutionService/Tune"],
        named["operation TUNE"],
    )
    assert (asked_by, done_by) == ("advisor", "advisor-worker")
    assert (work.trace_id, work.parent_span_id) == (call.trace_id, call.span_id)
    assert b"a text of somebody's" not in collector.received


def test_no_workers_are_none(advisor):
    """A machine that is to work needs some: here a server's setting says that there are none."""
    told = advisor("worker")
    assert (told.status, "set ADVISOR_WORKERS to 1 or more" in told.err) == (2, True)


def test_serve_on_a_port_that_is_taken(advisor_process, server):
    """The address and the next step are named, and nothing else is said."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with advisor_process("serve", "--port", port) as process:
            _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.startswith(f"advisor: cannot listen on 127.0.0.1:{port}: Address already in use; ")
    assert "--port" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--port", 70000), "'--port': '70000': "),
        (("--port", 0, "--port-file", "/none/port"), "/none/port: cannot be written"),
    ],
)
def test_serve_with_what_is_not_allowed(advisor_process, server, arguments, expected):
    """It ends with 2, and the last line is the message."""
    with advisor_process("serve", *arguments) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.splitlines()[-1].startswith("advisor: ")
    assert expected in said.splitlines()[-1]


RULE = """version: 1
rules:
  - id: {id}
    criterion: specialization
    when: {{output_form: LABEL}}
    evidence: {{FINE_TUNING: 1}}
    reason: labels
    sources: [founding]
    examples: {{fire: [{{output_form: {form}}}], silent: [{{output_form: CODE}}]}}
"""


def test_serve_reads_its_rules_again_when_told(advisor_process, server, write, tmp_path, until):
    """What decides after SIGHUP is the file as it is now; a wrong one changes nothing and is told."""
    rules, port_file = write("mine.yaml", RULE.format(id="one", form="LABEL")), tmp_path / "port"
    with advisor_process("serve", "--port", 0, "--port-file", port_file, "--rules", rules) as process:
        until(lambda: port_file.exists() or process.poll() is not None)
        with Client(f"127.0.0.1:{port_file.read_text().strip()}") as client:
            first = client.recommend({"output_form": "LABEL"})
            write("mine.yaml", RULE.format(id="two", form="STYLE"))
            process.send_signal(signal.SIGHUP)
            told = [process.stderr.readline()]
            while "rules kept" not in told[-1]:
                told.append(process.stderr.readline())
            assert client.recommend({"output_form": "LABEL"}) == first
            write("mine.yaml", RULE.format(id="two", form="LABEL"))
            process.send_signal(signal.SIGHUP)
            until(lambda: client.recommend({}).versions.rules != first.versions.rules)
            second = client.recommend({"output_form": "LABEL"})
    assert "two does not fire on its example" in told[-2]
    assert ("one" in {each.id for each in first.evidence}) == ("two" in {each.id for each in second.evidence})


def test_serve_with_wrong_rules(advisor_process, server, write, monkeypatch):
    """It does not start, and every fault is told; the rules may also come from the environment."""
    monkeypatch.setenv("ADVISOR_RULES", str(write("mine.yaml", "version: 1\ndisable: [a, b]\n")))
    with advisor_process("serve", "--port", 0) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert [fault in said for fault in ("mine.yaml:2:11: ", "mine.yaml:2:14: ")] == [True, True]


def test_a_command_without_a_server_starts_its_own(advisor, server, write):
    """It is there for the command, and what was stored is there afterwards."""
    ended = advisor("import", write("bare.yaml", "id: bare\ndescription: Bare.\n"))
    assert (ended.status, ended.err) == (0, "")
    with Client(server.address) as client:
        assert client.get_use_case("bare").description == "Bare."


def test_a_server_of_ones_own_that_does_not_start(advisor, write, monkeypatch):
    """The command's message is the server's own."""
    monkeypatch.setenv("ADVISOR_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    ended = advisor("operations", "list")
    assert (ended.status, ended.out) == (2, "")
    assert "ADVISOR_DATABASE_URL" in ended.err


def test_an_answer_without_models(advisor, server, write, tmp_path):
    """The model that does not load is named."""
    case = write("bare.yaml", "id: bare\ndescription: Bare.\n")
    ended = advisor("answer", case, "one", "--approach", "PROMPTING")
    assert ended.status == 2
    assert str(tmp_path / "no-model") in ended.err.splitlines()[-1]


def test_a_wrong_model_is_refused_before_anything_is_done(advisor, write, client, monkeypatch):
    """The variable, its value and what is allowed are named, and nothing is imported."""
    monkeypatch.setenv("ADVISOR_GENERATOR", "/none/model")
    ended = advisor("answer", write("bare.yaml", "id: bare\ndescription: Bare.\n"), "one")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(
        "advisor: ADVISOR_GENERATOR: '/none/model' is no folder; a model is named by a folder, "
    )
    assert list(client.use_cases()) == []


def test_models_in_folders_are_used_where_they_are(advisor, tmp_path):
    """A folder needs no fetching: its path is told."""
    folder = tmp_path / "no-model"
    ended = advisor("models", "pull", "--verify")
    assert (ended.status, ended.err) == (0, "")
    assert f"{folder}: {folder}" in ended.out


def test_models_that_are_not_there(advisor, monkeypatch):
    """The folder is named."""
    monkeypatch.setenv("ADVISOR_EMBEDDER", "/none/model")
    ended = advisor("models", "pull")
    assert ended.status == 2
    assert "ADVISOR_EMBEDDER: '/none/model'" in ended.err


def test_models_served_elsewhere_are_not_fetched(advisor, monkeypatch):
    """A model behind an address is left there."""
    monkeypatch.setenv("ADVISOR_GENERATOR", "openai:http://localhost:8000/v1#m")
    ended = advisor("models", "pull")
    assert ended.status == 0
    assert ended.out.count("is served elsewhere") == 1


def test_the_demo_says_what_it_does(advisor):
    """Its help tells of both use cases; the demo itself takes minutes and real models."""
    ended = advisor("demo", "--help")
    assert ended.status == 0
    assert "--fresh" in ended.out


def test_models_as_json(advisor, tmp_path, monkeypatch):
    """One object a model."""
    monkeypatch.setenv("ADVISOR_GENERATOR", "openai:http://localhost:8000/v1#m")
    models = [json.loads(line)["model"] for line in advisor("models", "pull", "--json").out.splitlines()]
    assert models[0] == {"name": "openai:http://localhost:8000/v1", "remote": True}
    assert models[1]["folder"] == str(tmp_path / "no-model")


def test_a_command_s_own_server_tells_every_fault(advisor, monkeypatch):
    """What keeps it from starting is said as `advisor serve` says it."""
    monkeypatch.setenv("ADVISOR_WORKERS", "many")
    monkeypatch.setenv("ADVISOR_EMBEDDER", "hf:x")
    ended = advisor("operations", "list")
    assert ended.status == 2
    assert [line.split(": ")[1] for line in ended.err.splitlines() if line.startswith("advisor: ")] == [
        "ADVISOR_EMBEDDER",
        "ADVISOR_WORKERS",
    ]


OWN_SERVER = """
import sys, time
from pathlib import Path
from advisor.cli.connection import own_server
with own_server() as address:
    Path(sys.argv[1]).write_text(address + "!")
    time.sleep(100)
"""


def test_a_command_s_own_server_ends_with_it(server, tmp_path, until):
    """SIGTERM, as `timeout` sends it, ends the command as Ctrl-C does, and nothing is left running."""
    told = tmp_path / "address"
    with subprocess.Popen([sys.executable, "-c", OWN_SERVER, told]) as process:
        until(lambda: told.exists() and told.read_text().endswith("!"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    with socket.socket() as probe:
        port = int(told.read_text().rstrip("!").rpartition(":")[2])
        assert probe.connect_ex(("127.0.0.1", port)) != 0
