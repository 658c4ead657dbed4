"""Sections of the page in words and small tables: verdict, what was predicted, claims, facts, method."""

from __future__ import annotations

from advisor.trials.report.figures import calibration_figure
from advisor.trials.report.markup import Html, element, joined
from advisor.trials.report.sentences import advice, fact_texts, method, needed, track_record
from advisor.trials.report.standings import Expected, claims_by_finding, expectations
from advisor.trials.report.tables import absent, difference, table
from advisor.trials.report.wording import FINDINGS, approach_name, percent, points_text
from advisor.trials.results import Finding, TrialResult
from advisor.trials.track import TrackRecord

__all__ = ["claims_section", "facts_section", "method_section", "prediction_section", "verdict_section"]

_FEWEST_TRIALS = 3
"""Of fewer it is not told how advice fared."""
_SIGNS = {
    Finding.CONFIRMED: "✓",
    Finding.CONTRADICTED: "✗",
    Finding.UNDECIDED: "?",
    Finding.NOT_TESTABLE: "–",
}


def verdict_section(result: TrialResult) -> Html:
    """Return what the numbers come to: the headline, then why."""
    verdict = result.verdict
    parts = [element("p", verdict.headline, class_="headline", dir="auto")]
    if verdict.reasons:
        parts.append(element("ol", *(element("li", each, dir="auto") for each in verdict.reasons)))
    if needed(result):
        parts.append(element("p", needed(result)))
    return joined(parts)


def prediction_section(result: TrialResult, record: TrackRecord | None = None) -> Html:
    """Return what the advisor had said beside what was measured, and how it fared in all trials."""
    told = element("p", advice(result))
    rows = expectations(result)
    fared = []
    if record and record.decided >= _FEWEST_TRIALS:
        figure = calibration_figure(record)
        fared = [
            element("p", track_record(record)),
            *([element("div", figure, class_="figures")] if figure else []),
        ]
    if not rows:
        return joined((told, *fared))
    headings = (
        "Approach",
        "Probability of being the best",
        "Expected above prompting",
        "Measured above the best prompt",
        "Measured as",
    )
    caption = (
        "Expected before the trial, and measured in it. An approach counts by the best of its ways to answer."
    )
    return joined((told, table(caption, headings, map(_expected, rows), stacked=True), *fared))


def claims_section(result: TrialResult) -> Html:
    """Return the documented claims, each with what measuring says of it."""
    if not result.claims:
        return element("p", "No claim was looked at.")
    rows = (
        (
            joined((each.text,)),
            approach_name(each.approach),
            element(
                "span",
                element("span", _SIGNS[each.finding], class_="sign", aria_hidden="true"),
                f" {FINDINGS[each.finding]}",
                class_=f"finding {each.finding.lower().replace('_', '-')}",
            ),
            each.measured or absent(),
        )
        for each in claims_by_finding(result.claims)
    )
    return table(
        "What is commonly said of the approaches, beside what this trial measured.",
        ("Claim", "Of", "Finding", "Numbers"),
        rows,
        stacked=True,
    )


def facts_section(result: TrialResult) -> Html:
    """Return the facts that were measured on the way."""
    if not result.facts:
        return element("p", "No fact was measured.")
    rows = []
    for name, figure in result.facts.items():
        title, value, interval, count = fact_texts(name, figure)
        heading = joined((title, *(() if title == name else (element("small", element("code", name)),))))
        rows.append((heading, element("strong", value), interval or absent("none"), count))
    headings = ("Fact", "Value", "95% interval", "Measured on")
    caption = "By these names they can be stated in a use case."
    return table(caption, headings, rows, numbers=(1, 2, 3), stacked=True)


def method_section(result: TrialResult) -> Html:
    """Return how it was measured, and what to mind."""
    terms = (part for term, words in method(result) for part in (element("dt", term), element("dd", words)))
    parts = [element("dl", *terms, class_="method")]
    if result.notes:
        notes = (element("li", each, dir="auto") for each in result.notes)
        parts += [element("h3", "What to mind"), element("ul", *notes)]
    return joined(parts)


def _expected(row: Expected) -> tuple[str, ...]:
    measured = absent() if row.arm is None else element("span", "the best prompt")
    return (
        approach_name(row.name)[:1].upper() + approach_name(row.name)[1:],
        absent("not said") if row.probability is None else percent(row.probability),
        absent("not said") if row.points is None else points_text(row.points),
        difference(row.measured) if row.measured else measured,
        row.arm.arm.heading if row.arm else absent(),
    )
