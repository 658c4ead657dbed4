"""What a server keeps: listed, shown and deleted from the command line."""

from __future__ import annotations

import json
import zipfile

import pytest

from advisor.knowledge.usecasefile import read_use_case


@pytest.fixture
def imported(advisor, at, case):
    """Return a use-case file whose use case is stored."""
    assert advisor("import", case, *at).status == 0
    return case


def test_use_cases(advisor, at, imported, client):
    """Listed with what they hold, shown whole, deleted where somebody agrees."""
    name, documents, examples, _, description = advisor("use-cases", "list", *at).out.strip().split("\t")
    assert (name, documents, examples, description) == ("useCases/faq", "1", "64", "Answer from the manual.")
    listed = json.loads(advisor("use-cases", "list", "--json", *at).out)
    assert json.loads(advisor("use-cases", "show", imported, *at).out) == listed
    refused = advisor("use-cases", "delete", "faq", *at)
    assert (refused.status, "1 document, 64 examples" in refused.err) == (2, True)
    assert advisor("use-cases", "delete", "faq", "--yes", *at).status == 0
    assert list(client.use_cases()) == []
    assert advisor("use-cases", "list", *at).err == "no use cases\n"


def test_documents(advisor, at, imported, tmp_path):
    """The name in the list shows and deletes it."""
    name, source, size, passages, media_type = (
        advisor("documents", "list", imported, *at).out.strip().split("\t")
    )
    content = (tmp_path / "manual.md").read_text()
    assert (source, size, passages, media_type) == ("manual.md", str(len(content)), "1", "text/markdown")
    assert json.loads(advisor("documents", "list", "faq", "--json", *at).out)["name"] == name
    assert advisor("documents", "show", name, *at).out == content
    assert advisor("documents", "delete", name, *at).status == 0
    assert advisor("documents", "list", "faq", *at).err == "no documents of faq\n"


def test_documents_are_found_by_their_source(advisor, at, imported, tmp_path):
    """With the file or the id of the use case before it; what is not there is told by its source."""
    content = (tmp_path / "manual.md").read_text()
    for of in (imported, "faq"):
        assert advisor("documents", "show", of, "manual.md", *at).out == content
    missing = advisor("documents", "show", "faq", "manaul.md", *at)
    assert (missing.status, missing.out) == (2, "")
    assert missing.err.startswith(
        "advisor: 'manaul.md' of faq does not exist; see advisor documents list faq"
    )
    assert advisor("documents", "delete", imported, "manual.md", *at).status == 0
    assert advisor("documents", "list", "faq", *at).err == "no documents of faq\n"


def test_examples(advisor, at, imported):
    """The name in the list shows and deletes it."""
    lines = advisor("examples", "list", imported, *at).out.splitlines()
    name, question, answer = lines[0].split("\t")
    assert (len(lines), question, answer) == (64, "q0", "a")
    shown = json.loads(advisor("examples", "show", name, *at).out)
    assert shown == {"name": name, "question": "q0", "answer": "a"}
    assert advisor("examples", "delete", name, *at).status == 0
    assert len(advisor("examples", "list", "faq", "--json", *at).out.splitlines()) == 63


def test_what_a_file_names_still_is_told_as_it_is_deleted(advisor, at, imported, tmp_path):
    """By whatever it was called, since the next command brings it back; what the file has no more is gone."""
    told = f"{imported} names it still"
    assert told in advisor("documents", "delete", imported, "manual.md", *at).err
    name = advisor("examples", "list", imported, *at).out.split("\t")[0]
    assert told in advisor("examples", "delete", name, *at).err
    assert advisor("import", imported, *at).status == 0
    document = advisor("documents", "list", imported, *at).out.split("\t")[0]
    imported.write_text("id: faq\n")
    for deleted in (("documents", "delete", document), ("examples", "delete", name)):
        assert advisor(*deleted, *at).err == f"{deleted[-1]} deleted\n"


