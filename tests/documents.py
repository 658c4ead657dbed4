"""The documentation, and the tools beside it that write parts of it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).resolve().parents[1] / "docs"


def load_tool(name: str) -> ModuleType:
    """Import a module that lies beside the pages, in no package."""
    spec = importlib.util.spec_from_file_location(f"advisor_docs_{name}", DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module
