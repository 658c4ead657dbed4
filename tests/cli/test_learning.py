"""`advisor track`, `advisor outcome` and `advisor learn` against a real server; trials are kept by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from advisor.decision.gains import default_gains_path, read_learned
from advisor.execution.current import CurrentAdvisor, LearnedGains
from advisor.learning import refit
from advisor.trials.arms import Arm
from advisor.v1 import facts_pb2
from tests.learned import CASE, figure, keep_case

FEW = {"raft-2024", "ovadia-2023", "lara2025", "lawma", "ragtag"}
FACTS = {"task": "QUESTION_ANSWERING", "prompted_score": 0.5, "retrieval_hit_rate": 0.9}


@pytest.fixture
def few_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have less to learn from, which is faster."""
    cases, paths = refit.shipped_cases()
    found = tuple(case for case in cases if case.source.id in FEW)
    monkeypatch.setattr(refit, "shipped_cases", lambda: (found, paths))


def measure(server, client, use_case_id: str, **scores: float) -> None:
    """Have a use case with a trial that has ended."""
    client.create_use_case(use_case_id)
    case = replace(
        CASE,
        facts=FACTS,
        found={},
        scores={name: figure(score) for name, score in scores.items()},
        arms={name: Arm.ZERO_SHOT if name == "PROMPTING" else Arm(name) for name in scores},
    )
    keep_case(server.database, use_case_id, case=case)


def token_of(client) -> str:
    answer = client.answer("faq", "one two", approach="PROMPTING")
    answer.text  # noqa: B018 - reads it to its end
    return answer.summary.attribution_token


def test_without_trials_there_is_nothing_to_track(advisor, at):
    """It says what to do, and prints no table."""
    ended = advisor("track", *at)
    assert (ended.status, ended.out) == (0, "")
    assert "run advisor trial FILE" in ended.err


def test_advice_is_tracked(advisor, at, server, client):
    """How often the advice was taken, what it lost, how often what was told came true, and each trial."""
    client.create_use_case("faq")
    keep_case(server.database)
    ended = advisor("track", *at)
    assert (
        "1 trial of 1 use case; before 1 an approach was recommended, and 1 of these took it" in ended.words
    )
    assert "points lost by following it: 0.0 (0.0 to 0.0); less than 3 in 1 of the 1" in ended.words
    assert "60% to 80% 1 78% 100%" in ended.words
    assert "useCases/faq/trials/one RAG 70% RAG RAG 0.0" in ended.words
    record = json.loads(advisor("track", "--json", *at).out)["track_record"]
    assert (record["trials"], record["entries"][0]["advice"]) == ("1", "APPROACH_RAG")


@pytest.mark.parametrize(
    ("option", "told"), [("--right", "100%"), ("--wrong", "0%"), ("--quality=0.7", "70%")]
)
def test_an_outcome_is_recorded(advisor, at, client, option, told):
    """By the token of the answer."""
    client.create_use_case("faq")
    ended = advisor("outcome", "faq", token_of(client), option, *at)
    assert (ended.status, ended.out) == (0, "")
    assert f"recorded: PROMPTING, {told}" in ended.err


def test_an_outcome_as_json(advisor, at, client):
    """One object."""
    client.create_use_case("faq")
    ended = advisor("outcome", "faq", token_of(client), "--right", "--json", *at)
    assert json.loads(ended.out)["outcome"]["approach"] == "APPROACH_PROMPTING"


def test_a_token_that_is_none_is_refused(advisor, at, client):
    """With what to send."""
    client.create_use_case("faq")
    ended = advisor("outcome", "faq", "nonsense", "--right", *at)
    assert (ended.status, ended.out) == (2, "")
    assert "attribution_token: is not one that this service gave" in ended.err


def test_with_nothing_measured_there_is_nothing_to_learn(advisor, at, server, client):
    """How many cases it takes, and how to get them, as commands."""
    ended = advisor("learn", *at)
    assert (ended.status, ended.out) == (2, "")
    assert "learning takes 2 use cases" in ended.err
    assert "none was" in ended.err
    assert "`advisor trial FILE`" in ended.err
    measure(server, client, "one", PROMPTING=60, FINE_TUNING=50)
    assert "only useCases/one was" in advisor("learn", *at).err


