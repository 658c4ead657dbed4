"""Facts that stored data tells: looked at once, again after a change, and never above what is stated."""

from __future__ import annotations

import pytest

from advisor.decision.advisor import default_advisor
from advisor.execution import stored_facts
from advisor.execution.stored_facts import known_facts, measurement_to_json, profile_of
from advisor.knowledge.measurement import Measurement
from advisor.storage import examples, profiles, use_cases
from advisor.storage.database import Database
from advisor.storage.profiles import Origin
from advisor.v1 import facts_pb2
from backends.base import Example
from backends.training.stores import AdapterFiles
from tests.advisor.work.painting import add

LABELS = [Example(f"Card {n} was swallowed", ("stuck", "lost", "late")[n % 3]) for n in range(60)]


@pytest.fixture
def faq(database: Database) -> Database:
    """Return a database with a use case of sixty examples of three labels."""
    use_cases.create(database, "faq", use_cases.Stated("", b""))
    add(database, LABELS, "faq")
    return database


def facts_of(database: Database) -> facts_pb2.Facts:
    return known_facts(database, use_cases.get(database, "faq"))[0]


def test_examples_tell_facts(faq: Database) -> None:
    """Form, task and labels, with the words that say so."""
    facts, gathered = known_facts(faq, use_cases.get(faq, "faq"))
    assert (facts.output_form, facts.label_count) == (facts_pb2.OUTPUT_FORM_LABEL, 3)
    assert "output_form LABEL" in gathered.taken


def test_they_are_looked_at_once(faq: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second question reads what was kept; after a change they are looked at anew."""
    facts_of(faq)
    looked: list[int] = []
    first_look = stored_facts.first_look
    monkeypatch.setattr(
        stored_facts, "first_look", lambda given: looked.append(len(given)) or first_look(given)
    )
    assert facts_of(faq).label_count == 3
    assert looked == []
    add(faq, [Example(f"Thing {n}", "other") for n in range(20)], "faq")
    assert facts_of(faq).label_count == 4
    gone = examples.read(faq, "faq")[0]
    examples.delete(faq, "faq", gone.sha256[:32])
    facts_of(faq)
    assert looked == [80, 79]


def test_of_many_some_are_looked_at(faq: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn at random, since examples may come in turns."""
    monkeypatch.setattr(stored_facts, "MOST_READ", 25)
    assert facts_of(faq).label_count == 3
    (count,) = {
        each["count"]
        for each in profile_of(faq, use_cases.get(faq, "faq")).measurements
        if each["name"] == "label_count"
    }
    assert count == 25


def test_what_a_model_measured_outlives_a_change(faq: Database) -> None:
    """A score stays until it is measured again; what is of documents counts only where there are some."""
    facts_of(faq)
    scores = [
        Measurement("closed_book_score", 0.2, "asked", 60, 0.1, 0.3),
        Measurement("retrieval_hit_rate", 0.9, "searched", 60, 0.8, 0.95),
    ]
    with faq.transaction() as connection:
        profiles.keep(connection, "faq", Origin.MODEL, [*map(measurement_to_json, scores)])
    add(faq, [Example("Thing", "other")], "faq")
    facts = facts_of(faq)
    assert facts.closed_book_score == 0.2
    assert not facts.HasField("retrieval_hit_rate")
    with faq.transaction() as connection:
        again = Measurement("closed_book_score", 0.4, "asked again", 60, 0.3, 0.5)
        profiles.keep(connection, "faq", Origin.TRIAL, [measurement_to_json(again)])
    assert facts_of(faq).closed_book_score == 0.4


def test_what_is_stated_stands_and_the_contradiction_is_told(faq: Database) -> None:
    """As a warning of the recommendation."""
    stated = facts_pb2.Facts(output_form=facts_pb2.OUTPUT_FORM_FREE_TEXT)
    use_cases.update(faq, "faq", lambda _: use_cases.Stated("", stated.SerializeToString()))
    facts, gathered = known_facts(faq, use_cases.get(faq, "faq"))
    assert facts.output_form == facts_pb2.OUTPUT_FORM_FREE_TEXT
    explained = default_advisor().recommend(facts, gathered=gathered).explanation
    assert explained is not None
    (warning,) = [each.text for each in explained.warnings if each.id == "stated-otherwise"]
    assert warning.startswith("output_form is stated as FREE_TEXT, but the data says LABEL (")


def test_a_profile_goes_with_its_use_case(faq: Database, tmp_path) -> None:
    """Nothing of it is left."""
    facts_of(faq)
    use_cases.delete(faq, "faq", AdapterFiles(tmp_path), lambda _: None)
    with faq.transaction() as connection:
        assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (0,)
