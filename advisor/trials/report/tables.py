"""Tables of the page: the arms, their metrics, and every difference between two of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from advisor.decision.prices import dollars
from advisor.trials.report.markup import Html, element, joined
from advisor.trials.report.plots import bar
from advisor.trials.report.standings import Standing
from advisor.trials.report.wording import (
    ABSENT,
    COMPARISON_HEADINGS,
    approach_name,
    arm_name,
    bytes_text,
    chance_text,
    comparison_cells,
    duration_text,
    interval_text,
    p_text,
    percent,
    points_interval,
    points_text,
    seconds_text,
    significant,
    state_text,
)
from advisor.trials.results import ArmResult, Comparison, Figure, TrialResult
from backends.counts import counted

__all__ = [
    "absent",
    "arms_table",
    "comparisons_table",
    "difference",
    "mark_of",
    "metrics_table",
    "scrolled",
    "share",
    "table",
]


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Collection[int] = (),
    stacked: bool = False,
) -> Html:
    """Return a table; the first cell of each row is its heading.

    Args:
        caption: What it shows.
        headings: Of its columns.
        rows: Cells, as many as headings.
        numbers: Columns whose cells are numbers.
        stacked: Whether a narrow page shows the cells of a row one below the other, each with its heading.
    """
    kinds = ["number" if column in numbers else None for column in range(len(headings))]
    head = (element("th", name, scope="col", class_=kind) for name, kind in zip(headings, kinds, strict=True))
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *(_row(cells, headings if stacked else (), kinds) for cells in rows)),
        class_="stacked" if stacked else None,
    )


def arms_table(places: Sequence[Standing]) -> Html:
    """Return the table that everything else explains: each arm's quality, time and cost, and how far from the best."""
    headings = (
        "Way to answer",
        "Quality",
        "Difference to the best",
        "Seconds, median, 95th percentile",
        "Tokens in, out",
        "Training",
        "1,000 answers",
        "A month",
    )
    return table(
        "Quality as a bar, with its 95% interval as a line. A month includes training and hosting.",
        headings,
        (_arm_row(each) for each in places),
        numbers=(3, 4, 6, 7),
        stacked=True,
    )


def metrics_table(places: Sequence[Standing], result: TrialResult) -> Html:
    """Return every metric of every arm, with what else was measured of it."""
    arms = [each.result for each in places]
    names = list(dict.fromkeys(name for arm in arms for name in arm.metrics))
    rows = (
        (
            arm_name(arm.arm),
            *(share(arm.metrics.get(name)) for name in names),
            *(told(arm) for told in _MORE.values()),
        )
        for arm in arms
    )
    headings = ("Way to answer", *(_metric_heading(name, result.metric) for name in names), *_MORE)
    return table(
        "Over the questions asked, with 95% intervals.",
        headings,
        rows,
        numbers=range(1, len(headings)),
        stacked=True,
    )


def comparisons_table(comparisons: Iterable[Comparison]) -> Html:
    """Return the difference between every two arms that were compared."""
    return table(
        "On the questions that both were asked; better on: the number of questions with a higher score.",
        COMPARISON_HEADINGS,
        map(comparison_cells, comparisons),
        numbers=range(2, 8),
    )


def share(figure: Figure | None, kind: str = "") -> Html:
    """Return a share with its interval, and as a bar where it is given a kind; one that is absent says so."""
    if figure is None:
        return absent()
    interval = interval_text(figure)
    parts = [element("strong", percent(figure.value, figure.count))]
    parts += [element("span", interval, class_="interval")] if interval else []
    return joined((*parts, bar(figure, kind))) if kind else joined(parts)


def difference(comparison: Comparison) -> Html:
    """Return a difference in points with its interval, its corrected p-value and what that says."""
    told = comparison.difference
    interval = points_interval(told)
    return joined(
        (
            element("strong", points_text(100 * told.value, told.count)),
            *((element("span", interval, class_="interval"),) if interval else ()),
            element("small", f"{p_text(comparison.p_corrected)}: {chance_text(comparison)}"),
        )
    )


def scrolled(name: str, content: Html) -> Html:
    """Return content that is scrolled by itself where the page is too narrow for it."""
    return element("div", content, class_="scroll", tabindex=0, role="region", aria_label=name)


def absent(why: str = ABSENT) -> Html:
    """Return what stands where there is no number."""
    return element("span", why, class_="absent")


