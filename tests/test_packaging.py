"""What is locked, what is shipped, and what a fresh environment does with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from advisor.cli.protos import bundle

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
# What a copy of the tree leaves behind: large, and none of the project's.
LEFT = shutil.ignore_patterns(".venv*", "node_modules", ".git", ".*_cache", ".hypothesis", "__pycache__")
DECIDE = """
import advisor
from google.protobuf import __version__
found = advisor.recommend({"task": "QUESTION_ANSWERING", "needs_citations": True})
print(__version__, found.approach)
"""
# A PYTHONPATH would show the source tree to the environments that are to see the wheel.
OUTSIDE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def pins(path: str) -> dict[str, str]:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.mark.parametrize(
    ("path", "requirement"),
    [
        *(("constraints.txt", each) for each in PROJECT["project"]["dependencies"]),
        *(("constraints.txt", each) for extra in EXTRAS.values() for each in extra),
        *(("protos/constraints.txt", each) for each in PROJECT["build-system"]["requires"]),
    ],
)
def test_the_lock_holds_every_declared_dependency_in_its_range(path: str, requirement: str) -> None:
    """A dependency that was added or moved is locked before it lands; `make lock` does it."""
    declared = Requirement(requirement)
    assert pins(path)[canonicalize_name(declared.name)] in declared.specifier


@pytest.mark.parametrize("path", ["constraints.txt", "protos/constraints.txt"])
def test_the_lock_names_versions_alone(path: str) -> None:
    """No host, hash, marker or tag of a local build; each name once, in order."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if not line.startswith("#")]
    assert list(pins(path)) == sorted(pins(path))
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][a-z0-9.]*", line) for line in found)
    assert len(pins(path)) == len(found)


def test_an_extra_repeats_no_build_requirement() -> None:
    """What generates code is locked for the build alone, with a protobuf that all allowed ones follow."""
    assert int(pins("protos/constraints.txt")["protobuf"].partition(".")[0]) < 7
    assert "grpcio-tools" not in pins("constraints.txt")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the sdist from a copy of the tree, and the wheel from the sdist; return both."""
    folder = tmp_path_factory.mktemp("packages")
    tree = shutil.copytree(ROOT, folder / "tree", ignore=LEFT)
    builder = environment(folder / "builder", "-r", str(ROOT / "protos" / "constraints.txt"))
    run(builder, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder), cwd=tree)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Python 3.11.2 knows none
        archive.extractall(folder / "unpacked")  # noqa: S202 - made a line before
    (unpacked,) = (folder / "unpacked").iterdir()
    run(builder, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=unpacked)
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def test_the_sdist_holds_what_its_build_and_tests_read(shipped: tuple[Path, Path]) -> None:
    """All that lies at the top of the tree, and nothing that is generated."""
    with tarfile.open(shipped[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name.partition("/")[0] for name in names} == {
        *(".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "PKG-INFO", "README.md", "advisor"),
        *("backends", "benchmarks", "buf.yaml", "constraints.txt", "docs", "examples", "protos"),
        *("pyproject.toml", "rules.yaml", "tests"),
    }
    assert {".ci/lock.py", ".ci/run", "protos/constraints.txt", "tests/conftest.py"} <= names
    assert not any(name.startswith("advisor/v1/") for name in names)


def test_the_wheel_holds_the_protos_and_all_that_they_import(shipped: tuple[Path, Path]) -> None:
    """The files that `advisor protos` writes from a clone, and no others."""
    with zipfile.ZipFile(shipped[1]) as wheel:
        names = {name.partition("advisor/data/protos/")[2] for name in wheel.namelist()}
    assert names - {""} == bundle().keys() - {"service_config.json"}


@pytest.mark.parametrize("versions", ["oldest", "locked"])
def test_the_wheel_decides_in_a_fresh_environment(
    shipped: tuple[Path, Path], versions: str, tmp_path: Path
) -> None:
    """The light install finds its rules and examples, with the oldest protobuf allowed and with the locked."""
    constraints = tmp_path / "constraints.txt"
    if versions == "oldest":
        constraints.write_text(run(sys.executable, ".ci/lock.py", "oldest", cwd=ROOT))
    else:
        shutil.copyfile(ROOT / "constraints.txt", constraints)
    python = environment(tmp_path / "fresh", "--constraint", str(constraints), str(shipped[1]))
    protobuf, approach = run(python, "-W", "error", "-c", DECIDE, cwd=tmp_path).split()
    assert approach == "RAG"
    wanted = Requirement(next(each for each in PROJECT["project"]["dependencies"] if "protobuf" in each))
    expected = {
        "oldest": str(wanted.specifier).partition(">=")[2],
        "locked": pins("constraints.txt")["protobuf"],
    }
    assert protobuf.startswith(expected[versions])
    use_case = ROOT / "examples" / "installed-packages" / "use-case.yaml"
    assert "RAG" in run(python, "-m", "advisor", "recommend", str(use_case), cwd=tmp_path)


def environment(folder: Path, *installed: str) -> str:
    """Make an environment with what pip is told to install, and return its interpreter."""
    run(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder.parent)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python))
    run(*pip, "install", "--quiet", "--only-binary=:all:", *installed, cwd=folder.parent)
    return str(python)


def run(*command: str, cwd: Path) -> str:
    """Run a command outside the source tree's reach and return what it prints."""
    done = subprocess.run(command, cwd=cwd, env=OUTSIDE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="compares with a commit, and here are none")
def test_what_breaks_clients_is_told(tmp_path: Path) -> None:
    """A field that goes is named; what is only added breaks nobody."""
    for name in ("protos", "third_party"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    path = tmp_path / "protos" / "advisor" / "v1" / "server_service.proto"
    command = [sys.executable, ".ci/breaking.py", "HEAD", str(tmp_path)]
    text = path.read_text()
    path.write_text(
        text.replace("message GetServerInfoRequest {}", "message GetServerInfoRequest {\n  int32 a = 1;\n}")
    )
    added = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (added.returncode, added.stdout) == (0, "")
    path.write_text(text.replace("  int64 batch_requests = 7;\n", ""))
    gone = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert gone.returncode != 0
    assert '"batch_requests"' in gone.stdout
