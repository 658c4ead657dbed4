"""Count usable answers to sixty questions on three handbooks, asked of a server with the default models.

    python -m benchmarks.handbooks

A usable answer holds the right value, no rival of it, and at most 40 words, and cites a passage that
holds the value. Beside it, the same model writes from the same three passages, as before it quoted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from advisor.client import Client
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import use_case_pb2
from backends.approaches.citations import CitingStream
from backends.base import GenerationOptions, Passage
from backends.generation.local import open_generator
from backends.models.names import DEFAULT_GENERATOR
from backends.models.resolve import default_cache
from backends.prompts import grounded_messages
from benchmarks.answer_memory import served
from benchmarks.handbooks.books import BOOKS, Asked, Book
from benchmarks.retrieval.questions import Question, right, stands

SHOWN = 3
OPTIONS = GenerationOptions(max_output_tokens=64)


def main() -> None:
    """Ask, and print each answer and the counts."""
    books = [make() for make in BOOKS]
    asked = [(book, each) for book in books for each in book.asked]
    found, usable = [], 0
    with served() as (client, _):
        for book in books:
            _store(client, book)
        for book, each in asked:
            stream = client.answer(book.name, each.question, approach="RAG", max_output_tokens=64)
            text = stream.text
            references = stream.references.references if stream.references else ()
            cited = {mark.number for mark in stream.summary.citations} if stream.summary else set()
            usable += _show("quoted", each, text, [one.text for one in references if one.number in cited])
            found.append(client.search(book.name, each.question, limit=SHOWN))
    written = _write(asked, found)
    print(f"usable answers of {len(asked)}: the server's {usable}, written over {SHOWN} passages {written}")


def _store(client: Client, book: Book) -> None:
    client.create_use_case(book.name)
    documents = [
        use_case_pb2.Document(source=source, content=text.encode()) for source, text in book.texts.items()
    ]
    result = client.import_documents(book.name, documents)
    print(f"{book.name}: {len(documents)} documents, {result.passages:,} passages", flush=True)
    for each in book.asked:
        if not any(stands(each.value, text) for text in book.texts.values()):
            print(f"{each.question} - {each.value} is not in this version's documents")


def _write(asked: Sequence[tuple[Book, Asked]], found: Sequence[Sequence[execution_pb2.Reference]]) -> int:
    generator = open_generator(DEFAULT_GENERATOR, cache=default_cache(), report=lambda _: None, engine="auto")
    shown = [[Passage(one.passage_id, one.source, 0, 0, one.text) for one in some] for some in found]
    chats = [
        grounded_messages(each.question, passages, form=1)
        for (_, each), passages in zip(asked, shown, strict=True)
    ]
    written = generator.generate_all(chats, options=OPTIONS, cancelled=lambda: False)
    usable = 0
    for (_, each), passages, answer in zip(asked, shown, written, strict=True):
        stream = CitingStream(passages, lambda _: None)
        stream.write(answer.text)
        stream.finish()
        cited = {mark.number for mark in stream.citations}
        texts = [one.text for number, one in enumerate(passages, 1) if number in cited]
        usable += _show("written", each, stream.text, texts)
    return usable


def _show(way: str, asked: Asked, answer: str, cited: Sequence[str]) -> bool:
    question = Question(asked.question, "", "", "", value=asked.value, rivals=frozenset(asked.rivals))
    text = re.sub(r"\s*\[\d+\]", "", answer)
    good = right(text, question) and any(stands(asked.value, one) for one in cited)
    print(f"{'+' if good else '-'} {way} | {asked.question} | {asked.value} | {answer!r}", flush=True)
    return good


if __name__ == "__main__":
    main()
