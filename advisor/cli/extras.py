"""What the light install leaves out, and the message where a command needs it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from advisor.errors import ConfigurationError

__all__ = ["require", "require_server"]

SERVER_PACKAGES = (
    "structlog",
    "pydantic_settings",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "grpc_health",
    "grpc_reflection",
    "haystack",
    "transformers",
    "torch",
    "peft",
)
"""Packages of the extra `server` without which no server starts, as they are imported."""


def require_server(task: str, otherwise: str = "") -> None:
    """See to it that what a server needs is installed, without loading any of it.

    Args:
        task: What needs it, as the subject of the message.
        otherwise: Another way to get there, if there is one.

    Raises:
        ConfigurationError: It is not; the message says what to install.
    """
    require(task, SERVER_PACKAGES, otherwise)


def require(task: str, packages: Sequence[str], otherwise: str = "", *, extra: str = "server") -> None:
    """See to it that packages of an extra are installed; as `require_server` of those that a server needs."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        way = f", or {otherwise}" if otherwise else ""
        raise ConfigurationError(
            f"{task} needs {missing[0]}{others}, not installed here; "
            f"run pip install 'rag-or-tune[{extra}]'{way}"
        )
