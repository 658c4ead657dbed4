"""Server reflection, by which tools that have no protos call the server and read its errors.

The library serves `grpc.reflection.v1alpha`. Newer tools ask `grpc.reflection.v1`
first, which has the same messages under another name: here one servicer does both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from google.protobuf.descriptor import FileDescriptor
from grpc import aio
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

__all__ = ["add_reflection"]

V1 = "grpc.reflection.v1.ServerReflection"


def add_reflection(services: Iterable[str], server: aio.Server) -> None:
    """Serve what clients are told of services, and of every message that this program knows.

    Args:
        services: Full names of the services to list.
        server: Where to serve it.
    """
    pool = descriptor_pool.Default()
    _add_v1(pool)
    names = (*services, reflection.SERVICE_NAME, V1)
    servicer = reflection.aio.ReflectionServicer(names, pool=_Symbols(pool))
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]
    info = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler(V1, {"ServerReflectionInfo": info})
    server.add_generic_rpc_handlers((handler,))


class _Symbols:
    """A descriptor pool that finds methods too, which the protocol counts among the symbols."""

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802 - the pool's name for it
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            return self._pool.FindServiceByName(service).methods_by_name[method].containing_service.file


def _add_v1(pool: descriptor_pool.DescriptorPool) -> None:
    """Have the pool know the protocol under its newer name; nothing happens where it does."""
    proto = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(proto)
    text = text_format.MessageToString(proto).replace("v1alpha", "v1")
    newer = text_format.Parse(text, descriptor_pb2.FileDescriptorProto())
    pool.AddSerializedFile(newer.SerializeToString())
