"""Clients in other languages: the page shows the programs that are there, and they run against a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from advisor.cli.protos import bundle
from tests.documents import DOCS, load_tool
from tests.servers import Running

ROOT = DOCS.parent
PROGRAMS = ROOT / "examples" / "clients"
PAGE = (DOCS / "clients.md").read_text(encoding="utf-8")
# `make node-package` installs them there; a test installs nothing.
NODE_MODULES = [
    *os.environ.get("NODE_PATH", "").split(os.pathsep),
    str(ROOT / "build" / "node" / "node_modules"),
]


@pytest.fixture(scope="module")
def protos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the bundle."""
    folder = tmp_path_factory.mktemp("protos")
    for name, source in bundle().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name)
    return folder


@pytest.fixture
def node(tmp_path: Path, protos: Path) -> dict[str, str]:
    """Return what to run Node with: its own modules, and our package beside them, made of what is in the tree."""
    modules = [each for each in NODE_MODULES if Path(each, "@grpc", "proto-loader").is_dir()]
    if not modules or not shutil.which("node"):
        pytest.skip("needs node, and the modules that make node-package installs")
    package = tmp_path / "node_modules" / "rag-or-tune"
    shutil.copytree(ROOT / "protos" / "node", package)
    shutil.copytree(protos, package / "protos")
    paths = [str(package.parent), *modules]
    return {**os.environ, "NODE_PATH": os.pathsep.join(paths), "no_proxy": "127.0.0.1"}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("programs")


def test_the_page_shows_every_program_as_it_is(tool: ModuleType) -> None:
    """`make docs` writes them into the page; none is left out."""
    files = [path for path in PROGRAMS.rglob("*.*") if "__pycache__" not in path.parts]
    written = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}
    assert tool.shown(PAGE) == written, "docs/clients.md is stale: make docs"
    assert tool.current(PAGE) == PAGE


@pytest.mark.parametrize("program", ["stubs.py", "with_client.py"])
def test_a_python_program_walks_through_the_api(server: Running, protos: Path, program: str) -> None:
    """Decided, refused with the field at fault, imported, answered."""
    done = run(
        sys.executable, PROGRAMS / "python" / program, server.address, *[protos][: program == "stubs.py"]
    )
    assert walked(done)


def test_the_stubs_serve_asyncio(server: Running) -> None:
    """Three decisions at once, then an answer as it comes."""
    done = run(sys.executable, PROGRAMS / "python" / "stubs_aio.py", server.address)
    assert re.findall(r"^\d+ days: ", done, re.MULTILINE) == ["1 days: ", "30 days: ", "365 days: "]
    assert server.generator.asked


def test_the_node_program_walks_through_the_api(server: Running, protos: Path, node: dict[str, str]) -> None:
    """The same walk, by what proto-loader reads from the bundle."""
    done = run("node", PROGRAMS / "node" / "client.js", server.address, protos, env=node)
    assert walked(done)
    assert "INVALID_ARGUMENT INVALID_INPUT\n" in done


def test_the_node_package_does_what_its_readme_shows(
    server: Running, node: dict[str, str], tmp_path: Path
) -> None:
    """The first program that a reader copies runs as it stands, but for the address."""
    readme = (ROOT / "protos" / "node" / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```js\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)[0]
    program = tmp_path / "program.js"
    program.write_text(shown.replace("localhost:50051", server.address))
    assert run("node", program, env=node).startswith("APPROACH_")


def test_the_node_package_says_what_is_wrong(server: Running, node: dict[str, str], tmp_path: Path) -> None:
    """Its errors carry the details by name."""
    program = tmp_path / "program.js"
    program.write_text(
        "const { connect, errorDetails } = require('rag-or-tune');\n"
        "const { useCases, close } = connect(process.argv[2]);\n"
        "useCases.GetUseCase({ name: 'useCases/none' }, (error) => {\n"
        "  console.log(errorDetails(error).ErrorInfo.metadata.resource); close(); });\n"
    )
    assert run("node", program, server.address, env=node) == "useCases/none\n"


def test_the_node_package_has_our_version() -> None:
    """Whoever reads a version knows which server it was made for."""
    package = json.loads((ROOT / "protos" / "node" / "package.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (package["name"], package["version"]) == (project["name"], project["version"])
    assert f"rag-or-tune-{package['version']}.tgz" in PAGE


def walked(printed: str) -> bool:
    """Return whether a program printed all that its walk passes."""
    wanted = (
        r"retrieval_hit_rate: 80 is out of bounds",
        r"imported 2 examples into useCases/\w",
        r"\d+ tokens",
    )
    return all(re.search(each, printed) for each in wanted)


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a program to its end and return what it prints."""
    surroundings = {**(env or os.environ), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
