"""The protos for clients in other languages: ours, all of Google's that they import, and when to try again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from advisor.errors import ConfigurationError, FailedPrecondition

__all__ = ["bundle", "register"]

OutOption = Annotated[Path, typer.Option("--out", help="Folder to write to; made where it is missing.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite files that differ.")]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("protos", rich_help_panel="Look after a server")(write)


def write(out: OutOption, force: ForceOption = False) -> None:
    """Write the protos of the API to a folder, with all that they import: what clients are generated from."""
    files = {out / name: source.read_bytes() for name, source in bundle().items()}
    there = {path: path.read_bytes() for path in files if path.exists()}
    changed = [path for path, content in there.items() if content != files[path]]
    if changed and not force:
        raise FailedPrecondition(
            "FILES_DIFFER",
            f"{', '.join(map(str, changed))}: there already, with other content; nothing was written. "
            "Name another folder, or overwrite with --force",
        )
    for path in [each for each in files if each in changed or each not in there]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[path])
        typer.echo(path)
    new, same = len(files) - len(there), len(there) - len(changed)
    typer.echo(f"{out}: {new} written, {len(changed)} overwritten, {same} unchanged")


def bundle() -> dict[str, Path]:
    """Return the bundle's files by their names in it: the package's own, or those of the repository around it.

    Raises:
        ConfigurationError: Neither has Google's protos, which the build brings.
    """
    package = Path(__file__).resolve().parents[1]
    root = package.parent
    policy = _below(package / "data", "service_config.json")
    shipped = _below(package / "data" / "protos", "**/*.proto", "**/LICENSE")
    cloned = (
        _below(root / "protos", "advisor/**/*.proto")
        | _below(root / "third_party", "google/**/*.proto", "google/LICENSE")
        | _below(root, "LICENSE")
    )
    for found in (shipped, cloned):
        if "google/LICENSE" in found:
            return found | policy
    raise ConfigurationError(f"{root / 'third_party'}: Google's protos are missing; make protos brings them")


def _below(folder: Path, *patterns: str) -> dict[str, Path]:
    """Return the files below a folder that match any of the patterns, by their names in it."""
    found = sorted(path for pattern in patterns for path in folder.glob(pattern))
    return {path.relative_to(folder).as_posix(): path for path in found}
