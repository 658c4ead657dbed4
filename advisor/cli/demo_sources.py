"""Where the use cases under `examples/` lie, and the modules that read their data."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from advisor.errors import ConfigurationError

__all__ = ["LIBRARIES", "PACKAGES", "SETTINGS", "examples_folder", "load_source"]

PACKAGES, SETTINGS, LIBRARIES = "installed-packages", "postgres-settings", "numerical-libraries"


def examples_folder() -> Path:
    """Return the folder of the use cases: the package's own copy, or that of the repository around it.

    Raises:
        ConfigurationError: There is neither.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data" / "examples", package.parent / "examples"):
        if folder.is_dir():
            return folder
    raise ConfigurationError(
        f"{package.parent / 'examples'}: there are no examples; run the demo from a clone"
    )


def load_source(name: str) -> ModuleType:
    """Import the module that reads the data of a use case under `examples/`."""
    path = examples_folder() / name / "source.py"
    spec = importlib.util.spec_from_file_location(f"advisor_example_{name.replace('-', '_')}", path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as an import would: dataclasses look there
    spec.loader.exec_module(module)
    return module
