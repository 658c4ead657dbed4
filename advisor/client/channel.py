"""A connection to a server, as every client of this package has it."""

from __future__ import annotations

from importlib import resources
from typing import Any

import grpc

__all__ = ["open_channel"]

MESSAGE_BYTES = 64 * 1024 * 1024
KEEPALIVE_MS = 60_000


def open_channel(target: str, credentials: grpc.ChannelCredentials | None) -> Any:
    """Return a channel with the service's own retries.

    Args:
        target: Address of the server.
        credentials: For TLS; plain text where None.
    """
    service_config = resources.files("advisor").joinpath("data/service_config.json").read_text()
    options = [
        ("grpc.service_config", service_config),
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ]
    if credentials is None:
        return grpc.insecure_channel(target, options)
    return grpc.secure_channel(target, credentials, options)
