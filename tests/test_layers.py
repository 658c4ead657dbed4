"""The layers: what may import what, and what a decision must never load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Folders and modules of each package, in an order in which each may import only those before it, and itself.
LAYERS = {
    "backends": (
        "errors", "base", "counts", "memory", "spans", "processor", "prompts", "models", "documents",
        "retrieval", "generation", "approaches", "training",
    ),
    "advisor": (
        "errors", "environment", "names", "settings", "telemetry", "knowledge", "decision", "learning", "metrics",
        "profiling", "trials", "storage", "execution", "work", "wire", "client", "rpc", "cli",
    ),
}  # fmt: skip
# What stands outside the order: the package's own face, and `python -m advisor`.
FACES = {"advisor", "advisor.__main__", "backends"}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in LAYERS
    for path in sorted((ROOT / package).rglob("*.py"))
    if not path.is_relative_to(ROOT / "advisor" / "v1") and "migrations" not in path.parts
}


def imports(name: str) -> Iterator[str]:
    """Yield every module that a module imports: at its top, in functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(name: str) -> set[str]:
    """Return the modules of this project that a module imports."""
    found = {imported if imported in MODULES else imported.rpartition(".")[0] for imported in imports(name)}
    return (found & set(MODULES)) - {name}


def place(name: str) -> tuple[str, int]:
    """Return a module's package and its place in the order; ValueError where it has none."""
    package, _, rest = name.partition(".")
    return package, LAYERS[package].index(rest.partition(".")[0])


def uses(name: str, package: str) -> bool:
    return any(each == package or each.startswith(f"{package}.") for each in imports(name))


@pytest.mark.parametrize("name", sorted(set(MODULES) - FACES))
def test_imports_point_one_way(name: str) -> None:
    """A module imports from folders before its own, `backends` nothing of `advisor`."""
    package, rank = place(name)
    for imported in own_imports(name) - FACES:
        other, below = place(imported)
        allowed = below <= rank if other == package else package == "advisor"
        assert allowed, f"{name} imports {imported}"


def test_there_is_no_circle() -> None:
    """No module imports itself by way of others, inside a folder or across."""
    graph = {name: own_imports(name) for name in MODULES if name not in FACES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_every_layer_has_modules() -> None:
    """A place in the order stands for something."""
    for package, names in LAYERS.items():
        for name in names:
            assert f"{package}.{name}" in MODULES


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_are_short(name: str) -> None:
    """Above 400 lines a module holds two things."""
    assert len(MODULES[name].read_text().splitlines()) <= 400


@pytest.mark.parametrize("name", sorted(MODULES))
def test_grpc_stays_at_the_edge(name: str) -> None:
    """Only the server's package, the client and the conversions import grpc."""
    assert name.startswith(("advisor.rpc", "advisor.client", "advisor.wire")) or not uses(name, "grpc")


@pytest.mark.parametrize(
    ("layer", "known"),
    [("decision", {"facts_pb2"}), ("knowledge", {"facts_pb2", "annotations_pb2", "use_case_pb2"})],
)
def test_a_decision_is_made_of_values(layer: str, known: set[str]) -> None:
    """Of the messages only what defines facts, and what a use-case file is read into, are known here."""
    names = [name for name in MODULES if name.startswith(f"advisor.{layer}")]
    found = {each for name in names for each in imports(name) if each.startswith("advisor.v1.")}
    assert {each.removeprefix("advisor.v1.") for each in found} == known


@pytest.mark.parametrize("package", ["torch", "transformers", "peft", "haystack", "sentence_transformers"])
def test_advisor_itself_imports_no_model_library(package: str) -> None:
    """Models are the business of `backends`."""
    assert [name for name in MODULES if name.startswith("advisor") and uses(name, package)] == []


@pytest.mark.parametrize(
    "module",
    ["advisor", "advisor.cli", "advisor.decision.advisor", "advisor.wire.recommendation", "advisor.client"],
)
def test_a_decision_loads_no_heavy_library(module: str) -> None:
    """Importing what decides, or the client, loads neither models nor a database nor scikit-learn."""
    heavy = ["torch", "haystack", "transformers", "peft", "sklearn", "psycopg", "sqlalchemy"]
    heavy += [] if module == "advisor.client" else ["grpc"]
    script = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_exported_names_are_stable() -> None:
    """What `advisor` offers to Python programs is a promise."""
    import advisor

    assert advisor.__all__ == ["Advisor", "AdvisorError", "Approach", "Client", "recommend"]
    assert all(hasattr(advisor, name) for name in advisor.__all__)
