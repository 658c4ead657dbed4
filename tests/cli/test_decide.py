"""Commands that decide: recommend, consult, rules."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from advisor.cli.consult import use_case_text
from advisor.cli.output import values_of
from advisor.knowledge.facts import facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from advisor.knowledge.usecasefile import read_use_case
from advisor.rpc.decision import rule_to_proto

OWN_RULES = """
version: 1
sources:
  house: {{title: House rules, reference: none}}
rules:
  - id: house-rule
    criterion: freshness
    when: {{update_interval: "<= 7d"}}
    evidence: {{RAG: 1}}
    reason: "our house says so"
    sources: [house]
    examples: {{fire: [{{update_interval: {fires}}}], silent: [{{update_interval: 30d}}]}}
"""


@pytest.fixture
def own_rules(write):
    return write("own.yaml", OWN_RULES.format(fires="1d"))


def test_recommend_says_what_and_why(advisor, case):
    """The first word is the approach; reasons, flips and costs follow."""
    ended = advisor("recommend", case)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("RAG")
    for part in ("For RAG", "What would change", "Cost"):
        assert part in ended.out
    assert "task-answers-questions" not in ended.out


def test_recommend_all_leaves_nothing_out(advisor, case):
    """Everything that adds up is there on demand."""
    assert "cost-estimate" in advisor("recommend", case, "--all").out


def test_recommend_json_is_the_message(advisor, case):
    """A program gets all of it, under the names of the proto."""
    message = json.loads(advisor("recommend", case, "--json").out)
    assert message["approach"] == "APPROACH_RAG"
    assert {score["approach"] for score in message["scores"]} > {"APPROACH_RAG", "APPROACH_HYBRID"}


def test_recommend_by_further_rules(advisor, case, own_rules):
    """A rule of one's own speaks beside ours."""
    reasons = [
        {
            each.get("reason")
            for each in json.loads(advisor("recommend", case, "--json", *rules).out)["evidence"]
        }
        for rules in ([], ["--rules", own_rules])
    ]
    assert reasons[1] - reasons[0] == {"our house says so"}


def test_recommend_knows_nothing(advisor, write):
    """A file without facts is allowed: the answer is what to find out."""
    ended = advisor("recommend", write("nothing.yaml", "description: Something.\n"))
    assert ended.status == 0
    assert ended.out.startswith("UNDECIDED")


@pytest.fixture
def little_known(write):
    return write("little.yaml", "facts: {task: QUESTION_ANSWERING, needs_citations: true}\n")


def test_consult_asks_until_the_limit(advisor, little_known):
    """Enter declines a question; then comes the recommendation."""
    ended = advisor("consult", little_known, "--max-questions", 2, typed="\n\n")
    assert (ended.status, ended.err) == (0, "")
    assert "2. " in ended.out
    assert "3. " not in ended.out.partition("Done")[0]
    assert "the limit of 2" in ended.out
    assert ended.out.partition("Done")[2].partition("\n\n")[2].startswith("RAG")


def test_consult_asks_again_where_the_answer_is_not_allowed(advisor):
    """A wrong answer is told as such, and the question stays."""
    ended = advisor("consult", "--max-questions", 1, typed="-7\nno such value\n\n")
    assert ended.status == 0
    assert ended.out.count("   >") == 3
    assert "the limit of 1" in ended.out


def test_consult_shows_what_is_known_when_the_input_ends(advisor, little_known):
    """Ctrl-D, or a script that is out of lines, means: no more answers."""
    ended = advisor("consult", little_known, typed="\n")
    assert (ended.status, ended.err) == (0, "")
    assert "Done: the input has ended" in ended.out
    assert ended.out.partition("Done")[2].partition("\n\n")[2].startswith("RAG")


def test_rules_are_listed(advisor, own_rules):
    """Each rule has its line, those of further files among them."""
    ended = advisor("rules", "list", "--rules", own_rules)
    assert ended.status == 0
    assert "house-rule freshness update_interval <= 7d RAG +1.00" in ended.words
    assert "house-rule" not in advisor("rules", "list").out


def test_our_rules_pass_their_check(advisor):
    """What we ship is monotonic where it says so, and without a mistake."""
    ended = advisor("rules", "check")
    assert (ended.status, ended.err) == (0, "")
    assert "error" not in ended.out
    assert "promises of monotonicity" in ended.out


