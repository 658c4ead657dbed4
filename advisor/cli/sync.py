"""A use case kept in step with its file: what the file says is in the store before anything is asked of it.

A use case is known by the id in its file. Before something is deleted that the
file has nothing in place of, it is shown and asked for; away from a terminal it
takes an option. The store remembers which files it is kept in step with, so that
a copied file does not change what belongs to the original.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advisor.cli.consent import Consent
from advisor.cli.difference import Contents, Difference, compare, listed
from advisor.cli.origins import origin_of, other_origins
from advisor.cli.output import Waiting, notices, progress_text
from advisor.cli.wording import as_commands
from advisor.errors import AdvisorError, Conflict, FailedPrecondition, InvalidInput, NotFound, Violation
from advisor.knowledge.identity import new_id, write_id
from advisor.knowledge.usecasefile import UseCaseFile, read_examples, read_use_case
from advisor.names import example_name, parse_example
from advisor.v1 import use_case_pb2
from backends.counts import counted

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import Client
    from advisor.v1 import use_case_service_pb2 as use_cases_pb2

__all__ = [
    "FileArgument",
    "ServerOption",
    "bring_in",
    "imported_text",
    "read_identified",
    "use_case_id_of",
]

FileArgument = Annotated[Path, typer.Argument(help="Use-case file (YAML).")]
ServerOption = Annotated[
    str | None,
    typer.Option("--server", help="Address of a running server; else ADVISOR_SERVER, else our own."),
]

_MOST_TOLD = 20
ENDING_S = 10.0
"""Longest to wait until an import that was interrupted has ended."""


def read_identified(file: Path, consent: Consent) -> UseCaseFile:
    """Read a use-case file that has an id, or that is given one.

    Raises:
        InvalidInput: The file is not one, or has no id and is not to be given one.
    """
    case = read_use_case(file)
    if case.id is not None:
        return case
    use_case_id = new_id(file)
    agreed = consent.yes or (
        _on_terminal()
        and typer.confirm(
            f"{file} has no id, under which servers keep it. Write id: {use_case_id} into it?", True, err=True
        )
    )
    if not agreed:
        raise InvalidInput.of(
            str(file),
            f"has no id, under which servers keep it; add the line id: {use_case_id} or run with --yes",
        )
    written = write_id(case, use_case_id)
    notices().print(f"{file}: id: {use_case_id} written", markup=False, highlight=False, soft_wrap=True)
    return written


def bring_in(
    tell: Callable[[str], None],
    client: Client,
    case: UseCaseFile,
    consent: Consent,
    *,
    quiet: bool = False,
    strict: bool = False,
) -> Difference:
    """Bring the store in step with a file, and return what differed and could be read.

    Args:
        tell: Takes what was done, a line at a time.
        client: Of the server with the store.
        case: The file; it has an id.
        consent: What the options say.
        quiet: Whether nothing is told where nothing changes.
        strict: Whether nothing is imported where a document cannot be read.

    Raises:
        FailedPrecondition: Something would be deleted, or the use case belongs to another file, and nobody agreed.
        InvalidInput: A line is no example, a pattern matches no file and the store has no documents of it, or
            a document is left out that must not be.
    """
    use_case_id, origin = case.stored_id, origin_of(case.path)
    if strict:
        _mind_left_out(case)
    # Read first, so that a line that is no example is found before anything is stored.
    examples = list(read_examples(case.examples)) if case.examples is not None else []
    there_is = _contents(case, examples)
    found = _found(client, use_case_id)
    _mind_unmatched(case, found)
    with _there(client, case, found) as stored:
        origins = _origins(stored, case.path, origin, consent)
        difference = compare(there_is, _stored(client, stored))
        mirror = difference.deletes and not consent.keep
        if mirror:
            _agree(case.path, difference, consent)
        said = (case.description, case.facts, origins)
        if said != (stored.description, stored.facts, list(stored.origins)):
            # A fact that the file no longer has is unknown again.
            client.update_use_case(
                use_case_id,
                description=case.description,
                facts=case.facts,
                replace_facts=True,
                origins=origins,
            )
        if said[:2] != (stored.description, stored.facts):
            tell("description and facts brought in")
        goes = mirror and bool(difference.gone_documents)
        comes = difference.documents or goes
        if comes:
            files = case.documents if goes else _files_with_news(case, difference)
            done = _import_documents(client, case, files, mirror=goes, strict=strict)
            if done.imported or done.deleted or not quiet:
                tell(imported_text(done, len(there_is.documents) - done.imported - done.skipped))
            _tell_skipped(done)
            difference = difference.without({each.source for each in done.skipped_documents})
        elif not quiet:
            tell(f"{counted(len(there_is.documents), 'document')} unchanged")
        if comes or not quiet:
            _tell_left_out(case)
        _import_examples(tell, client, case, examples, difference, keep=consent.keep, quiet=quiet)
    return difference


def imported_text(done: use_cases_pb2.ImportDocumentsResult, unchanged: int) -> str:
    """Return what came of an import of documents, in a line; and how many are as they were, sent or not."""
    passages = f" as {counted(done.passages, 'passage')}" if done.imported else ""
    deleted = f", {done.deleted:,} deleted" if done.deleted else ""
    return f"{counted(done.imported, 'document')} imported{passages}, {unchanged:,} unchanged{deleted}"


def use_case_id_of(given: str) -> str:
    """Return the id of the use case meant: of a use-case file, or else the text itself.

    Raises:
        InvalidInput: The file has no id.
    """
    path = Path(given)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return read_use_case(path).stored_id
    return given


def _found(client: Client, use_case_id: str) -> use_case_pb2.UseCase | None:
    try:
        return client.get_use_case(use_case_id)
    except NotFound:
        return None


@contextmanager
def _there(
    client: Client, case: UseCaseFile, found: use_case_pb2.UseCase | None
) -> Iterator[use_case_pb2.UseCase]:
    """Yield the use case of a file, created where there is none; it goes again where nothing is imported then."""
    if found is not None:
        yield found
        return
    use_case_id = case.stored_id
    created = client.create_use_case(
        use_case_id, description=case.description, facts=case.facts, origins=[origin_of(case.path)]
    )
    try:
        yield created
    except BaseException:
        with suppress(AdvisorError):  # what went wrong first is told
            _forget_empty(client, use_case_id)
        raise


def _forget_empty(client: Client, use_case_id: str) -> None:
    """Delete a use case that holds nothing, as soon as an import into it that was interrupted has ended."""
    until = time.monotonic() + ENDING_S
    while True:
        holds = client.get_use_case(use_case_id)
        if holds.document_count or holds.example_count or holds.held_out_count:
            return
        try:
            client.delete_use_case(use_case_id)
        except Conflict:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _mind_unmatched(case: UseCaseFile, stored: use_case_pb2.UseCase | None) -> None:
    """Tell of patterns that no file matches, and refuse them where the store has no documents that may be gone."""
    if case.unmatched and not (stored and stored.document_count):
        raise InvalidInput(case.unmatched)
    for each in case.unmatched:
        notices().print(f"{each.field}: {each.description}", markup=False, highlight=False, soft_wrap=True)


def _files_with_news(case: UseCaseFile, difference: Difference) -> list[Path]:
    """Return the files that are or hold what the store lacks: an import that deletes nothing needs no others."""
    from advisor.client.uploads import sources_of

    folder = case.path.absolute().parent
    news = {*difference.new_documents, *difference.changed_documents}
    return [path for path in case.documents if not news.isdisjoint(sources_of(path, folder))]


def _import_documents(
    client: Client, case: UseCaseFile, files: Sequence[Path], *, mirror: bool, strict: bool
) -> use_cases_pb2.ImportDocumentsResult:
    waiting = Waiting(notices(), f"importing {counted(len(files), 'file')}")
    try:
        return client.import_documents(
            case.stored_id,
            files,
            root=case.path.absolute().parent,
            mirror=mirror,
            strict=strict,
            report=lambda progress: waiting.update(progress_text(progress)),
        )
    except KeyboardInterrupt:
        waiting.stop()
        notices().print("interrupted: no document of this import is stored; run it again, from the start")
        raise
    finally:
        waiting.stop()


def _tell_skipped(done: use_cases_pb2.ImportDocumentsResult) -> None:
    """Tell which documents could not be read, and why: the first of them."""
    if done.skipped:
        notices().print(f"{counted(done.skipped, 'document')} skipped, since they cannot be read:")
    for each in done.skipped_documents[:_MOST_TOLD]:
        notices().print(f"  {as_commands(each.reason)}", markup=False, highlight=False, soft_wrap=True)
    if done.skipped > _MOST_TOLD:
        notices().print(f"  and {done.skipped - _MOST_TOLD:,} more")


def _tell_left_out(case: UseCaseFile) -> None:
    """Tell what folders, patterns and archives hold and is not imported: the first of it."""
    for each in case.left_out[:_MOST_TOLD]:
        told = f"{each.where}: left out: {each.reason}: {listed(each.names)}"
        notices().print(told, markup=False, highlight=False, soft_wrap=True)
    if len(case.left_out) > _MOST_TOLD:
        notices().print(f"and {len(case.left_out) - _MOST_TOLD:,} more like these")


def _mind_left_out(case: UseCaseFile) -> None:
    """Refuse a file of which documents would be left out."""
    missed = [
        Violation(f"{case.path}: {each.where}", f"{each.reason}: {listed(each.names)}")
        for each in case.left_out
        if each.is_fault
    ]
    if missed:
        raise InvalidInput(missed)


def _import_examples(
    tell: Callable[[str], None],
    client: Client,
    case: UseCaseFile,
    examples: Sequence[use_case_pb2.Example],
    difference: Difference,
    *,
    keep: bool,
    quiet: bool,
) -> None:
    goes = difference.gone_examples and not keep
    if not (difference.new_examples or difference.corrected or goes):
        if not quiet:
            tell(f"{counted(len(examples), 'example')} unchanged")
        return
    # Where some are kept that the file has no more, those corrected are deleted one by one.
    mirror = bool(goes or (difference.corrected and not difference.gone_examples))
    done = client.import_examples(case.stored_id, examples, mirror=mirror)
    for key in () if mirror else difference.corrected:
        client.delete_example(example_name(case.stored_id, key))
    gone = done.deleted if mirror else len(difference.corrected)
    deleted = f", {gone:,} deleted" if gone else ""
    tell(f"{counted(done.imported, 'example')} imported, {done.unchanged:,} unchanged{deleted}")


def _contents(case: UseCaseFile, examples: Sequence[use_case_pb2.Example]) -> Contents:
    """Return what a file names; documents are named from its folder, wherever it lies."""
    from advisor.client.uploads import example_sha256, hashes_of

    folder = case.path.absolute().parent
    return Contents(
        dict(each for path in case.documents for each in hashes_of(path, folder)),
        {example_sha256(each)[:32]: each.question for each in examples},
        [field.name for field, _ in case.facts.ListFields()],
    )


def _stored(client: Client, use_case: use_case_pb2.UseCase) -> Contents:
    """Return what the store has of a use case."""
    documents = client.documents(use_case.name) if use_case.document_count else ()
    there = use_case.example_count or use_case.held_out_count
    examples = client.examples(use_case.name) if there else ()
    return Contents(
        {each.source: each.sha256 for each in documents},
        {parse_example(each.name)[1]: each.question for each in examples},
        [field.name for field, _ in use_case.facts.ListFields()],
    )


def _origins(stored: use_case_pb2.UseCase, path: Path, origin: str, consent: Consent) -> list[str]:
    """Return the files that a use case is kept in step with, this one among them, where it may be."""
    others = other_origins(stored, origin)
    known = len(others) < len(stored.origins)
    if not known and not consent.adopt:
        kept = f"kept in step with {', '.join(others)}" if others else "made by no file"
        told = f"{stored.name} is there already, {kept}"
        if not (_on_terminal() and typer.confirm(f"{told}. Is {path} the same use case?", False, err=True)):
            raise FailedPrecondition(
                "OTHER_FILE",
                f"{told}. Give {path} an id of its own, such as id: {new_id(path)}; or, where it is the same "
                "use case, run with --adopt",
            )
    return [*others, origin]


def _agree(path: Path, difference: Difference, consent: Consent) -> None:
    """Show what would be done, and go on where somebody agrees."""
    console = notices()
    for line in difference.lines():
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if consent.yes:
        return
    if not (
        _on_terminal() and typer.confirm("Do that, and delete what the file has no more?", False, err=True)
    ):
        raise FailedPrecondition(
            "WOULD_DELETE",
            f"nothing was done: the store has what {path} has no more; run with --yes to delete it, "
            "or with --keep to keep it",
        )


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