@pytest.mark.usefixtures("few_shipped")
def test_what_is_learned_is_written_beside_the_data(
    advisor, at, server, client, tmp_path: Path, write, monkeypatch
):
    """Servers and, where it is named, commands decide by it; a dry run writes nothing, and ours stays as it is."""
    for name in ("one", "two", "three"):
        measure(server, client, name, PROMPTING=60, FINE_TUNING=50)
    shipped, path = default_gains_path().read_bytes(), tmp_path / "data" / "gains.json"
    dry = advisor("learn", "--dry-run", *at)
    assert (dry.status, dry.err, path.exists()) == (0, "", False)
    assert "3 cases of 3 use cases of your own" in dry.words
    ended = advisor("learn", *at)
    assert (ended.status, ended.out) == (0, dry.out)
    assert f"written: {path}" in ended.err
    assert default_gains_path().read_bytes() == shipped
    assert json.loads(path.read_text())["learned_from"]["own_use_cases"] == 3
    current = CurrentAdvisor.open((), LearnedGains(path, named=True))
    assert current.recommend(facts_pb2.Facts()).versions.gains == read_learned(path).digest[:16]
    monkeypatch.setenv("ADVISOR_GAINS", str(path))
    said = json.loads(advisor("recommend", write("bare.yaml", "description: Bare.\n"), "--json").out)
    assert said["versions"]["classifier"] == read_learned(path).digest[:16]


@pytest.mark.usefixtures("few_shipped")
def test_a_model_that_is_worse_is_refused(advisor, at, server, client, tmp_path: Path):
    """The figures are shown, the reason is told, nothing is written, and the status says so."""
    for number in range(4):
        lead, behind = ("RAG", "FINE_TUNING") if number % 2 else ("FINE_TUNING", "RAG")
        measure(server, client, f"u{number}", **{"PROMPTING": 10, lead: 70, behind: 20})
    ended = advisor("learn", "--json", "--out", tmp_path / "mine.json", *at)
    assert ended.status == 1
    assert "not written: your own cases would lose" in ended.err
    learned = json.loads(ended.out)["learned"]
    assert learned["refused"] in ended.err
    assert learned["own"]["log_loss_after"] > learned["own"]["log_loss_before"]
    assert not (tmp_path / "mine.json").exists()


@pytest.mark.usefixtures("few_shipped")
def test_a_folder_that_cannot_be_written_is_told(advisor, at, server, client, write):
    """With the option that names another file."""
    for name in ("one", "two"):
        measure(server, client, name, PROMPTING=60, FINE_TUNING=50)
    taken = write("file", "")
    ended = advisor("learn", "--out", taken / "gains.json", *at)
    assert ended.status == 2
    assert f"{taken}/gains.json: cannot be written" in ended.err
    assert "by --out" in ended.err


def test_the_shipped_model_is_never_written_over(advisor, at):
    """Named by whatever path."""
    ended = advisor("learn", "--out", default_gains_path(), *at)
    assert (ended.status, ended.out) == (2, "")
    assert "is the model that the program ships" in ended.err


@pytest.mark.usefixtures("few_shipped")
def test_outcomes_are_learned_from_where_there_are_enough(advisor, at, server, client, monkeypatch):
    """Of one approach, or of few answers, they compare nothing."""
    client.create_use_case("faq")
    measure(server, client, "one", PROMPTING=60, RAG=50)
    with server.database.transaction() as connection:
        connection.execute(
            "INSERT INTO outcomes (use_case_id, answer_id, approach, versions, quality, answer_time, outcome_time)"
            " SELECT 'faq', gen_random_uuid(), approach, '{}', number % 2, now(), now()"
            " FROM generate_series(1, 50) AS number, unnest(ARRAY['PROMPTING', 'RAG']) AS approach"
        )
    assert "2 cases of 2 use cases of your own" in advisor("learn", "--dry-run", *at).words
    monkeypatch.setattr(refit, "LEAST_OUTCOMES", 51)
    assert "only useCases/one was" in advisor("learn", "--dry-run", *at).err
