"""`advisor tokens`: who may call a server, made, listed and revoked where its database is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from advisor.cli.extras import require_server
from advisor.cli.output import JsonOption, notices, print_json, print_table
from advisor.errors import InvalidInput
from advisor.names import ID_RULE, is_id, shown

if TYPE_CHECKING:
    from advisor.storage.database import Database
    from advisor.storage.tokens import Token

__all__ = ["register"]

_ROLES = ("read", "write", "admin")
_MOST_DAYS = 3650
_NOTE_CHARACTERS = 200
_ID_FORM = r"[a-z2-7]{8}"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        help="Tokens: who may call the server. The first one closes it to whoever has none.",
        no_args_is_help=True,
    )
    group.command("create")(create)
    group.command("list")(list_all)
    group.command("revoke")(revoke)
    app.add_typer(group, name="tokens", rich_help_panel="Look after a server")


def create(
    role: Annotated[
        str,
        typer.Option(
            help="read: ask and look; write: change as well; admin: passages of all made anew, too."
        ),
    ] = "write",
    principal: Annotated[
        str,
        typer.Option(
            help="Whose use cases it is good for; nobody else sees them.",
            show_default="those that belong to nobody with a name",
        ),
    ] = "",
    days: Annotated[
        int | None, typer.Option(help="Days that it is good for.", show_default="until it is revoked")
    ] = None,
    note: Annotated[str, typer.Option(help="What it is for; the list shows it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a token, and print it: this once, since only a hash of it is kept."""
    _check(role, principal, days, note)
    with _database() as database:
        from advisor.storage import tokens

        first = not tokens.every(database)
        expire_time = datetime.now(UTC) + timedelta(days=days) if days is not None else None
        token, text = tokens.issue(
            database,
            principal=principal,
            role=tokens.Role(role.upper()),
            note=note,
            expire_time=expire_time,
        )
    if as_json:
        print_json({"token": {**_values(token), "text": text}})
        return
    if first:
        notices().print("from now on every call needs a token; clients read ADVISOR_TOKEN", markup=False)
    Console().print(text, markup=False, highlight=False, soft_wrap=True)


def list_all(as_json: JsonOption = False) -> None:
    """List all tokens that were ever made, without their secrets."""
    with _database() as database:
        from advisor.storage import tokens

        found = tokens.every(database)
    if as_json:
        print_json({"tokens": [_values(each) for each in found]})
    elif found:
        rows = [
            (
                each.id,
                each.principal or "-",
                each.role.lower(),
                _state(each),
                _day(each.create_time),
                each.note,
            )
            for each in found
        ]
        print_table(Console(), ("id", "principal", "role", "state", "made", "note"), rows)
    else:
        notices().print(
            "no tokens: the server is open to whoever reaches it; advisor tokens create", markup=False
        )


def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="Id of the token, as the list shows it.")],
) -> None:
    """Have a token be good for nothing, on all servers of the database within a second or two."""
    if re.fullmatch(_ID_FORM, token) is None:
        secret = token.startswith("rot_")
        told = (
            "give the id alone, its second part" if secret else "give an id as advisor tokens list shows it"
        )
        raise InvalidInput.of("ID", f"{'the text of a token' if secret else shown(token)} is no id; {told}")
    with _database() as database:
        from advisor.storage import tokens

        tokens.revoke(database, token)
    Console().print(f"token {token} is revoked", markup=False, highlight=False)


def _check(role: str, principal: str, days: int | None, note: str) -> None:
    if role not in _ROLES:
        raise InvalidInput.of("--role", f"{shown(role)} is no role; allowed: {', '.join(_ROLES)}")
    if principal and not is_id(principal):
        raise InvalidInput.of("--principal", f"{shown(principal)} is no name; allowed: {ID_RULE}")
    if days is not None and not 1 <= days <= _MOST_DAYS:
        raise InvalidInput.of("--days", f"{days} is out of bounds; allowed: 1 to {_MOST_DAYS:,}")
    if len(note) > _NOTE_CHARACTERS or not note.isprintable():
        raise InvalidInput.of("--note", f"must be one line of at most {_NOTE_CHARACTERS} characters")


@contextmanager
def _database() -> Iterator[Database]:
    """Yield the database of the server here: the embedded one, or that of ADVISOR_DATABASE_URL."""
    require_server("tokens")
    from advisor.settings import read_settings
    from advisor.storage.database import Database
    from advisor.storage.postgres import open_postgres

    with open_postgres(read_settings()) as url, Database.open(url) as database:
        yield database


def _values(token: Token) -> dict[str, Any]:
    times = {
        "create_time": token.create_time,
        "expire_time": token.expire_time,
        "revoke_time": token.revoke_time,
    }
    return {
        "id": token.id,
        "principal": token.principal,
        "role": token.role.value,
        "note": token.note,
        **{name: time.isoformat() for name, time in times.items() if time is not None},
    }


def _state(token: Token) -> str:
    if token.revoke_time is not None:
        return f"revoked {_day(token.revoke_time)}"
    if token.expire_time is None:
        return "good"
    until = "good until" if token.good(datetime.now(UTC)) else "expired"
    return f"{until} {_day(token.expire_time)}"


def _day(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d}"
