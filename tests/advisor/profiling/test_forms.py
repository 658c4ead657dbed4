"""Form and task, guessed where examples are enough and agree."""

from __future__ import annotations

import pytest

from advisor.profiling.forms import form_of, task_of
from backends.base import Example

SENTENCES = [f"You find it on page {at} of the manual, below the table." for at in range(30)]
FACTS = [f"Mount {name}" for name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]


def repeated(answers: list[str], times: int) -> list[str]:
    return [f"{each}" for each in answers for _ in range(times)]


@pytest.mark.parametrize(
    ("answers", "form"),
    [
        (repeated(["billing", "shipping", "refund"], 10), "LABEL"),
        (repeated(["yes", "no"], 6), "LABEL"),
        (repeated([f"group {at}" for at in range(77)], 2), "LABEL"),
        (repeated(["1", "2", "3", "4", "5"], 8), "LABEL"),
        (repeated(["Billing", "billing.", "shipping"], 10), "LABEL"),
        (["billing", "shipping", "refund"], None),  # each once: facts, or labels that few examples show
        (["yes", "no", "yes", "no"], None),
        (FACTS[:10], None),
        (FACTS, "FREE_TEXT"),
        ([f"card_{name[-1]}" for name in FACTS], None),
        ([f"intent_{at}" for at in range(77)], None),
        (SENTENCES, "FREE_TEXT"),
        (SENTENCES[:4], "FREE_TEXT"),
        (SENTENCES[:3], None),
        (SENTENCES[:10] + FACTS[:10], None),
        (['{"name": "x"}', '{"name": "y"}'] * 4, "STRUCTURED"),
        (['{"name": "x"}'], None),
        (['```json\n{"name": "x"}\n```'] * 10, "STRUCTURED"),
        (["<a>x</a>", "<a>y</a>"] * 3, "STRUCTURED"),
        ([f"name: n{at}\nage: {at}" for at in range(10)], "STRUCTURED"),
        ([f"timeout={at}" for at in range(10)], "STRUCTURED"),
        ([f"a{at}|b{at}|c{at}" for at in range(10)], "STRUCTURED"),
        (["SELECT name FROM t", "SELECT age FROM t"] * 5, "CODE"),
        ([f"x{at} = f({at})" for at in range(10)], "CODE"),
        ([], None),
        (["the same"] * 10, None),
    ],
)
def test_the_form_of_answers(answers, form):
    """None where they are too few, or of several kinds."""
    told = form_of(answers)
    assert (told.name, told.value) == ("output_form", form)
    assert told.method


def test_why_is_told():
    """With the numbers that it rests on."""
    assert (
        form_of(repeated(["a", "b"], 10)).method == "2 different short answers in 20 examples, 0 of them once"
    )
    mixed = form_of(['{"a": 1}'] * 9 + ["no idea, sorry"])
    assert mixed.method == "9 of 10 answers are JSON objects or arrays"
    assert mixed.warning == "Of 10 answers, 1 is of another form."


def test_few_long_answers_are_told():
    """They are text, and yet a choice."""
    told = form_of(SENTENCES[:3] * 10)
    assert told.value == "FREE_TEXT"
    assert told.warning.startswith("There are only 3 different answers in 30 examples")


def test_one_answer_teaches_nothing():
    """Which is told."""
    assert form_of(["ok"] * 8).warning == "All 8 answers are the same: nothing can be learned."


RECORD = '{"name": "Smith", "age": 30}'
LONG = " ".join(f"word{at}" for at in range(120))


@pytest.mark.parametrize(
    ("examples", "form", "task"),
    [
        ([Example(f"post {at}", "spam") for at in range(9)], "LABEL", "CLASSIFICATION"),
        ([Example(f"Is {at} even?", "yes") for at in range(9)], "LABEL", "QUESTION_ANSWERING"),
        ([Example(f"rows above {at}", "SELECT 1") for at in range(9)], "CODE", "CODE"),
        ([Example(f"Smith is {at}, not 30", RECORD) for at in range(9)], "STRUCTURED", "EXTRACTION"),
        ([Example(f"topic {at}", '{"title": "invented"}') for at in range(9)], "STRUCTURED", None),
        ([Example(f"What is {at}?", "the next number") for at in range(9)], "FREE_TEXT", "QUESTION_ANSWERING"),
        ([Example(f"Wie ändere ich {at}", "so wie jede andere") for at in range(9)], None, "QUESTION_ANSWERING"),
        ([Example(f"Write a text on {at}", "here it is") for at in range(9)], "FREE_TEXT", "GENERATION"),
        ([Example(f"Summarize: {LONG} {at}", "words of a kind") for at in range(9)], "FREE_TEXT", "SUMMARIZATION"),
        ([Example(f"{LONG} {at}", " ".join(LONG.split()[:9])) for at in range(9)], None, "SUMMARIZATION"),
        ([Example(f"User: hi {at}\nAgent: hello\nUser: and?", "well") for at in range(9)], None, "DIALOGUE"),
        ([Example("Extract all names: Smith and Jones", "Smith, Jones") for _ in range(9)], None, "EXTRACTION"),
        ([Example(f"thing {at}", "another thing") for at in range(9)], "FREE_TEXT", None),
        ([Example("What is it?", "a thing")] * 2, "FREE_TEXT", None),
        ([], None, None),
    ],
)  # fmt: skip
def test_the_task(examples, form, task):
    """By the form, else by what the inputs ask for."""
    told = task_of(examples, form)
    assert (told.name, told.value) == ("task", task)
    assert told.method
