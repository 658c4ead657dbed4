"""Statuses that no server of this program sent: gRPC's own, or a proxy's, as sentences with a next step.

Their texts are for those who write gRPC: "Stream removed", "failed to connect to
all addresses". The first row that fits the code and the text says what happened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["THE_SERVER", "sentence"]

THE_SERVER = "the server"
"""What a server is called whose address is not known."""

_BROKEN = (
    "the connection to {server} broke off in the middle; what came is not the whole: "
    "make the call again, and see in the server's log why it ended"
)


@dataclass(frozen=True, slots=True)
class _Row:
    """What a status means.

    Attributes:
        codes: The codes it stands for, separated by bars; every one where empty.
        pattern: What its text holds; its named groups are for the sentence.
        form: The sentence.
    """

    codes: str
    pattern: str
    form: str


_ROWS = (
    _Row(
        "",
        r"http2 header with status: (?P<status>\d+)",
        "what answers at {server} is a proxy, with HTTP status {status}: it refuses the call, or finds no server "
        "behind it; see that the server runs, and that the proxy passes gRPC on, or name the server itself",
    ),
    _Row(
        "UNAVAILABLE",
        r"(?i)certificate|peer name|hostname verification",
        "{server} shows a certificate that this client does not trust; give the credentials of who signed it, "
        "or name the host as the certificate does",
    ),
    _Row(
        "UNAVAILABLE",
        r"http1\.x|SETTINGS frame",
        "no server answers at {server}: what is there does not speak gRPC, or wants encryption; "
        "start one with advisor serve on another port, or name another address",
    ),
    _Row(
        "UNAVAILABLE",
        r"(?P<scheme>(?:https?|grpcs?)://)(?P<address>[^\s/\]]+?)[:/]?(?=[\s/\]])",
        "no server answers at {server}: leave out {scheme}; name it as HOST:PORT, such as {address}",
    ),
    _Row(
        "UNAVAILABLE",
        r"(?i)resolv|lookup|DNS",
        "no server answers at {server}: there is no such host; name it as HOST:PORT, such as localhost:50051",
    ),
    _Row(
        "UNAVAILABLE",
        r"",
        "no server answers at {server}, or the connection broke off; start one with advisor serve, "
        "or name another address",
    ),
    _Row(
        "DEADLINE_EXCEEDED",
        r"",
        "{server} did not answer in the time that the call had; give it more, or see in the server's log "
        "what keeps it busy",
    ),
    _Row(
        "CANCELLED",
        r"",
        "the call to {server} ended before it was done: it was cancelled here, or the server stopped; "
        "make it again where that was not meant",
    ),
    _Row(
        "UNKNOWN|INTERNAL|DATA_LOSS",
        r"",
        "{server} broke the call off without saying why; make it again, and see in the server's log "
        "what went wrong",
    ),
    _Row(
        "RESOURCE_EXHAUSTED",
        r"(?i)larger than max|message size",
        "a message of the call to {server} is larger than one side takes; send or ask for less at a time",
    ),
    _Row(
        "RESOURCE_EXHAUSTED",
        r"",
        "{server} has as many calls under way as it takes; try again in a while",
    ),
    _Row(
        "UNIMPLEMENTED",
        r"",
        "{server} has no such method: it is of another version, or another program; "
        "update the older of both, or name another address",
    ),
    _Row(
        "UNAUTHENTICATED|PERMISSION_DENIED",
        r"",
        "{server} wants a token that allows the call; give it as token=..., or to the command line as "
        "ADVISOR_TOKEN; it says: {text}",
    ),
)


def sentence(code: str, text: str, server: str = THE_SERVER, *, begun: bool = False) -> str:
    """Return what a failed call came to: what happened, to which server, and what to do.

    Args:
        code: Name of the gRPC status code.
        text: The status's own text.
        server: Address of the server.
        begun: Whether a part of the answer had come.
    """
    if begun and code in ("UNAVAILABLE", "UNKNOWN", "INTERNAL"):
        return _BROKEN.format(server=server)
    for row in _ROWS:
        found = re.search(row.pattern, text)
        if found is not None and (not row.codes or code in row.codes.split("|")):
            return row.form.format(server=server, text=text or code, **found.groupdict())
    return (
        f"{server} refused the call ({code}): {text or 'it does not say why'}; see in its log what it wants"
    )
