"""Rules read again while calls run."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from queue import SimpleQueue

import grpc
import pytest
from structlog.testing import capture_logs

from advisor.decision.gains import default_gains_path
from advisor.execution.current import CurrentAdvisor, LearnedGains
from advisor.rpc.reloading import reload_rules
from advisor.v1 import decision_service_pb2 as decision_pb2
from advisor.v1 import decision_service_pb2_grpc as decision_grpc
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import execution_service_pb2_grpc as execution_grpc
from advisor.v1 import recommendation_pb2, use_case_pb2

RETITLED = "version: 1\nsources: {founding: {title: Another title, reference: none}}\n"


@pytest.fixture
def current(session_parts, run_server, tmp_path: Path):
    """Yield the advisor of a server that decides by a file of its own, the file, and a channel to it."""
    file = tmp_path / "mine.yaml"
    file.write_text("version: 1\n")
    advisor = CurrentAdvisor.open([file])
    with run_server(dataclasses.replace(session_parts, advisor=advisor)) as address:
        with grpc.insecure_channel(address) as channel:
            yield advisor, file, channel


def test_calls_that_run_keep_their_rules(current):
    """A consultation ends by the rules that it began with, whatever begins meanwhile."""
    advisor, file, channel = current
    sent: SimpleQueue[decision_pb2.ConsultRequest] = SimpleQueue()
    sent.put(decision_pb2.ConsultRequest(start=decision_pb2.ConsultStart(max_questions=2)))
    steps = decision_grpc.DecisionServiceStub(channel).Consult(iter(sent.get, None))
    first, old = next(steps), advisor.version
    file.write_text(RETITLED)
    reload_rules(advisor)
    answer = decision_pb2.ConsultAnswer(unknown=[first.question.fact])
    sent.put(decision_pb2.ConsultRequest(answer=answer))
    second = next(steps)
    sent.put(None)
    assert advisor.version != old
    assert first.recommendation.versions.rules == second.recommendation.versions.rules == old


def test_a_reload_that_fails_unforeseen_is_survived(current, monkeypatch):
    """The old rules decide on, and the next signal finds somebody who listens."""
    advisor, _, _ = current

    def fail() -> None:
        raise MemoryError

    monkeypatch.setattr(advisor, "reload", fail)
    with capture_logs() as logged:
        reload_rules(advisor)
    assert "rules kept" in str(logged)


def test_a_learned_model_that_is_wrong_is_not_taken(tmp_path: Path):
    """What is in force decides on, and the log says what is wrong."""
    path = tmp_path / "gains.json"
    shutil.copy(default_gains_path(), path)
    current = CurrentAdvisor.open((), LearnedGains(path, named=True))
    before = current.now
    path.write_text("{")
    with capture_logs() as logged:
        reload_rules(current)
    assert current.now is before
    assert "is not JSON" in str(logged)


def test_all_services_decide_by_the_new_rules(current):
    """Recommend, the list of rules and the decision of an answer are of one version."""
    advisor, file, channel = current
    decisions = decision_grpc.DecisionServiceStub(channel)
    file.write_text(RETITLED + "disable: [form-is-a-label]\n")
    reload_rules(advisor)
    inline = use_case_pb2.UseCase()
    found = decisions.Recommend(decision_pb2.RecommendRequest(inline_use_case=inline)).recommendation
    listed = decisions.ListRules(decision_pb2.ListRulesRequest(page_size=500)).rules
    ask = execution_pb2.AnswerRequest(
        inline_use_case=inline, question="one", approach=recommendation_pb2.APPROACH_PROMPTING
    )
    first = next(execution_grpc.ExecutionServiceStub(channel).Answer(ask))
    assert found.versions == first.recommendation.versions
    assert found.versions.rules == advisor.version
    assert [rule.id for rule in listed] == [rule.id for rule in advisor.now.knowledge.rules]
    assert "form-is-a-label" not in {rule.id for rule in listed}
