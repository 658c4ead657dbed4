"""Warnings: ours and those that we ask for are errors, a dependency's own are counted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# `old` blames itself by a wrong stacklevel; `relay` is the caller that it means.
LIBRARIES = {
    "old.py": "import warnings\ndef use():\n    warnings.warn('use new', FutureWarning, stacklevel=1)\n",
    "relay.py": "import old\ndef use():\n    old.use()\n",
    "logs.py": "import logging\ndef use():\n    logging.getLogger('peft').warning('old is deprecated')\n",
}
LIBRARIES["relogs.py"] = LIBRARIES["relay.py"].replace("old", "logs")


@pytest.mark.parametrize(
    ("library", "strict", "outcome"),
    [
        ("old", "0", "1 failed"),
        ("logs", "0", "1 failed"),
        ("relay", "0", "1 x old: FutureWarning: use new"),
        ("relogs", "0", "FutureWarning: old is deprecated"),
        ("relay", "1", "1 x old: FutureWarning: use new"),
    ],
)
def test_a_warning_counts_against_whoever_asked_for_it(
    library: str, strict: str, outcome: str, tmp_path: Path
) -> None:
    """Strictness makes the run fail although every test in it passes."""
    for name, text in LIBRARIES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_bytes((ROOT / "tests" / "dependency_warnings.py").read_bytes())
    (tmp_path / "tests" / "test_it.py").write_text(f"import {library}\ndef test_it():\n    {library}.use()\n")
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=tmp_path,
        env={**os.environ, "ADVISOR_STRICT_WARNINGS": strict, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    assert done.returncode == int("failed" in outcome or strict == "1")
