"""What a client's connections are encrypted with, as the environment has it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path

import grpc

from advisor.errors import ConfigurationError

__all__ = ["credentials_from", "is_loopback", "refuse_plain_text"]

_CA, _CERTIFICATE, _KEY = "ADVISOR_SERVER_CA", "ADVISOR_CLIENT_CERTIFICATE", "ADVISOR_CLIENT_KEY"
_YES = ("1", "true", "yes", "on")
_SYSTEM = "system"
"""In place of a file: whoever this machine trusts."""


def credentials_from(environment: Mapping[str, str]) -> grpc.ChannelCredentials | None:
    """Return what ADVISOR_SERVER_CA and the client's certificate and key stand for; None for plain text.

    Raises:
        ConfigurationError: A file cannot be read, or its counterpart is missing.
    """
    files = {name: environment[name] for name in (_CA, _CERTIFICATE, _KEY) if environment.get(name)}
    if not files:
        return None
    if (_CERTIFICATE in files) != (_KEY in files):
        raise ConfigurationError(f"{_CERTIFICATE} and {_KEY} go together; set both, or neither")
    found: dict[str, bytes] = {}
    for name, path in files.items():
        if (name, path) != (_CA, _SYSTEM):
            try:
                found[name] = Path(path).read_bytes()
            except OSError as error:
                raise ConfigurationError(f"{name} is {path}: cannot be read: {error.strerror}") from None
    return grpc.ssl_channel_credentials(found.get(_CA), found.get(_KEY), found.get(_CERTIFICATE))


def refuse_plain_text(target: str, environment: Mapping[str, str]) -> None:
    """Refuse to send a token over a network in plain text, unless that is asked for by name.

    Raises:
        ConfigurationError: The target is beyond this machine.
    """
    host = target.rpartition(":")[0].strip("[]")
    if not is_loopback(host) and environment.get("ADVISOR_INSECURE", "").lower() not in _YES:
        raise ConfigurationError(
            f"ADVISOR_TOKEN would be sent to {target} in plain text; set ADVISOR_SERVER_CA to the PEM file of who "
            "vouches for the server, or to system, or set ADVISOR_INSECURE=true"
        )


def is_loopback(host: str) -> bool:
    """Return whether an address, or the name of a host, is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
