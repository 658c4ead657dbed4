"""Whether a server serves, asked by whoever watches it."""

from __future__ import annotations

from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from advisor.client.calls import translated
from advisor.client.channel import open_channel

__all__ = ["is_serving"]


def is_serving(
    target: str, service: str, *, credentials: grpc.ChannelCredentials | None, timeout_s: float
) -> bool:
    """Return whether a service takes calls; no token is needed.

    Args:
        target: Address of the server.
        service: Full name of the service; empty for the server as a whole.
        credentials: For TLS; plain text where None.
        timeout_s: Longest to wait for an answer.

    Raises:
        AdvisorError: The server cannot be reached, or has no such service.
    """
    request = health_pb2.HealthCheckRequest(service=service)
    with open_channel(target, credentials) as channel, translated(target):
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(request, timeout=timeout_s)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
