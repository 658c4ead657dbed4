"""`advisor backup` and `advisor restore`: everything that a server keeps, taken elsewhere and brought back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from advisor.cli.extras import require_server
from advisor.cli.output import JsonOption, print_json
from backends.counts import counted

if TYPE_CHECKING:
    from advisor.storage.backup import Backup

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("backup", rich_help_panel="Look after a server")(back_up)
    app.command("restore", rich_help_panel="Look after a server")(restore)


def back_up(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; it must not exist.")],
    as_json: JsonOption = False,
) -> None:
    """Write all that the server keeps to a folder, as of this moment: database, adapters, learned model.

    Run it where the server runs, with the same ADVISOR_DATA_DIR and ADVISOR_DATABASE_URL; servers and workers go on.
    """
    require_server("backup")
    from advisor.settings import read_settings
    from advisor.storage import backup

    _tell("backed up to", folder, backup.back_up(read_settings(), folder), as_json=as_json)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What advisor backup wrote.")],
    as_json: JsonOption = False,
) -> None:
    """Bring back a backup, into an empty database and data folder; all of it, or nothing.

    Restore only what you made yourself: PostgreSQL carries out what is in it.
    """
    require_server("restore")
    from advisor.settings import read_settings
    from advisor.storage import backup

    _tell("restored from", folder, backup.restore(read_settings(), folder), as_json=as_json)


def _tell(done: str, folder: Path, backup: Backup, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "folder": str(folder),
                "schema": backup.schema,
                "create_time": backup.create_time.isoformat(),
                "use_cases": backup.use_cases,
                "adapters": backup.adapters,
                "size_bytes": backup.size_bytes,
            }
        )
        return
    held = f"{counted(backup.use_cases, 'use case')} with {counted(backup.adapters, 'adapter')}"
    made = f"{backup.create_time.astimezone():%Y-%m-%d %H:%M}"
    Console().print(
        f"{held} {done} {folder}: {counted(backup.size_bytes, 'byte')}, made {made}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
