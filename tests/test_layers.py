"""The layers: what may import what, and what a decision must never load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    path
    for folder in ("advisor", "backends")
    for path in (ROOT / folder).rglob("*.py")
    if "/v1/" not in str(path)
)
# Modules of `advisor`, in an order in which each may import only those before it.
DECISION = (
    "errors", "notation", "facts", "yamltree", "rules", "evidence", "rulefile", "scoring", "cases", "classifier",
    "cost", "worlds", "flips", "reasons", "recommendation", "rulecheck", "consultation", "usecasefile",
)  # fmt: skip


def imports(path: Path, *, deferred: bool = True) -> set[str]:
    """Return the modules that a file imports; without those inside functions unless `deferred`."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if deferred else ast.iter_child_nodes(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def uses(path: Path, package: str, *, deferred: bool = True) -> bool:
    return any(name == package or name.startswith(f"{package}.") for name in imports(path, deferred=deferred))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_backends_know_nothing_of_advisor(path: Path) -> None:
    """Imports point from `advisor` to `backends`, never back."""
    if path.is_relative_to(ROOT / "backends"):
        assert not uses(path, "advisor")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_grpc_stays_at_the_edge(path: Path) -> None:
    """Only the server's package and the client import grpc."""
    edge = any(path.is_relative_to(ROOT / "advisor" / name) for name in ("rpc", "client", "wire"))
    assert edge or not uses(path, "grpc")


@pytest.mark.parametrize("package", ["torch", "transformers", "peft", "haystack", "sentence_transformers"])
def test_advisor_itself_imports_no_model_library(package: str) -> None:
    """Models are the business of `backends`."""
    offenders = [path for path in SOURCES if path.is_relative_to(ROOT / "advisor") and uses(path, package)]
    assert offenders == []


@pytest.mark.parametrize("name", DECISION)
def test_the_decision_imports_downwards(name: str) -> None:
    """Each module of the decision imports only modules before it in the order."""
    later = DECISION[DECISION.index(name) + 1 :]
    (path,) = (ROOT / "advisor").glob(f"**/{name}.py")
    found = {each.rpartition(".")[2] for each in imports(path, deferred=False) if each.startswith("advisor.")}
    assert not found & set(later)


@pytest.mark.parametrize(
    "module", ["advisor", "advisor.cli", "advisor.decision.recommendation", "advisor.client"]
)
def test_a_decision_loads_no_heavy_library(module: str) -> None:
    """Importing what decides, or the client, loads neither models nor a database nor scikit-learn."""
    heavy = ["torch", "haystack", "transformers", "peft", "sklearn", "skops", "psycopg", "sqlalchemy"]
    heavy += [] if module == "advisor.client" else ["grpc"]
    script = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_exported_names_are_stable() -> None:
    """What `advisor` offers to Python programs is a promise."""
    import advisor

    assert advisor.__all__ == ["Advisor", "AdvisorError", "Client", "approach_name", "recommend"]
    assert all(hasattr(advisor, name) for name in advisor.__all__)
