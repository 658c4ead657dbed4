"""Tokens: who may call, for whom, and for what.

    rot_{id}_{secret}        the text, told once: when the token is made

The secret is 32 random bytes, so one SHA-256 is enough to keep of it. Rows stay
when a token is revoked or has expired: as long as there is one, the server is
closed to whoever has none.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import class_row

from advisor.errors import FailedPrecondition, NotFound
from advisor.storage.database import Database

__all__ = ["Role", "Token", "every", "issue", "parts_of", "revoke", "secret_hash"]

_PREFIX = "rot"
_SECRET_BYTES = 32
_ID_BYTES = 5
_COLUMNS = "id, principal, role, note, secret_sha256, create_time, expire_time, revoke_time"


class Role(StrEnum):
    """What a token is good for; each includes those before it."""

    READ = "READ"
    WRITE = "WRITE"
    ADMIN = "ADMIN"

    def includes(self, other: Role) -> bool:
        """Return whether whoever has this role may do what the other one is for."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret.

    Attributes:
        id: Tells it from others; the second part of its text.
        principal: Whose resources it is good for; empty for the principal without a name.
        role: What may be done with it.
        note: What it is for, in words.
        secret_sha256: Hash of its secret.
        create_time: When it was made.
        expire_time: From when on it is good for nothing; None for never.
        revoke_time: When it was revoked, where it was.
    """

    id: str
    principal: str
    role: Role
    note: str
    secret_sha256: bytes
    create_time: datetime
    expire_time: datetime | None
    revoke_time: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", Role(self.role))

    def good(self, now: datetime) -> bool:
        """Return whether it may be used."""
        return self.revoke_time is None and (self.expire_time is None or now < self.expire_time)


def issue(
    database: Database, *, principal: str, role: Role, note: str = "", expire_time: datetime | None = None
) -> tuple[Token, str]:
    """Make a token; return it with its text, which nobody can tell again."""
    token_id = base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode().lower()
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Token)) as cursor:
        (made,) = cursor.execute(
            "INSERT INTO tokens (id, principal, role, note, secret_sha256, expire_time)"  # noqa: S608 - constants
            f" VALUES (%s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}",
            [token_id, principal, role, note, secret_hash(secret), expire_time],
        ).fetchall()
    return made, f"{_PREFIX}_{token_id}_{secret}"


def every(database: Database) -> list[Token]:
    """Return all tokens that were ever made, oldest first."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Token)) as cursor:
        return cursor.execute(f"SELECT {_COLUMNS} FROM tokens ORDER BY create_time, id").fetchall()  # noqa: S608 - constants


def revoke(database: Database, token_id: str) -> None:
    """Have a token be good for nothing from now on.

    Raises:
        NotFound: There is none of that id.
        FailedPrecondition: It was revoked before.
    """
    with database.transaction() as connection:
        row = connection.execute(
            "SELECT revoke_time FROM tokens WHERE id = %s FOR UPDATE", [token_id]
        ).fetchone()
        if row is None:
            raise NotFound(f"token {token_id}", "advisor tokens list shows which there are")
        if row[0] is not None:
            raise FailedPrecondition("TOKEN_REVOKED", f"token {token_id} was revoked before, at {row[0]}")
        connection.execute("UPDATE tokens SET revoke_time = now() WHERE id = %s", [token_id])


def parts_of(text: str) -> tuple[str, str] | None:
    """Return the id and the secret in the text of a token; None where it is none."""
    prefix, _, rest = text.partition("_")
    token_id, _, secret = rest.partition("_")
    return (token_id, secret) if prefix == _PREFIX and token_id and secret else None


def secret_hash(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()
