"""`advisor demo`: two use cases decided, carried out and measured over gRPC, on data that installed packages carry.

Each lies in a folder under `examples/`: `use-case.yaml` says what it is, and
`source.py` reads its data when asked. The demo has a data folder of its own, which
stays: what was imported and trained is used again by the next run.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from advisor.cli.demo_sources import PACKAGES, SETTINGS, examples_folder, load_source
from advisor.cli.extras import require_server
from advisor.cli.operations import show_adapter, show_progress
from advisor.cli.output import place_of, progress_text
from advisor.cli.render import show
from advisor.cli.samples import write_samples
from advisor.cli.trialtables import follow_trial, show_trial
from advisor.errors import AlreadyExists, NotFound
from advisor.knowledge.usecasefile import UseCaseFile, read_use_case
from advisor.metrics.proportions import Mark, verdict
from advisor.names import adapter_name, is_within, trial_name
from advisor.v1 import use_case_pb2
from backends.base import Example
from backends.counts import counted
from backends.generation.engine import TOGETHER

if TYPE_CHECKING:  # the client needs gRPC, which deciding does not
    from advisor.client import AnswerStream, Client, OperationFuture

__all__ = ["register"]

WIDTH = 100
RETRIEVING: dict[str, Any] = {"approach": "RAG", "max_output_tokens": 32, "passages": 2}
"""Chosen on questions that are not among those shown: of three passages the small model mixes things up."""
PROMPTING: dict[str, Any] = {"approach": "PROMPTING", "max_output_tokens": 32}
LABELLING: dict[str, Any] = {"max_output_tokens": 10}
TUNING: dict[str, Any] = {"epochs": 2, "learning_rate": 1e-3, "batch_size": 8}
"""The defaults, but for an epoch less, to keep the demo short; not chosen on the rows shown."""

FreshOption = Annotated[
    bool, typer.Option("--fresh", help="Forget what an earlier run imported and trained.")
]

WriteOption = Annotated[
    Path | None,
    typer.Option("--write", help="Write the examples with their data into this folder, and do nothing else."),
]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("demo", rich_help_panel="Carry out")(demo)


def demo(fresh: FreshOption = False, write: WriteOption = None) -> None:
    """Decide two real use cases and carry them out, one by retrieval, one by a LoRA fine-tune; measure the second."""
    require_server("demo")
    if write is not None:
        for path in write_samples(write):
            typer.echo(path)
        return
    from advisor.cli.connection import own_client
    from advisor.settings import read_settings

    began = time.monotonic()
    settings = read_settings()
    console = _console()
    with ExitStack() as stack:
        with console.status("starting a server"):
            address, client = stack.enter_context(own_client(data_dir=settings.data_dir / "demo"))
        console.print(f"A gRPC server listens on {address}. What follows asks it, as any client would.")
        _retrieve(console, client, fresh=fresh)
        trial = _fine_tune(console, client, settings.generator, fresh=fresh)
        report = settings.data_dir / "demo" / "trial.html"
        report.write_bytes(client.trials.report(trial))
    _close(console, report, time.monotonic() - began)


def _retrieve(console: Console, client: Client, *, fresh: bool) -> None:
    case, source = _begin(console, client, "1. Knowledge that changes", PACKAGES, fresh=fresh)
    _import_documents(console, client, case, source)
    asked = source.questions()
    console.print(
        f"\n{counted(len(asked), 'question')}, made by rule from the headers; right is what holds the right words.\n"
    )
    began = time.monotonic()
    texts = [question.question for question in asked]
    both = [(text, way) for text in texts for way in (RETRIEVING, PROMPTING)]
    answers = _answers(console, client, case.stored_id, both)
    marks = [
        _show_answers(console, source, question, retrieved, prompted)
        for question, retrieved, prompted in zip(asked, answers, answers, strict=False)
    ]
    console.print(verdict("RAG", [mark for mark, _ in marks]))
    found = sum(hit for _, hit in marks)
    console.print(f"The sentence that tells was among the passages for {found} of {len(marks)}.")
    console.print("\nAnd questions that the documents hold no answer to:\n")
    others = source.unanswerable()
    answers = _answers(console, client, case.stored_id, [(text, RETRIEVING) for text in others])
    refused = [_show_refusal(console, *each) for each in zip(others, answers, strict=True)]
    console.print(f"RAG said so for {sum(refused)} of {len(refused)}. {_took(began)}", style="dim")


def _fine_tune(console: Console, client: Client, generator: str, *, fresh: bool) -> str:
    """Decide, train, ask and measure; return the name of the trial."""
    case, source = _begin(console, client, "2. A fixed form", SETTINGS, fresh=fresh)
    examples, asked = source.examples(), source.questions()
    held_out = [replace(each, held_out=True) for each in asked]
    imported = client.import_examples(case.stored_id, [*examples, *held_out], mirror=True)
    console.print(
        f"{counted(imported.imported, 'example')} imported, {imported.unchanged:,} unchanged; "
        f"{counted(len(asked), 'row')} of them held out."
    )
    adapter = _adapter(console, client, case, examples, generator)
    began = time.monotonic()
    texts = [each.question for each in asked]
    labelling = {"approach": "FINE_TUNING", "adapter": adapter, **LABELLING}
    tuned = [
        each.text for each in _answers(console, client, case.stored_id, [(text, labelling) for text in texts])
    ]
    # A use case of its own for the plain prompt: it has the same examples, and instructions that name the labels.
    prompted = f"{case.stored_id}-prompted"
    _create(client, prompted, source.prompt(), case, fresh=fresh)
    client.import_examples(prompted, examples, mirror=True)
    labelling = {"approach": "PROMPTING", **LABELLING}
    plain = [each.text for each in _answers(console, client, prompted, [(text, labelling) for text in texts])]
    console.print(f"\n{counted(len(asked), 'held-out setting')}; right is the very label.\n")
    console.print(_labels(source, asked, tuned, plain))
    marks = [
        Mark(source.is_right(one, each.answer), source.is_right(other, each.answer))
        for each, one, other in zip(asked, tuned, plain, strict=True)
    ]
    console.print(f"\n{verdict('the tuned model', marks)}")
    console.print(f"The plain prompt names all labels and shows eight examples. {_took(began)}", style="dim")
    return _prove(console, client, case, [*examples, *held_out], generator)


def _prove(
    console: Console, client: Client, case: UseCaseFile, examples: Sequence[Example], generator: str
) -> str:
    """Measure the approaches against each other on the rows held out, or show what an earlier run measured of them."""
    trial_id = f"demo-{_digest(case, examples, generator)}"
    name, began = trial_name(case.stored_id, trial_id), time.monotonic()
    console.print("\n", Rule("3. The proof: every approach on the same held-out rows", align="left"), sep="")
    try:
        future = client.trials.run(case.stored_id, trial_id=trial_id, tuning=TUNING)
        follow_trial(console, future)
        future.result()
    except AlreadyExists as taken:
        if taken.operation:  # a run that was cut short left it in the making
            follow_trial(console, client.operation(taken.operation))
    show_trial(console, client.trials.get(name))
    console.print(_took(began), style="dim")
    return name


def _labels(
    source: ModuleType, asked: Sequence[Example], tuned: Sequence[str], plain: Sequence[str]
) -> Table:
    table = Table(box=None, padding=(0, 1), header_style="dim")
    for heading, width in (
        ("setting", 26),
        ("right", 24),
        ("", 1),
        ("tuned", 24),
        ("", 1),
        ("plain prompt", 16),
    ):
        table.add_column(heading, width=width, no_wrap=True)
    for each, one, other in zip(asked, tuned, plain, strict=True):
        setting, _, _ = each.question.partition(":")
        said = [(_sign(source.is_right(text, each.answer)), escape(_line(text))) for text in (one, other)]
        table.add_row(setting, escape(each.answer), *said[0], *said[1])
    return table


def _begin(
    console: Console, client: Client, title: str, name: str, *, fresh: bool
) -> tuple[UseCaseFile, ModuleType]:
    """Create a use case and show what is recommended for it."""
    case, source = read_use_case(examples_folder() / name / "use-case.yaml"), load_source(name)
    console.print()
    console.print(Rule(title, align="left"))
    console.print(f"{case.description}\nData: {source.ORIGIN}.\n")
    _create(client, case.stored_id, case.description, case, fresh=fresh)
    show(console, client.recommend(case.stored_id))
    console.print()
    return case, source


def _create(client: Client, use_case_id: str, description: str, case: UseCaseFile, *, fresh: bool) -> None:
    if fresh:
        _forget(client, use_case_id)
    client.create_use_case(use_case_id, description=description, facts=case.facts, exist_ok=True)


def _forget(client: Client, use_case_id: str) -> None:
    """Delete a use case, with what an earlier run that was cut short may still be training."""
    for future in client.operations():
        if is_within(future.target, use_case_id) and not future.operation.done:
            future.cancel()
            for _ in future.progress():
                pass
    with suppress(NotFound):
        client.delete_use_case(use_case_id)


def _import_documents(console: Console, client: Client, case: UseCaseFile, source: ModuleType) -> None:
    documents, began = source.documents(), time.monotonic()
    size = sum(len(document.content) for document in documents)
    console.print(f"Importing {counted(len(documents), 'document')}, {size / 1024:,.0f} KiB ...")
    with console.status("splitting into passages and embedding them") as status:
        done = client.import_documents(
            case.stored_id,
            documents,
            mirror=True,
            report=lambda progress: status.update(progress_text(progress)),
        )
    console.print(
        f"{done.imported:,} imported as {counted(done.passages, 'passage')}, {done.unchanged:,} unchanged. "
        f"{_took(began)}"
    )


def _answers(
    console: Console, client: Client, use_case: str, asked: Sequence[tuple[str, Mapping[str, Any]]]
) -> Iterator[AnswerStream]:
    """Ask questions, each in its way, many at once; yield their whole answers in order, as they come."""

    def ask(question: str, way: Mapping[str, Any]) -> AnswerStream:
        stream = client.answer(use_case, question, **way)
        for _ in stream:
            pass
        return stream

    with ThreadPoolExecutor(TOGETHER) as threads:
        futures = [threads.submit(ask, *each) for each in asked]
        try:
            for number, future in enumerate(futures):
                with console.status(f"asking, {number} of {counted(len(futures), 'answer')} shown"):
                    stream = future.result()
                yield stream
        finally:
            for future in futures:
                future.cancel()


def _show_answers(
    console: Console, source: ModuleType, question: Example, retrieved: AnswerStream, prompted: AnswerStream
) -> tuple[Mark, bool]:
    """Show what RAG and a plain prompt said; return how that went, and whether the right sentence was found."""
    text, plain = retrieved.text, prompted.text
    mark = Mark(source.is_right(text, question.answer), source.is_right(plain, question.answer))
    rows = _rows(question.question)
    rows.add_row("right", escape(question.answer))
    rows.add_row("RAG", Text.assemble(_sign(mark.right), " ", _line(text)))
    rows.add_row("", Text(_cited(retrieved), style="dim"))
    rows.add_row("prompt", Text.assemble(_sign(mark.plain_right), " ", _line(plain)))
    console.print(rows, "")
    found = retrieved.references.references if retrieved.references else ()
    return mark, any((question.context or "") in reference.text for reference in found)


def _show_refusal(console: Console, question: str, stream: AnswerStream) -> bool:
    """Show what RAG said where the documents hold no answer; return whether it said so."""
    from advisor.v1 import execution_service_pb2 as execution_pb2

    reason = stream.summary.finish_reason if stream.summary else None
    refused = reason == execution_pb2.AnswerSummary.FINISH_REASON_NO_EVIDENCE
    rows = _rows(question)
    rows.add_row("RAG", Text.assemble(_sign(refused), " ", _line(stream.text)))
    console.print(rows, "")
    return refused


def _adapter(
    console: Console, client: Client, case: UseCaseFile, examples: Sequence[Example], generator: str
) -> str:
    """Return the adapter of these examples and settings: of an earlier run, or else trained now."""
    adapter_id = f"demo-{_digest(case, examples, generator)}"
    name = adapter_name(case.stored_id, adapter_id)
    with suppress(NotFound):
        metrics = client.get_adapter(name).metrics
        console.print(
            f"{name} was trained by an earlier run on the same examples ({counted(metrics.steps, 'step')}, "
            f"held-out loss {metrics.held_out_loss:.3f}) and is used again; --fresh trains anew."
        )
        return name
    began = time.monotonic()
    console.print("Training a LoRA adapter on them, in a process of its own ...")
    try:
        _follow(console, client.tune(case.stored_id, adapter_id=adapter_id, **TUNING))
    except AlreadyExists as taken:
        # A run that was cut short left it in the making, and the server goes on with it, or has ended it.
        if taken.operation:
            _follow(console, client.operation(taken.operation))
    console.print(_took(began), style="dim")
    return name


def _digest(case: UseCaseFile, examples: Sequence[Example], generator: str) -> str:
    """Return what stands for all that a run of the demo is made of."""
    told = repr((case.description, [(each.question, each.answer) for each in examples], TUNING, generator))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _follow(console: Console, future: OperationFuture[use_case_pb2.Adapter]) -> None:
    """Show a training run: as a bar on a terminal, else by a line at each quarter."""
    if not console.is_terminal:
        shown = 0
        for metadata in future.progress():
            quarter = 4 * metadata.step // metadata.total_steps if metadata.total_steps else 0
            if quarter > shown:
                shown = quarter
                console.print(
                    f"  step {metadata.step} of {metadata.total_steps}, {metadata.training_loss:.3f} loss"
                )
    else:
        show_progress(console, future)
    show_adapter(console, future.result())


def _cited(stream: AnswerStream) -> str:
    numbers = {citation.number for citation in stream.summary.citations} if stream.summary else set()
    found = stream.references.references if stream.references else ()
    cited = [each for each in found if each.number in numbers]
    return "; ".join(f"[{each.number}] {place_of(each)}" for each in cited) or "no citation"


def _rows(title: str) -> Table:
    rows = Table.grid(padding=(0, 2))
    rows.title, rows.title_justify, rows.title_style = Text(title), "left", "bold"
    rows.add_column(style="dim", min_width=6)
    rows.add_column()
    return rows


def _sign(right: bool) -> Text:
    return Text("✓", style="green") if right else Text("✗", style="red")


def _line(text: str, longest: int = 220) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest]}..."


def _took(began: float) -> str:
    return f"({time.monotonic() - began:.0f} s)"


def _console() -> Console:
    console = Console(highlight=False)
    return Console(width=min(console.width, WIDTH) if console.is_terminal else WIDTH, highlight=False)


def _close(console: Console, report: Path, seconds: float) -> None:
    folder = examples_folder()
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    lines = (
        f"One gRPC server decided two use cases, did the work and measured it, in {seconds / 60:.1f} minutes.",
        "Run it again: what was imported and trained is kept, and not done twice.",
        f"Every reason:   advisor recommend {shown / PACKAGES / 'use-case.yaml'} --all",
        f"The report:     {report.as_uri()}",
        "All examples:   advisor demo --write FOLDER, and then advisor trial FOLDER/numerical-libraries/use-case.yaml",
        "Your own case:  advisor recommend my.yaml, where my.yaml is as examples/README.md says",
        "A server:       advisor serve, and then advisor answer my.yaml QUESTION --server localhost:50051",
    )
    console.print("", Rule("What you saw", align="left"), *map(escape, lines), sep="\n", soft_wrap=True)
