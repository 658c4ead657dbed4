"""`advisor import`: a use-case file, a folder, or one document from standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from advisor.cli.consent import Consent, consenting
from advisor.cli.init import has_material, write_case
from advisor.cli.origins import files_naming
from advisor.cli.output import JsonOption, notices, print_json, values_of
from advisor.cli.sync import ServerOption, bring_in, imported_text, read_identified, use_case_id_of
from advisor.errors import InvalidInput, Violation
from advisor.knowledge.corpus import TAKEN
from advisor.names import document_name, source_hash
from advisor.v1 import use_case_pb2
from backends.base import DocumentError
from backends.documents.reading import MAX_DOCUMENT_BYTES, MEDIA_TYPES, media_type_of

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import Client

__all__ = ["StrictOption", "register", "use_case_file_of"]

StrictOption = Annotated[
    bool, typer.Option("--strict", help="Import nothing where a document cannot be read; else it is skipped.")
]
FromArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE_OR_FOLDER",
        help="Use-case file (YAML); a folder, with one in it or not; or - for a document from standard input.",
    ),
]
UseCaseOption = Annotated[
    str | None, typer.Option("--use-case", help="Of -: use-case file, or id of a use case.")
]
SourceOption = Annotated[
    str | None, typer.Option("--source", help="Of -: where the document comes from; answers cite it.")
]
MediaTypeOption = Annotated[
    str | None,
    typer.Option(
        "--media-type",
        help="Of -: what the document is.",
        show_default="by the source's suffix, or text/plain",
    ),
]

FILE = "use-case.yaml"
"""The use-case file of a folder."""
STANDARD_INPUT = Path("-")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("import", rich_help_panel="Carry out")(import_file)


@consenting
def import_file(
    file: FromArgument,
    use_case: UseCaseOption = None,
    source: SourceOption = None,
    media_type: MediaTypeOption = None,
    server: ServerOption = None,
    strict: StrictOption = False,
    as_json: JsonOption = False,
    *,
    consent: Consent,
) -> None:
    """Bring the store in step with a use-case file or a folder: facts, documents and examples."""
    from advisor.cli.connection import connected

    given = {"--use-case": use_case, "--source": source, "--media-type": media_type}
    work: Callable[[Callable[[str], None], Client], object]
    if file == STANDARD_INPUT:
        use_case_id, document = _read_piped(given)
        work = partial(_import_piped, use_case_id=use_case_id, document=document)
    else:
        _mind_options_of_piped(file, given)
        case = read_identified(use_case_file_of(file), consent)
        use_case_id = case.stored_id
        work = partial(bring_in, case=case, consent=consent, strict=strict)
    with connected(server) as client:
        work((notices() if as_json else Console()).print, client)
        if as_json:
            print_json(values_of(client.get_use_case(use_case_id)))


def use_case_file_of(place: Path) -> Path:
    """Return the file itself, or the use-case file in a folder, which is written where there is none.

    Raises:
        InvalidInput: The folder holds none, and nothing to import.
    """
    if not place.is_dir():
        return place
    file = place / FILE
    if not file.exists():
        if not has_material(place):
            raise InvalidInput.of(
                str(place), f"holds neither {FILE} nor a file that can be imported: {', '.join(TAKEN)}"
            )
        told = f"{place} holds no {FILE}: writing one that names the documents in it"
        notices().print(told, markup=False, highlight=False, soft_wrap=True)
        write_case(file)
    return file


def _mind_options_of_piped(file: Path, given: Mapping[str, str | None]) -> None:
    """Refuse options that say something of a document from standard input where a file is imported."""
    wrong = [name for name, value in given.items() if value is not None]
    if wrong:
        raise InvalidInput([Violation(name, f"goes with - in place of {str(file)!r}") for name in wrong])


def _read_piped(given: Mapping[str, str | None]) -> tuple[str, use_case_pb2.Document]:
    """Return the use case and the document that standard input and the options make."""
    use_case, source, media_type = given.values()
    missing = [name for name in ("--use-case", "--source") if not given[name]]
    if missing:
        usage = "is missing: advisor import - --use-case FILE_OR_ID --source NAME reads one document"
        raise InvalidInput([Violation(name, usage) for name in missing])
    if media_type is not None and media_type not in MEDIA_TYPES:
        allowed = ", ".join(MEDIA_TYPES)
        raise InvalidInput.of("--media-type", f"{media_type!r} cannot be read; use one of {allowed}")
    use_case_id = use_case_id_of(use_case or "")
    if sys.stdin.isatty():
        notices().print("Type the document; Ctrl-D ends it.", style="dim")
    content = sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
    if not content.strip():
        raise InvalidInput.of("standard input", "is empty; pipe a document into it")
    if len(content) > MAX_DOCUMENT_BYTES:
        raise InvalidInput.of(
            "standard input", f"has more than the {MAX_DOCUMENT_BYTES:,} bytes allowed; split it"
        )
    kind = media_type or _media_type_of(source or "")
    return use_case_id, use_case_pb2.Document(source=source, media_type=kind, content=content)


def _media_type_of(source: str) -> str:
    try:
        return media_type_of(source)
    except DocumentError:
        return "text/plain"


def _import_piped(
    tell: Callable[[str], None], client: Client, *, use_case_id: str, document: use_case_pb2.Document
) -> None:
    """Import one document beside those that are there, and tell where the next import would delete it."""
    with notices().status("importing 1 document"):
        done = client.import_documents(use_case_id, [document], strict=True)
    tell(imported_text(done, done.unchanged))
    stored = client.get_use_case(use_case_id)
    name = document_name(use_case_id, source_hash(document.source))
    if stored.origins and not files_naming(stored, name):
        notices().print(
            f"{use_case_id} is kept in step with {', '.join(stored.origins)}, which does not name "
            f"{document.source}: to delete it is proposed at the next import of that, and --keep keeps it",
            style="yellow", markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
