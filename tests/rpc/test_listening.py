"""An address, tried before a server is started on it."""

from __future__ import annotations

import socket

import pytest

from advisor.errors import ConfigurationError
from advisor.rpc.listening import check_free


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("127.0.0.1", "Address already in use"),
        ("nowhere.invalid", ""),
        ("192.0.2.1", "assign requested address"),
    ],
)
def test_what_cannot_be_listened_on_is_refused(host, fault):
    """A port that is taken, an address of another machine."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ConfigurationError, match=f"cannot listen on {host}:{port}: .*{fault}; choose another"
        ):
            check_free(host, port)


def test_a_port_that_was_used_a_moment_ago_is_free():
    """A server can be started again at once, though connections to the last one are not forgotten yet."""
    with socket.create_server(("127.0.0.1", 0)) as first:
        address = first.getsockname()
        with socket.create_connection(address), first.accept()[0]:
            pass
    check_free(*address)
