"""Servers that are none: on their port something answers in another way, not at all, or for a while."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["proxy_error", "relaying", "serving", "silent", "speak_http1"]

Speak = Callable[[socket.socket], None]

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS, _SETTINGS = 1, 4
_END_STREAM, _END_HEADERS = 1, 4


@contextmanager
def serving(speak: Speak) -> Iterator[str]:
    """Hand every connection to `speak`, in a thread of its own, and yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections: list[socket.socket] = []
        threads = [threading.Thread(target=lambda: _accept(listener, speak, connections, threads))]
        threads[0].start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            _cut([listener, *connections])
            for thread in threads:
                thread.join()
            for connection in connections:
                connection.close()


@contextmanager
def relaying(address: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Pass connections on to a server; yield the address, and a function that cuts them all."""
    host, _, port = address.rpartition(":")
    pairs: list[socket.socket] = []

    def speak(client: socket.socket) -> None:
        with socket.create_connection((host, int(port))) as server:
            pairs.extend([client, server])
            back = threading.Thread(target=_pump, args=(server, client))
            back.start()
            _pump(client, server)
            back.join()

    with serving(speak) as relay:
        yield relay, lambda: _cut(pairs)


def speak_http1(connection: socket.socket) -> None:
    """Answer as an HTTP/1 server does to what it cannot read."""
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    _cut([connection])


def silent(connection: socket.socket) -> None:
    """Take what comes, and say nothing."""
    while connection.recv(4096):
        pass


def proxy_error(status: int) -> Speak:
    """Return how a proxy answers that finds no server behind it: HTTP/2, with the status alone."""

    def speak(connection: socket.socket) -> None:
        connection.recv(len(_PREFACE), socket.MSG_WAITALL)
        connection.sendall(_frame(_SETTINGS, 0, 0))
        while header := connection.recv(9, socket.MSG_WAITALL):
            size, kind, stream = int.from_bytes(header[:3], "big"), header[3], header[5:]
            if size:
                connection.recv(size, socket.MSG_WAITALL)
            if kind == _HEADERS:
                field = b"\x08\x03" + str(status).encode()  # HPACK: entry 8 is `:status`; then its value
                connection.sendall(
                    _frame(_HEADERS, _END_HEADERS | _END_STREAM, int.from_bytes(stream, "big"), field)
                )

    return speak


def _accept(
    listener: socket.socket, speak: Speak, connections: list[socket.socket], threads: list[threading.Thread]
) -> None:
    with suppress(OSError):  # cut: the test has ended
        while True:
            connection, _ = listener.accept()
            connections.append(connection)
            threads.append(threading.Thread(target=_quietly, args=(speak, connection)))
            threads[-1].start()


def _quietly(speak: Speak, connection: socket.socket) -> None:
    with suppress(OSError):  # the client, or the test, closed it
        speak(connection)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
    _cut([source, target])


def _cut(connections: list[socket.socket]) -> None:
    for connection in connections:
        with suppress(OSError):  # closed already
            connection.shutdown(socket.SHUT_RDWR)


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload
