"""Where answers went wrong: errors by kind of question, some with their texts, and what retrieval had to do with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from advisor.trials.report.markup import Html, block, element, joined
from advisor.trials.report.standings import (
    WRONG_BELOW,
    ErrorKind,
    Standing,
    answer_metric,
    error_kinds,
    looked_at,
)
from advisor.trials.report.tables import mark_of, scrolled, share, table
from advisor.trials.report.wording import ALL_KINDS, arm_name, metric_name
from advisor.trials.results import TrialResult
from backends.counts import counted

__all__ = ["arm_column", "errors_section", "retrieval_section"]

_KINDS = 12
_TEXT = 280


def retrieval_section(places: Sequence[Standing]) -> Html | None:
    """Return how often what was retrieved holds the answer, and quality where it does; None without retrieval."""
    arms = [each for each in places if each.result.found]
    if not arms:
        return None
    headings = (
        "Way to answer",
        "Passages hold the answer",
        "Quality where they do",
        "Quality where they do not",
    )
    rows = (
        (
            arm_name(each.result.arm),
            *(
                share(figure, mark_of(each))
                for figure in (
                    each.result.found,
                    each.result.right_where_found,
                    each.result.right_where_not,
                )
            ),
        )
        for each in arms
    )
    caption = "Quality is lost in search where passages do not hold the answer, and in reading where they do."
    return table(caption, headings, rows, stacked=True)


def errors_section(result: TrialResult, places: Sequence[Standing]) -> Html:
    """Return the errors by kind of question and arm, and some of the arm that is looked at, with their texts."""
    shown = looked_at(places)
    kinds = error_kinds(result, shown.result.arm if shown else None)
    if shown is None or not kinds:
        return element("p", "No answer was scored.")
    asked = [each for each in places if each.result.answers]
    parts = [_counts(kinds[:_KINDS], asked, answer_metric(result))]
    if len(kinds) > _KINDS:
        parts.append(element("p", f"{counted(len(kinds) - _KINDS, 'kind')} with fewer errors left out."))
    examples = list(_examples(kinds[:_KINDS]))
    if examples:
        caption = (
            f"Some errors of: {shown.result.arm.heading}. The number leads to all answers to the question."
        )
        headings = ("Question number", "Kind", "Question", "Right answer", "Answer")
        shown_errors = table(caption, headings, examples, stacked=True)
        parts.append(element("details", element("summary", "Examples of errors"), shown_errors))
    return joined(parts)


def arm_column(place: Standing) -> Html:
    """Return the heading of an arm's column where there is no room for its name: upright, or its number alone."""
    name = element("span", arm_name(place.result.arm), class_="name")
    return joined((element("span", str(place.number), class_="key", aria_hidden="true"), " ", name))


def _counts(kinds: Sequence[ErrorKind], asked: Sequence[Standing], metric: str) -> Html:
    rows = ((each.name or ALL_KINDS, f"{each.questions:,}", *_wrong(each, asked)) for each in kinds)
    caption = (
        f"Answers that score less than {WRONG_BELOW:g} by {metric_name(metric)}; "
        "where not all questions were asked, of how many."
    )
    headings = ("Kind of question", "Questions", *map(arm_column, asked))
    return scrolled("Table of errors", table(caption, headings, rows, numbers=range(1, len(headings))))


def _wrong(kind: ErrorKind, asked: Sequence[Standing]) -> Iterator[str]:
    for each in asked:
        wrong, scored = kind.wrong[each.result.arm]
        if scored == kind.questions:
            yield f"{wrong:,}"
        else:
            yield f"{wrong:,} of {scored:,}" if scored else "–"


def _examples(kinds: Sequence[ErrorKind]) -> Iterator[Sequence[Html]]:
    for kind in kinds:
        for each in kind.examples:
            number = each.given.number
            yield (
                element("a", f"{number + 1}", href=f"#q{number + 1}"),
                joined((kind.name or ALL_KINDS,)),
                *(block(text, _TEXT) for text in (each.given.question, each.given.right, each.answer.text)),
            )
