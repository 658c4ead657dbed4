"""What is wrong with the bytes of a request that is no message: which field, which byte, and what to do.

The parser of protobuf says only that a message is corrupt. This reads the same
bytes again, once it has failed: tags, lengths and texts, by the descriptor of
the message, until something does not hold.
"""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from advisor.errors import InvalidInput, Violation

__all__ = ["unreadable"]

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_MOST_FIELDS = 20_000
"""Fields that are read, in some 50 ms: a server answers nobody else meanwhile."""


def unreadable(descriptor: Descriptor, content: bytes) -> InvalidInput:
    """Return the error for bytes that are not a message of that kind."""
    try:
        _Reader(content).message(descriptor, "", len(content))
    except InvalidInput as error:
        return error
    return _fault("", f"is no {descriptor.full_name}; send one that your client library has serialized")


class _Reader:
    """Walks through the bytes of a message; InvalidInput where they break off or do not fit."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self._fields = 0

    def message(self, descriptor: Descriptor, path: str, end: int) -> None:
        """Read the fields of a message that ends at byte `end`."""
        counts: dict[int, int] = {}
        while self._at < end and self._fields < _MOST_FIELDS:
            began = self._at
            self._fields += 1
            number, kind = divmod(self._varint(path, end), 8)
            if number == 0 or kind not in (_VARINT, _FIXED64, _DELIMITED, _FIXED32):
                raise _corrupt(path, began)
            field = descriptor.fields_by_number.get(number)
            inner = path
            if field is not None:
                index = counts[number] = counts.get(number, -1) + 1
                inner = _inside(path, field, index)
            if kind == _VARINT:
                self._varint(inner, end)
            elif kind == _DELIMITED:
                self._delimited(field, inner, end)
            else:
                self._skip(_FIXED_BYTES[kind], inner, end)

    def _delimited(self, field: FieldDescriptor | None, path: str, end: int) -> None:
        size = self._varint(path, end)
        start = self._at
        if start + size > end:
            raise _cut(path, start, size, end - start)
        if field is not None and field.type == FieldDescriptor.TYPE_STRING:
            _check_text(self._content[start : start + size], path)
        elif field is not None and field.message_type is not None:
            self.message(field.message_type, path, start + size)
        self._at = start + size

    def _varint(self, path: str, end: int) -> int:
        value, began = 0, self._at
        for shift in range(0, 70, 7):
            if self._at >= end:
                raise _cut(path, began, 1, 0)
            byte = self._content[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise _corrupt(path, began)

    def _skip(self, size: int, path: str, end: int) -> None:
        if self._at + size > end:
            raise _cut(path, self._at, size, end - self._at)
        self._at += size


def _inside(path: str, field: FieldDescriptor, index: int) -> str:
    name = f"{field.name}[{index}]" if field.is_repeated else field.name
    return f"{path}.{name}" if path else name


def _check_text(content: bytes, path: str) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise _fault(
            path,
            f"byte {error.start:,} of it (0x{content[error.start]:02x}) is not UTF-8; "
            "read the text in the encoding that it has, and send it as UTF-8",
        ) from None


def _cut(path: str, at: int, wanted: int, left: int) -> InvalidInput:
    return _fault(
        path,
        f"breaks off: at byte {at:,} it says that {wanted:,} more follow, and {left:,} do; "
        "send the whole message",
    )


def _corrupt(path: str, at: int) -> InvalidInput:
    return _fault(
        path,
        f"byte {at:,} of the message is not the beginning of a field; "
        "send a message that your client library has serialized",
    )


def _fault(path: str, description: str) -> InvalidInput:
    return InvalidInput([Violation(path or "request", description)])
