"""The published cases, and which of them are near."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from advisor.errors import RulesError
from advisor.knowledge.cases import Case, load_cases, load_default_cases
from advisor.knowledge.facts import Row, encode_facts, facts_from_mapping
from advisor.knowledge.rules import RuleSource

SOURCE = 'sources:\n  s: {title: "T", id: "arXiv:1", where: "Table 2"}\n'
CASE = "{id: a, source: s, grade: A, read: primary, facts: {task: CODE}, scores: {RAG: 50, PROMPTING: 48}, best: RAG}"

# Pages of companies, and reports whose repositories nobody noted.
UNNUMBERED = {
    "aws-nova-2025",
    "openai-accuracy",
    "dermaforce2026",
    "gsm8k-socratic-sft",
    "legal-eval-swiss-or",
    "oracle-reviewer",
}


def row_of(**values: object) -> Row:
    return encode_facts(facts_from_mapping(values))


def load(tmp_path: Path, *cases: str, head: str = SOURCE) -> tuple[Case, ...]:
    path = tmp_path / "cases.yaml"
    path.write_text(head + "cases:\n" + "".join(f"  - {case}\n" for case in cases))
    return load_cases(path)


def test_the_shipped_cases_load() -> None:
    """All published cases are there, by id, with rows that cannot be changed."""
    cases = load_default_cases()
    assert len({case.id for case in cases}) == len(cases) == 109
    assert len({case.source.id for case in cases}) == 49
    assert sum(case.collection == "published" for case in cases) == 22
    assert all(not case.row.flags.writeable for case in cases)


@pytest.mark.parametrize("case", load_default_cases(), ids=lambda case: case.id)
def test_acceptable_sets_agree_with_the_scores(case: Case) -> None:
    """The winner is acceptable, and so is every scored approach less than 3 points below it, and no other."""
    assert case.best in case.acceptable
    top = case.scores.get(case.best)
    for name, score in case.scores.items():
        if top is not None and name != "NAIVE_BOTH":
            assert (name in case.acceptable) == (top - score < 3 - 1e-9)


def test_scores_widen_the_acceptable_set(tmp_path: Path) -> None:
    """An approach within 3 points is acceptable although the file does not say so."""
    (case,) = load(tmp_path, CASE)
    assert case.acceptable == {"RAG", "PROMPTING"}
    assert case.source.reference == "arXiv:1, Table 2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("task: CODE", "tasks: CODE"), 'did you mean "task"'),
        (("task: CODE", "closed_book_score: 7"), "out of bounds"),
        (("best: RAG", "best: NAIVE_BOTH"), "is not an approach"),
        (("best: RAG", "best: RAG, acceptable: [PROMTING]"), 'did you mean "PROMPTING"'),
        (("PROMPTING: 48", "PROMPTING: 40"), None),
        (("PROMPTING: 48", "PROMPTING: .nan"), "not a number"),
        (("source: s", "source: x"), "is not a source of this file"),
        (("grade: A", "grade: C"), "is not a grade"),
        (("best: RAG", "best: RAG, n: 0"), "a whole number from 1"),
        (("best: RAG", "best: RAG, assumed: [task, output_form]"), "is not a fact of this case"),
        (("id: a, ", ""), "the key 'id' is missing"),
    ],
)
def test_a_broken_case_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], message: str | None
) -> None:
    """Each fault names the value and where it stands; a case without fault loads."""
    text = CASE.replace(*change)
    if message is None:
        assert load(tmp_path, text)[0].acceptable == {"RAG"}
        return
    with pytest.raises(RulesError, match=message) as caught:
        load(tmp_path, text)
    assert "cases.yaml:4:" in str(caught.value)


def test_a_stated_tie_that_the_scores_deny_is_refused(tmp_path: Path) -> None:
    """An approach far below the winner is not acceptable, whatever the file says."""
    text = CASE.replace("PROMPTING: 48", "PROMPTING: 40").replace(
        "best: RAG", "best: RAG, acceptable: [PROMPTING]"
    )
    with pytest.raises(RulesError, match="10 points below RAG"):
        load(tmp_path, text)


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Two cases cannot share an id."""
    with pytest.raises(RulesError, match="twice"):
        load(tmp_path, CASE, CASE)


def test_gains_are_measured_against_prompting(tmp_path: Path) -> None:
    """Where gains alone are published, the base model is the arm that they are gains over."""
    given = CASE.replace("scores: {RAG: 50, PROMPTING: 48}", "gains: {RAG: 5}")
    assert load(tmp_path, given)[0].measured == {"PROMPTING": 0.0, "RAG": 5.0}
    assert load(tmp_path, CASE)[0].measured == {"RAG": 50.0, "PROMPTING": 48.0}
    assert load(tmp_path, given.replace("gains: {RAG: 5}, ", ""))[0].measured == {}


@pytest.mark.parametrize(
    "source",
    {case.source.id: case.source for case in load_default_cases()}.values(),
    ids=lambda source: source.id,
)
def test_a_reference_tells_where_to_find_the_numbers(source: RuleSource) -> None:
    """It names a publication or a repository once, and the place in it, in whole words."""
    named, _, place = source.reference.partition(", ")
    assert place
    known = re.fullmatch(r"arXiv:\d{4}\.\d{5}|github\.com/[\w.-]+/[\w.-]+", named)
    assert known or source.id in UNNUMBERED, f"{named} is neither an article nor a repository"
    assert source.reference.count(named) == 1
    for text in (source.title, source.reference):
        assert text.count("(") == text.count(")")
        assert not re.search(r"\d{7}|^\W|\W\W$|\b(in|of|by|as)$|\w\(", text), text


@pytest.mark.parametrize("case", load_default_cases(), ids=lambda case: case.id)
def test_a_note_starts_with_what_was_measured(case: Case) -> None:
    """It stands there for readers of one case, who know no other by its id; remarks come after semicolons."""
    first = case.note.partition(";")[0]
    assert first == first.strip()
    assert first.count("(") == first.count(")")
    assert not any(other.id in case.note for other in load_default_cases())
