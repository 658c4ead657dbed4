"""The address that a server listens on: tried before anything else is started for it, and told to other programs.

gRPC writes what it failed on to standard error, in words of its own; here it is an error like any other.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from advisor.errors import ConfigurationError

__all__ = ["address_text", "cannot_listen", "check_free", "write_port"]


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


def write_port(port_file: Path, port: int) -> None:
    """Write the port file by a rename, so that whoever finds it finds a whole number in it."""
    partial = port_file.with_name(f".{port_file.name}.{os.getpid()}")
    try:
        partial.write_text(f"{port}\n")
        partial.replace(port_file)
    except OSError as error:
        raise ConfigurationError(
            f"{port_file}: cannot be written: {error.strerror}; name a file in a folder that is there"
        ) from None
