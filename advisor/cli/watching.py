"""`advisor watch`: the store follows a use case's files, one import after the other."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from advisor.cli.consent import Consent, consenting
from advisor.cli.difference import Difference, listed
from advisor.cli.extras import require
from advisor.cli.faults import Fault, faults_of
from advisor.cli.importing import StrictOption, use_case_file_of
from advisor.cli.output import notices
from advisor.cli.sync import ServerOption, bring_in, read_identified
from advisor.errors import AdvisorError, Conflict, Unavailable
from advisor.knowledge.corpus import TAKEN
from advisor.knowledge.usecasefile import UseCaseFile
from backends.base import BackendError

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import Client

__all__ = ["register"]

TICK_MS = 250
"""Longest that nothing is looked at: until Ctrl-C is noticed, or an import is tried again."""
RETRY_S = 5.0
"""Wait after an import that the server refused for the moment."""


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("watch", rich_help_panel="Carry out")(watch)


@consenting
def watch(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE_OR_FOLDER", help="Use-case file (YAML), or a folder, as advisor import takes them."
        ),
    ],
    server: ServerOption = None,
    strict: StrictOption = False,
    *,
    consent: Consent,
) -> None:
    """Bring the store in step whenever the files of a use case change, until Ctrl-C.

    What the files have no more is kept in the store, unless --yes deletes it.
    """
    require("watch", ["watchfiles"])
    from advisor.cli.connection import connected

    path = use_case_file_of(file)
    read_identified(path, consent)
    if not consent.yes:
        consent = replace(consent, keep=True)
    # An import that is interrupted says so itself.
    with connected(server) as client, suppress(KeyboardInterrupt), _interruptible() as interrupted:
        _Watch(client, path, consent, strict=strict).run(interrupted)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Yield what Ctrl-C sets, beside the exception: where this is raised in a finalizer, nobody sees it."""
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


class _Watch:
    """What is known of the files while they are watched.

    Args:
        client: Of the server with the store.
        path: The use-case file.
        consent: What the options say.
        strict: Whether nothing is imported where a document cannot be read.
    """

    def __init__(self, client: Client, path: Path, consent: Consent, *, strict: bool) -> None:
        self._client = client
        self._path = path
        self._consent = consent
        self._strict = strict
        self._console = Console()
        self._told: dict[str, object] = {}
        self._again_at: float | None = None
        self._read()

    def run(self, interrupted: threading.Event) -> None:
        """Import, and again after every change, until interrupted; raises what the first import fails with."""
        from watchfiles import watch as changes_in

        settings: dict[str, Any] = {
            "watch_filter": self._matters,
            "yield_on_timeout": True,
            "rust_timeout": TICK_MS,
            "stop_event": interrupted,
        }
        roots: list[Path] = []
        begun = False
        while not interrupted.is_set():
            if roots != _roots(self._case):
                roots = _roots(self._case)
                changes = changes_in(*roots, **settings)
                self._again_at = 0.0  # what changed before it is watched is no change to it
            changed = next(changes, set())  # none where it was interrupted
            if not begun:
                self._again_at = None
                self._bring_in()
                self._say(f"watching {', '.join(map(str, roots))}; Ctrl-C ends")
                begun = True
            elif changed or self._is_due():
                self._try_to_bring_in()

    def _matters(self, _: Any, name: str) -> bool:
        """Return whether a change may be one of the use case: of a document, or of a folder that may hold some."""
        path = Path(name)
        return name in self._names or path.suffix.lower() in TAKEN or path.is_dir()

    def _is_due(self) -> bool:
        return self._again_at is not None and time.monotonic() >= self._again_at

    def _try_to_bring_in(self) -> None:
        """Import, and tell what is in the way; what a server refuses for the moment is tried again."""
        self._again_at = None
        try:
            self._bring_in()
        except (AdvisorError, BackendError, OSError) as error:
            if isinstance(error, Unavailable | Conflict):
                self._again_at = time.monotonic() + RETRY_S
            self._tell_failure(error)
        else:
            self._told.pop("failure", None)

    def _bring_in(self) -> None:
        self._read()
        case = self._case
        if not self._strict and not self._is_news("left out", case.left_out):
            case = replace(case, left_out=())
        lines: list[str] = []
        difference = bring_in(
            lines.append, self._client, case, self._consent, quiet=True, strict=self._strict
        )
        if lines:
            names = [*difference.new_documents, *difference.changed_documents]
            self._say(f"{'; '.join(lines)}{': ' if names else ''}{listed(names)}")
        self._tell_kept(difference)

    def _read(self) -> None:
        self._case = read_identified(self._path, self._consent)
        named = [each for each in (self._case.path, self._case.examples) if each is not None]
        folders = {each.parent for each in self._case.documents}
        self._names = {str(each.parent.resolve() / each.name) for each in named}
        for folder in (each.resolve() for each in folders):
            self._names.update(map(str, (folder, *folder.parents)))

    def _tell_kept(self, difference: Difference) -> None:
        """Tell, once, what the store has and the files have no more."""
        kept = (*difference.gone_documents, *difference.gone_examples)
        if not self._consent.yes and self._is_news("kept", kept) and kept:
            self._note(
                f"kept in the store, though {self._path} has it no more: {listed(kept)}; --yes deletes it"
            )

    def _tell_failure(self, error: Fault) -> None:
        if self._is_news("failure", str(error)):
            for line in faults_of(error):
                self._note(f"not brought in: {line}")

    def _is_news(self, kind: str, value: object) -> bool:
        known = self._told.get(kind)
        self._told[kind] = value
        return known != value

    def _say(self, line: str) -> None:
        self._console.print(_timed(line), markup=False, highlight=False, soft_wrap=True)

    def _note(self, line: str) -> None:
        notices().print(_timed(line), style="yellow", markup=False, highlight=False, soft_wrap=True)


def _timed(line: str) -> str:
    return f"{time.strftime('%H:%M:%S')} {line}"


def _roots(case: UseCaseFile) -> list[Path]:
    """Return the folders in which all lies that a use-case file names, and itself; none within another."""
    home = case.path.absolute().parent
    places = [home, *(home / each for each in case.patterns)]
    if case.examples is not None:
        places.append(case.examples.absolute())
    found = {next(_folders_above(each)) for each in places}
    return sorted(each for each in found if not any(other in each.parents for other in found))


def _folders_above(path: Path) -> Iterator[Path]:
    """Yield the folders that are there on the way to a file or a pattern, from the last."""
    return (each.resolve() for each in (path, *path.parents) if each.is_dir())
