"""What was measured and what became of answers, as a client holds them: `Client.learning`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from google.protobuf import timestamp_pb2

from advisor.client.targets import name_of
from advisor.errors import InvalidInput
from advisor.v1 import learning_service_pb2 as learning_pb2
from advisor.v1 import learning_service_pb2_grpc as learning_grpc

__all__ = ["LearningCalls"]


class LearningCalls:
    """Calls of `LearningService`.

    Args:
        channel: The connection.
        call: Makes a call.
        pages: Yields the items of a list, page by page.
    """

    def __init__(self, channel: Any, call: Callable[..., Any], pages: Callable[..., Iterator[Any]]) -> None:
        self._stub: Any = learning_grpc.LearningServiceStub(channel)
        self._call = call
        self._pages = pages

    def record(
        self,
        use_case: str,
        token: str,
        *,
        quality: float | None = None,
        right: bool | None = None,
        time: datetime | None = None,
    ) -> learning_pb2.Outcome:
        """Record what became of an answer, in place of what was recorded of it before.

        Args:
            use_case: The use case that was asked.
            token: `attribution_token` of the answer's summary.
            quality: How good it proved to be, 0 to 1; or else
            right: Whether it was right.
            time: When that was known, with its zone; now where None.

        Raises:
            InvalidInput: The token is not one of the use case, or not exactly one of quality and right is given.
            FailedPrecondition: The answer is more than 90 days old.
        """
        if (quality is None) == (right is None):
            raise InvalidInput.of("outcome", "needs one of quality, from 0 to 1, and right")
        request = learning_pb2.RecordOutcomeRequest(
            parent=name_of(use_case), attribution_token=token, request_id=str(uuid.uuid4())
        )
        if quality is not None:
            request.quality = quality
        if right is not None:
            request.right = right
        if time is not None:
            known = timestamp_pb2.Timestamp()
            known.FromDatetime(time)
            request.outcome_time.CopyFrom(known)
        response: learning_pb2.RecordOutcomeResponse = self._call(self._stub.RecordOutcome, request)
        return response.outcome

    def cases(self, use_case: str = "-") -> Iterator[learning_pb2.MeasuredCase]:
        """Yield what was measured of a use case, or of all of them."""
        request = learning_pb2.ListMeasuredCasesRequest(parent=name_of(use_case), page_size=500)
        return self._pages(self._stub.ListMeasuredCases, request, "measured_cases")

    def track_record(self) -> learning_pb2.TrackRecord:
        """Return how advice fared against the trials that came after it."""
        request = learning_pb2.GetTrackRecordRequest()
        return self._call(self._stub.GetTrackRecord, request)  # type: ignore[no-any-return]
