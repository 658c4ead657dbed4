"""The report as one file of HTML that needs nothing else: no network, no script, the style sheet inside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

from advisor.trials.report.figures import cost_figure, curve_figure, time_figure
from advisor.trials.report.markup import Html, element, joined
from advisor.trials.report.mistakes import errors_section, retrieval_section
from advisor.trials.report.questions import questions_section
from advisor.trials.report.sections import (
    claims_section,
    facts_section,
    method_section,
    prediction_section,
    verdict_section,
)
from advisor.trials.report.sentences import summary
from advisor.trials.report.standings import Standing, standings
from advisor.trials.report.tables import arms_table, comparisons_table, metrics_table, scrolled
from advisor.trials.results import TrialResult
from advisor.trials.track import TrackRecord

__all__ = ["page_style", "to_html"]

_POLICY = "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def to_html(result: TrialResult, title: str, record: TrackRecord | None = None) -> str:
    """Return the report as one HTML file, all texts of the use case escaped.

    Args:
        result: What a trial measured.
        title: What the report is called, such as the name of the use case.
        record: How advice fared in all trials of the server; None to leave it out.
    """
    places = standings(result)
    sections = list(_sections(result, places, record))
    links = (element("a", heading, href=f"#{key}") for key, heading, _ in sections[1:])
    header = element(
        "header", element("h1", title, dir="auto"), element("p", summary(result), class_="summary")
    )
    contents = element("nav", *_spaced(links), aria_label="Contents")
    main = [_section(*each) for each in sections]
    body = element("body", header, element("main", main[0], contents, *main[1:]))
    return f"<!DOCTYPE html>\n{element('html', _head(title), body, lang='en')}\n"


@cache
def page_style() -> str:
    """Return the style sheet that every report carries."""
    return files("advisor.trials.report").joinpath("page.css").read_text(encoding="utf-8")


def _sections(
    result: TrialResult, places: Sequence[Standing], record: TrackRecord | None
) -> Iterator[tuple[str, str, Html]]:
    """Yield the key, the heading and the content of each section, in their order."""
    yield "verdict", "Verdict", verdict_section(result)
    yield "ways", "Ways to answer", _ways(result, places)
    figures = [cost_figure(places), time_figure(places), curve_figure(result)]
    yield "plots", "Quality, cost and time", element("div", *filter(None, figures), class_="figures")
    retrieved = retrieval_section(places)
    if retrieved:
        yield "retrieval", "Retrieval", retrieved
    yield "errors", "Errors", errors_section(result, places)
    yield "prediction", "What the advisor had said", prediction_section(result, record)
    yield "claims", "Claims", claims_section(result)
    yield "facts", "Facts measured", facts_section(result)
    yield "questions", "Questions and answers", questions_section(result, places)
    yield "method", "Method", method_section(result)


def _ways(result: TrialResult, places: Sequence[Standing]) -> Html:
    parts = [scrolled("Table of ways to answer", arms_table(places))]
    if any(each.result.metrics for each in places):
        parts.append(_folded("Every metric", scrolled("Table of metrics", metrics_table(places, result))))
    if result.comparisons:
        parts.append(
            _folded(
                "Every difference", scrolled("Table of differences", comparisons_table(result.comparisons))
            )
        )
    return joined(parts)


def _folded(name: str, content: Html) -> Html:
    return element("details", element("summary", name), content)


def _section(key: str, heading: str, content: Html) -> Html:
    return element(
        "section",
        element("h2", heading, id=f"{key}-heading"),
        content,
        id=key,
        aria_labelledby=f"{key}-heading",
    )


def _spaced(parts: Iterator[Html]) -> Iterator[str]:
    for each in parts:
        yield each
        yield " "


def _head(title: str) -> Html:
    style = page_style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY.format(digest=digest)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(style)),
    )
