"""Calls that end, and that are ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from advisor.client.calls import import_result
from advisor.v1 import progress_pb2
from advisor.v1 import use_case_service_pb2 as use_cases_pb2


class Import:
    """A call that reports once before its result; `cancelled` tells whether it was ended."""

    cancelled = False

    def __iter__(self) -> Iterator[use_cases_pb2.ImportDocumentsResponse]:
        yield use_cases_pb2.ImportDocumentsResponse(progress=progress_pb2.Progress(activity="embedding"))
        yield use_cases_pb2.ImportDocumentsResponse(result=use_cases_pb2.ImportDocumentsResult(imported=3))

    def cancel(self) -> None:
        self.cancelled = True


def test_an_import_is_read_to_its_result() -> None:
    told: list[str] = []
    assert import_result(Import(), lambda progress: told.append(progress.activity)).imported == 3
    assert told == ["embedding"]


def test_an_import_ends_with_its_reading() -> None:
    """Else the server would go on with what nobody waits for."""

    def interrupt(_: progress_pb2.Progress) -> None:
        raise KeyboardInterrupt

    call = Import()
    with pytest.raises(KeyboardInterrupt):
        import_result(call, interrupt)
    assert call.cancelled
