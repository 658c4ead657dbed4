"""Recommendations for people: what to do first, then why, then what could change it.

Shown are messages, since they come from servers as well as from this process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from advisor.cli.cases import told_cases
from advisor.cli.costs import cost_view
from advisor.decision.evidence import Evidence
from advisor.decision.reasons import Reason, reasons_for, rivals
from advisor.decision.recommendation import Score
from advisor.decision.similar import ALIKE
from advisor.knowledge.approaches import APPROACHES, Approach
from advisor.knowledge.facts import fact
from advisor.knowledge.notation import parse_duration
from advisor.v1 import recommendation_pb2 as pb
from advisor.wire.recommendation import (
    approach_from_proto,
    approach_values_from_proto,
    evidence_from_proto,
    score_from_proto,
)

__all__ = ["recommendation_view", "show", "value_form"]

_BAR = 24
_LEAST_BAR = 6
_MEASURED = "corpus_tokens"
"""The fact that importing documents tells."""
_MOST_FOR = 5
_MOST_AGAINST = 3
_LEAST_WEIGHT = 0.5
"""Points below which a reason is told only on demand."""
_LEAST_SHARE = 0.02
"""Of what is drawn for what is unknown, below which an outcome is not told."""
_DURATIONS = ("7d", "12h", "30s", "300ms")
"""Examples of the notation; of a fact those are given that are usual."""
_Told = tuple[float, Reason, Evidence]
"""What a reason weighs, the reason, and the piece of it that speaks."""
_MOST_FLIPS = 5
_MOST_QUESTIONS = 3
_MOST_CASES = 2
_COLOURS = {
    Approach.PROMPTING: "yellow",
    Approach.RAG: "cyan",
    Approach.FINE_TUNING: "magenta",
    Approach.HYBRID: "green",
}


@dataclass(frozen=True, slots=True)
class _Bar:
    """A share as a bar, as long as there is room."""

    share: float
    colour: str = "white"

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(_LEAST_BAR, _BAR).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(_BAR, options.max_width)
        filled = round(self.share * width)
        yield Text("█" * filled, style=self.colour) + Text("░" * (width - filled), style="dim")


def show(
    console: Console, recommendation: pb.Recommendation, *, everything: bool = False, documents: bool = False
) -> None:
    """Print a recommendation.

    Args:
        console: Where to.
        recommendation: What to print.
        everything: Leave nothing out.
        documents: The use case names documents, so nobody need be asked how large they are.
    """
    console.print(recommendation_view(recommendation, everything=everything, documents=documents))


def value_form(name: str, choices: Sequence[str]) -> str:
    """Say how the value of a fact is written: one of the choices, where there are any."""
    item = fact(name)
    if choices:
        return ", ".join((*choices[:-2], " or ".join(choices[-2:])))
    if item.kind == "duration":
        low, high = item.usual
        usual = [text for text in _DURATIONS if low <= parse_duration(text) <= high]
        return f"such as {' or '.join(usual)}"
    return "0 to 1" if item.maximum == 1 else f"number of {item.unit}"


def recommendation_view(
    message: pb.Recommendation, *, everything: bool = False, documents: bool = False
) -> RenderableType:
    """Lay out a recommendation, the most useful first; see `show`."""
    leader = approach_from_proto(message.leader)
    scores = [score_from_proto(score) for score in message.scores]
    evidence = [evidence_from_proto(item) for item in message.evidence]
    reasons = reasons_for(evidence)
    subject = approach_from_proto(message.approach) or leader
    leads = ", which leads" if message.approach == pb.APPROACH_UNDECIDED else ""
    speaking, opposing = _sides(subject, scores, reasons)
    parts: list[RenderableType] = [_headline(message), _expected(message)]
    sections = (
        ("Plan", _plan(message)),
        ("Excluded", _vetoes(message)),
        ("Mind", _lines(warning.text for warning in message.warnings)),
        (
            f"For {subject}{leads} (points against the others)",
            _reasons(speaking, None if everything else _MOST_FOR),
        ),
        (f"Against {subject}", _reasons(opposing, None if everything else _MOST_AGAINST)),
        ("What would change it", _flips(message, None if everything else _MOST_FLIPS)),
        ("Robustness", _robustness(message)),
        (
            "Worth finding out, and stating under facts in the use-case file",
            _questions(message, None if everything else _MOST_QUESTIONS, documents=documents),
        ),
        (
            "Scored against the trade-offs (points above PROMPTING)",
            _scorecard(message, everything=everything),
        ),
        ("Cost", cost_view(message, everything=everything)),
        ("Published cases like this one", _cases_like(message, everything=everything)),
        ("Published cases nearest to this one", _cases_unlike(message) if everything else None),
    )
    for title, body in sections:
        if body is not None:
            parts += [Text(f"\n{title}", style="bold"), Padding(body, (0, 0, 0, 2))]
    if everything:
        parts.append(Text(f"\n{_versions(message)}", style="dim"))
    return Group(*parts)


def _headline(message: pb.Recommendation) -> Text:
    approach = approach_from_proto(message.approach)
    name = approach or "UNDECIDED"
    text = Text()
    text.append(name, style=f"bold {_COLOURS[approach] if approach else 'white'}")
    if message.summary:
        said = message.summary.removeprefix(name).removeprefix("Undecided:").lstrip()
        text.append(f" {said}" if said.startswith("(") else f": {said}")
    return text


def _expected(message: pb.Recommendation) -> Table:
    """Show what each approach is expected to reach, and how likely it is to be best."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", overflow="fold")
    table.add_column("")
    for heading in ("chance of best", "points", "four in five"):
        table.add_column(heading, justify="right", overflow="fold")
    for score in message.scores:
        approach = approach_from_proto(score.approach)
        if approach is None:
            continue
        told = (f"{score.probability:.0%}", f"{score.points:+.1f}") if score.feasible else ("excluded", "")
        ends = score.expected_quality
        among = (
            f"{ends.lower:+.0f} to {ends.upper:+.0f}" if score.feasible and ends.lower < ends.upper else ""
        )
        taken = "→" if score.approach == message.approach else " "
        table.add_row(f"{taken} {approach}", _Bar(score.probability, _COLOURS[approach]), *told, among)
    return table


