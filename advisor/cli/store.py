"""`advisor use-cases`, `documents` and `examples`: what a server keeps, listed, shown and deleted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from advisor.cli.origins import files_naming
from advisor.cli.output import JsonOption, notices, print_json, print_list, values_of
from advisor.cli.sync import ServerOption, use_case_id_of
from advisor.errors import FailedPrecondition, NotFound
from advisor.names import document_name, parse_document, parse_example, source_hash, use_case_name
from advisor.v1 import use_case_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2
from backends.counts import counted

__all__ = ["register"]

OfArgument = Annotated[str, typer.Argument(metavar="FILE_OR_ID", help="Use-case file, or id of a use case.")]
NameArgument = Annotated[str, typer.Argument(help="Resource name, as the list shows it.")]
DocumentArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME_OR_FILE",
        help="Resource name, as the list shows it; or use-case file or id, followed by the source.",
    ),
]
SourceArgument = Annotated[
    str | None, typer.Argument(help="Source, as the list shows it; without a resource name.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for noun, told, commands in (
        ("use-cases", "Use cases that the server keeps.", (list_use_cases, show_use_case, delete_use_case)),
        ("documents", "Documents of a use case.", (list_documents, show_document, delete_document)),
        ("examples", "Examples of a use case.", (list_examples, show_example, delete_example)),
    ):
        group = typer.Typer(help=told, no_args_is_help=True)
        for command in commands:
            group.command(command.__name__.partition("_")[0])(command)
        app.add_typer(group, name=noun, rich_help_panel="Look after a server")


def list_use_cases(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List use cases, by name."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        found = list(client.use_cases())
    columns: dict[str, Callable[[use_case_pb2.UseCase], str]] = {
        "use case": lambda each: each.name,
        "documents": lambda each: f"{each.document_count}",
        "examples": lambda each: f"{each.example_count}",
        "changed": lambda each: each.update_time.ToDatetime().isoformat(" ", "minutes"),
        "description": lambda each: each.description,
    }
    print_list(found, columns, as_json=as_json, empty="no use cases")


def show_use_case(use_case: OfArgument, server: ServerOption = None) -> None:
    """Print a use case as JSON."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        print_json(values_of(client.get_use_case(use_case_id_of(use_case))))


def delete_use_case(use_case: OfArgument, server: ServerOption = None, yes: YesOption = False) -> None:
    """Delete a use case, with its documents, examples and adapters."""
    from advisor.cli.connection import connected

    use_case_id = use_case_id_of(use_case)
    with connected(server) as client:
        found = client.get_use_case(use_case_id)
        holds = (
            f"{use_case_name(use_case_id)} with {counted(found.document_count, 'document')}, "
            f"{counted(found.example_count + found.held_out_count, 'example')} and all adapters"
        )
        if not yes:
            if not sys.stdin.isatty():
                raise FailedPrecondition("WOULD_DELETE", f"that deletes {holds}; run with --yes to do so")
            typer.confirm(f"Delete {holds}?", False, abort=True, err=True)
        client.delete_use_case(use_case_id)
    notices().print(f"{use_case_name(use_case_id)} deleted", markup=False, highlight=False, soft_wrap=True)


def list_documents(use_case: OfArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List the documents of a use case, by source."""
    from advisor.cli.connection import connected

    use_case_id = use_case_id_of(use_case)
    with connected(server) as client:
        found = list(client.documents(use_case_id))
    columns: dict[str, Callable[[use_cases_pb2.DocumentSummary], str]] = {
        "document": lambda each: each.name,
        "source": lambda each: each.source,
        "bytes": lambda each: f"{each.size_bytes}",
        "passages": lambda each: f"{each.passage_count}",
        "media type": lambda each: each.media_type,
        "changed": lambda each: (
            each.change_time.ToDatetime().isoformat(" ", "minutes") if each.HasField("change_time") else ""
        ),
    }
    print_list(found, columns, as_json=as_json, empty=f"no documents of {use_case_id}")


def show_document(
    document: DocumentArgument, source: SourceArgument = None, server: ServerOption = None
) -> None:
    """Print the content of a document, byte for byte."""
    from advisor.cli.connection import connected

    name = _document_name(document, source)
    with connected(server) as client, _called(document, source):
        content = client.get_document(name).content
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def delete_document(
    document: DocumentArgument, source: SourceArgument = None, server: ServerOption = None
) -> None:
    """Delete a document, with its passages."""
    from advisor.cli.connection import connected

    name = _document_name(document, source)
    with connected(server) as client, _called(document, source):
        client.delete_document(name)
        naming = files_naming(client.get_use_case(parse_document(name)[0]), name)
    _tell_deleted(name, naming)


def list_examples(use_case: OfArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List the examples of a use case, in the order they came."""
    from advisor.cli.connection import connected

    use_case_id = use_case_id_of(use_case)
    with connected(server) as client:
        found = list(client.examples(use_case_id))
    columns: dict[str, Callable[[use_case_pb2.Example], str]] = {
        "example": lambda each: each.name,
        "question": lambda each: each.question,
        "answer": lambda each: each.answer,
    }
    print_list(found, columns, as_json=as_json, empty=f"no examples of {use_case_id}")


def show_example(name: NameArgument, server: ServerOption = None) -> None:
    """Print an example as JSON."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        print_json(values_of(client.get_example(name)))


def delete_example(name: NameArgument, server: ServerOption = None) -> None:
    """Delete an example."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        client.delete_example(name)
        naming = files_naming(client.get_use_case(parse_example(name)[0]), name)
    _tell_deleted(name, naming)


def _tell_deleted(name: str, naming: Sequence[Path]) -> None:
    """Say that a document or an example is gone, and which use-case files would bring it back."""
    notices().print(f"{name} deleted", markup=False, highlight=False, soft_wrap=True)
    for path in naming:
        told = f"{path} names it still: take it out there, or the next import, answer or tune brings it back"
        notices().print(told, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _document_name(document: str, source: str | None) -> str:
    """Return the resource name of a document that is given by it, or by its use case and its source."""
    return document if source is None else document_name(use_case_id_of(document), source_hash(source))


@contextmanager
def _called(document: str, source: str | None) -> Iterator[None]:
    """Say of a document that does not exist what it was called, which its resource name does not tell."""
    try:
        yield
    except NotFound:
        if source is None:
            raise
        raise NotFound(f"{source!r} of {document}", f"see advisor documents list {document}") from None
