"""The store kept in step with a use-case file: what is removed goes, what is corrected is replaced, who asks."""

from __future__ import annotations

import json
import shutil
import zipfile

import pytest

from advisor.client import Client
from advisor.errors import Conflict, FailedPrecondition
from advisor.knowledge.usecasefile import read_use_case


@pytest.fixture
def imported(advisor, at, case, write):
    """Return a use-case file whose use case is stored, with two documents."""
    write("more.md", "The lamp is red.\n")
    assert advisor("import", case, *at).status == 0
    return case


def sources(client) -> list[str]:
    return [each.source for each in client.documents("faq")]


def test_what_is_removed_goes_where_somebody_agrees(advisor, at, imported, tmp_path, client):
    """Away from a terminal it is shown and refused, and nothing is changed; --yes deletes it."""
    (tmp_path / "more.md").unlink()
    refused = advisor("import", imported, *at)
    assert (refused.status, refused.out) == (2, "")
    assert "to delete: 1 document: more.md" in refused.err
    assert "--yes" in refused.err
    assert "--keep" in refused.err
    assert sources(client) == ["manual.md", "more.md"]
    assert "1 deleted" in advisor("import", imported, "--yes", *at).out
    assert sources(client) == ["manual.md"]


def test_what_is_removed_stays_where_it_is_to_be_kept(advisor, at, imported, tmp_path, write, client):
    """Examples that were corrected are replaced all the same."""
    (tmp_path / "more.md").unlink()
    lines = (tmp_path / "examples.jsonl").read_text().splitlines()
    write("examples.jsonl", "\n".join([lines[0].replace('"a"', '"b"'), *lines[2:]]))
    assert advisor("import", imported, "--keep", *at).status == 0
    assert sources(client) == ["manual.md", "more.md"]
    found = {each.question: each.answer for each in client.examples("faq")}
    assert (len(found), found["q0"], found["q1"]) == (64, "b", "a")
    assert client.get_use_case("faq").example_count == 64


def test_a_pattern_whose_files_are_all_gone_is_a_removal(advisor, at, imported, tmp_path, client):
    """It is asked for as any other; what remains to be done is to take the pattern out, and that is told."""
    for name in ("manual.md", "more.md"):
        (tmp_path / name).unlink()
    refused = advisor("import", imported, *at)
    assert refused.status == 2
    assert "to delete: 2 documents: manual.md, more.md" in refused.err
    assert "no file matches '*.md'" in refused.err
    assert advisor("import", imported, "--keep", *at).status == 0
    assert len(sources(client)) == 2
    assert advisor("import", imported, "--yes", *at).status == 0
    assert sources(client) == []


def test_a_pattern_that_never_matched_is_refused(advisor, at, write, client):
    """It is as good as misspelt, and nothing is stored."""
    ended = advisor("import", write("none.yaml", "id: none\ndocuments: ['*.rts']\n"), "--yes", *at)
    assert (ended.status, ended.out) == (2, "")
    assert "none.yaml:2:13: no file matches '*.rts'; is it misspelt?" in ended.err
    assert list(client.use_cases()) == []


def test_what_cannot_be_read_is_skipped_or_refused(advisor, at, write, client):
    """It is told in either case, with what a person can do about it; the media type is a program's to name."""
    write("a.pdf", "text")
    write("a.xyz", "text")
    case = write("pdf.yaml", "id: pdf\ndocuments: ['a.*']\n")
    refused = advisor("import", case, "--strict", *at)
    assert (refused.status, list(client.use_cases())) == (2, [])
    ended = advisor("import", case, *at)
    assert (ended.status, "2 documents skipped" in ended.err) == (0, True)
    assert "a.pdf: it is not a PDF that can be read" in ended.err
    assert "a.xyz: the suffix '.xyz' stands for no media type; use one of .txt, " in ended.err
    assert "name the media type" not in ended.err


