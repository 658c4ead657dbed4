"""What is said of statuses that no server of this program sent."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import code_pb2, status_pb2

from advisor.errors import Unavailable
from advisor.wire.status import error_to_status, status_to_error
from advisor.wire.unanswered import sentence

CODES = [code.name for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(
    "text", ["", "Stream removed", "Received http2 header with status: 502", "{} {server}"]
)
@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_sentence(code, text, begun):
    """The server is named, and after what happened comes what to do."""
    said = sentence(code, text, "h:1", begun=begun)
    assert "h:1" in said
    assert "; " in said
    assert "Received http2" not in said


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        (
            "RESOURCE_EXHAUSTED",
            "Received message larger than max (5 vs. 4)",
            "send or ask for less at a time",
        ),
        ("RESOURCE_EXHAUSTED", "Concurrent RPC limit exceeded!", "as many calls under way as it takes"),
        ("UNIMPLEMENTED", "Method not found!", "has no such method"),
        ("UNAUTHENTICATED", "send the token", "it says: send the token"),
        (
            "UNAVAILABLE",
            "SSL_ERROR_SSL: CERTIFICATE_VERIFY_FAILED",
            "a certificate that this client does not trust",
        ),
        (
            "UNAVAILABLE",
            "resolving http://h:1: [address lookup failed",
            "leave out http://; name it as HOST:PORT, such as h:1",
        ),
        (
            "UNAVAILABLE",
            "resolving https://h/: [address lookup failed",
            "leave out https://; name it as HOST:PORT",
        ),
        ("UNAVAILABLE", "resolving nohost:1: [address lookup failed", "there is no such host"),
        ("OUT_OF_RANGE", "over", "refused the call (OUT_OF_RANGE): over"),
    ],
)
def test_texts_that_say_more_than_the_code(code, text, said):
    """Where the text tells causes apart, so does the sentence; another program's words come along."""
    assert said in sentence(code, text)


def test_a_server_speaks_for_itself():
    """A status with details keeps its text: it has its next step already."""
    status = error_to_status(Unavailable("OVERLOADED", "all places are taken; try again", retry_s=1))
    assert str(status_to_error(status, "h:1")) == "all places are taken; try again"
    bare = status_pb2.Status(code=code_pb2.UNAVAILABLE, message="Socket closed")
    assert "h:1" in str(status_to_error(bare, "h:1"))
