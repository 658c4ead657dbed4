"""The table of kinds: every kind has every part."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from advisor.trials.arms import Arm
from advisor.trials.results import Prediction
from advisor.trials.settings import TrialSettings
from advisor.wire.metadata import message_class
from advisor.work.kinds import KINDS, Kind
from advisor.work.profiling import ProfileJob
from advisor.work.reindexing import ReindexJob
from advisor.work.trials import TrialJob
from advisor.work.tuning import TuneJob
from backends.training.adapters import TuningSettings

EXAMPLES = {
    "TUNE": TuneJob("faq", "one", "HYBRID", TuningSettings(epochs=2)),
    "REINDEX": ReindexJob("words"),
    "PROFILE": ProfileJob("faq", 30, 1),
    "TRIAL": TrialJob(
        "faq",
        "one",
        TrialSettings(arms=(Arm.RAG,), max_duration_s=60.0, tuning=TuningSettings(epochs=2)),
        {"task": "CLASSIFICATION"},
        {"FINE_TUNING": "no"},
        Prediction(None, {}, {}),
    ),
}
"""A request of each kind."""

every_kind = pytest.mark.parametrize("name", sorted(KINDS))


def test_every_kind_has_an_example() -> None:
    """Here, so that the tests below say something of it."""
    assert EXAMPLES.keys() == KINDS.keys()


@every_kind
def test_a_request_survives_the_queue(name: str) -> None:
    """It is read as it was written, and knows its kind."""
    asked, kind = EXAMPLES[name], KINDS[name]
    assert (asked.kind, kind.request) == (name, type(asked))
    assert kind.request.from_payload(asked.to_payload()) == asked


@every_kind
def test_metadata_look_alike(name: str) -> None:
    """Any client can list and follow any kind."""
    metadata = message_class(KINDS[name].metadata).DESCRIPTOR
    fields = metadata.fields_by_name
    assert metadata.name.endswith("Metadata")
    assert metadata.fields_by_number[1].type == FieldDescriptor.TYPE_STRING
    assert {"step", "total_steps", "attempt"} <= set(fields)
    assert fields["remaining"].message_type.full_name == "google.protobuf.Duration"
    assert fields["create_time"].message_type == fields["update_time"].message_type
    stages = fields["stage"].enum_type.values_by_name
    assert {"STAGE_QUEUED", "STAGE_PREPARING", "STAGE_DONE"} <= set(stages)


@every_kind
def test_a_stored_resource_has_a_name(name: str) -> None:
    """Where what was made is gone, its name is what is left."""
    kind: Kind[Any] = KINDS[name]
    fields = message_class(kind.response).DESCRIPTOR.fields_by_name
    assert kind.read is None or fields["name"].type == FieldDescriptor.TYPE_STRING


def test_a_server_loads_no_models_to_submit() -> None:
    """Nor does a worker load gRPC."""
    heavy = ["torch", "haystack", "transformers", "peft", "grpc"]
    script = f"import sys, advisor.work.submission; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
