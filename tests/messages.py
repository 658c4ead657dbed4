"""Hypothesis strategies for messages, made from their descriptors, and for bytes that are hardly one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

__all__ = ["damaged", "messages"]

Overrides = Mapping[str, st.SearchStrategy[Message]]

MOST_FIELDS = 5
MOST_ITEMS = 3
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}
_ODD_TEXTS = (
    "\0",
    "a\0b",
    "\n",
    " ",
    "\u202e",
    "\ufeff",
    "\U0001f600",
    "'; --",
    "%s",
    "{}",
    "../..",
    "é" * 5_000,
)


def messages(
    descriptor: Descriptor, texts: Sequence[str], overrides: Overrides | None = None
) -> st.SearchStrategy[Message]:
    """Return a strategy for messages of a kind.

    Args:
        descriptor: The kind.
        texts: Texts that mean something in these messages, such as the names of resources.
        overrides: For kinds of messages inside it by full name, further strategies.
    """
    return _messages(
        descriptor, st.sampled_from([*texts, *_ODD_TEXTS]) | st.text(max_size=40), overrides or {}
    )


def damaged(content: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy for bytes that were a message: one byte changed, some left out, or some added."""

    @st.composite
    def make(draw: Callable[..., Any]) -> bytes:
        whole = draw(content)
        at = draw(st.integers(0, len(whole)))
        left_out = draw(st.integers(0, 3))
        return bytes(whole[:at] + draw(st.binary(max_size=3)) + whole[at + left_out :])

    return make()


def _messages(
    descriptor: Descriptor, texts: st.SearchStrategy[str], overrides: Overrides
) -> st.SearchStrategy[Message]:
    @st.composite
    def make(draw: Callable[..., Any]) -> Message:
        message = GetMessageClass(descriptor)()
        numbers = [field.number for field in descriptor.fields]
        chosen = (
            st.lists(st.sampled_from(numbers), unique=True, max_size=MOST_FIELDS) if numbers else st.just([])
        )
        for field in map(descriptor.fields_by_number.__getitem__, draw(chosen)):
            values = _values(field, texts, overrides)
            if field.is_repeated:
                for value in draw(st.lists(values, max_size=MOST_ITEMS)):
                    _append(getattr(message, field.name), value)
            elif field.message_type is not None:
                getattr(message, field.name).CopyFrom(draw(values))
            else:
                setattr(message, field.name, draw(values))
        return message

    own = overrides.get(descriptor.full_name)
    return make() if own is None else own | make()


def _values(
    field: FieldDescriptor, texts: st.SearchStrategy[str], overrides: Overrides
) -> st.SearchStrategy[Any]:
    """Return a strategy for one value of a field; of a map no field of this API is one."""
    kind = field.cpp_type
    if field.message_type is not None:
        return st.deferred(lambda: _messages(field.message_type, texts, overrides))
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=40) | texts.map(str.encode)
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return texts
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return st.floats(0, 1) | st.floats(width=64) | st.sampled_from([5e-324, 1e-300, -0.0, 1e308])
    low, high = _INTEGERS[kind]
    usual = range(20) if field.enum_type is None else [each.number for each in field.enum_type.values]
    return st.sampled_from([*usual, low, high, 10**9]) | st.integers(low, high)


def _append(values: Any, value: Any) -> None:
    if isinstance(value, Message):
        values.add().CopyFrom(value)
    else:
        values.append(value)
