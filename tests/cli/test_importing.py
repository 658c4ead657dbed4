"""What `advisor import` takes in place of a use-case file: a folder, and a document from standard input."""

from __future__ import annotations

import json

import pytest

from advisor.knowledge.usecasefile import read_use_case

PIPED = ("-", "--use-case", "faq", "--source")


def stored(client) -> list[tuple[str, str]]:
    return [(each.source, each.media_type) for each in client.documents("faq")]


def test_a_folder_gets_a_use_case_file(advisor, at, write, tmp_path, client):
    """It is written once, after it was said, as init would write it."""
    write("a.md", "text")
    first = advisor("import", tmp_path, *at)
    assert (first.status, "1 document imported" in first.out) == (0, True)
    assert first.err.startswith(
        f"{tmp_path} holds no use-case.yaml: writing one that names the documents in it"
    )
    case = read_use_case(tmp_path / "use-case.yaml")
    assert [each.source for each in client.documents(case.stored_id)] == ["a.md"]
    write("b.md", "text")
    (tmp_path / "b.md").rename(tmp_path / "c.md")
    second = advisor("import", tmp_path, *at)
    assert (second.status, second.err) == (0, "")
    assert "1 document imported as 1 passage, 1 unchanged" in second.out


def test_a_folder_s_use_case_file_is_used(advisor, at, case, tmp_path, client):
    """Whatever it says is what is imported."""
    case.rename(tmp_path / "use-case.yaml")
    assert advisor("import", tmp_path, "--json", *at).status == 0
    assert stored(client) == [("manual.md", "text/markdown")]


@pytest.mark.parametrize(
    ("arguments", "media_type"),
    [
        (("page.html",), "text/html"),
        (("notes",), "text/plain"),
        (("https://example.org/a.b",), "text/plain"),
        (("page.html", "--media-type", "text/markdown"), "text/markdown"),
    ],
)
def test_a_document_from_standard_input(advisor, at, case, client, arguments, media_type):
    """Its kind is named, or told by its source; the documents that are there stay."""
    client.create_use_case("faq")
    client.import_documents("faq", [case.parent / "manual.md"], root=case.parent)
    ended = advisor("import", *PIPED, *arguments, *at, typed="Grüße\n")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "1 document imported as 1 passage, 0 unchanged\n"
    assert stored(client) == sorted([("manual.md", "text/markdown"), (arguments[0], media_type)])
    shown = advisor("documents", "show", "faq", arguments[0], *at)
    assert shown.out == "Grüße\n"


def test_a_document_that_a_use_case_file_does_not_name(advisor, at, case, client):
    """The file's next import would delete it, which is told; the use case may be named by the file."""
    assert advisor("import", case, *at).status == 0
    ended = advisor("import", "-", "--use-case", case, "--source", "more.md", "--json", *at, typed="more")
    assert json.loads(ended.out)["document_count"] == "2"
    assert f"{case}, which does not name more.md" in ended.err
    replaced = advisor("import", *PIPED, "manual.md", *at, typed="other")
    assert (replaced.status, "does not name" in replaced.err) == (0, False)


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        ((*PIPED, "a.txt"), " \n", "standard input: is empty; pipe a document into it"),
        ((*PIPED, "a.json"), "\0" * 10_000, "a.json: it is binary, not text"),
        (("-", "--use-case", "none", "--source", "a.txt"), "text", "useCases/none does not exist"),
    ],
)
def test_a_document_that_is_refused(advisor, at, client, arguments, typed, message):
    """It is named, and nothing is stored."""
    client.create_use_case("faq")
    ended = advisor("import", *arguments, *at, typed=typed)
    assert (ended.status, ended.out, stored(client)) == (2, "", [])
    assert message in ended.err


def test_too_large_a_document(advisor, at, client):
    """It is not read to its end."""
    ended = advisor("import", *PIPED, "a.txt", *at, typed="x" * 16_777_217)
    assert "standard input: has more than the 16,777,216 bytes allowed; split it" in ended.err
