"""What the metadata of all long work have in common, and messages by their names.

The metadata of every kind look like this, so that a new kind needs no
conversion of its own and any client can list and follow it:

    field 1                      string     resource name of what is made
    stage                        enum       has STAGE_QUEUED, STAGE_PREPARING and STAGE_DONE
    step, total_steps            integer    how far it is
    remaining                    Duration   estimated time left
    create_time, update_time     Timestamp
    attempt                      int32      above 1 where it was resumed
"""

from __future__ import annotations

from google.protobuf import any_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

# The pool knows their messages from here on.
from advisor.v1 import execution_service_pb2, trial_service_pb2, use_case_service_pb2  # noqa: F401

__all__ = ["message_class", "target_field", "unpacked"]


def message_class(full_name: str) -> type[Message]:
    """Return the class of a message, such as `advisor.v1.Adapter`.

    Raises:
        KeyError: This program has no such message.
    """
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(full_name))


def unpacked(packed: any_pb2.Any) -> Message:
    """Return the message that an Any holds, as its own class; KeyError as `message_class` raises it."""
    message = message_class(packed.TypeName())()
    packed.Unpack(message)
    return message


def target_field(metadata: type[Message] | Message) -> str:
    """Return the name of the field that holds the resource name of what is made."""
    return metadata.DESCRIPTOR.fields_by_number[1].name
