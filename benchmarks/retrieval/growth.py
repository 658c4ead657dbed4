"""Measure how retrieval grows: writing, size, and the time of a search beside that of bare pgvector.

    python -m benchmarks.retrieval.growth 1000 10000 100000 1000000

The passages are those of the manuals in `corpora.py` and of further ones. Their vectors are real, of the first
characters of each passage, as whole passages take hours; beyond `--real`, passages are copied and the vectors
of the copies moved a little. What was embedded and measured is kept in the
user's cache, and the database in the folder for temporary files: a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg_pool import ConnectionPool

from advisor.storage.embedded import open_embedded
from backends.base import Passage
from backends.models.names import DEFAULT_EMBEDDER
from backends.models.resolve import default_cache
from backends.retrieval.embedding import LocalEmbedder, embedded_text, open_embedder
from backends.retrieval.index import VECTOR_INDEX, Publication, create_passage_table, vector_text
from backends.retrieval.ranking import EF_SEARCH, SETTINGS, nearest
from backends.retrieval.search import PassageRetriever
from benchmarks.retrieval.corpora import CORPORA, Corpus, fetch
from benchmarks.retrieval.ours import pieces_of
from benchmarks.retrieval.questions import questions_of
from benchmarks.retrieval.ways import CachedEmbedder

CACHE = default_cache().parent / "benchmarks" / "growth"
DATABASE = Path(tempfile.gettempdir(), "rag-or-tune-growth")
"""Not in the cache: where this runs as root, PostgreSQL runs as a user who may not read that."""
COLLECTION = "growth"
EMBEDDED_CHARACTERS = 100
MEASURED_PASSAGES = 1_000
"""Written at each size with all indexes in place; those before are written in bulk."""
BATCH = 256
QUESTIONS = 100
OFFERED = 20
HITS = 5
JITTER = 0.01
"""Standard deviation of what is added to each number of a vector of length 1."""

_PYTHON = "usr/share/doc/python3.11/html/"
_LINUX = "usr/share/doc/linux-doc-6.1/html/"
FURTHER = (
    Corpus(
        "python",
        "Python",
        "HTML",
        ("python3.11-doc",),
        tuple(
            f"{_PYTHON}{part}/*.html"
            for part in ("library", "reference", "howto", "c-api", "tutorial", "whatsnew")
        ),
    ),
    Corpus("sqlite", "SQLite", "HTML", ("sqlite3-doc",), ("usr/share/doc/sqlite3/*.html",)),
    Corpus(
        "django",
        "Django",
        "HTML",
        ("python-django-doc",),
        ("usr/share/doc/python-django-doc/html/*/*.html", "usr/share/doc/python-django-doc/html/*/*/*.html"),
    ),
    Corpus(
        "calls",
        "Linux",
        "man pages",
        ("manpages-dev",),
        ("usr/share/man/man2/*.gz", "usr/share/man/man3/*.gz"),
    ),
    Corpus("linux", "Linux", "HTML", ("linux-doc-6.1",), (f"{_LINUX}*/*.html", f"{_LINUX}*/*/*.html")),
)

_INDEXES = {
    "passages_embedding": f"CREATE INDEX passages_embedding ON passages USING {VECTOR_INDEX}",
    "plain_embedding": f"CREATE INDEX plain_embedding ON plain USING {VECTOR_INDEX}",
}

_COPY = """
INSERT INTO passages
SELECT collection, id || '~c' || %(copy)s, source, start_byte, end_byte, text, heading, place, names, language,
    l2_normalize(embedding + noise.vector), words