def _plan(message: pb.Recommendation) -> RenderableType | None:
    if not message.plan:
        return None
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for number, step in enumerate(message.plan, 1):
        table.add_row(f"{number}.", step.text)
        for advice in step.advice:
            table.add_row("•", advice.text)
    return table


def _vetoes(message: pb.Recommendation) -> RenderableType | None:
    said = (f"{', '.join(_name(each) for each in veto.approaches)}: {veto.reason}" for veto in message.vetoes)
    return _lines(dict.fromkeys(said))  # two thresholds of one fact may say the same


def _sides(
    subject: Approach | None, scores: Sequence[Score], reasons: Iterable[Reason]
) -> tuple[list[_Told], list[_Told]]:
    """Return the reasons that speak for an approach and those against it, each the heaviest first."""
    if subject is None:
        return [], []
    others = rivals(scores, subject)
    told = [(reason.favour(subject, others), reason, reason.speaking(subject, others)) for reason in reasons]
    told.sort(key=lambda each: -abs(each[0]))
    return [each for each in told if each[0] > 0], [each for each in told if each[0] <= 0]


def _reasons(told: Sequence[_Told], most: int | None) -> RenderableType | None:
    """Show reasons with what they weigh; on demand also the words of their lighter pieces."""
    heavy = [each for each in told if most is None or abs(each[0]) >= _LEAST_WEIGHT][:most]
    if not heavy:
        return None
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for weight, reason, spoken in heavy:
        table.add_row(f"{weight:+.1f}", _worded(spoken))
        for item in reason.evidence if most is None else ():
            if item is not spoken:
                table.add_row("", _worded(item))
    if len(told) > len(heavy):
        table.add_row("", Text(f"and {len(told) - len(heavy)} lighter: see --all", style="dim"))
    return table


def _worded(item: Evidence) -> Text:
    sources = ", ".join(dict.fromkeys(source.id for source in item.sources))
    upkeep = "upkeep: " if item.is_upkeep else ""
    return Text.assemble((upkeep, "dim"), item.reason, (f" [{sources}]" if sources else "", "dim"))


