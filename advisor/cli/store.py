"""`advisor use-cases`, `documents` and `examples`: what a server keeps, listed, shown and deleted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from advisor.cli.output import JsonOption, notices, print_json, print_table, values_of
from advisor.cli.sync import ServerOption, use_case_id_of
from advisor.errors import FailedPrecondition
from advisor.names import use_case_name
from backends.counts import counted

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.v1 import use_case_pb2

__all__ = ["register"]

OfArgument = Annotated[str, typer.Argument(metavar="FILE_OR_ID", help="Use-case file, or id of a use case.")]
NameArgument = Annotated[str, typer.Argument(help="Resource name, as the list shows it.")]
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
    if as_json:
        for use_case in found:
            print_json(values_of(use_case))
    elif found:
        headings = ("use case", "documents", "examples", "changed", "description")
        print_table(Console(), headings, map(_use_case_row, found))
    else:
        notices().print("no use cases")


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
            f"{counted(found.example_count, 'example')} and all adapters"
        )
        if not yes:
            if not sys.stdin.isatty():
                raise FailedPrecondition("WOULD_DELETE", f"that deletes {holds}; run with --yes to do so")
            typer.confirm(f"Delete {holds}?", False, abort=True, err=True)
        client.delete_use_case(use_case_id)


def list_documents(use_case: OfArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List the documents of a use case, by source."""
    from advisor.cli.connection import connected

    use_case_id = use_case_id_of(use_case)
    with connected(server) as client:
        found = list(client.documents(use_case_id))
    if as_json:
        for document in found:
            print_json(values_of(document))
    elif found:
        rows = (
            (each.name, each.source, f"{each.size_bytes}", f"{each.passage_count}", each.media_type)
            for each in found
        )
        print_table(Console(), ("document", "source", "bytes", "passages", "media type"), rows)
    else:
        notices().print(f"no documents of {use_case_id}", markup=False)


def show_document(name: NameArgument, server: ServerOption = None) -> None:
    """Print the content of a document, byte for byte."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        content = client.get_document(name).content
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def delete_document(name: NameArgument, server: ServerOption = None) -> None:
    """Delete a document, with its passages."""
    from advisor.cli.connection import connected

    with connected(server) as client:
        client.delete_document(name)


def list_examples(use_case: OfArgument, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """List the examples of a use case, in the order they came."""
    from advisor.cli.connection import connected

    use_case_id = use_case_id_of(use_case)
    with connected(server) as client:
        found = list(client.examples(use_case_id))
    if as_json:
        for example in found:
            print_json(values_of(example))
    elif found:
        rows = ((each.name, each.question, each.answer) for each in found)
        print_table(Console(), ("example", "question", "answer"), rows)
    else:
        notices().print(f"no examples of {use_case_id}", markup=False)


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


def _use_case_row(use_case: use_case_pb2.UseCase) -> tuple[str, ...]:
    return (
        use_case.name,
        f"{use_case.document_count}",
        f"{use_case.example_count}",
        use_case.update_time.ToDatetime().isoformat(" ", "minutes"),
        use_case.description,
    )