FROM (SELECT *, row_number() OVER () AS number FROM passages WHERE id NOT LIKE '%%~%%' LIMIT %(count)s) AS real
JOIN noise ON noise.number = (real.number * 7 + %(copy)s * 131) %% (SELECT count(*) FROM noise)
"""

_COUNT_COPIES = """
INSERT INTO passage_words
SELECT %(collection)s, lexeme, count(*) FROM passages, unnest(tsvector_to_array(words)) AS lexeme
WHERE id LIKE %(copies)s GROUP BY lexeme
ON CONFLICT (collection, lexeme) DO UPDATE SET passages = passage_words.passages + excluded.passages
"""

_PLAIN_QUERY = "SELECT id FROM plain ORDER BY embedding <=> %s::halfvec LIMIT 10"


def main() -> None:
    """Measure the sizes asked for, smallest first, and print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieval.growth", description=__doc__)
    parser.add_argument("sizes", nargs="+", type=int, help="numbers of passages")
    parser.add_argument("--real", type=int, default=100_000, help="most passages that are embedded")
    parser.add_argument("--again", action="store_true", help="search again at the size that the table has")
    arguments = parser.parse_args()
    CACHE.mkdir(parents=True, exist_ok=True)
    embedder = open_embedder(DEFAULT_EMBEDDER, cache=default_cache(), report=lambda _: None)
    with _opened(embedder) as pool:
        for size in sorted(arguments.sizes):
            result = _measured().get(str(size))
            if result is None:
                _clear_above(pool, size)
                result = _grow(pool, embedder, size, arguments.real)
            elif not arguments.again or _size(pool) != size:
                continue
            _keep(size, result | _search(pool, embedder))
            _print_table()


@contextmanager
def _opened(embedder: LocalEmbedder) -> Iterator[ConnectionPool]:
    """Yield connections to the database that earlier runs left."""
    with open_embedded(DATABASE) as url:
        with psycopg.connect(url) as connection:
            create_passage_table(connection, embedder.dimensions, embedder=embedder.name)
            connection.execute(
                "CREATE TABLE IF NOT EXISTS plain (id text, embedding halfvec(384) STORAGE MAIN)"
            )
        with ConnectionPool(
            url, min_size=1, max_size=1, kwargs={"options": f"-c hnsw.ef_search={EF_SEARCH}"}
        ) as pool:
            yield pool


def _clear_above(pool: ConnectionPool, size: int) -> None:
    """Empty the tables where they hold more than a size."""
    if _size(pool) > size - MEASURED_PASSAGES:
        with pool.connection() as connection:
            connection.execute("TRUNCATE passages, passage_words, passage_languages")


def _grow(pool: ConnectionPool, embedder: LocalEmbedder, size: int, real: int) -> dict[str, float]:
    """Bring the table to a size, the last passages as an import writes them, and return what that took."""
    pieces, vectors = _passages(embedder, min(size, real))
    with pool.connection() as connection:
        connection.autocommit = True
        connection.execute("SET maintenance_work_mem = '3GB'; SET max_parallel_maintenance_workers = 2")
        written = _count(connection)
        bulk = min(len(pieces), size - MEASURED_PASSAGES)
        if bulk > written:
            for name in _INDEXES:
                connection.execute(f"DROP INDEX IF EXISTS {name}")
            _write(connection, pieces[written:bulk], vectors[written:bulk])
        if size - MEASURED_PASSAGES > len(pieces):
            _copy(connection, size - MEASURED_PASSAGES, len(pieces))
        began = time.monotonic()
        _index(connection)
        indexed_s = time.monotonic() - began
        rates = _measure_writing(connection, embedder, pieces, vectors, size)
        connection.execute("TRUNCATE plain; DROP INDEX IF EXISTS plain_embedding")
        connection.execute("INSERT INTO plain SELECT id, embedding FROM passages")
        _index(connection)
        connection.execute("VACUUM ANALYZE")
        connection.autocommit = False
    return {**rates, "bulk_index_s": round(indexed_s), "table_mb": _megabytes(pool)}


def _passages(embedder: LocalEmbedder, count: int) -> tuple[list[tuple[Passage, str]], NDArray[np.float32]]:
    """Return passages in an order of chance, and their vectors."""
    kept = CACHE / "passages.json"
    if not kept.exists():
        pieces = [piece for corpus in (*CORPORA, *FURTHER) for piece in pieces_of(fetch(corpus, CACHE))]
        distinct: dict[str, tuple[Passage, str]] = {}
        for passage, language in pieces:
            distinct.setdefault(passage.text[:EMBEDDED_CHARACTERS], (passage, language))
        order = list(distinct)
        random.Random(0).shuffle(order)
        values = [[asdict(passage), language] for passage, language in map(distinct.__getitem__, order)]
        kept.write_text(json.dumps(values))
    chosen = [(Passage(**values), language) for values, language in json.loads(kept.read_text())[:count]]
    cached = CachedEmbedder(embedder, CACHE.with_suffix(".sqlite"))
    vectors = np.empty((len(chosen), embedder.dimensions), dtype=np.float32)
    for start in range(0, len(chosen), 2_048):
        batch = [piece.text[:EMBEDDED_CHARACTERS] for piece, _ in chosen[start : start + 2_048]]
        vectors[start : start + len(batch)] = cached.embed(batch)
    return chosen, vectors


