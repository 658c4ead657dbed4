"""The Python client."""

from advisor.client.calls import AnswerEvent, AnswerStream, TuningFuture
from advisor.client.client import Client
from advisor.wire.status import CallFailed

__all__ = ["AnswerEvent", "AnswerStream", "CallFailed", "Client", "TuningFuture"]
