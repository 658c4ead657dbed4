"""The chosen approach carried out."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from google.protobuf import duration_pb2

from advisor.decision.advisor import default_advisor
from advisor.decision.recommendation import FULL, Recommendation, Veto
from advisor.errors import FailedPrecondition, InvalidInput, NotFound
from advisor.execution.answering import Ask, Execution, known_facts
from advisor.execution.loading import ModelLoader, Models
from advisor.knowledge.approaches import Approach
from advisor.knowledge.inventory import NOTHING
from advisor.storage import adapters, imports, records, use_cases
from advisor.v1 import facts_pb2
from backends.base import Answer, FinishReason, GenerationOptions, Token

DAY = duration_pb2.Duration(seconds=86_400)
LIMITS = imports.Limits(10_000, 10_000, 100, 1_000)


class FixedAdvisor:
    """Recommends what it was told to, and remembers the facts."""

    def __init__(self, approach: str, vetoed: str = "") -> None:
        self.approach = None if approach == "UNDECIDED" else Approach(approach)
        self.vetoes = (Veto("v", (Approach(vetoed),), "It cannot.", ()),) if vetoed else ()
        self.facts = facts_pb2.Facts()

    def recommend(self, facts, view=FULL, path="facts", *, gathered=NOTHING) -> Recommendation:
        self.facts = facts
        real = default_advisor().recommend(facts, view, path, gathered=gathered)
        return replace(real, approach=self.approach, vetoes=self.vetoes)


class EchoBackends:
    """Answers with the name of the approach."""

    def check(self, plan, models):
        assert models is None, "nobody asked for models yet"

    def open(self, plan, models):
        self.plan = plan
        return self

    def answer(self, question, *, options, emit, cancelled, history):
        emit(Token(self.plan.approach))
        return Answer(self.plan.approach, FinishReason.STOP, 1, 1, "echo")


def execution(database, advisor) -> Execution:
    loader = ModelLoader(lambda _: Models(None, None))
    return Execution(database, advisor, loader, EchoBackends())


def ask(approach=None, use_case_id="faq", adapter_id=None) -> Ask:
    wanted = None if approach is None else Approach(approach)
    return Ask("What?", GenerationOptions(), use_case_id, facts_pb2.Facts(), "", wanted, adapter_id)


@pytest.fixture
def faq(database):
    """Store a use case that wants short answers."""
    use_cases.create(database, "faq", use_cases.Stated("Be short.", b""))


def import_text(database) -> None:
    upload = imports.open_documents(database, "faq", LIMITS)
    upload.add("a.txt", "text/plain", b"x" * 400)
    upload.count_passages("a.txt", 1)
    upload.commit(1, hashlib.sha256(b"x" * 400).hexdigest())
    upload.close()


def add_adapter(database, adapter_id: str, approach: str) -> None:
    adapter = records.Adapter("faq", adapter_id, approach, "m", "", {}, {}, "folder", datetime.now(UTC))
    with database.transaction() as connection:
        adapters.insert(connection, adapter)


def test_the_recommended_approach_answers(database, faq):
    """Where none is asked for, the recommended approach answers by the use case's instructions."""
    running = execution(database, FixedAdvisor("PROMPTING"))
    plan = running.prepare(ask())
    emitted = []
    assert running.answer(plan, emitted.append, lambda: False).text == "PROMPTING"
    assert emitted[-1] == Token("PROMPTING")
    assert plan.instructions == "Be short."


def test_the_approach_asked_for_comes_first(database, faq):
    """What is asked for runs even where something else is recommended."""
    assert execution(database, FixedAdvisor("RAG")).prepare(ask("PROMPTING")).approach == "PROMPTING"


@pytest.mark.parametrize(
    ("recommended", "asked", "vetoed", "reason"),
    [
        ("PROMPTING", "RAG", "RAG", "APPROACH_VETOED"),
        ("RAG", None, "", "NO_DOCUMENTS"),
        ("HYBRID", None, "", "NO_DOCUMENTS"),
        ("FINE_TUNING", None, "", "NO_ADAPTER"),
    ],
)
def test_what_is_lacking_is_told(database, faq, recommended, asked, vetoed, reason):
    """An approach that cannot run is refused with the reason."""
    with pytest.raises(FailedPrecondition) as caught:
        execution(database, FixedAdvisor(recommended, vetoed)).prepare(ask(asked))
    assert caught.value.reason == reason


def test_what_can_be_done_answers_where_nothing_is_decided(database, faq):
    """The most probable approach that has what it needs answers; what is ahead of it is named in the note."""
    facts = facts_pb2.Facts(needs_citations=True, update_interval=DAY).SerializeToString()
    use_cases.update(database, "faq", lambda present: use_cases.Stated(present.description, facts))
    running = execution(database, FixedAdvisor("UNDECIDED"))
    plan = running.prepare(ask())
    assert plan.approach == "PROMPTING"
    (note,) = running.answer(plan, lambda _: None, lambda: False).notes
    assert "does not decide" in note
    assert "RAG" in note
    import_text(database)
    assert execution(database, FixedAdvisor("UNDECIDED")).prepare(ask()).approach == "RAG"


