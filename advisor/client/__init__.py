"""The Python client."""

from advisor.client.calls import AnswerEvent, AnswerStream
from advisor.client.client import Client
from advisor.client.operations import OperationFuture, OperationState
from advisor.wire.status import CallFailed

__all__ = ["AnswerEvent", "AnswerStream", "CallFailed", "Client", "OperationFuture", "OperationState"]
