"""Recommendations for people: what to do first, then why, then what could change it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.evidence import APPROACHES
from advisor.recommendation import approach_name
from advisor.v1 import recommendation_pb2 as pb

__all__ = ["recommendation_view", "show"]

_BAR = 24
_MOST_EVIDENCE = 6
_MOST_FLIPS = 5
_MOST_QUESTIONS = 3
_COLOURS = {"PROMPTING": "yellow", "RAG": "cyan", "FINE_TUNING": "magenta", "HYBRID": "green"}


def show(console: Console, recommendation: pb.Recommendation, *, everything: bool = False) -> None:
    """Print a recommendation; `everything` leaves nothing out."""
    console.print(recommendation_view(recommendation, everything=everything))


def recommendation_view(message: pb.Recommendation, *, everything: bool = False) -> RenderableType:
    """Lay out a recommendation, the most useful first."""
    parts: list[RenderableType] = [_headline(message), _probabilities(message)]
    sections = (
        ("Excluded", _vetoes(message)),
        ("Why", _evidence(message, None if everything else _MOST_EVIDENCE)),
        ("Mind", _warnings(message)),
        ("What would change it", _flips(message, None if everything else _MOST_FLIPS)),
        ("Worth finding out", _questions(message, None if everything else _MOST_QUESTIONS)),
        ("Trade-offs", _criteria(message)),
        ("Cost", _cost(message, everything=everything)),
        ("Published cases like this one", _cases(message)),
    )
    for title, body in sections:
        if body is not None:
            parts += [Text(f"\n{title}", style="bold"), Padding(body, (0, 0, 0, 2))]
    if everything:
        parts.append(Text(f"\n{_versions(message)}", style="dim"))
    return Group(*parts)


def _headline(message: pb.Recommendation) -> Text:
    name = approach_name(message.approach)
    text = Text()
    text.append(name.replace("_", " "), style=f"bold {_COLOURS.get(name, 'white')}")
    if message.summary:
        summary = message.summary.removeprefix(f"{name} ").removeprefix("Undecided: ")
        text.append(f"  {summary}")
    return text


def _probabilities(message: pb.Recommendation) -> Table:
    table = Table.grid(padding=(0, 1))
    for score in message.scores:
        name = approach_name(score.approach)
        share = f"{score.probability:4.0%}" if score.feasible else "excluded"
        table.add_row(Text(f"  {name}"), _bar(score.probability, _COLOURS[name]), share)
    return table


def _bar(share: float, colour: str = "white") -> Text:
    filled = round(share * _BAR)
    return Text("█" * filled, style=colour) + Text("░" * (_BAR - filled), style="dim")


def _vetoes(message: pb.Recommendation) -> RenderableType | None:
    return _lines(
        f"{', '.join(approach_name(each) for each in veto.approaches)}: {veto.reason}"
        for veto in message.vetoes
    )


def _evidence(message: pb.Recommendation, most: int | None) -> RenderableType | None:
    """Show what sets the leader apart from the runner-up, heaviest first."""
    items = [item for item in message.evidence if item.kind != pb.Evidence.KIND_PRIOR]
    if not items:
        return None
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for item in items[:most]:
        sources = "; ".join(dict.fromkeys(source.id for source in item.sources))
        reason = Text(item.reason)
        reason.append(f"  [{sources}]" if sources else "", style="dim")
        table.add_row(_strongest(item), reason)
    if most is not None and len(items) > most:
        table.add_row(
            "", Text(f"and {len(items) - most} lighter pieces of evidence; --all shows them", style="dim")
        )
    return table


def _strongest(item: pb.Evidence) -> Text:
    """Name the approach that a piece of evidence moves most, and by how much."""
    values = _numbers(item.log_odds)
    position = max(range(len(values)), key=lambda index: abs(values[index]))
    name = APPROACHES[position]
    return Text(f"{values[position]:+.2f} {name}", style=_COLOURS[name])


def _numbers(values: pb.ApproachValues) -> tuple[float, ...]:
    """Return the values in the order of `APPROACHES`."""
    return (values.prompting, values.rag, values.fine_tuning, values.hybrid)


def _criteria(message: pb.Recommendation) -> RenderableType | None:
    if not message.criteria:
        return None
    table = Table.grid(padding=(0, 1))
    for score in message.criteria:
        name = pb.Criterion.Name(score.criterion).removeprefix("CRITERION_").lower()
        if not score.HasField("value"):
            table.add_row(name, Text("?" * _BAR, style="dim"), Text("unknown", style="dim"))
            continue
        known = [factor.fact for factor in score.factors if factor.HasField("value")]
        span = f"{score.value:.2f}  (could be {score.lower:.2f} to {score.upper:.2f})"
        note = Text(f"{span if score.upper - score.lower > 0.005 else f'{score.value:.2f}'}  ")
        note.append(f"from {', '.join(known)}", style="dim")
        table.add_row(name, _bar(score.value), note)
    return table


def _flips(message: pb.Recommendation, most: int | None) -> RenderableType | None:
    return _lines(flip.sentence for flip in message.flips[:most])


def _questions(message: pb.Recommendation, most: int | None) -> RenderableType | None:
    if not message.questions:
        return None
    lines = [f"{question.text} {question.measure}" for question in message.questions[:most]]
    share, worlds = message.robustness.leader_share, message.robustness.worlds
    leader = approach_name(message.leader)
    lines.append(f"{leader} leads in {share:.0%} of {worlds} worlds drawn for what is unknown.")
    return _lines(lines)


def _warnings(message: pb.Recommendation) -> RenderableType | None:
    return _lines(warning.text for warning in message.warnings)


def _cost(message: pb.Recommendation, *, everything: bool) -> RenderableType | None:
    if not message.HasField("cost"):
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "per answer", "per month", "training run", "tokens a query"):
        table.add_column(heading, justify="left" if not heading else "right")
    for cost in message.cost.approaches:
        run = f"${cost.training_run_usd:,.2f}" if cost.training_run_usd else "-"
        table.add_row(
            approach_name(cost.approach),
            f"${cost.per_answer_usd:,.5f}",
            f"${cost.per_month_usd:,.2f}",
            run,
            f"{cost.tokens_per_query:,.0f}",
        )
    parts: list[RenderableType] = [table, Text(message.cost.summary)]
    assumed = message.cost.assumptions
    if everything:
        parts += [Text(f"assumed {each.name} = {each.value}: {each.reason}", style="dim") for each in assumed]
    elif assumed:
        parts.append(
            Text(f"assumed: {', '.join(each.name for each in assumed)}; --all shows the values", style="dim")
        )
    return Group(*parts)


def _cases(message: pb.Recommendation) -> RenderableType | None:
    def line(case: pb.SimilarCase) -> str:
        scores = ", ".join(f"{each.arm} {'+' if each.gain else ''}{each.value:g}" for each in case.scores)
        won = f"{approach_name(case.best)} won ({scores or 'no scores published'})"
        return f"{case.id}: {won}; {case.source.reference}"

    return _lines(line(case) for case in message.similar_cases)


def _versions(message: pb.Recommendation) -> str:
    versions = message.versions
    classifier = f", classifier {versions.classifier}" if versions.classifier else ""
    return f"advisor {versions.advisor}, rules {versions.rules}{classifier}"


def _lines(lines: Iterable[str] | Sequence[str]) -> RenderableType | None:
    table = Table.grid(padding=(0, 1))
    for line in lines:
        table.add_row("•", Text(line))
    return table if table.row_count else None
