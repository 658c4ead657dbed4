"""Hypothesis strategies for messages, made from their descriptors, and for bytes that are hardly one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
_ODD_NUMBERS = (5e-324, 1e-300, -0.0, 1e308, float("nan"), float("inf"))
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
    descriptor: Descriptor, texts: Mapping[str, Sequence[str]], overrides: Overrides | None = None
) -> st.SearchStrategy[Message]:
    """Return a strategy for messages of a kind: half of them mild, of values that are usual, half of any.

    Args:
        descriptor: The kind.
        texts: Texts that mean something, by the names of the fields that they are for; "" for all others.
        overrides: For kinds of messages inside it by full name, what mild ones are.
    """
    makers = [_Maker(texts, overrides or {}, mild=mild) for mild in (True, False)]
    return st.one_of(*(maker.messages(descriptor) for maker in makers))


def damaged(content: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Return a strategy for bytes that were a message: one byte changed, some left out, or some added."""

    @st.composite
    def make(draw: Callable[..., Any]) -> bytes:
        whole = draw(content)
        at = draw(st.integers(0, len(whole)))
        left_out = draw(st.integers(0, 3))
        return bytes(whole[:at] + draw(st.binary(max_size=3)) + whole[at + left_out :])

    return make()


@dataclass(frozen=True)
class _Maker:
    """Makes strategies for messages and what is in them."""

    texts: Mapping[str, Sequence[str]]
    overrides: Overrides
    mild: bool

    def messages(self, descriptor: Descriptor) -> st.SearchStrategy[Message]:
        if self.mild and descriptor.full_name in self.overrides:
            return self.overrides[descriptor.full_name]
        numbers = st.sampled_from([field.number for field in descriptor.fields] or [0])
        least, most = (int(self.mild), MOST_FIELDS) if descriptor.fields else (0, 0)
        chosen = st.lists(numbers, unique=True, min_size=least, max_size=most)

        @st.composite
        def make(draw: Callable[..., Any]) -> Message:
            message = GetMessageClass(descriptor)()
            for field in map(descriptor.fields_by_number.__getitem__, draw(chosen)):
                values = self.values(field)
                if field.is_repeated:
                    for value in draw(st.lists(values, max_size=MOST_ITEMS)):
                        _append(getattr(message, field.name), value)
                elif field.message_type is not None:
                    getattr(message, field.name).CopyFrom(draw(values))
                else:
                    setattr(message, field.name, draw(values))
            return message

        return make()

    def values(self, field: FieldDescriptor) -> st.SearchStrategy[Any]:
        """Return a strategy for one value of a field, one item of a repeated one, one entry of a map."""
        kind = field.cpp_type
        if field.message_type is not None:
            return st.deferred(lambda: self.messages(field.message_type))
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self.any_text(field.name).map(str.encode) | st.binary(max_size=40)
        if kind == FieldDescriptor.CPPTYPE_STRING:
            return self.any_text(field.name)
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return st.booleans()
        if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
            return st.floats(0, 1) if self.mild else st.floats(width=64) | st.sampled_from(_ODD_NUMBERS)
        usual = range(20) if field.enum_type is None else [each.number for each in field.enum_type.values]
        low, high = _INTEGERS[kind]
        return st.sampled_from(usual) if self.mild else st.sampled_from([low, high]) | st.integers(low, high)

    def any_text(self, name: str) -> st.SearchStrategy[str]:
        meant = st.sampled_from(self.texts.get(name, self.texts[""]))
        return meant if self.mild else meant | st.sampled_from(_ODD_TEXTS) | st.text(max_size=40)


def _append(values: Any, value: Any) -> None:
    """Add a value to a repeated field, or an entry to a map."""
    if isinstance(value, Message) and value.DESCRIPTOR.GetOptions().map_entry:
        entry: Any = value
        if isinstance(entry.value, Message):
            values[entry.key].CopyFrom(entry.value)
        else:
            values[entry.key] = entry.value
    elif isinstance(value, Message):
        values.add().CopyFrom(value)
    else:
        values.append(value)