def test_a_folder_and_an_archive_are_imported_and_the_rest_is_told(advisor, at, write, tmp_path, client):
    """Sources are paths from the file's folder; what is left out is counted, and a fault where all must be read."""
    (tmp_path / "docs").mkdir()
    for name in ("docs/a.md", "docs/b.png", "docs/c.png"):
        write(name, "text")
    with zipfile.ZipFile(tmp_path / "guide.zip", "w") as archive:
        for name in ("in/page.html", "../out.md"):
            archive.writestr(name, "text")
    case = write("case.yaml", "id: faq\ndocuments: [docs, guide.zip]\n")
    assert (
        "guide.zip: its path leads out of the archive: ../out.md"
        in advisor("import", case, "--strict", *at).err
    )
    ended = advisor("import", case, *at)
    assert (ended.status, sources(client)) == (0, ["docs/a.md", "guide.zip/in/page.html"])
    assert "docs: left out: 2 files of other formats: .png (2)\n" in ended.err
    assert "guide.zip: left out: its path leads out of the archive: ../out.md\n" in ended.err
    assert "2 documents unchanged" in advisor("import", case, *at).out


def test_corrected_labels_replace_the_old_ones(advisor, at, imported, tmp_path, write, client):
    """Nothing that the file has is lost, so nobody is asked."""
    text = (tmp_path / "examples.jsonl").read_text()
    write("examples.jsonl", text.replace('"q1", "answer": "a"', '"q1", "answer": "b"'))
    ended = advisor("import", imported, *at)
    assert (ended.status, ended.err) == (0, "")
    assert "1 example imported, 63 unchanged, 1 deleted" in ended.out
    assert [each.answer for each in client.examples("faq") if each.question == "q1"] == ["b"]


def test_the_same_files_from_another_directory_are_the_same(advisor, at, imported, tmp_path, monkeypatch):
    """Documents are named from the file's folder, wherever the command runs."""
    monkeypatch.chdir(tmp_path.parent)
    ended = advisor("import", imported.relative_to(tmp_path.parent), *at)
    assert "2 documents unchanged" in ended.out
    assert ended.status == 0


def test_nothing_is_sent_where_nothing_changed(advisor, at, imported, client, monkeypatch):
    """Not even to be compared: a question about large documents is not held up."""
    sent = []
    monkeypatch.setattr(Client, "import_documents", lambda *given, **options: sent.append(given))
    before = client.get_use_case("faq")
    assert advisor("answer", imported, "lamp", *at).status == 0
    assert client.get_use_case("faq") == before
    assert sent == []


def test_only_what_changed_is_sent(advisor, at, imported, write, tmp_path, monkeypatch):
    """Unless something is deleted, for which the server needs to see all that stays."""
    sent = []
    importing = Client.import_documents

    def noting(client, use_case, documents, **options):
        sent.append([path.name for path in documents])
        return importing(client, use_case, documents, **options)

    monkeypatch.setattr(Client, "import_documents", noting)
    write("more.md", "The lamp is blue.\n")
    assert "1 document imported as 1 passage, 1 unchanged" in advisor("import", imported, *at).out
    write("new.md", "New.\n")
    (tmp_path / "more.md").unlink()
    assert "1 unchanged, 1 deleted" in advisor("import", imported, "--yes", *at).out
    assert sent == [["more.md"], ["manual.md", "new.md"]]


def test_a_copied_file_does_not_change_the_original(advisor, at, imported, tmp_path, client):
    """It is refused until it has an id of its own, or is said to be the same."""
    copy = shutil.copytree(tmp_path, tmp_path / "copy", ignore=lambda *_: {"data", "more.md"}) / imported.name
    refused = advisor("import", copy, "--yes", *at)
    assert refused.status == 2
    assert "kept in step with" in refused.err
    assert "--adopt" in refused.err
    assert sources(client) == ["manual.md", "more.md"]
    assert advisor("import", copy, "--adopt", "--yes", *at).status == 0
    assert sources(client) == ["manual.md"]
    assert advisor("import", copy, *at).status == 0, "it is known from now on"


def test_a_use_case_that_no_file_made_is_not_taken_over(advisor, at, case, client):
    """Its id may be the same by accident."""
    client.create_use_case("faq", description="By hand.")
    assert "made by no file" in advisor("import", case, *at).err
    assert client.get_use_case("faq").description == "By hand."


def test_a_moved_file_is_the_same(advisor, at, imported, tmp_path, client):
    """What it was moved from is there no more."""
    (tmp_path / "new").mkdir()
    for path in (*tmp_path.glob("*.md"), *tmp_path.glob("*.jsonl"), imported):
        path.rename(tmp_path / "new" / path.name)
    assert advisor("import", tmp_path / "new" / imported.name, *at).status == 0
    assert len(client.get_use_case("faq").origins) == 1