def _write(
    connection: psycopg.Connection[Any], pieces: Sequence[tuple[Passage, str]], vectors: NDArray[np.float32]
) -> None:
    with connection.transaction(), Publication(connection, COLLECTION) as publication:
        for start in range(0, len(pieces), BATCH):
            publication.add(pieces[start : start + BATCH], vectors[start : start + BATCH])


def _copy(connection: psycopg.Connection[Any], size: int, real: int) -> None:
    """Fill the table up to a size with copies, whose vectors are moved a little."""
    random_vectors = np.random.default_rng(0).normal(scale=JITTER, size=(997, 384)).astype(np.float32)
    connection.execute("DROP TABLE IF EXISTS noise; CREATE TABLE noise (number int, vector halfvec(384))")
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO noise VALUES (%s, %s::halfvec)",
            [(number, vector_text(row)) for number, row in enumerate(random_vectors)],
        )
    while (written := _count(connection)) < size:
        if size - written > written // 5:
            for name in _INDEXES:
                connection.execute(f"DROP INDEX IF EXISTS {name}")
        with connection.transaction():
            connection.execute(_COPY, {"copy": written, "count": min(real, size - written)})
            connection.execute(_COUNT_COPIES, {"collection": COLLECTION, "copies": f"%~c{written}"})


def _index(connection: psycopg.Connection[Any]) -> None:
    for name, statement in _INDEXES.items():
        found = connection.execute("SELECT to_regclass(%s)", [name]).fetchone()
        if found is None or found[0] is None:
            connection.execute(statement)


def _count(connection: psycopg.Connection[Any]) -> int:
    return int((connection.execute("SELECT count(*) FROM passages").fetchone() or (0,))[0])


def _size(pool: ConnectionPool) -> int:
    with pool.connection() as connection:
        return _count(connection)


