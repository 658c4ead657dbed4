"""Echoes, circles and marks of items that do not follow are cut off; what looks like them and is none stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.approaches.tidying import REPEATS_NOTE, TidyStream, generate_tidy
from backends.base import FinishReason, GenerationOptions, Message
from tests.doubles import FakeGenerator

QUESTION = "What is the default of max_connections?"
SYSTEM = "Answer the question briefly, using only the context."
LIST = "1. No.\n2. No.\n3. Yes, at night.\n4. No."


def _tidy(text: str, *, labels: bool = True, size: int = 1) -> TidyStream:
    stream = TidyStream(lambda _: None, echoes=(QUESTION, SYSTEM), labels=labels)
    for start in range(0, len(text), size):
        if not stream.write(text[start : start + size]):
            break
    stream.finish()
    return stream


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("written", "left"),
    [
        (f"{QUESTION} It is 100.", "It is 100."),
        (f"Question: {QUESTION}\nAnswer: It is 100.", "It is 100."),
        (f"**Question:** {QUESTION} Answer: It is 100.", "It is 100."),
        (f"{SYSTEM}\n\nIt is 100.", "It is 100."),
        ("The answer is: 100", "100"),
        ("Passage 1: The default is 100.", "The default is 100."),
        ("It is 100.\n\nQuestion: And of min?\nAnswer: 3", "It is 100."),
        ("It is 100.\nContext:\n[1] The setting", "It is 100."),
        ("It is 100.\nAnswer: 100", "It is 100.\n100"),
        ("It is 100.\n\nThe answer is:", "It is 100."),
        ("1. It is 100.\n2", "1. It is 100."),
        ("1. It is 100. 2.", "1. It is 100."),
        ("- one\n- two\n-", "- one\n- two"),
        ("It is:\n1.", "It is:"),
    ],
)
def test_what_is_no_part_of_the_answer_is_cut_off(written: str, left: str, size: int) -> None:
    """At the beginning, in the middle and at the end, however the text comes."""
    assert _tidy(written, size=size).text.strip() == left


@pytest.mark.parametrize(
    "written",
    [
        "The answer is 100.",
        "The question is: who asks?",
        "Answering takes time: wait.",
        "It is 100.\nQuestionable: yes",
        "What is the default of max_connections depends on the system.",
        QUESTION,
        "100",
        "1\n2\n3",
        "In 1998. 2",
        "It was 1. 4.",
        LIST,
        "- a: yes\n- b: yes\n- c: yes\n- d: yes\n- e: yes\n- f: yes\n- g: yes\n- h: yes\n- i: yes",
        "```\nif a:\n    return\nif b:\n    return\nif c:\n    return\n```",
        "Yes. No. Yes. No.",
        "one two  three ",
        "",
    ],
)
def test_true_text_stays(written: str) -> None:
    """A list may repeat a line, and an answer that is nothing but the question stays."""
    assert _tidy(written).text == written


@pytest.mark.parametrize(
    ("unit", "kept"),
    [
        ("{}. No.\n", "1. No."),
        ("{}. It is not possible to do that here. ", "1. It is not possible to do that here."),
        ("- the same thing again and again\n", "- the same thing again and again"),
    ],
)
def test_circles_end_soon(unit: str, kept: str) -> None:
    """Numbers of items do not hide them; of the repetition nothing is shown."""
    stream = _tidy("".join(unit.format(number) for number in range(1, 100)))
    assert (stream.text.strip(), stream.ended, stream.looping) == (kept, True, True)


def test_text_comes_at_once() -> None:
    """No more is held back than what may not belong to the answer."""
    emitted: list[str] = []
    stream = TidyStream(emitted.append, echoes=(QUESTION, SYSTEM), labels=True)
    for piece in ("It ", "is ", "100. ", "It ", "may ", "be "):
        stream.write(piece)
    assert emitted == ["It ", "is ", "100.", " It may ", "be "]


@given(
    st.lists(
        st.sampled_from(["1. ", "No.", "\n", "Question:", " a", "- ", " the", "Answer: ", "2"]), max_size=25
    )
)
def test_pieces_do_not_matter(pieces: list[str]) -> None:
    """However the text is cut into pieces, the same is left."""
    text = "".join(pieces)
    assert _tidy(text, size=1).text == _tidy(text, size=1000).text
    assert _tidy(text, size=3).text == _tidy(text, size=1).text


def test_a_generator_is_stopped() -> None:
    """It writes no more than it takes to see the circle, and the answer says how it ended."""
    generator = FakeGenerator(lambda _: "No, not at all. " * 300)
    options = GenerationOptions(max_output_tokens=1000)
    written, notes = generate_tidy(
        generator,
        [Message("user", "Is it?")],
        options=options,
        emit=lambda _: None,
        cancelled=lambda: False,
    )
    assert (written.text, written.finish_reason, notes) == (
        "No, not at all.",
        FinishReason.STOP,
        (REPEATS_NOTE,),
    )
    assert written.output_tokens < 20


@pytest.mark.parametrize("labels", [(), (("Answer: a",))])
def test_a_form_and_an_adapter_are_left_alone(labels: tuple[str, ...], tmp_path) -> None:
    """What they ask for is the answer, whatever it looks like."""
    written, _ = generate_tidy(
        FakeGenerator(lambda _: "Answer: a"),
        [Message("user", "Is it?")],
        options=GenerationOptions(labels=labels),
        emit=lambda _: None,
        cancelled=lambda: False,
        adapter=None if labels else tmp_path,
        labels=True,
    )
    assert re.fullmatch("Answer: a", written.text)