def test_an_id_is_written_where_it_may_be(advisor, at, write, client):
    """--yes writes it, and the next command finds the same use case."""
    path = write("bare.yaml", "description: Bare.\n")
    ended = advisor("import", path, "--yes", *at)
    assert ended.status == 0
    use_case_id = read_use_case(path).id
    assert f"id: {use_case_id} written" in ended.err
    assert [each.name for each in client.use_cases()] == [f"useCases/{use_case_id}"]


def test_import_as_json_ends_with_the_use_case(advisor, at, case):
    """Data on standard output alone."""
    ended = advisor("import", case, "--json", *at)
    assert json.loads(ended.out)["example_count"] == "64"
    assert "64 examples imported" in ended.err


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that has questions answered as if on a terminal."""

    def answering(answer: bool) -> list[str]:
        asked = []
        monkeypatch.setattr("advisor.cli.sync._on_terminal", lambda: True)
        monkeypatch.setattr("typer.confirm", lambda text, *_, **__: asked.append(text) or answer)
        return asked

    return answering


def test_on_a_terminal_it_is_asked(advisor, at, imported, tmp_path, client, terminal):
    """No leaves everything as it was, yes deletes."""
    (tmp_path / "more.md").unlink()
    asked = terminal(answer=False)
    assert advisor("import", imported, *at).status == 2
    assert asked == ["Do that, and delete what the file has no more?"]
    assert len(sources(client)) == 2
    terminal(answer=True)
    assert advisor("import", imported, *at).status == 0
    assert sources(client) == ["manual.md"]


def test_recommend_counts_what_the_file_lists_as_answer_does(advisor, at, case, client):
    """Both decide alike, before and after the import."""
    before = json.loads(advisor("recommend", case, "--json").out)
    events = advisor("answer", case, "lamp", "--approach", "PROMPTING", "--json", *at).out.splitlines()
    after = json.loads(events[0])["recommendation"]
    assert "labelled_examples 64" in before["summary"]
    # The server of the tests decides by other rules: what was counted is the same.
    assert before["summary"].rpartition("Taken from")[2] == after["summary"].rpartition("Taken from")[2]


def test_an_import_that_is_interrupted_says_what_is_kept(advisor, at, case, monkeypatch):
    """Nothing is, and that it can be run again."""

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("advisor.client.Client.import_documents", interrupt)
    ended = advisor("import", case, *at)
    assert ended.status == 130
    assert "no document of this import is stored" in ended.err
    assert ended.err.endswith("advisor: interrupted\n")


@pytest.mark.parametrize("ends_with", [KeyboardInterrupt(), FailedPrecondition("NO", "not now")])
def test_an_import_that_fails_leaves_no_use_case_of_its_own(
    advisor, at, case, client, monkeypatch, ends_with
):
    """What was there before stays, and so does one that something was imported into."""

    def fail(*_, **__):
        raise ends_with

    with monkeypatch.context() as broken:
        broken.setattr("advisor.client.Client.import_documents", fail)
        assert advisor("import", case, *at).status != 0
        assert list(client.use_cases()) == []
        client.create_use_case("faq", description="Before.")
        assert advisor("import", case, "--adopt", *at).status != 0
        assert [each.name for each in client.use_cases()] == ["useCases/faq"]
        client.delete_use_case("faq")
    monkeypatch.setattr("advisor.client.Client.import_examples", fail)
    assert advisor("import", case, *at).status != 0
    assert client.get_use_case("faq").document_count == 1


def test_a_use_case_that_is_still_imported_into_goes_when_that_has_ended(
    advisor, at, case, client, monkeypatch
):
    """An import that is interrupted holds it for a moment."""
    refusals = iter([Conflict("an import is under way")])
    delete = Client.delete_use_case

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    def delete_later(client, use_case_id):
        for refusal in refusals:
            raise refusal
        delete(client, use_case_id)

    monkeypatch.setattr(Client, "import_documents", interrupt)
    monkeypatch.setattr(Client, "delete_use_case", delete_later)
    assert advisor("import", case, *at).status == 130
    assert list(client.use_cases()) == []
