"""Measure retrieval and answers on real documentation.

    python -m benchmarks.retrieval questions              # print the questions of the half for development
    python -m benchmarks.retrieval find WAY [CORPUS ...]  # retrieve: ours, bm25s, plain-bm25 or plain-dense
    python -m benchmarks.retrieval report [--half report] [WAY ...]
    python -m benchmarks.retrieval answer WAY [--half report] [CORPUS ...]  # ours, written, plain-bm25

Documentation is fetched from Debian's registry and from PyPI when first needed (`apt-get`, `pip`), and kept
in the user's cache with the vectors and with what each way found.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from backends.generation.local import open_generator
from backends.models.names import DEFAULT_EMBEDDER, DEFAULT_GENERATOR
from backends.models.resolve import default_cache
from backends.retrieval.embedding import Embedder, open_embedder
from benchmarks.retrieval.answers import Answered, ours_answers, plain_answers, written_answers
from benchmarks.retrieval.corpora import CORPORA, Corpus, fetch
from benchmarks.retrieval.questions import Question, questions_of
from benchmarks.retrieval.report import print_answered, print_found
from benchmarks.retrieval.ways import CachedEmbedder, Found

CACHE = default_cache().parent / "benchmarks"
LIMIT = 10


def main() -> None:
    """Run the command asked for."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval", description=__doc__)
    parser.add_argument("command", choices=("questions", "find", "report", "answer"))
    parser.add_argument("names", nargs="*", help="a way, then corpora; or ways")
    parser.add_argument("--half", choices=("development", "report"), default="development")
    parser.add_argument("--save-as", help="another name for the way")
    arguments = parser.parse_intermixed_args()
    if arguments.command == "find":
        way, *names = arguments.names
        find(way, arguments.save_as or way, names)
        return
    if arguments.command == "answer":
        way, *names = arguments.names
        answer(way, names, development=arguments.half == "development")
        return
    questions = {
        corpus.name: [
            each
            for each in questions_of(corpus, fetch(corpus, CACHE))
            if each.for_development == (arguments.half == "development")
        ]
        for corpus in CORPORA
    }
    if arguments.command == "report":
        ways = arguments.names or sorted(path.stem for path in (CACHE / "found").glob("*.jsonl"))
        print_found(questions, {way: read_found(way) for way in ways})
    else:
        for each in (each for some in questions.values() for each in some):
            print(each.corpus, each.aspect, each.text, each.value, sep="\t")


def find(way: str, name: str, corpora: Sequence[str]) -> None:
    """Retrieve for every question, and keep what was found."""
    embedder = _embedder()
    found = read_found(name)
    for corpus in CORPORA:
        if not corpora or corpus.name in corpora:
            started = time.monotonic()
            folder = fetch(corpus, CACHE)
            questions = questions_of(corpus, folder)
            hits = _WAYS[way](corpus, folder, questions, embedder)
            found |= {(corpus.name, each.text): some for each, some in zip(questions, hits, strict=True)}
            print(f"{name}: {corpus.name} in {time.monotonic() - started:.0f} s", flush=True)
            _write_found(name, found)


def answer(way: str, corpora: Sequence[str], *, development: bool) -> None:
    """Answer the questions of a half, keep the answers, and print how they did."""
    embedder = _embedder()
    generator = open_generator(DEFAULT_GENERATOR, cache=default_cache(), report=lambda _: None, engine="auto")
    answered: dict[str, dict[Question, Answered]] = defaultdict(dict)
    for corpus in CORPORA:
        if corpora and corpus.name not in corpora:
            continue
        folder = fetch(corpus, CACHE)
        questions = [each for each in questions_of(corpus, folder) if each.for_development == development]
        if way == "ours":
            answers = {way: ours_answers(corpus.name, folder, questions, embedder, generator)}
        elif way == "written":
            answers = written_answers(corpus.name, folder, questions, embedder, generator)
        else:
            found = read_found(way)
            hits = [found[corpus.name, each.text] for each in questions]
            answers = {way: plain_answers(questions, hits, generator)}
        for name, some in answers.items():
            answered[name] |= dict(zip(questions, some, strict=True))
        print(corpus.name, flush=True)
        print_answered(answered)
    for name, all_of_it in answered.items():
        _write_answers(f"{name}-{'development' if development else 'report'}", all_of_it)


def _write_answers(name: str, answered: Mapping[Question, Answered]) -> None:
    path = CACHE / "answers" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    records = (
        {"corpus": question.corpus, "question": question.text, "value": question.value, **each.to_json()}
        for question, each in answered.items()
    )
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def _embedder() -> CachedEmbedder:
    model = open_embedder(DEFAULT_EMBEDDER, cache=default_cache(), report=lambda _: None)
    return CachedEmbedder(model, CACHE / "vectors.sqlite")


def _ours(
    corpus: Corpus, folder: Path, questions: Sequence[Question], embedder: Embedder
) -> list[list[Found]]:
    from benchmarks.retrieval import ours

    with ours.opened(embedder) as pool:
        count = ours.index(pool, corpus.name, folder, embedder)
        print(f"{corpus.name}: {count:,} passages", flush=True)
        return ours.search(pool, corpus.name, [each.text for each in questions], LIMIT, embedder)


def _library(
    _corpus: Corpus, folder: Path, questions: Sequence[Question], _embedder: Embedder
) -> list[list[Found]]:
    from benchmarks.retrieval.lexical import library_search

    return library_search(folder, [each.text for each in questions], LIMIT)


def _plain(dense: bool) -> Callable[[Corpus, Path, Sequence[Question], Embedder], list[list[Found]]]:
    def found(
        corpus: Corpus, folder: Path, questions: Sequence[Question], embedder: Embedder
    ) -> list[list[Found]]:
        from benchmarks.retrieval.plain import plain_documents, plain_search

        documents = plain_documents(folder)
        print(f"{corpus.name}: {len(documents):,} chunks", flush=True)
        return plain_search(documents, [each.text for each in questions], LIMIT, embedder if dense else None)

    return found


_WAYS = {
    "ours": _ours,
    "bm25s": _library,
    "plain-bm25": _plain(dense=False),
    "plain-dense": _plain(dense=True),
}


def read_found(name: str) -> dict[tuple[str, str], list[Found]]:
    """Return what a way found for each corpus and question."""
    path = CACHE / "found" / f"{name}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    records = [json.loads(line) for line in lines]
    return {(each["corpus"], each["question"]): [Found(*hit) for hit in each["hits"]] for each in records}


def _write_found(name: str, found: dict[tuple[str, str], list[Found]]) -> None:
    path = CACHE / "found" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for (corpus, question), hits in found.items():
            record = {"corpus": corpus, "question": question, "hits": [[hit.file, hit.text] for hit in hits]}
            file.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
