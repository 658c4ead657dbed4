"""Measure LoRA training: 64 short real examples, two epochs, in this process.

    python benchmarks/tuning.py [examples] [epochs]

The examples are PostgreSQL's settings with their groups, as the demo reads them.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from backends.base import Example
from backends.models.names import DEFAULT_GENERATOR
from backends.models.resolve import default_cache, identity, resolve
from backends.training.examples import plain_examples
from backends.training.run import TuningSettings, tune


def rows() -> list[Example]:
    """Return the labelled rows of the demo."""
    path = Path(__file__).parents[1] / "examples" / "postgres-settings" / "source.py"
    spec = importlib.util.spec_from_file_location("postgres_settings", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    examples: list[Example] = list(module.examples())
    return examples


def main() -> None:
    """Print what a run takes."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    cache = Path(os.environ.get("ADVISOR_MODEL_CACHE", default_cache()))
    model = resolve(DEFAULT_GENERATOR, cache=cache, report=lambda _: None)
    examples = plain_examples(rows()[:count])
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        manifest = tune(
            model,
            examples,
            TuningSettings(epochs=epochs),
            output=Path(folder) / "adapter",
            checkpoints=Path(folder) / "checkpoints",
            base_model=identity(model),
            approach="FINE_TUNING",
            report=lambda _: None,
            cancelled=lambda: False,
        )
        seconds = time.perf_counter() - start
    metrics = manifest.metrics
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{len(examples)} examples, {epochs} epochs: {metrics.tokens:,} tokens in {seconds:.0f} s "
        f"({metrics.tokens / seconds:.0f} a second), peak memory {peak_gb:.2f} GB"
    )


if __name__ == "__main__":
    main()