def _flips(message: pb.Recommendation, most: int | None) -> RenderableType | None:
    if not message.flips and message.leader != pb.APPROACH_UNSPECIFIED:
        return Text("No plausible change of one fact alone; it would take several at once.")
    return _lines(flip.sentence for flip in message.flips[:most])


def _robustness(message: pb.Recommendation) -> RenderableType | None:
    all_known = not message.unconsidered_rules and not message.questions
    if all_known or message.leader == pb.APPROACH_UNSPECIFIED:
        return None
    robustness = message.robustness
    shares = dict(zip(APPROACHES, approach_values_from_proto(robustness.shares), strict=True))
    taken = [(share, f"{name} is taken") for name, share in shares.items()]
    taken.append((1.0 - sum(shares.values()), "nothing is decided"))
    told = [f"{what} in {share:.0%}" for share, what in sorted(taken, reverse=True) if share >= _LEAST_SHARE]
    drawn = f"With all that is unknown drawn at random {robustness.worlds} times, and upkeep counted"
    return Text(f"{drawn}, {', '.join(told)}.")


def _questions(message: pb.Recommendation, most: int | None, *, documents: bool) -> RenderableType | None:
    open_questions = [each for each in message.questions if not (documents and each.fact == _MEASURED)]
    return _lines(
        Text.assemble(
            f"{question.text}\n{question.fact}: {value_form(question.fact, question.choices)}.",
            (f" {question.measure}", "dim"),
        )
        for question in open_questions[:most]
    )


def _scorecard(message: pb.Recommendation, *, everything: bool) -> RenderableType | None:
    """Show what each trade-off comes to, in two sums; on demand with all the evidence that it opens into."""
    card = message.scorecard
    if not card.quality:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", overflow="fold")
    for name in APPROACHES:
        table.add_column(name, justify="right", overflow="fold")
    pieces = {item.id: item.points for item in message.evidence} if everything else {}
    for title, rows, total in (
        ("quality", card.quality, card.quality_points),
        ("upkeep", card.upkeep, card.upkeep_points),
    ):
        for row in rows:
            table.add_row(row.title, *_cells(row.points))
            for identifier in row.evidence_ids:
                if identifier in pieces:
                    table.add_row(f"  {identifier}", *_cells(pieces[identifier]), style="dim")
        table.add_row(title, *_cells(total), style="bold")
    return table


def _cells(values: pb.ApproachValues) -> list[str]:
    numbers = (values.prompting, values.rag, values.fine_tuning, values.hybrid)
    return [f"{number:+.1f}" if round(number, 1) else "0" for number in numbers]


def _cases_like(message: pb.Recommendation, *, everything: bool) -> RenderableType | None:
    alike = [case for case in message.similar_cases if case.similarity >= ALIKE]
    if not (alike or everything) and message.similar_cases:
        return Text("None is close; the nearest are shown by --all.")
    return _lines(told_cases(alike[: None if everything else _MOST_CASES], everything=everything))


def _cases_unlike(message: pb.Recommendation) -> RenderableType | None:
    others = [case for case in message.similar_cases if case.similarity < ALIKE]
    return _lines(told_cases(others, everything=True))


def _name(approach: pb.Approach) -> str:
    return approach_from_proto(approach) or "no approach"


def _versions(message: pb.Recommendation) -> str:
    versions = message.versions
    classifier = f", classifier {versions.classifier}" if versions.classifier else ""
    return f"advisor {versions.advisor}, rules {versions.rules}{classifier}"


def _lines(lines: Iterable[str | Text]) -> RenderableType | None:
    table = _grid(2)
    for line in lines:
        table.add_row("•", Text(line) if isinstance(line, str) else line)
    return table if table.row_count else None


def _grid(columns: int) -> Table:
    """Return columns without lines between them; words that are longer than theirs are folded, never cut."""
    table = Table.grid(padding=(0, 1))
    for _ in range(columns):
        table.add_column(overflow="fold")
    return table
