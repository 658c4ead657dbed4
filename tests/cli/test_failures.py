"""Every command: that it is there, that it is tested, and what it says to wrong input."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from advisor.cli import app

NOWHERE = ("--server", "127.0.0.1:1")
# For each command: arguments, and what the message on standard error names.
WRONG = {
    ("recommend",): [
        (("none.yaml",), "none.yaml: cannot be read"),
        (("bad.yaml",), "bad.yaml:2:1: not YAML"),
        (("binary.yaml",), "binary.yaml"),
        ((".",), "cannot be read"),
        (("unknown.yaml",), "update_interval"),
        (("no-documents.yaml",), "no file matches '*.pdf'"),
        (("faq.yaml", "--rules", "none.yaml"), "none.yaml: cannot be read"),
        (("faq.yaml", "--rules", "bad.yaml"), "bad.yaml:2:1: not YAML"),
        ((), "Missing argument 'file': it takes FILE; see"),
    ],
    ("init",): [
        (("faq.yaml",), "is there already; choose another name, or add --force"),
        (("none/use-case.yaml",), "cannot be written"),
    ],
    ("consult",): [
        (("none.yaml",), "none.yaml: cannot be read"),
        (("--rules", "none.yaml"), "none.yaml: cannot be read"),
        (("--max-questions", "many"), "'many'"),
    ],
    ("rules", "list"): [(("--rules", "none.yaml"), "none.yaml: cannot be read")],
    ("rules", "check"): [(("--rules", "bad.yaml"), "bad.yaml:2:1: not YAML")],
    ("rules", "test"): [(("--rules", "faq.yaml"), "faq.yaml")],
    ("serve",): [(("--port", "many"), "'--port': 'many'"), (("many",), "(many): it takes none; see")],
    ("import",): [
        (("none.yaml", *NOWHERE), "none.yaml: cannot be read"),
        (("no-id.yaml", *NOWHERE), "has no id, under which servers keep it; add the line id: "),
        (("faq.yaml", "--yes", "--keep", *NOWHERE), "cannot go with --yes"),
        (("no-examples.yaml", *NOWHERE), "none.jsonl"),
        (("empty", *NOWHERE), "empty: holds neither use-case.yaml nor a file that can be imported: .txt, "),
        (
            ("-", "--source", "a.md", *NOWHERE),
            "--use-case: is missing: advisor import - --use-case FILE_OR_ID",
        ),
        (
            ("-", "--use-case", "faq", *NOWHERE),
            "--source: is missing: advisor import - --use-case FILE_OR_ID",
        ),
        (
            ("-", "--use-case", "faq", "--source", "a", "--media-type", "text/odt", *NOWHERE),
            "--media-type: 'text/odt' cannot be read; use one of text/plain, ",
        ),
        (("-", "--use-case", "none.yaml", "--source", "a", *NOWHERE), "none.yaml: cannot be read"),
        (("faq.yaml", "--source", "a.md", *NOWHERE), "--source: goes with - in place of 'faq.yaml'"),
        (("faq.yaml", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("watch",): [
        (("none.yaml", *NOWHERE), "none.yaml: cannot be read"),
        (("empty", *NOWHERE), "empty: holds neither use-case.yaml nor a file that can be imported: .txt, "),
        (("faq.yaml", "--yes", "--keep", *NOWHERE), "cannot go with --yes"),
        (("faq.yaml", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("search",): [
        (("none.yaml", "q", *NOWHERE), "none.yaml: cannot be read"),
        (("faq.yaml", "q", *NOWHERE), "no server answers at 127.0.0.1:1"),
        (("faq.yaml", "q", "--limit", "many", *NOWHERE), "'many'"),
        (("How many?",), "Missing argument 'question': it takes FILE QUESTION, in this order; see"),
    ],
    ("answer",): [
        (("none.yaml", "q", *NOWHERE), "none.yaml: cannot be read"),
        (("faq.yaml", "q", "--approach", "ragg", *NOWHERE), 'did you mean "RAG"'),
        (("faq.yaml", "q", *NOWHERE), "no server answers at 127.0.0.1:1"),
        (("How many?",), "Missing argument 'question': it takes FILE QUESTION, in this order; see"),
        (
            ("faq.yaml", "How", "many", "days?", *NOWHERE),
            "(many days?): it takes FILE QUESTION, in this order; put in quotes what has spaces; see",
        ),
    ],
    ("tune",): [
        (("none.yaml", *NOWHERE), "none.yaml: cannot be read"),
        (("faq.yaml", "--approach", "PROMPTING", *NOWHERE), "'PROMPTING'"),
        (("faq.yaml", "--epochs", "1", "--epochs", "two", *NOWHERE), "'--epochs': 'two'"),
        (("faq.yaml", "--epochs=1", "--epochs=two", *NOWHERE), "'--epochs': 'two'"),
        (("faq.yaml", "--detach"), "--detach: needs --server"),
        (("faq.yaml", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("profile",): [
        (("none.yaml", *NOWHERE), "none.yaml: cannot be read"),
        (("faq.yaml", "--ask", "many", *NOWHERE), "'many'"),
        (("faq.yaml", "--detach"), "--detach: needs --server"),
        (("faq.yaml", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("trial",): [
        (("none.yaml", *NOWHERE), "none.yaml: cannot be read"),
        (("faq.yaml", "--arm", "RAGG", *NOWHERE), 'did you mean "RAG"'),
        (("faq.yaml", "--max-duration", "15", *NOWHERE), "--max-duration: 15 has no unit; write 15d, 15h"),
        (
            ("faq.yaml", "--report", "trial.pdf", *NOWHERE),
            "trial.pdf: has the suffix '.pdf'; give one of .html",
        ),
        (("faq.yaml", "--detach"), "--detach: needs --server"),
        (("faq.yaml", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("trials", "list"): [(("none.yaml", *NOWHERE), "none.yaml: cannot be read")],
    ("trials", "show"): [
        (("faq", *NOWHERE), "NAME: 'faq' is not a trial; write useCases/ID/trials/ID"),
        (("useCases/faq/trials/one", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("trials", "report"): [
        (("faq", "x.html", *NOWHERE), "NAME: 'faq' is not a trial; write useCases/ID/trials/ID"),
        (("useCases/faq/trials/one", "x.txt", *NOWHERE), "x.txt: has the suffix '.txt'; give one of .html"),
    ],
    ("trials", "delete"): [
        (("faq", *NOWHERE), "NAME: 'faq' is not a trial; write useCases/ID/trials/ID"),
        (("useCases/faq/trials/one", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("track",): [(NOWHERE, "no server answers at 127.0.0.1:1"), (("faq", *NOWHERE), "faq")],
    ("outcome",): [
        (("faq", "x", *NOWHERE), "outcome: needs one of --right, --wrong and --quality, from 0 to 1"),
        (("faq", "x", "--right", "--quality", "1", *NOWHERE), "needs one of --right, --wrong and --quality"),
        (("none.yaml", "x", "--right", *NOWHERE), "none.yaml: cannot be read"),
        (("faq", "--right", *NOWHERE), "it takes FILE_OR_ID TOKEN, in this order; see"),
        (("faq", "x", "--wrong", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("learn",): [
        (("--rules", "none.yaml", *NOWHERE), "none.yaml: cannot be read"),
        (NOWHERE, "no server answers at 127.0.0.1:1"),
        (("faq", *NOWHERE), "(faq): it takes none; see"),
    ],
    ("info",): [(NOWHERE, "no server answers at 127.0.0.1:1"), (("faq", *NOWHERE), "faq")],
    ("reindex",): [(NOWHERE, "no server answers at 127.0.0.1:1"), (("faq", *NOWHERE), "faq")],
    ("operations", "list"): [(NOWHERE, "no server answers at 127.0.0.1:1")],
    ("operations", "wait"): [
        (("operations/x", *NOWHERE), "no server answers at 127.0.0.1:1"),
        (NOWHERE, "Missing argument"),
    ],
    ("operations", "cancel"): [(("operations/x", *NOWHERE), "no server answers at 127.0.0.1:1")],
    ("operations", "delete"): [(("operations/x", *NOWHERE), "no server answers at 127.0.0.1:1")],
    ("adapters", "list"): [
        (("none.yaml", *NOWHERE), "none.yaml: cannot be read"),
        (("faq", *NOWHERE), "no server answers at 127.0.0.1:1"),
    ],
    ("adapters", "delete"): [(("useCases/faq/adapters/a", *NOWHERE), "no server answers at 127.0.0.1:1")],
    ("use-cases", "list"): [
        (NOWHERE, "no server answers at 127.0.0.1:1"),
        (("--server", "http://localhost:1"), "leave out http://; name it as HOST:PORT, such as localhost:1"),
        (
            ("--server", "https://127.0.0.1:1/"),
            "leave out https://; name it as HOST:PORT, such as 127.0.0.1:1",
        ),
    ],
    ("use-cases", "show"): [(("no-id.yaml", *NOWHERE), "has no id")],
    ("use-cases", "delete"): [(("faq", *NOWHERE), "no server answers at 127.0.0.1:1")],
    ("documents", "list"): [(("none.yaml", *NOWHERE), "none.yaml: cannot be read")],
    ("documents", "show"): [(("a.md", *NOWHERE), "no server answers at 127.0.0.1:1")],
    ("documents", "delete"): [(NOWHERE, "it takes NAME_OR_FILE [SOURCE], in this order; see")],
    ("examples", "list"): [(("faq", *NOWHERE), "no server answers at 127.0.0.1:1")],
    ("examples", "show"): [(NOWHERE, "Missing argument")],
    ("examples", "delete"): [(("x", *NOWHERE), "no server answers at 127.0.0.1:1")],
    ("tokens", "create"): [
        (("--role", "owner"), "--role: 'owner' is no role; allowed: read, write, admin"),
        (("--principal", "Red"), "--principal: 'Red' is no name; allowed: 1 to 63 of a-z"),
        (("--days", "0"), "--days: 0 is out of bounds; allowed: 1 to 3,650"),
        (("--note", "x" * 201), "--note: must be one line of at most 200 characters"),
    ],
    ("tokens", "list"): [(("--all",), "--all")],
    ("tokens", "revoke"): [
        (("x",), "ID: 'x' is no id; give an id as advisor tokens list shows it"),
        (("rot_abcdefgh_secret",), "ID: the text of a token is no id; give the id alone, its second part"),
        ((), "Missing argument"),
    ],
    ("worker",): [(("--count", "0"), "--count")],
    ("health",): [
        (NOWHERE, "no server answers at 127.0.0.1:1"),
        (("--timeout", "0"), "--timeout"),
    ],
    ("backup",): [((".",), "exists already; name a folder that does not"), ((), "Missing argument")],
    ("restore",): [(("none",), "is no backup: it has no manifest.json that can be read; name a folder that")],
    ("models", "pull"): [(("--all",), "--all")],
    ("demo",): [(("--stale",), "--stale")],
    ("protos",): [((), "Missing option"), (("--out", "bad.yaml"), "bad.yaml")],
}


def commands(group: click.Group | None = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every command that the command line has."""
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def run_in_tests() -> set[str]:
    """Return the words that the tests beside this one begin a command with, joined by spaces."""
    called = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "").startswith("advisor"):
                words = [each.value for each in node.args if isinstance(each, ast.Constant)]
                called |= {" ".join(map(str, words[:count])) for count in (1, 2)}
    return called


