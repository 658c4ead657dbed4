"""Documents that would harm the server are skipped and told; the rest comes in, and what was there stays."""

from __future__ import annotations

import pytest

from advisor.client import Client
from advisor.v1 import use_case_pb2
from tests.backends.documents.test_hostile import nested_messages
from tests.backends.documents.test_reader import packed_page

MIB = 1024 * 1024


@pytest.fixture
def client(server):
    """Yield a client of a server that knows one document of the use case `faq`."""
    with Client(server.address) as client:
        client.create_use_case("faq")
        client.import_documents("faq", [document("known.txt", b"What is known.")])
        yield client


def document(source: str, content: bytes) -> use_case_pb2.Document:
    return use_case_pb2.Document(source=source, content=content)


BAD = {
    "bomb.pdf": (packed_page(b"q " * 40_000_000), "took more than the 1,073,741,824 bytes of memory"),
    "drawing.pdf": (packed_page(b"0 0 m 9 9 l S"), "no text on any of its 1 pages, only pictures"),
    "entities.docx": (b"PK\3\4", "no office file"),
    "broken.txt": ("Größe ändern, müßig, für Ärzte ".encode() + b"\xff", "is not utf-8 text"),
    "cell.csv": (b'k,v\n1,"' + b"x" * 3 * MIB + b'"\n', "field larger than field limit"),
    "deep.jsonl": (b"[" * 100_000, "it is not JSON"),
    "deep.eml": (nested_messages(1_000), "not a message that can be read"),
}


def test_what_was_there_outlives_bad_documents(client):
    """Each is told with its reason; its neighbours are imported, and what the server knew it still finds."""
    bad = [document(source, content) for source, (content, _) in BAD.items()]
    done = client.import_documents("faq", [*bad, document("new.txt", b"What is new.")])
    assert (done.imported, done.skipped) == (1, len(BAD))
    for skipped in done.skipped_documents:
        assert BAD[skipped.source][1] in skipped.reason
    assert {each.source for each in client.documents("faq")} == {"known.txt", "new.txt"}
    assert {each.source for each in client.search("faq", "What is known?")} == {"known.txt", "new.txt"}


def test_a_bad_document_does_not_replace_a_good_one(client):
    """Under the source of one that is known, it is skipped as well."""
    done = client.import_documents("faq", [document("known.txt", b"\xff\xfe\x00")])
    assert done.skipped == 1
    (found,) = client.search("faq", "What is known?")
    assert found.text == "What is known."


def test_terms_within_terms_do_not_make_an_endless_outline(client):
    """The database could keep no outline of a megabyte."""
    page = b"<dl><dt>%0120d<dd>" * 9_000 % tuple(range(9_000)) + b"deep"
    assert client.import_documents("faq", [document("deep.html", page)]).imported == 1
