"""The table of variables, and what is refused."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.environment import OF_SERVERS, PREFIX, VARIABLES, check_environment, unknown_variables
from advisor.errors import ConfigurationError
from advisor.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
READING = ("advisor", "backends", "benchmarks", "docs", "examples", "protos")
NO_VARIABLE = {"ADVISOR_ERROR"}  # the reason of an error


def test_the_table_has_every_variable_that_is_named() -> None:
    """Whatever program, page or test reads one: it is in the table, and none is there that nothing reads."""
    paths = [
        path for folder in READING for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md")
    ]
    lines = [
        line
        for path in (*paths, ROOT / "Makefile", ROOT / "README.md")
        if path.name != "environment.py" and "v1" not in path.parts
        for line in path.read_text().splitlines()
    ]
    tests = [line for path in (ROOT / "tests").rglob("*.py") for line in path.read_text().splitlines()]
    lines += [line for line in tests if "environ" in line]  # others only set them
    found = {name for line in lines for name in re.findall(r"\bADVISOR_[A-Z_]+\b", line)} - NO_VARIABLE
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert (set(OF_SERVERS), set(VARIABLES)) == (settings, found | settings)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ADVISOR_DATADIR", "ADVISOR_DATADIR: unknown; did you mean ADVISOR_DATA_DIR?"),
        ("advisor_port", "advisor_port: unknown; did you mean ADVISOR_PORT?"),
        ("ADVISOR_SERVR", "ADVISOR_SERVR: unknown; did you mean ADVISOR_SERVER?"),
        ("ADVISOR_COLOUR", "ADVISOR_COLOUR: unknown; remove it; advisor serve --help lists those there are"),
    ],
)
def test_a_misspelt_variable_is_refused(name: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest is named where one is near."""
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigurationError) as caught:
        check_environment()
    assert caught.value.faults == (expected,)


def test_others_variables_are_theirs() -> None:
    """Those of other programs, of the shell's completion, and those that Kubernetes sets for a Service of our name."""
    others = [
        "PATH",
        "MY_ADVISOR_PORT",
        "_ADVISOR_COMPLETE",
        "ADVISOR_SERVICE_HOST",
        "ADVISOR_SERVICE_PORT_GRPC",
    ]
    assert unknown_variables([*others, "ADVISOR_PORT_50051_TCP_ADDR", *VARIABLES]) == ()


def test_the_check_loads_no_settings() -> None:
    """Commands that decide by themselves stay light."""
    script = "import sys, advisor.cli.rules; print('pydantic' in sys.modules, 'advisor.environment' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["False", "True"]