def mark_of(place: Standing) -> str:
    """Return how an arm is marked in bars and plots: filled for what the advisor recommends, hollow for the rest."""
    if place.taken:
        return "taken"
    return "approach" if place.result.arm.approach else "other"


def _row(cells: Sequence[str], headings: Sequence[str], kinds: Sequence[str | None]) -> Html:
    first, *rest = cells
    labels: Sequence[str | None] = headings[1:] or [None] * len(rest)
    others = (
        element("td", cell, class_=kind, data_label=label)
        for cell, label, kind in zip(rest, labels, kinds[1:], strict=True)
    )
    return element("tr", element("th", first, scope="row"), *others)


def _arm_row(place: Standing) -> tuple[str, ...]:
    arm = place.result
    return (
        _arm_heading(place),
        share(arm.quality, mark_of(place)),
        _to_best(place),
        _seconds(arm),
        _tokens(arm),
        _training(arm),
        _dollars(arm, arm.usd_per_1000),
        _dollars(arm, arm.usd_per_month),
    )


def _arm_heading(place: Standing) -> Html:
    arm = place.result
    marks = [name for name, holds in (("taken", place.taken), ("best measured", place.is_best)) if holds]
    parts = [element("span", str(place.number), class_="key"), Html(" "), joined((arm_name(arm.arm),))]
    parts += [joined((" ", element("span", mark, class_="mark"))) for mark in marks]
    if state_text(arm):
        parts.append(element("small", state_text(arm), dir="auto"))
    elif arm.arm.approach and approach_name(arm.arm.approach) != arm.arm.heading:
        parts.append(element("small", approach_name(arm.arm.approach)))
    elif arm.arm.is_reference:
        parts.append(element("small", "line of reference, no language model"))
    return joined(parts)


def _dollars(arm: ArmResult, amount: float | None) -> str:
    if amount is None:
        return absent("not known") if arm.quality else absent()
    return dollars(amount)


def _to_best(place: Standing) -> Html:
    if place.to_best:
        return difference(place.to_best)
    return element("span", "the best") if place.is_best else absent("not compared")


def _seconds(arm: ArmResult) -> Html:
    if arm.total_s is None:
        return absent()
    median, late = (significant(each) for each in arm.total_s)
    return joined((f"{median}, {late}",))


def _tokens(arm: ArmResult) -> Html:
    if not arm.input_tokens and not arm.output_tokens:
        return _lacking(arm, applies=not arm.arm.is_reference)
    return joined((f"{significant(arm.input_tokens)}, {significant(arm.output_tokens)}",))


def _training(arm: ArmResult) -> Html:
    if arm.training is None:
        return _lacking(arm, applies=arm.arm.trains)
    took = arm.training
    cost = "" if took.usd is None else f", {dollars(took.usd)}"
    return joined(
        (
            f"{duration_text(took.seconds)}{cost}",
            element("small", f"{counted(took.examples, 'example')}, {counted(took.tokens, 'token')}"),
        )
    )


def _metric_heading(name: str, trial_metric: str) -> str:
    return f"{name} (quality)" if name == trial_metric else name


def _first_token(arm: ArmResult) -> Html:
    if arm.first_token_s is None:
        return _lacking(arm, applies=not arm.arm.is_reference)
    return joined((", ".join(map(seconds_text, arm.first_token_s)),))


def _index(arm: ArmResult) -> Html:
    if arm.index_bytes is None:
        return _lacking(arm, applies=arm.arm.retrieves)
    return joined((bytes_text(arm.index_bytes),))


def _loss(arm: ArmResult) -> Html:
    loss = arm.training.held_out_loss if arm.training else None
    return _lacking(arm, applies=arm.arm.trains) if loss is None else joined((significant(loss, 3),))


def _forgotten(arm: ArmResult) -> Html:
    return share(arm.forgotten) if arm.forgotten else _lacking(arm, applies=arm.arm.trains)


def _memory(arm: ArmResult) -> Html:
    trained = arm.training.memory_bytes if arm.training else None
    sizes = [bytes_text(size) for size in (arm.memory_bytes, trained) if size is not None]
    return joined((", ".join(sizes),)) if sizes else absent()


def _lacking(arm: ArmResult, *, applies: bool) -> Html:
    """Return what stands for a number that an arm cannot have, or that was not measured."""
    return absent() if applies or not arm.quality else absent("none")


_MORE = {
    "First token, median and 95th percentile": _first_token,
    "Index": _index,
    "Held-out loss of training, nats a token": _loss,
    "General questions forgotten": _forgotten,
    "Memory of the worker: asking, training": _memory,
}
