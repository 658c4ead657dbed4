"""The report as Markdown, to paste where people talk: all but the texts of each question and answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from advisor.decision.prices import dollars
from advisor.trials.report.markup import legal
from advisor.trials.report.sentences import advice, fact_texts, method, needed, summary
from advisor.trials.report.standings import (
    WRONG_BELOW,
    Expected,
    Standing,
    answer_metric,
    claims_by_finding,
    error_kinds,
    expectations,
    looked_at,
    standings,
)
from advisor.trials.report.wording import (
    ABSENT,
    ALL_KINDS,
    COMPARISON_HEADINGS,
    FINDINGS,
    approach_name,
    arm_name,
    chance_text,
    comparison_cells,
    duration_text,
    metric_name,
    p_text,
    percent,
    points_interval,
    points_text,
    share_text,
    significant,
    state_text,
)
from advisor.trials.results import ArmResult, Comparison, TrialResult

__all__ = ["to_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$&])")
# What begins a list, a heading or a rule at the start of a line.
_LEADING = re.compile(r"^(\d{0,9})([#+.)-])(?=\s|[#-]|$)")
# What turns the direction of all that follows on a line.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def to_markdown(result: TrialResult, title: str) -> str:
    """Return the report as Markdown with tables as GitHub has them.

    Args:
        result: What a trial measured.
        title: What the report is called, such as the name of the use case.
    """
    places = standings(result)
    blocks = [f"# {_plain(title)}", _plain(summary(result)), *_verdict(result)]
    blocks += ["## Ways to answer", _arms(places)]
    blocks += [*_curve(result), *_retrieval(places), *_errors(result, places)]
    blocks += ["## What the advisor had said", _plain(advice(result)), *_expected(expectations(result))]
    blocks += [*_claims(result), *_facts(result), *_method(result), *_comparisons(result.comparisons)]
    return "\n\n".join(blocks) + "\n"


def _verdict(result: TrialResult) -> Iterator[str]:
    yield "## Verdict"
    yield f"**{_plain(result.verdict.headline)}**"
    if result.verdict.reasons:
        reasons = enumerate(result.verdict.reasons, start=1)
        yield "\n".join(f"{number}. {_plain(each)}" for number, each in reasons)
    if needed(result):
        yield needed(result)


def _arms(places: Sequence[Standing]) -> str:
    headings = (
        "Way to answer",
        "Quality (95% interval)",
        "Difference to the best",
        "Seconds, median and 95th percentile",
        "Tokens in, out",
        "Training",
        "1,000 answers",
        "A month",
    )
    return _table(headings, map(_arm, places))


def _arm(place: Standing) -> tuple[str, ...]:
    arm = place.result
    marks = [name for name, holds in (("taken", place.taken), ("best measured", place.is_best)) if holds]
    marks += [state_text(arm)] if state_text(arm) else []
    told = f" ({'; '.join(marks)})" if marks else ""
    lead = "the best" if place.is_best else "not compared"
    return (
        f"{arm_name(arm.arm)}{told}",
        share_text(arm.quality) if arm.quality else ABSENT,
        _difference(place.to_best) if place.to_best else lead,
        ", ".join(map(significant, arm.total_s)) if arm.total_s else ABSENT,
        _tokens(arm),
        _training(arm),
        ABSENT if arm.usd_per_1000 is None else dollars(arm.usd_per_1000),
        ABSENT if arm.usd_per_month is None else dollars(arm.usd_per_month),
    )


def _comparisons(comparisons: Sequence[Comparison]) -> Iterator[str]:
    if comparisons:
        yield "## Every difference"
        yield _table(COMPARISON_HEADINGS, map(comparison_cells, comparisons))


def _curve(result: TrialResult) -> Iterator[str]:
    if result.curve:
        yield "## Quality and examples"
        rows = ((f"{count:,}", share_text(figure)) for count, figure in sorted(result.curve.items()))
        yield _table(("Examples trained on", "Quality, fine-tuned"), rows)


def _retrieval(places: Sequence[Standing]) -> Iterator[str]:
    arms = [each.result for each in places if each.result.found]
    if arms:
        yield "## Retrieval"
        headings = (
            "Way to answer",
            "Passages hold the answer",
            "Quality where they do",
            "Quality where they do not",
        )
        rows = (
            (
                arm_name(each.arm),
                *(
                    share_text(figure) if figure else ABSENT
                    for figure in (each.found, each.right_where_found, each.right_where_not)
                ),
            )
            for each in arms
        )
        yield _table(headings, rows)


def _errors(result: TrialResult, places: Sequence[Standing]) -> Iterator[str]:
    shown = looked_at(places)
    kinds = error_kinds(result, shown.result.arm if shown else None)
    if not kinds:
        return
    yield "## Errors"
    metric = _plain(metric_name(answer_metric(result)))
    yield f"Answers that score less than {WRONG_BELOW:g} by {metric}, of those scored."
    asked = [each.result.arm for each in places if each.result.answers]
    rows = (
        (each.name or ALL_KINDS, *(f"{each.wrong[arm][0]} of {each.wrong[arm][1]}" for arm in asked))
        for each in kinds
    )
    yield _table(("Kind of question", *map(arm_name, asked)), rows)


def _expected(rows: Sequence[Expected]) -> Iterator[str]:
    if rows:
        headings = (
            "Approach",
            "Probability of being the best",
            "Expected above prompting",
            "Measured above the best prompt",
            "Measured as",
        )
        yield _table(headings, map(_approach, rows))


def _approach(row: Expected) -> tuple[str, ...]:
    unmeasured = ABSENT if row.arm is None else "the best prompt"
    return (
        approach_name(row.name),
        "not said" if row.probability is None else percent(row.probability),
        "not said" if row.points is None else points_text(row.points),
        _difference(row.measured) if row.measured else unmeasured,
        row.arm.arm.heading if row.arm else ABSENT,
    )


def _claims(result: TrialResult) -> Iterator[str]:
    if result.claims:
        yield "## Claims"
        rows = (
            (each.text, approach_name(each.approach), FINDINGS[each.finding], each.measured or ABSENT)
            for each in claims_by_finding(result.claims)
        )
        yield _table(("Claim", "Of", "Finding", "Numbers"), rows)


def _facts(result: TrialResult) -> Iterator[str]:
    if result.facts:
        yield "## Facts measured"
        rows = ((name, *fact_texts(name, figure)) for name, figure in result.facts.items())
        yield _table(("Name", "Fact", "Value", "95% interval", "Measured on"), rows)


def _method(result: TrialResult) -> Iterator[str]:
    yield "## Method"
    yield "\n".join(f"- **{term}**: {_plain(words)}" for term, words in method(result))
    if result.notes:
        yield "### What to mind"
        yield "\n".join(f"- {_plain(each)}" for each in result.notes)


def _difference(comparison: Comparison) -> str:
    told = comparison.difference
    interval = points_interval(told)
    between = f" ({interval})" if interval else ""
    return (
        f"{points_text(100 * told.value, told.count)}{between}, {p_text(comparison.p_corrected)}: "
        f"{chance_text(comparison)}"
    )


def _tokens(arm: ArmResult) -> str:
    if arm.arm.is_reference and arm.quality:
        return "none"
    tokens = arm.input_tokens, arm.output_tokens
    return ", ".join(map(significant, tokens)) if any(tokens) else ABSENT


def _training(arm: ArmResult) -> str:
    if arm.training is None:
        return "none" if arm.quality and not arm.arm.trains else ABSENT
    cost = "" if arm.training.usd is None else f", {dollars(arm.training.usd)}"
    return f"{duration_text(arm.training.seconds)}{cost}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    r"""Return a text that Markdown shows as it is, on one line.

    >>> print(_plain("<b> a|b"), _plain("1. first"))
    \<b\> a\|b 1\. first
    """
    line = _TURNING.sub("", legal(" ".join(text.split())))
    return _LEADING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line))