def test_init_writes_a_file_that_can_be_filled_in(advisor, tmp_path, monkeypatch, write):
    """Documents and examples beside it are named; without the marks before them the facts are right."""
    write("a.md", "text")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write("deep/er/b.txt", "text")
    write("examples.jsonl", '{"question": "q", "answer": "a"}\n')
    monkeypatch.chdir(tmp_path)
    ended = advisor("init")
    assert (ended.status, ended.out) == (0, "")
    text = (tmp_path / "use-case.yaml").read_text()
    filled = write("filled.yaml", text.replace("  # task", "  task").replace("  # can_train", "  can_train"))
    for path in (tmp_path / "use-case.yaml", filled):
        assert advisor("recommend", path).status == 0
    assert "documents: ['**/*.txt', '*.md']" in text
    assert "\nexamples: examples.jsonl" in text
    assert advisor("init", "--force").status == 0


def test_init_names_documents_that_cannot_be_read(advisor, tmp_path, monkeypatch, write):
    """The first of them and how many more, and what can be read; other files are none of its business."""
    for name in ("deep", ".venv"):
        (tmp_path / name).mkdir()
    for name in (".venv/z.odt", "a.odt", "b.RTF", "deep/c.odt", "d.odt", "e.py"):
        write(name, "x")
    write("f.rst", "text")
    monkeypatch.chdir(tmp_path)
    told, written = advisor("init").err.splitlines()
    assert told.startswith("not read: a.odt, b.RTF, d.odt, and 1 more; convert to one of .txt, ")
    assert written.startswith("use-case.yaml written.")
    assert "documents: ['*.rst']" in (tmp_path / "use-case.yaml").read_text()


def test_init_covers_files_beside_it_and_in_folders(advisor, tmp_path, monkeypatch, write):
    """Every document that is there is named, at whatever depth; those in hidden folders are nobody's documents."""
    for folder in ("deep/er", ".venv"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a.md", "deep/b.md", "deep/er/c.md", ".venv/z.md", "d.html", ".venv/z.html", ".venv/z.rst"):
        write(name, "text")
    monkeypatch.chdir(tmp_path)
    assert advisor("init").status == 0
    case = read_use_case(tmp_path / "use-case.yaml")
    named = [path.relative_to(tmp_path).as_posix() for path in case.documents]
    assert sorted(named) == ["a.md", "d.html", "deep/b.md", "deep/er/c.md"]
    assert case.patterns == ("**/*.md", "*.html")


def test_init_names_every_format_that_is_read(advisor, tmp_path, monkeypatch, write):
    """As its suffix is written; records are documents where they hold no examples."""
    (tmp_path / "deep").mkdir()
    for name in ("a.PDF", "deep/b.docx", "c.eml", "logs.ndjson", "d.zip"):
        write(name, "x")
    for name in ("train.jsonl", "examples.jsonl"):
        write(name, '{"question": "q", "answer": "a"}\n')
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("e.md", "text")
    monkeypatch.chdir(tmp_path)
    assert advisor("init").status == 0
    case = read_use_case(tmp_path / "use-case.yaml")
    assert case.patterns == ("*.PDF", "**/*.docx", "*.ndjson", "*.eml", "*.zip")
    write("train.jsonl", '{"event": "start"}\n')
    assert advisor("init", "--force").status == 0
    named = [path.name for path in read_use_case(tmp_path / "use-case.yaml").documents]
    assert named == ["a.PDF", "b.docx", "train.jsonl", "logs.ndjson", "c.eml", "d.zip"]


def test_init_leaves_nothing_to_be_taken_for_true(advisor, tmp_path, monkeypatch):
    """What is to be filled in is a comment: as it is, the file says nothing but the id."""
    monkeypatch.chdir(tmp_path)
    ended = advisor("init")
    case = read_use_case(tmp_path / "use-case.yaml")
    assert (case.description, case.facts.ListFields(), len(ended.err.splitlines())) == ("", [], 1)
