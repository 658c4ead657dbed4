"""What a client's connections are encrypted with, as the environment has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import grpc

from advisor.errors import ConfigurationError

__all__ = ["credentials_from"]

_CA, _CERTIFICATE, _KEY = "ADVISOR_SERVER_CA", "ADVISOR_CLIENT_CERTIFICATE", "ADVISOR_CLIENT_KEY"
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
