"""The questions of a trial: scores of every way to answer side by side, and all texts one click away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from advisor.trials.report.markup import Html, block, element, joined
from advisor.trials.report.mistakes import arm_column
from advisor.trials.report.standings import (
    WRONG_BELOW,
    Standing,
    answer_metric,
    answers_of,
    looked_at,
)
from advisor.trials.report.wording import arm_name, metric_name, seconds_text
from advisor.trials.results import Asked, Given, TrialResult

__all__ = ["questions_section"]

_ALL_TEXTS = 900_000
"""Bytes of texts that a page has room for, all together."""
_LIMITS = (4_000, 2_000, 1_000, 500, 250)
"""To so many characters is each text cut: to the most for which there is room."""
_SUMMARY = 140
_REFUSED = "†"


@dataclass(frozen=True, slots=True)
class _Matrix:
    """What is shown: the arms that answered with their answers, scores of which metric, and how much of a text."""

    columns: Sequence[tuple[Standing, Mapping[int, Asked]]]
    metric: str
    limit: int
    looked_at: Standing


def questions_section(result: TrialResult, places: Sequence[Standing]) -> Html:
    """Return a row for each question and a column for each arm that answered; without answers, a sentence."""
    looked = looked_at(places)
    if looked is None or not result.given:
        return element("p", "No question was answered.")
    columns = [(each, answers_of(each.result)) for each in places if each.result.answers]
    shown = _Matrix(columns, answer_metric(result), _text_limit(result), looked)
    head = (element("th", arm_column(place), scope="col", class_="upright") for place, _ in columns)
    named = (element("th", name, scope="col") for name in ("No.", "Question"))
    table = element(
        "table",
        element("caption", _caption(shown, result.metric)),
        element("thead", element("tr", *named, *head)),
        element("tbody", *(_row(each, shown) for each in result.given)),
        class_="matrix",
    )
    return joined((_filter(looked), element("div", table, class_="matrix-frame")))


def _text_limit(result: TrialResult) -> int:
    texts = [text or "" for each in result.given for text in (each.question, each.right)]
    texts += [answer.text or "" for arm in result.arms for answer in arm.answers]
    fitting = (limit for limit in _LIMITS if sum(_bytes(text[:limit]) for text in texts) <= _ALL_TEXTS)
    return next(fitting, _LIMITS[-1])


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _caption(shown: _Matrix, trial_metric: str) -> Html:
    single = (
        ""
        if shown.metric == trial_metric
        else f", since {metric_name(trial_metric)} is one of all answers together"
    )
    steps = (
        element("span", _score(each), class_=f"score s{_step(each)}") for each in (0.0, 0.2, 0.5, 0.8, 1.0)
    )
    return joined(
        (
            f"Scores by {metric_name(shown.metric)}{single}: ",
            *steps,
            f" – stands for not asked or not scored, {_REFUSED} for “the documents hold no answer”.",
            f" A question opens its texts, up to {shown.limit:,} characters of each.",
        )
    )


def _filter(looked: Standing) -> Html:
    """Return the choice of questions; the style sheet hides the rest, so there is no script."""
    choices = {
        "all": "all",
        "differ": "with different scores",
        "wrong": f"with an error of: {looked.result.arm.heading}",
    }
    boxes = (
        element(
            "label",
            element("input", type="radio", name="shown", id=f"show-{value}", checked=value == "all"),
            f" {text}",
        )
        for value, text in choices.items()
    )
    return element("fieldset", element("legend", "Questions"), *boxes, class_="filter")


def _row(given: Given, shown: _Matrix) -> Html:
    answers = [answered.get(given.number) for _, answered in shown.columns]
    scores = [each.scores.get(shown.metric) if each else None for each in answers]
    return element(
        "tr",
        element("th", f"{given.number + 1}", scope="row"),
        element("td", _texts(given, answers, shown), class_="question"),
        *map(_cell, scores, answers),
        id=f"q{given.number + 1}",
        class_=" ".join(_traits(scores, shown)) or None,
    )


def _traits(scores: Sequence[float | None], shown: _Matrix) -> Iterator[str]:
    """Yield what a row is hidden by."""
    if len(set(scores)) == 1:
        yield "same"
    arms = [place for place, _ in shown.columns]
    looked = scores[arms.index(shown.looked_at)]
    if looked is None or looked >= WRONG_BELOW:
        yield "right"


def _texts(given: Given, answers: Sequence[Asked | None], shown: _Matrix) -> Html:
    question = " ".join((given.question or "").split())
    whole = len(question) <= _SUMMARY
    summary = question if whole else f"{question[:_SUMMARY].rstrip()}…"
    title = "erased" if given.question is None else summary or "empty"
    parts = [] if whole else [_told("Question", "", given.question, shown)]
    parts.append(_told("Right answer", "", given.right, shown))
    for (place, _), answer in zip(shown.columns, answers, strict=True):
        if answer:
            beside = _measures(answer, shown.metric)
            parts.append(_told(arm_name(place.result.arm), beside, answer.text, shown))
    heading = element("summary", element("span", title, dir="auto"))
    return element("details", heading, element("dl", *parts))


def _told(name: str, beside: str, text: str | None, shown: _Matrix) -> Html:
    small = (element("small", beside),) if beside else ()
    return element("div", element("dt", name, *small), element("dd", block(text, shown.limit)))


def _measures(answer: Asked, metric: str) -> str:
    """Say what is known of an answer beside its text."""
    score = answer.scores.get(metric)
    parts = ["not scored" if score is None else f"score {_score(score)}"]
    parts += ["says that the documents hold no answer"] if answer.refused else []
    if answer.found is not None:
        parts.append("passages hold the answer" if answer.found else "passages do not hold the answer")
    if answer.input_tokens or answer.output_tokens:
        parts.append(f"{answer.input_tokens:,} tokens in, {answer.output_tokens:,} out")
    parts += [seconds_text(answer.total_s)] if answer.total_s else []
    return ", ".join(parts)


def _cell(score: float | None, answer: Asked | None) -> Html:
    text = "–" if score is None else _score(score)
    mark = _REFUSED if answer and answer.refused else ""
    return element("td", f"{text}{mark}", class_="score" if score is None else f"score s{_step(score)}")


def _score(score: float) -> str:
    """Write a score in little room: `1`, `0`, or two digits such as `.67`, which are never rounded to either."""
    if score in (0.0, 1.0):
        return f"{score:.0f}"
    return f"{min(0.99, max(0.01, score)):.2f}".removeprefix("0")


def _step(score: float) -> int:
    """Return the shade of a score: one for none, one for all, and three between."""
    if score <= 0:
        return 0
    return 4 if score >= 1 else 1 + min(2, int(3 * score))