def test_every_command_is_tested() -> None:
    """A new command needs a test that runs it, and wrong input that it refuses."""
    registered = set(commands())
    assert {" ".join(command) for command in registered} - run_in_tests() == set()
    assert registered == set(WRONG)


@pytest.mark.parametrize("command", sorted(commands()), ids=" ".join)
def test_every_command_has_help(advisor, command):
    """It says what it does, and what it takes."""
    ended = advisor(*command, "--help")
    assert (ended.status, ended.err) == (0, "")
    assert "Usage: " in ended.out
    assert "--help" in ended.out


@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [(command, *each) for command, cases in WRONG.items() for each in cases],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_input_ends_with_2_and_a_message(
    advisor, case, write, tmp_path, monkeypatch, command, arguments, expected
):
    """The message on standard error names what is wrong; nothing is printed that looks like a result."""
    (tmp_path / "empty").mkdir()
    write("bad.yaml", "facts: [\n")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    write("unknown.yaml", "facts: {update_intervall: 7d}\n")
    write("no-id.yaml", "description: Bare.\n")
    write("no-documents.yaml", "documents: ['*.pdf']\n")
    write("no-examples.yaml", "examples: none.jsonl\n")
    monkeypatch.chdir(tmp_path)
    ended = advisor(*command, *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert expected in ended.err


@pytest.mark.parametrize("name", ["operations/none", "nonsense"])
@pytest.mark.parametrize("command", ["wait", "cancel", "delete"])
def test_unknown_operations(advisor, server, command, name):
    """The operation that is not there is named."""
    ended = advisor("operations", command, name, "--server", server.address)
    assert (ended.status, ended.out) == (2, "")
    assert name in ended.err