def test_undecided_stops_an_answer_where_nothing_can_be_done(database, faq):
    """Without documents or an adapter, and with prompting out of the question, the facts to state are named."""
    with pytest.raises(FailedPrecondition, match=r"state \w+") as caught:
        execution(database, FixedAdvisor("UNDECIDED", "PROMPTING")).prepare(ask())
    assert caught.value.reason == "UNDECIDED"


def test_documents_make_retrieval_possible(database, faq):
    """With passages, RAG is ready; HYBRID still lacks its adapter, and is not carried out where it is named."""
    import_text(database)
    assert execution(database, FixedAdvisor("RAG")).prepare(ask()).approach == "RAG"
    with pytest.raises(FailedPrecondition) as caught:
        execution(database, FixedAdvisor("HYBRID")).prepare(ask("HYBRID"))
    assert caught.value.reason == "NO_ADAPTER"


def test_until_hybrid_is_trained_rag_answers(database, faq):
    """Retrieval is what HYBRID begins with, and a note says what is missing; without documents nothing is."""
    running = execution(database, FixedAdvisor("HYBRID"))
    with pytest.raises(FailedPrecondition) as caught:
        running.prepare(ask())
    assert caught.value.reason == "NO_DOCUMENTS"
    import_text(database)
    plan = running.prepare(ask())
    assert plan.approach == "RAG"
    assert "nothing is trained for it yet, so RAG answers" in plan.notes[0]
    add_adapter(database, "both", "HYBRID")
    assert running.prepare(ask()).approach == "HYBRID"
    assert running.prepare(ask()).notes == ()


def test_where_all_documents_belong_in_the_prompt_passages_of_them_do(database, faq):
    """Nobody is answered without the documents that there are; where a prompt is asked for, a prompt it is."""
    running = execution(database, FixedAdvisor("PROMPTING"))
    assert running.prepare(ask()).approach == "PROMPTING"
    import_text(database)
    plan = running.prepare(ask())
    assert plan.approach == "RAG"
    assert "A prompt that holds all documents is recommended" in plan.notes[0]
    assert running.prepare(ask("PROMPTING")).notes == ()


def test_the_newest_adapter_of_the_approach_is_used(database, faq):
    """Adapters of other approaches and older ones are passed over."""
    for name, approach in (("old", "FINE_TUNING"), ("new", "FINE_TUNING"), ("other", "HYBRID")):
        add_adapter(database, name, approach)
    plan = execution(database, FixedAdvisor("FINE_TUNING")).prepare(ask())
    assert plan.adapter is not None
    assert plan.adapter.id == "new"


def test_naming_an_adapter_names_its_approach(database, faq):
    """An adapter without an approach stands for the approach that it was trained for."""
    add_adapter(database, "a", "FINE_TUNING")
    running = execution(database, FixedAdvisor("RAG"))
    assert running.prepare(ask(adapter_id="a")).approach == "FINE_TUNING"
    with pytest.raises(InvalidInput, match="trained for FINE_TUNING"):
        running.prepare(ask("HYBRID", adapter_id="a"))


def test_what_does_not_exist(database, faq):
    """A use case or an adapter that does not exist is named."""
    running = execution(database, FixedAdvisor("PROMPTING"))
    with pytest.raises(NotFound, match="useCases/none"):
        running.prepare(ask(use_case_id="none"))
    with pytest.raises(NotFound, match="adapters/none"):
        running.prepare(ask(adapter_id="none"))


def test_stored_data_completes_facts(database, faq):
    """The documents' size is estimated where the fact is unknown, and the summary says so."""
    import_text(database)
    advisor = FixedAdvisor("RAG")
    found = execution(database, advisor).recommend_stored("faq")
    assert advisor.facts.corpus_tokens == 100
    assert found.explanation is not None
    assert "corpus_tokens about 100" in found.explanation.summary


def test_changes_that_were_observed_complete_facts(database, faq):
    """How often documents changed stands for what nobody stated, and the summary says what was seen."""
    import_text(database)
    with database.transaction() as connection:
        connection.execute("UPDATE use_cases SET create_time = now() - interval '28 days'")
        connection.execute(
            "INSERT INTO document_changes SELECT 'faq', 'a.txt', now() - n * interval '7 days'"
            " FROM generate_series(0, 3) AS n"
        )
    advisor = FixedAdvisor("RAG")
    found = execution(database, advisor).recommend_stored("faq")
    assert advisor.facts.update_interval.ToTimedelta().days == 7
    assert "update_interval about 7 days (observed: 4 changes in 28 days)" in found.explanation.summary


def test_stored_data_never_replaces_facts(database):
    """A fact that was told stays as it was told."""
    facts = facts_pb2.Facts(corpus_tokens=7, labelled_examples=0)
    use_cases.create(database, "faq", use_cases.Stated("", facts.SerializeToString()))
    import_text(database)
    found, learned = known_facts(database, use_cases.get(database, "faq"))
    assert found == facts
    assert learned == NOTHING
