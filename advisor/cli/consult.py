"""`advisor consult`: one question after the other, until the decision is stable.

What was said can be kept as a use-case file, so that it can be corrected, completed
and asked about again. The conversation is no data: with --json only the
recommendation goes to standard output.
"""

from __future__ import annotations

import glob
from collections.abc import Set
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from advisor.cli.init import material_lines, tell_of_unreadable
from advisor.cli.output import JsonOption, notices, print_json, values_of
from advisor.cli.render import show, value_form
from advisor.cli.rules import RulesOption, advisor_with
from advisor.decision.consultation import Consultation
from advisor.decision.explanation import Question
from advisor.decision.recommendation import Recommendation
from advisor.errors import InvalidInput
from advisor.knowledge.facts import encode_facts, fact, facts, facts_from_mapping, value_to_notation
from advisor.knowledge.identity import new_id
from advisor.knowledge.usecasefile import UseCaseFile, read_use_case
from advisor.profiling.files import known_of
from advisor.v1 import facts_pb2
from advisor.wire.recommendation import recommendation_to_proto

__all__ = ["consult", "use_case_text"]

SaveOption = Annotated[
    Path | None, typer.Option("--save", help="Use-case file to write, with what was said.", dir_okay=False)
]


def consult(
    file: Annotated[Path | None, typer.Argument(help="Use-case file to start from.")] = None,
    rules: RulesOption = None,
    max_questions: Annotated[int, typer.Option(help="Most questions to ask; 0 for no limit.")] = 0,
    save: SaveOption = None,
    force: Annotated[bool, typer.Option("--force", help="Let --save write over a file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask the most informative question next, until the decision is stable."""
    if save and save.exists() and not force:
        raise InvalidInput.of("--save", f"{save} is there already; choose another name, or add --force")
    if save and not save.absolute().parent.is_dir():
        raise InvalidInput.of("--save", f"there is no folder {save.parent}; make it first")
    case = read_use_case(file) if file else None
    console = notices() if as_json else Console()
    known = known_of(case)[0] if case else facts_pb2.Facts()
    counted = {field.name for field, _ in known.ListFields() if case and not case.facts.HasField(field.name)}
    consultation = Consultation(advisor_with(rules), known, max_questions)
    recommendation = recommendation_to_proto(_converse(console, consultation))
    if as_json:
        print_json(values_of(recommendation))
    else:
        show(console, recommendation, documents=bool(case and case.documents))
    if save:
        said = _without(consultation.facts, counted)
        save.write_text(use_case_text(said, case, save.absolute()), encoding="utf-8")
        if case is None:
            tell_of_unreadable(save.absolute().parent)
        notices().print(f"\nSaved: {save}. Next: advisor recommend {save}", markup=False, soft_wrap=True)
    elif console.is_terminal:
        notices().print("\n--save FILE keeps what was said, for advisor recommend FILE.", markup=False)


def use_case_text(known: facts_pb2.Facts, case: UseCaseFile | None, path: Path) -> str:
    """Return a use-case file of what is known, with the question that each fact answers beside it.

    Args:
        known: The facts.
        case: The file that the conversation began with, whose other keys are kept.
        path: The new file: its paths start in its folder. It has an id of its own, unless it is the same file.
    """
    folder = path.parent
    same = case is not None and case.path.absolute() == path
    lines = ["# Written by advisor consult. Correct it, add to it, and give it to advisor recommend."]
    lines.append(_yaml({"id": (case.id if case and same else None) or new_id(path)}))
    if case is not None and case.description:
        lines.append(_yaml({"description": case.description}))
    row = encode_facts(known)
    said = [(item, float(number)) for item, number in zip(facts(), row, strict=True) if number == number]
    lines.append("facts:" if said else "facts: {}")
    for item, number in said:
        lines += [f"  # {item.question}", f"  {item.name}: {value_to_notation(item, number)}"]
    if case is not None and case.patterns:
        lines.append(_yaml({"documents": [_pattern(each, case, folder) for each in case.patterns]}))
    if case is not None and case.examples:
        lines.append(_yaml({"examples": _path(case.examples, folder)}))
    if case is None:
        lines += ["", *material_lines(folder)]
    return "\n".join(lines) + "\n"


def _without(known: facts_pb2.Facts, counted: Set[str]) -> facts_pb2.Facts:
    """Return facts less those that were counted from what a file lists, and that would be counted anew."""
    said = facts_pb2.Facts()
    said.CopyFrom(known)
    for name in counted:
        said.ClearField(name)
    return said


def _converse(console: Console, consultation: Consultation) -> Recommendation:
    """Ask until nothing is left to ask, or nobody answers; return what is recommended then."""
    console.print(
        "Answer each question. ? tells how to find out, Enter skips it, Ctrl-D ends.\n", style="dim"
    )
    step = consultation.next()
    reason = step.stop_reason
    try:
        while step.question is not None:
            _ask(console, consultation, step.question, step.questions_asked)
            step = consultation.next()
            reason = step.stop_reason
            console.print(f"   {_standing(step.recommendation)}\n", style="dim")
    except EOFError:  # Ctrl-D, or the end of a script: what is known by now is what there is
        console.print()
        reason = "the input has ended"
    console.print(f"Done: {reason}.\n", style="dim")
    return step.recommendation


def _pattern(written: str, case: UseCaseFile, folder: Path) -> str:
    """Return a path or pattern of a use-case file as a file in another folder writes it."""
    start = case.path.absolute().parent
    if start == folder or Path(written).is_absolute():
        return written
    # A file or a folder that is there is meant by its name, whatever signs are in it.
    is_pattern = glob.has_magic(written) and not (start / written).exists()
    there = _path(start, folder)
    return f"{glob.escape(there) if is_pattern else there}/{written}"


def _path(path: Path, folder: Path) -> str:
    full = path.absolute()
    return str(full.relative_to(folder)) if full.is_relative_to(folder) else str(full)


def _yaml(values: dict[str, object]) -> str:
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=100).rstrip()


def _ask(console: Console, consultation: Consultation, question: Question, number: int) -> None:
    """Ask until the answer is allowed or declined; a question mark is answered by how to find out."""
    form = value_form(question.fact, question.choices)
    console.print(f"{number}. {question.text} ({form})", markup=False)
    while True:
        reply = console.input("   > ").strip()
        if not reply:
            consultation.answer(facts_pb2.Facts(), [question.fact])
            return
        if reply == "?":
            console.print(Padding(Text(question.measure), (0, 0, 0, 3)))
            continue
        try:
            consultation.answer(facts_from_mapping({question.fact: _value(question.fact, reply)}))
        except InvalidInput as error:
            console.print(f"   {error.violations[0].description}", style="red")
        else:
            return


def _value(name: str, reply: str) -> object:
    if fact(name).kind == "flag":
        return {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}.get(
            reply.lower(), reply
        )
    return reply.upper() if fact(name).kind == "choice" else reply


def _standing(recommendation: Recommendation) -> str:
    feasible = (score for score in recommendation.scores if score.feasible)
    return ", ".join(f"{score.approach} {score.probability:.0%}" for score in feasible)