def _megabytes(pool: ConnectionPool) -> dict[str, int]:
    with pool.connection() as connection:
        rows = connection.execute(
            "SELECT 'table', pg_table_size('passages') UNION ALL SELECT indexrelid::regclass::text,"
            " pg_relation_size(indexrelid) FROM pg_index WHERE indrelid = 'passages'::regclass"
        ).fetchall()
    return {name: size // 1_000_000 for name, size in rows}


def _measure_writing(
    connection: psycopg.Connection[Any],
    embedder: LocalEmbedder,
    pieces: Sequence[tuple[Passage, str]],
    vectors: NDArray[np.float32],
    size: int,
) -> dict[str, float]:
    """Write the last passages batch by batch as an import does, each beside embedding some, and return the rates."""
    number = size - _count(connection)
    process = connection.info.backend_pid
    embedder.warm()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    writing_s = embedding_s = 0.0
    embedded = 0
    with connection.transaction(), Publication(connection, COLLECTION) as publication:
        for start in range(0, number, BATCH):
            places = [(size + place) % len(pieces) for place in range(start, min(start + BATCH, number))]
            batch = [
                (replace(pieces[place][0], id=f"{pieces[place][0].id}~{size}"), pieces[place][1])
                for place in places
            ]
            texts = sorted((embedded_text(piece) for piece, _ in batch[:32]), key=len)
            began = _processor_s(process)
            embedder.embed(texts)
            embedding_s += _processor_s(process) - began
            embedded += len(texts)
            began = _processor_s(process)
            publication.add(batch, vectors[places])
            writing_s += _processor_s(process) - began
    rates = number / writing_s, embedded / embedding_s
    return {
        "written_per_s": round(rates[0]),
        "embedded_per_s": round(rates[1], 1),
        "import_to_embedding": round(rates[0] / (rates[0] + rates[1]), 3),
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1000  # type: ignore[index]


def _search(pool: ConnectionPool, embedder: LocalEmbedder) -> dict[str, float]:
    """Ask questions of both, one after the other, and return the times and what the index finds of the nearest."""
    questions = _questions()
    retriever = PassageRetriever(pool, COLLECTION, embedder)

    def ours(question: str) -> None:
        retriever.search(question, HITS)

    def plain(question: str) -> None:
        vector = vector_text(embedder.embed([question])[0])
        with pool.connection() as connection:
            connection.execute(_PLAIN_QUERY, [vector]).fetchall()

    def embed(question: str) -> None:
        embedder.embed([question])

    with pool.connection() as connection:
        process = connection.info.backend_pid  # the pool's only one
    taken: dict[Callable[[str], None], list[tuple[float, float]]] = {ours: [], plain: [], embed: []}
    for question in (*questions[:10], *questions):
        for search, times in taken.items():
            began = time.perf_counter(), _processor_s(process)
            search(question)
            times.append((time.perf_counter() - began[0], _processor_s(process) - began[1]))
    milliseconds = {search: np.array(times[10:]) * 1000 for search, times in taken.items()}
    result: dict[str, Any] = {}
    for search, name in ((ours, "ours"), (plain, "plain"), (embed, "embedding")):
        wall, processor = milliseconds[search].T
        result[f"{name}_ms"] = [round(float(each), 1) for each in np.percentile(processor, [50, 95])]
        result[f"{name}_wall_ms"] = [round(float(each), 1) for each in np.percentile(wall, [50, 95])]
    result["ratio"] = round(result["ours_ms"][0] / result["plain_ms"][0], 2)
    return {**result, "recall": round(_recall(pool, embedder, questions), 3)}


def _processor_s(process: int) -> float:
    """Return the processor time of this process and of the database's: on a busy machine the clock tells of others."""
    scheduled = Path(f"/proc/{process}/schedstat").read_text().split()[0]
    return time.process_time() + int(scheduled) / 1e9


def _recall(pool: ConnectionPool, embedder: LocalEmbedder, questions: Sequence[str]) -> float:
    """Return the share of the five nearest that are among those the index offers."""
    shares = []
    with pool.connection() as connection:
        connection.execute(SETTINGS)
        for vector in embedder.embed(questions):
            exact, found = (
                nearest(
                    connection, {"collection": COLLECTION, "vector": vector_text(vector)}, limit, exact=exact
                )
                for limit, exact in ((HITS, True), (OFFERED, False))
            )
            shares.append(len(set(exact) & set(found)) / HITS)
    return float(np.mean(shares))


def _questions() -> list[str]:
    found = [each.text for corpus in CORPORA for each in questions_of(corpus, fetch(corpus, CACHE))]
    return random.Random(0).sample(found, QUESTIONS)


def _measured() -> dict[str, Any]:
    path = CACHE / "measured.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _keep(size: int, result: dict[str, Any]) -> None:
    (CACHE / "measured.json").write_text(json.dumps(_measured() | {str(size): result}, indent=1))


def _print_table() -> None:
    titles = "passages, this ms, pgvector ms, ratio, clock, recall@5, written/s, import, peak MB, table MB, indexes MB"
    columns = titles.split(", ")
    print(f"| {' | '.join(columns)} |\n| {'---: | ' * len(columns)}".rstrip())
    for size, each in sorted(_measured().items(), key=lambda item: int(item[0])):
        table = each["table_mb"]["table"]
        values = [f"{int(size):,}"]
        values += [f"{each[name][0]} ({each[name][1]})" for name in ("ours_ms", "plain_ms")]
        values += [each["ratio"], round(each["ours_wall_ms"][0] / each["plain_wall_ms"][0], 2)]
        values += [each["recall"], each["written_per_s"], each["import_to_embedding"], each["peak_mb"]]
        values += [table, sum(each["table_mb"].values()) - table]
        print(f"| {' | '.join(map(str, values))} |", flush=True)


if __name__ == "__main__":
    main()
