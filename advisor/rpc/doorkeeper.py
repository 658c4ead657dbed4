"""The door: who calls, by the bearer token of the call.

As long as no token was ever made, and none is set, the server is open, and
everything belongs to the principal without a name. From the first one on, every
call needs one, but for health checks.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import PurePosixPath

import structlog

from advisor.errors import PermissionDenied, ResourceExhausted, Unauthenticated
from advisor.names import act_as
from advisor.rpc.permissions import role_for
from advisor.storage import tokens
from advisor.storage.database import Database
from advisor.storage.tokens import Role, Token

__all__ = ["Doorkeeper", "Metadata", "role"]

Metadata = Sequence[tuple[str, str | bytes]]

REFRESH_S = 1.0
"""How long after it was revoked a token may still be good, on any server of the database."""
_SCHEME = "bearer "
_SEND = (
    "send one as metadata authorization: Bearer TOKEN; advisor tokens create makes one where the server runs"
)

_log = structlog.get_logger(__name__)
_granted: ContextVar[Role] = ContextVar("role", default=Role.ADMIN)


def role() -> Role:
    """Return what the present call may do."""
    return _granted.get()


class Doorkeeper:
    """Lets calls in by their tokens, as the database had them a moment ago.

    Args:
        database: Where tokens are kept.
        admin_token: One that is good for everything, beside those.
        calls: Calls a second that a principal may make for long; any number where None.
        stays_closed: Whether it stays closed though all tokens have gone from the database.
        now: The time.
    """

    def __init__(
        self,
        database: Database,
        admin_token: str | None = None,
        *,
        calls: float | None = None,
        stays_closed: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._admin_sha256 = tokens.secret_hash(admin_token) if admin_token else None
        self._now = now
        self._paces = _Paces(calls) if calls is not None else None
        self._known: Mapping[str, Token] = {}
        self._stays_closed = stays_closed
        self._was_closed = False
        self.read()

    def read(self) -> None:
        """Read the tokens; blocks."""
        self._known = {each.id: each for each in tokens.every(self._database)}
        self._was_closed |= bool(self._known)

    @property
    def closed(self) -> bool:
        """Whether calls need a token."""
        here = bool(self._known) or self._admin_sha256 is not None
        return here or (self._stays_closed and self._was_closed)

    def admit(self, method: str, metadata: Metadata | None) -> None:
        """Let a call in, from here on for its principal.

        Args:
            method: Its path.
            metadata: What the client sent with it.

        Raises:
            Unauthenticated: It has no token that is good.
            PermissionDenied: Its token is not good for this.
            ResourceExhausted: Its principal calls too often.
        """
        needed = role_for(method)
        if needed is None:
            return
        owner, granted = self._allowed(method, needed, metadata or ()) if self.closed else ("", Role.ADMIN)
        if self._paces is not None:
            self._paces.count(owner)
        act_as(owner)
        _granted.set(granted)

    def _allowed(self, method: str, needed: Role, metadata: Metadata) -> tuple[str, Role]:
        """Return who calls, and what they may do; raises as `admit`."""
        sent = _sent(metadata)
        if self._admin_sha256 is not None and hmac.compare_digest(
            tokens.secret_hash(sent), self._admin_sha256
        ):
            return "", Role.ADMIN
        token = self._token(sent)
        if not token.role.includes(needed):
            raise PermissionDenied(
                "ROLE_TOO_LOW",
                f"{PurePosixPath(method).name} needs the role {needed}, and the token has {token.role}; "
                f"make one with advisor tokens create --role {needed.lower()}",
                metadata={"role": needed},
            )
        if needed is Role.ADMIN and token.principal:
            raise PermissionDenied(
                "NOT_THE_OPERATOR",
                f"{PurePosixPath(method).name} concerns everything on the server, and the token is good for what "
                "belongs to its principal; use one that was made without --principal",
            )
        return token.principal, token.role

    async def keep_reading(self) -> None:
        """Read the tokens again and again, until cancelled; while the database is away, those of before count."""
        while True:
            await asyncio.sleep(REFRESH_S)
            try:
                await asyncio.to_thread(self.read)
            except Exception as error:  # noqa: BLE001 - whatever it is: the next second may be better
                _log.warning("tokens could not be read", exc_info=error)

    def _token(self, sent: str) -> Token:
        """Return the token whose text was sent; Unauthenticated where it is none that is good."""
        parts = tokens.parts_of(sent)
        known = self._known.get(parts[0]) if parts else None
        found = tokens.secret_hash(parts[1] if parts else "")
        # Of a token that is unknown a hash is compared as well: it takes as long.
        right = hmac.compare_digest(found, known.secret_sha256 if known else bytes(len(found)))
        if known is None or not right or not known.good(self._now()):
            raise Unauthenticated(
                "TOKEN_NOT_GOOD", f"the token is none of this server's, or not any more; {_SEND}"
            )
        return known


class _Paces:
    """How often each principal calls: a bucket of calls that fills at an even rate.

    Args:
        rate: Calls a second; twice as many may come at once.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._most = max(1.0, 2 * rate)
        self._left: dict[str, tuple[float, float]] = {}  # calls that were left, and when

    def count(self, owner: str) -> None:
        """Count a call; ResourceExhausted where too many came before it."""
        now = time.monotonic()
        left, before = self._left.get(owner, (self._most, now))
        left = min(self._most, left + (now - before) * self._rate)
        if left < 1:
            wait_s = (1 - left) / self._rate
            raise ResourceExhausted(
                "RATE_LIMIT",
                f"more than {self._rate:g} calls a second; the next is taken in {wait_s:.2g} s",
                metadata={"retry_s": f"{wait_s:.3f}"},
            )
        self._left[owner] = (left - 1, now)


def _sent(metadata: Metadata) -> str:
    """Return the text of the token that came with a call; Unauthenticated where none did."""
    value = next((value for name, value in metadata if name == "authorization"), None)
    text = value.decode(errors="replace") if isinstance(value, bytes) else value or ""
    if not text.lower().startswith(_SCHEME):
        raise Unauthenticated("TOKEN_MISSING", f"this server asks for a token; {_SEND}")
    return text[len(_SCHEME) :].strip()
