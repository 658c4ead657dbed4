"""The light install, `pip install .` without extras: what it does, and what it says of the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from advisor.cli.extras import SERVER_PACKAGES
from tests.cli.light_install import hidden_packages, write_hook

ROOT = Path(__file__).resolve().parents[2]
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]


@pytest.fixture
def light(tmp_path_factory):
    """Return a function that runs a command where nothing of the extras can be imported."""
    folder = tmp_path_factory.mktemp("hook")
    write_hook(folder, DEPENDENCIES)

    def run(*arguments):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT)))}
        command = [sys.executable, "-m", "advisor", *map(str, arguments)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )

    return run


def test_the_hook_hides_what_only_the_extras_bring():
    """What a server needs is hidden, what a client needs is not."""
    hidden = hidden_packages(DEPENDENCIES)
    assert set(SERVER_PACKAGES) <= hidden
    assert not {"grpc", "numpy", "yaml", "rich", "typer"} & hidden


def test_the_packages_looked_for_are_there_in_a_full_install():
    """A name that is misspelt would refuse every server."""
    assert [name for name in SERVER_PACKAGES if find_spec(name) is None] == []


@pytest.mark.parametrize(
    ("arguments", "server_helps"),
    [
        (("serve",), False),
        (("models", "pull"), False),
        (("demo",), False),
        (("operations", "list"), True),
        (("adapters", "list", "faq"), True),
        (("import", "faq.yaml"), True),
        (("answer", "faq.yaml", "q"), True),
        (("tune", "faq.yaml"), True),
        (("watch", "faq.yaml"), False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_needs_a_server_names_the_extra(light, case, arguments, server_helps):
    """One line that says what to install, and the other way where there is one."""
    ended = light(*(case if each == "faq.yaml" else each for each in arguments))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "pip install 'rag-or-tune[server]'" in ended.stderr
    assert ("--server ADDRESS" in ended.stderr) is server_helps


def test_learning_names_its_own_extra(light):
    """A server that runs does not help: what learns runs here."""
    ended = light("learn", "--server", "127.0.0.1:1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "learn needs sklearn, not installed here; run pip install 'rag-or-tune[learn]'" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("recommend", "faq.yaml"),
        ("consult", "faq.yaml"),
        ("rules", "list"),
        ("rules", "check"),
        ("rules", "test"),
        ("--version",),
    ],
    ids=" ".join,
)
def test_deciding_needs_no_extra(light, case, arguments):
    """What decides works by the light install."""
    ended = light(*(case if each == "faq.yaml" else each for each in arguments))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout


def test_documents_of_every_format_need_no_extra(light, case, write):
    """What reads them is the server's: a file that is named is not parsed here."""
    for name in ("a.pdf", "b.docx", "c.xlsx", "d.html"):
        write(name, "text")
    case.write_text("id: faq\ndocuments: [a.pdf, b.docx, c.xlsx, d.html]\n")
    assert light("recommend", case).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "faq.yaml"),
        ("answer", "faq.yaml", "one two", "--approach", "PROMPTING"),
        ("tune", "faq.yaml", "--detach"),
        ("operations", "list"),
        ("adapters", "list", "faq.yaml"),
        ("track",),
    ],
    ids=" ".join,
)
def test_a_named_server_needs_no_extra(light, advisor, case, server, arguments):
    """Commands that talk to a server that runs work by the light install."""
    assert advisor("import", case, "--server", server.address).status == 0
    named = [case if each == "faq.yaml" else each for each in arguments]
    ended = light(*named, "--server", server.address)
    assert ended.returncode == 0, ended.stderr