def test_a_mistake_in_rules_is_found(advisor, write):
    """A rule against a promise of monotonicity ends the check with 1."""
    wrong = OWN_RULES.format(fires="1d").replace('"<= 7d"', '">= 300d"').replace("RAG: 1", "RAG: 3")
    ended = advisor("rules", "check", "--rules", write("wrong.yaml", wrong))
    assert ended.status == 1
    assert "error" in ended.out


def test_our_rules_pass_their_examples(advisor):
    """Every example behaves as its rule says."""
    ended = advisor("rules", "test")
    assert ended.status == 0
    passed, total = ended.out.split(" examples")[0].split(" of ")
    assert passed == total


def test_an_example_that_fails_is_named(advisor, write):
    """The rule is named and the status is 1."""
    ended = advisor("rules", "test", "--rules", write("wrong.yaml", OWN_RULES.format(fires="90d")))
    assert ended.status == 1
    assert "house-rule" in ended.out


def test_the_module_is_the_command_line(case):
    """`python -m advisor` does the same, in a process of its own."""
    command = [sys.executable, "-m", "advisor", "recommend", str(case)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("RAG")


def test_consult_saves_what_was_said(advisor, write, tmp_path):
    """The file is read back to the same facts, and keeps what it began with, from another folder too."""
    write("a.md", "text")
    facts = "{update_interval: 36h, entity_popularity: MIXED}"
    start = write("start.yaml", f"id: faq\ndescription: 'A: b'\nfacts: {facts}\ndocuments: [a.md]\n")
    (tmp_path / "other").mkdir()
    saved = tmp_path / "other" / "saved.yaml"
    ended = advisor("consult", start, "--max-questions", 1, "--save", saved, typed="0.4\n")
    assert ended.status == 0
    before, after = read_use_case(start), read_use_case(saved)
    assert (after.description, after.documents) == ("A: b", before.documents)
    assert after.id not in (None, before.id), "two files never share a store by accident"
    assert after.facts.update_interval == before.facts.update_interval
    assert len(after.facts.ListFields()) == 3, "the size of the documents is counted anew each time"
    assert "# How " in saved.read_text()


@pytest.mark.parametrize("folder", [".", "..", "over"])
def test_consult_keeps_patterns_as_they_are_written(advisor, write, tmp_path, folder):
    """What comes into the folder later is a document too, wherever the saved file lies."""
    begin = tmp_path / "[1] here"
    begin.mkdir()
    for name in ("a.md", "b.txt"):
        write(f"[1] here/{name}", "text")
    start = write("[1] here/start.yaml", "documents: ['**/*.md', ./b.txt]\n")
    (begin / folder).mkdir(exist_ok=True)
    saved = begin / folder / "saved.yaml"
    assert advisor("consult", start, "--max-questions", 1, "--save", saved).status == 0
    write("[1] here/later.md", "text")
    named = [path.name for path in read_use_case(saved).documents]
    assert named == ["a.md", "later.md", "b.txt"]
    assert folder != "." or "- ./b.txt\n" in saved.read_text()


def test_consult_names_what_lies_beside_a_new_file(advisor, write, tmp_path):
    """Documents and examples, as init does; what cannot be read is told."""
    (tmp_path / "in").mkdir()
    for name in ("a.md", "in/b.md", "c.odt"):
        write(name, "text")
    write("examples.jsonl", '{"question": "q", "answer": "a"}\n')
    saved = tmp_path / "saved.yaml"
    ended = advisor("consult", "--max-questions", 1, "--save", saved, typed="0.4\n")
    case = read_use_case(saved)
    assert [path.name for path in case.documents] == ["a.md", "b.md"]
    assert case.examples == tmp_path / "examples.jsonl"
    assert ended.err.startswith("not read: c.odt; convert to one of ")


def test_consult_tells_how_to_find_out(advisor):
    """A question mark brings the hint of that question, and the question stays; that is told at the start."""
    ended = advisor("consult", "--max-questions", 1, "--json", typed="?\n\n")
    asked = next(item for item in facts() if item.question in ended.err)
    assert asked.measure in ended.err
    assert ended.err.count("   >") == 2
    assert "? tells how to find out" in ended.err.splitlines()[0]
    assert "the limit of 1" in ended.err


def test_every_fact_survives_saving(tmp_path):
    """Whatever can be said can be read back."""
    text = {
        "choice": lambda item: item.choices[-1],
        "flag": lambda item: True,
        "duration": lambda item: "90m",
    }
    values = {item.name: text.get(item.kind, lambda item: item.minimum or 1)(item) for item in facts()}
    message = facts_from_mapping(values)
    path = tmp_path / "all.yaml"
    path.write_text(use_case_text(message, None, path))
    assert read_use_case(path).facts == message


def test_consult_saves_when_the_input_ends(advisor, tmp_path):
    """Ctrl-D keeps what was said."""
    advisor("consult", "--save", tmp_path / "new.yaml", typed="40000\n")
    assert len(read_use_case(tmp_path / "new.yaml").facts.ListFields()) == 1


def test_consult_writes_over_a_file_only_when_told(advisor, write):
    """The file is named before anything is asked."""
    path = write("kept.yaml", "facts: {}\n")
    ended = advisor("consult", "--save", path)
    assert (ended.status, ended.out, path.read_text()) == (2, "", "facts: {}\n")
    assert "kept.yaml is there already" in ended.err
    assert advisor("consult", "--save", path, "--force").status == 0
    assert path.read_text() != "facts: {}\n"


def test_consult_json_is_the_recommendation_alone(advisor, case):
    """The conversation is on standard error."""
    ended = advisor("consult", case, "--json")
    assert json.loads(ended.out)["approach"] == "APPROACH_RAG"
    assert "1. " in ended.err or "Done" in ended.err


@pytest.mark.parametrize(
    ("command", "kinds"),
    [("list", {"rule"}), ("check", {"finding", "summary"}), ("test", {"summary"})],
)
def test_rules_as_json(advisor, command, kinds):
    """One object a line, each with its kind."""
    lines = [json.loads(line) for line in advisor("rules", command, "--json").out.splitlines()]
    assert {kind for line in lines for kind in line} <= kinds
    assert all(len(line) == 1 for line in lines)
    assert lines


def test_rules_as_json_say_what_the_server_says(advisor):
    """The fields of ListRules under their names, sources included."""
    knowledge = load_default_rules()
    listed = [json.loads(line)["rule"] for line in advisor("rules", "list", "--json").out.splitlines()]
    served = [values_of(rule_to_proto(rule, knowledge)) for rule in knowledge.rules]
    assert [rule["sources"] for rule in listed] == [rule["sources"] for rule in served]
    assert [rule.keys() for rule in listed] == [rule.keys() for rule in served]


def test_rules_in_a_pipe_are_a_line_each(advisor, monkeypatch):
    """Whatever the width, no id is cut and each rule has four cells."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = advisor("rules", "list").out.splitlines()
    assert all(line.count("\t") == 3 for line in lines)
    ids = [json.loads(line)["rule"]["id"] for line in advisor("rules", "list", "--json").out.splitlines()]
    assert [line.split("\t")[0] for line in lines] == ids


def test_the_versions(advisor):
    """The package's, and the hash of the rules."""
    ended = advisor("--version")
    assert ended.status == 0
    assert re.fullmatch(r"advisor \S+, rules [0-9a-f]{16}\n", ended.out)


def test_every_fault_of_a_file_is_told(advisor, write):
    """A line for each, with its place."""
    text = "names: x\nfacts:\n  task: NONE\n  tusk: 1\n  can_train: maybe\ndocuments: [a.pdf, b.pdf]\nexamples: c\n"
    ended = advisor("recommend", write("bad.yaml", text))
    assert ended.status == 2
    places = re.findall(r"advisor: .*bad.yaml:(\d+:\d+): ", ended.err)
    assert places == ["1:1", "3:9", "4:3", "5:14", "6:13", "6:20", "7:11"]
    assert len(ended.err.splitlines()) == 7


def test_the_shell_completes_approaches_that_work():
    """Of `tune`, those that train."""
    words = {"COMP_WORDS": "advisor tune faq.yaml --approach ", "COMP_CWORD": "4"}
    script = "import sys; sys.argv[0] = 'advisor'; from advisor.cli import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **words, "_ADVISOR_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout.split() == ["FINE_TUNING", "HYBRID"]
