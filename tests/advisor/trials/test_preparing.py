"""What a trial begins with: the schema that answers are held to."""

from __future__ import annotations

import json

import numpy as np
import pytest

from advisor.errors import InvalidInput
from advisor.trials.conditions import Conditions
from advisor.trials.preparing import Known, Prepared, prepare
from advisor.trials.results import Prediction
from advisor.trials.settings import TrialSettings
from backends.base import Example

PARTS = [Example(f"part {number} of steel", json.dumps({"part": number})) for number in range(40)]
COLOURS = [Example(f"thing {number}", ("red", "blue")[number % 2]) for number in range(40)]
SCHEMA = '{"type": "object", "properties": {"part": {"type": "integer"}}, "required": ["part"]}'


def embed(texts):
    """Return a direction of its own for each text."""
    return np.eye(len(texts), 64, dtype=np.float32)


def prepared(examples: list[Example], **settings: object) -> Prepared:
    prediction = Prediction("PROMPTING", {"PROMPTING": 1.0}, {"PROMPTING": 1.0})
    known = Known({}, {}, prediction, "model", "embedder", 0, 0, documents_fit=False)
    chosen = TrialSettings(held_out=20, **settings)
    return prepare(examples, chosen, known, embed=embed, count_tokens=lambda text: len(text.split()))


def test_json_answers_share_a_schema():
    """Every arm is held to it, it is told, and it is kept with the trial."""
    conditions = prepared(PARTS).conditions
    schema = json.loads(conditions.output_schema)
    assert schema["required"] == ["part"]
    assert any("JSON schema that the answers to learn from share" in note for note in conditions.notes)
    assert Conditions.from_json(json.loads(json.dumps(conditions.to_json()))) == conditions


def test_the_schema_given_counts():
    """It goes before what the examples share, and needs no note."""
    conditions = prepared(PARTS, output_schema=SCHEMA).conditions
    assert conditions.output_schema == SCHEMA
    assert not any("schema" in note for note in conditions.notes)


def test_right_answers_that_no_arm_can_give_are_told():
    """They stand in no example to learn from."""
    odd = [Example(f"odd part {number}", '{"parts": []}', held_out=True) for number in range(20)]
    assert any(
        note.startswith("20 right answers of the held-out questions do not follow")
        for note in prepared([*PARTS, *odd]).conditions.notes
    )


def test_it_takes_no_library_that_may_lack(monkeypatch: pytest.MonkeyPatch):
    """Without jsonschema answers are held to the schema all the same."""
    monkeypatch.setattr("advisor.metrics.choosing.find_spec", lambda _: None)
    assert prepared(PARTS, metric="exact_match").conditions.output_schema


def test_a_schema_does_not_go_with_labels():
    """The message says what to do."""
    with pytest.raises(InvalidInput, match=r"settings\.output_schema.*leave it out"):
        prepared(COLOURS, output_schema=SCHEMA)


def test_other_answers_have_none():
    """Labels, and texts."""
    texts = [
        Example(f"question {n}", f"Number {n} is told in a whole sentence of its own.") for n in range(40)
    ]
    assert not prepared(COLOURS).conditions.output_schema
    assert not prepared(texts).conditions.output_schema
