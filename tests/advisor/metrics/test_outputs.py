"""What holds for all metrics alike: what is not scored, and who abstains."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import advisor.metrics
from advisor.metrics.abstention import Abstention
from advisor.metrics.choosing import METRICS, metric_named
from advisor.metrics.outputs import Output
from advisor.metrics.refusals import is_refusal
from backends.approaches.rag import NO_EVIDENCE_TEXT

RIGHT = '{"wal_sender_timeout": "60 seconds"}'
LONG = "word " * 3_000


def letters(texts):
    """Embed texts by how often each letter is in them."""
    return np.array(
        [[text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]
    )


@pytest.fixture(params=sorted(METRICS))
def metric(request):
    return metric_named(request.param, embed=letters)


def test_every_metric_scores_each_output_from_0_to_1(metric) -> None:
    """There are as many scores as outputs, in order, whatever the answers are."""
    texts = ["", " ", RIGHT, "\x00\ud7ff", "👍", LONG, "{" * 2_000, "答えは東京です", "NaN", NO_EVIDENCE_TEXT]
    rights = [RIGHT, "no", "5", "答え", None, "", " ", "->", "a"]
    outputs = [Output(text, right, cited=(text,)) for text in texts for right in rights]
    scores = metric.scores(outputs)
    assert len(scores) == len(outputs)
    assert all(score is None or (isinstance(score, float) and 0 <= score <= 1) for score in scores)
    assert metric.scores([]) == []
    assert metric.title
    assert METRICS[metric.name].name == metric.name


def test_the_right_answer_scores_1(metric) -> None:
    """Whoever answers as is right gets all of it, by every metric."""
    (score,) = metric.scores([Output(RIGHT, RIGHT, cited=(RIGHT,))])
    assert score == pytest.approx(1)


def test_no_answer_where_there_is_one_scores_0(metric) -> None:
    """Neither an empty answer nor one that says that there is none is worth anything; citations are not its matter."""
    outputs = [
        Output(NO_EVIDENCE_TEXT, RIGHT, refused=True),
        Output("The documents do not say.", RIGHT),
        Output("", RIGHT, cited=("passage",)),
    ]
    wanted = {"citations": [None, None, 0.0], "abstention": [0.0, 0.0, 1.0]}
    assert metric.scores(outputs) == wanted.get(metric.name, [0.0, 0.0, 0.0])


@pytest.mark.parametrize("right", [None, "", " \n"])
def test_a_question_without_a_right_answer_is_scored_by_abstention_alone(metric, right: str | None) -> None:
    """None is not 0: whoever answers well otherwise loses nothing by such questions."""
    expected = 0.0 if metric.name == "abstention" else None
    assert metric.scores([Output("5", right, cited=("5",))]) == [expected]


@pytest.mark.parametrize(
    ("text", "right", "refused", "score"),
    [
        (NO_EVIDENCE_TEXT, None, True, 1.0),
        ("I don't know.", "", False, 1.0),
        ("5", None, False, 0.0),
        ("5", "6", False, 1.0),
        ("5", "5", True, 1.0),  # what is said counts more than the flag
        (NO_EVIDENCE_TEXT, "5", True, 0.0),
        ("Not specified.", "not specified", False, 1.0),
    ],
)
def test_abstaining_is_right_exactly_where_there_is_no_answer(
    text: str, right: str | None, refused: bool, score: float
) -> None:
    """Whether the answer that is given is right is for other metrics."""
    assert Abstention().scores([Output(text, right, refused=refused)]) == [score]


@pytest.mark.parametrize(
    "text",
    [
        NO_EVIDENCE_TEXT,
        "The documents do not say.",
        "the provided context does not mention v1.5 of it",
        "No information is given.",
        "No answer was found in the documents",
        "There is no information about that.",
        "I’m sorry, I cannot answer this question.",
        "It is not mentioned in the passages.",
        "The limit is not stated in the provided documents.",
    ],
)
def test_what_says_that_there_is_no_answer(text: str) -> None:
    """The usual words of models for it are known, and our own."""
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "unknown",
        "No restart is needed.",
        "There is no limit.",
        "The server does not answer.",
        "The header information does not include names.",
        "No information is given to third parties.",
        "If you do not specify a port, 5432 is used.",
        "The documents do not say why, but 5 is the default.",
        "The default is 5. The documents do not say more.",
        "The documents do not say " + "so " * 200,
    ],
)
def test_what_is_an_answer(text: str) -> None:
    """A "no", something that is not done, and whoever goes on with an answer do not abstain."""
    assert not is_refusal(text)


def test_marks_of_citations_are_no_part_of_an_answer() -> None:
    """They are taken off an answer that cites, and stay where they are its words."""
    assert Output("It is 5 [1][12].", "5", cited=("5",)).said == "It is 5."
    assert Output("x[1]", "x[1]").said == "x[1]"


@pytest.mark.parametrize("name", [each.name for each in pkgutil.iter_modules(advisor.metrics.__path__)])
def test_examples_hold(name: str) -> None:
    """What docstrings show is what happens."""
    assert doctest.testmod(importlib.import_module(f"advisor.metrics.{name}")).failed == 0
