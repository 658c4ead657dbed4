"""The README does what it says: its commands and its program run, against a real server."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from advisor.knowledge.corpus import TAKEN
from advisor.knowledge.usecasefile import read_use_case
from tests.documents import DOCS
from tests.servers import Running

ROOT = DOCS.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
# They begin what ends only when it is told to, or need what other tests have: an answer's token, trials.
NOT_RUN = (
    "advisor serve",
    "advisor consult",
    "advisor watch",
    "advisor profile",
    "advisor trial",
    "advisor outcome",
    "advisor learn",
)
HANDBOOK = {
    "leave.md": "# Leave\n\nEvery employee has 28 days of leave a year.\n",
    "keys.md": "# Keys\n\nA new key costs 40 euros.\n",
    "travel.md": "# Travel\n\nHotels may cost 120 euros a night.\n",
}


def blocks(language: str) -> list[str]:
    """Return the README's blocks in a language."""
    return [block for found, block in BLOCKS if found == language]


def commands() -> Iterator[list[str]]:
    """Yield every command of the blocks, in order, without what is said beside it."""
    for block in blocks("sh"):
        for line in block.replace("\\\n", " ").splitlines():
            yield shlex.split(line, comments=True)


@pytest.fixture
def handbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Running) -> Path:
    """Return a folder with a handbook in it, where commands find the server."""
    (tmp_path / "handbook").mkdir()
    for name, text in HANDBOOK.items():
        (tmp_path / "handbook" / name).write_text(text)
    (tmp_path / "examples.jsonl").write_text(
        "".join(f'{{"question": "q{number}", "answer": "a"}}\n' for number in range(64))
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVISOR_SERVER", server.address)
    return tmp_path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.usefixtures("trainer")
def test_every_command_works_from_top_to_bottom(handbook: Path, server: Running) -> None:
    """In the order of the page, each after what was typed before it."""
    ran = 0
    for command in commands():
        if command[:1] != ["advisor"] or " ".join(command[:2]) in NOT_RUN:
            continue
        ended = run(sys.executable, "-m", *command)
        assert ended.returncode == 0, f"{shlex.join(command)}: {ended.stderr}"
        ran += 1
    assert ran >= 8


def test_the_program_works_and_works_again(handbook: Path, server: Running) -> None:
    """What is there already is no hindrance."""
    (block,) = blocks("python")
    program = block.replace("localhost:50051", server.address)
    assert program != block
    for _ in range(2):
        ended = run(sys.executable, "-W", "error", "-c", program)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.strip()


def test_the_table_lists_every_suffix() -> None:
    """Of what can be imported, and no others."""
    table = README.partition("| what can be imported |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\.\w+)`", table)) == set(TAKEN)


def test_the_use_case_file_can_be_read(handbook: Path) -> None:
    """With documents and examples beside it."""
    (block,) = blocks("yaml")
    (handbook / "use-case.yaml").write_text(block)
    case = read_use_case(handbook / "use-case.yaml")
    assert (case.id, len(case.documents)) == ("handbook-4f2a1c", 3)


def test_the_call_by_reflection_works(server: Running) -> None:
    """What buf prints is a recommendation."""
    buf = Path(sys.executable).with_name("buf")
    if not buf.exists():
        pytest.skip("buf is not installed")
    (command,) = (each for each in commands() if each[:2] == ["buf", "curl"])
    ended = run(str(buf), *(each.replace("localhost:50051", server.address) for each in command[1:]))
    assert ended.returncode == 0, ended.stderr
    assert "APPROACH_RAG" in ended.stdout


def test_targets_and_links_are_there() -> None:
    """What the page names is in the tree."""
    makefile = (ROOT / "Makefile").read_text()
    for target in {*re.findall(r"make ([a-z-]+)", README)}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for path in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / path).exists(), path
