"""The address that a server listens on, tried before anything else is started for it.

gRPC writes what it failed on to standard error, in words of its own; here it is an error like any other.
"""

from __future__ import annotations

import socket

from advisor.errors import ConfigurationError

__all__ = ["address_text", "cannot_listen", "check_free"]


def address_text(host: str, port: int) -> str:
    """Return an address as gRPC takes it and people write it.

    >>> address_text("localhost", 50051), address_text("::1", 50051)
    ('localhost:50051', '[::1]:50051')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_free(host: str, port: int) -> None:
    """Try to listen.

    Raises:
        ConfigurationError: It is not possible on any of the addresses that the host stands for.
    """
    fault: str | None = None
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    tried.bind(address)
                except OSError as error:
                    fault = error.strerror
                else:
                    return
    except OSError as error:
        fault = error.strerror
    raise cannot_listen(host, port, fault)


def cannot_listen(host: str, port: int, fault: str | None) -> ConfigurationError:
    """Return the error that says why, and what can be chosen instead."""
    return ConfigurationError(
        f"cannot listen on {address_text(host, port)}: {fault}; choose another port with --port or "
        "ADVISOR_PORT, 0 for any that is free, or another address with --host or ADVISOR_HOST"
    )
