"""Profiles and trials as a client holds them: `Client.trials`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.protobuf import duration_pb2

from advisor.client.operations import OperationFuture
from advisor.client.targets import name_of
from advisor.errors import InvalidInput
from advisor.names import shown
from advisor.trials.arms import Arm
from advisor.v1 import profile_pb2, trial_pb2, use_case_pb2
from advisor.v1 import trial_service_pb2 as service_pb2
from advisor.v1 import trial_service_pb2_grpc as service_grpc

__all__ = ["TrialCalls"]

FORMATS = ("HTML", "MARKDOWN", "JSON")


class TrialCalls:
    """Calls of `TrialService`.

    Args:
        channel: The connection.
        call: Makes a call.
        pages: Yields the items of a list, page by page.
        future: Makes an operation a future.
    """

    def __init__(
        self,
        channel: Any,
        call: Callable[..., Any],
        pages: Callable[..., Iterator[Any]],
        future: Callable[[Any], OperationFuture[Any]],
    ) -> None:
        self._stub: Any = service_grpc.TrialServiceStub(channel)
        self._call = call
        self._pages = pages
        self._future = future

    def measure(
        self, use_case: str, *, asked: int | None = None, seed: int = 0
    ) -> OperationFuture[profile_pb2.Profile]:
        """Start to measure a use case: documents, examples, and the model and search on some of the examples.

        Args:
            use_case: The use case.
            asked: Most examples that the model and search are asked; 0 to read the data alone, 60 where None.
            seed: Chooses them.

        Raises:
            FailedPrecondition: There is nothing to measure.
        """
        request = service_pb2.MeasureProfileRequest(
            parent=name_of(use_case),
            settings=service_pb2.ProfileSettings(asked=asked, seed=seed),
            request_id=str(uuid.uuid4()),
        )
        return self._future(self._call(self._stub.MeasureProfile, request))

    def profile(self, use_case: str) -> profile_pb2.Profile:
        """Return what was measured of a use case so far."""
        request = service_pb2.GetProfileRequest(name=f"{name_of(use_case)}/profile")
        return self._call(self._stub.GetProfile, request)  # type: ignore[no-any-return]

    def run(
        self,
        use_case: str,
        *,
        trial_id: str = "",
        arms: Sequence[str] = (),
        max_duration_s: float | None = None,
        tuning: dict[str, Any] | None = None,
        **settings: Any,
    ) -> OperationFuture[trial_pb2.Trial]:
        """Start to measure the approaches against each other on the examples of a use case.

        Args:
            use_case: The use case.
            trial_id: Last part of the trial's name; chosen by the server where empty.
            arms: What to compare, such as `RAG` and `FINE_TUNING`; all that can run where empty.
            max_duration_s: Seconds after which nothing more is begun.
            tuning: Fields of `TuningSettings`, such as `{"epochs": 2}`.
            **settings: Other fields of `TrialSettings`, such as `held_out=50`.

        Raises:
            FailedPrecondition: There are too few examples to tell anything.
            InvalidInput: An arm is not known, or a setting is out of bounds.
        """
        message = trial_pb2.TrialSettings(
            arms=map(_arm_named, arms),
            tuning=use_case_pb2.TuningSettings(**(tuning or {})),
            **settings,
        )
        if max_duration_s is not None:
            duration = duration_pb2.Duration()
            duration.FromMicroseconds(round(max_duration_s * 1e6))
            message.max_duration.CopyFrom(duration)
        request = service_pb2.RunTrialRequest(
            parent=name_of(use_case), trial_id=trial_id, settings=message, request_id=str(uuid.uuid4())
        )
        return self._future(self._call(self._stub.RunTrial, request))

    def get(self, name: str) -> trial_pb2.Trial:
        """Return a trial by its resource name."""
        return self._call(self._stub.GetTrial, service_pb2.GetTrialRequest(name=name))  # type: ignore[no-any-return]

    def list(self, use_case: str) -> Iterator[trial_pb2.Trial]:
        """Yield the trials of a use case, newest first, with the quality of each arm alone."""
        request = service_pb2.ListTrialsRequest(parent=name_of(use_case))
        return self._pages(self._stub.ListTrials, request, "trials")

    def delete(self, name: str) -> None:
        """Delete a trial with its questions and answers."""
        self._call(self._stub.DeleteTrial, service_pb2.DeleteTrialRequest(name=name))

    def report(self, name: str, form: str = "HTML") -> bytes:
        """Return a trial as a report in UTF-8: `HTML`, one file with its plots, `MARKDOWN` or `JSON`."""
        if form not in FORMATS:
            raise InvalidInput.of("form", f"{shown(form)} is not known; give {', '.join(FORMATS)}")
        request = service_pb2.GetTrialReportRequest(name=name, format=f"FORMAT_{form}")
        return self._call(self._stub.GetTrialReport, request).content  # type: ignore[no-any-return]


def _arm_named(name: str) -> str:
    if name not in set(Arm):
        raise InvalidInput.of("arms", f"{shown(name)} is no arm; give {', '.join(Arm)}")
    return f"ARM_{name}"
