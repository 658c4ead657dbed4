"""Commands that do, against a server that runs already: import, answer, tune, operations."""

from __future__ import annotations

import json
import threading

import pytest

from advisor.storage import leases
from advisor.work.reindexing import remake
from advisor.work.worker import perform
from backends.training.adapters import TuningSettings


@pytest.fixture
def reindexer(server):
    """Make passages anew as a worker does, by the tests' embedder, until the test ends."""
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(0.01):
            claimed = leases.claim(server.database, "reindexer", ["REINDEX"])
            if claimed is not None:
                perform(
                    server.database,
                    server.settings,
                    lambda job: remake(job, server.embedder),
                    claimed,
                    stopping,
                )

    thread = threading.Thread(target=work, name="reindexer")
    thread.start()
    yield
    stopping.set()
    thread.join()


@pytest.fixture
def imported(advisor, server, case):
    """Return a use-case file whose use case is stored already."""
    assert advisor("import", case, "--server", server.address).status == 0
    return case


def test_import_brings_in_all_that_the_file_names(advisor, server, case, client):
    """Documents and examples are counted, and the server has them."""
    ended = advisor("import", case, "--server", server.address)
    assert (ended.status, ended.err) == (0, "")
    assert "1 document imported as 1 passage" in ended.out
    assert "64 examples imported" in ended.out
    stored = client.get_use_case("faq")
    assert (stored.document_count, stored.example_count) == (1, 64)
    assert stored.description == "Answer from the manual."


def test_import_again_changes_what_changed(advisor, server, imported, write, client):
    """What is there already is not imported twice, and facts follow the file."""
    write("more.md", "The lamp is red.\n")
    imported.write_text(imported.read_text().replace("1d", "30d"))
    ended = advisor("import", imported, "--server", server.address)
    assert "1 document imported as 1 passage, 1 unchanged" in ended.out
    assert "64 examples unchanged" in ended.out
    assert client.get_use_case("faq").facts.update_interval.ToTimedelta().days == 30


def test_import_again_forgets_the_facts_that_are_gone(advisor, server, imported, client):
    """A fact that is taken out of the file is unknown again."""
    imported.write_text(imported.read_text().replace(", needs_citations: true", ""))
    assert advisor("import", imported, "--server", server.address).status == 0
    facts = client.get_use_case("faq").facts
    assert not facts.HasField("needs_citations")
    assert facts.HasField("update_interval")


def test_the_server_may_come_from_the_environment(advisor, server, case, client, monkeypatch):
    """ADVISOR_SERVER stands for --server."""
    monkeypatch.setenv("ADVISOR_SERVER", server.address)
    assert advisor("import", case).status == 0
    assert [each.name for each in client.use_cases()] == ["useCases/faq"]


def test_nothing_is_stored_where_an_example_is_wrong(advisor, server, case, write, client):
    """A bad line is found before anything is sent."""
    write("examples.jsonl", '{"question": "q", "answer": "a"}\n{"question": "q"}\n')
    ended = advisor("import", case, "--server", server.address)
    assert (ended.status, ended.out) == (2, "")
    assert "examples.jsonl:2: the example has no 'answer'" in ended.err
    assert list(client.use_cases()) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"question": "\xff", "answer": "a"}', "examples.jsonl:1: not UTF-8"),
        (b"{", "examples.jsonl:1: not JSON"),
    ],
)
def test_examples_that_cannot_be_read(advisor, server, case, tmp_path, line, expected):
    """The line at fault is named."""
    (tmp_path / "examples.jsonl").write_bytes(line)
    ended = advisor("import", case, "--server", server.address)
    assert ended.status == 2
    assert expected in ended.err


def test_documents_that_cannot_be_read(advisor, server, write):
    """A file that is there but cannot be read is one message, like every failure."""
    ended = advisor(
        "import", write("faq.yaml", "id: faq\ndocuments: [/proc/self/mem]\n"), "--server", server.address
    )
    assert ended.status == 2
    assert ended.err.startswith("advisor: ")
    assert len(ended.err.splitlines()) == 1


def test_answer_prints_what_the_model_says(advisor, server, case):
    """The answer, then what it took; the first call brings in what the file names."""
    ended = advisor("answer", case, "one two", "--approach", "PROMPTING", "--server", server.address)
    assert ended.status == 0
    assert ended.out.strip() == "one two"
    assert "document imported" in ended.err
    assert "PROMPTING: " in ended.err
    assert "tokens read" in ended.err


def test_search_shows_what_is_found(advisor, server, case):
    """Each passage under where it is, with its scores; as JSON, with all that is known of it."""
    ended = advisor("search", case, "lamp battery", "--server", server.address)
    assert ended.status == 0
    assert ended.out.startswith("[1] ")
    assert "(words " in ended.out.splitlines()[0]
    assert "lamp" in ended.out
    found = json.loads(advisor("search", case, "lamp", "--json", "--server", server.address).out)
    assert (found["number"], found["place"]) == (1, "line 1")


def test_search_and_answer_take_a_filter(advisor, server, case):
    """Other documents are not found, and where it cannot be read the option is named."""
    at = ("--server", server.address)
    assert advisor("search", case, "lamp", "--filter", "source = '*.md'", *at).out.startswith("[1] ")
    assert advisor("search", case, "lamp", "--filter", "source = '*.pdf'", *at).err == "nothing is found\n"
    nothing = advisor("answer", case, "lamp", "--approach", "RAG", "--filter", "source = none", *at)
    assert "hold no answer" in nothing.out
    for command in ("search", "answer"):
        assert (
            "--filter: cannot be read 'path'" in advisor(command, case, "q", "--filter", "path = a", *at).err
        )


def test_import_tells_what_it_skips(advisor, server, write, tmp_path):
    """What cannot be read is told with the reason, and the rest is there; strictly, nothing is."""
    (tmp_path / "a.md").write_text("A lamp.")
    (tmp_path / "b.pdf").write_bytes(b"no pdf")
    case = write("faq.yaml", "id: faq\ndocuments: ['*.md', '*.pdf']\n")
    at = ("--server", server.address)
    strict = advisor("import", case, "--strict", *at)
    assert strict.status == 2
    assert "b.pdf" in strict.err
    ended = advisor("import", case, *at)
    assert ended.status == 0
    assert "1 document imported" in ended.out
    assert "1 document skipped" in ended.err
    assert "b.pdf" in ended.err


def test_answer_by_the_recommended_approach(advisor, server, case):
    """Facts that change daily are answered from the documents."""
    ended = advisor("answer", case, "lamp battery", "--server", server.address)
    assert ended.status == 0
    assert "RAG: " in ended.err


def test_answer_writes_as_many_tokens_as_it_may(advisor, server, case):
    """And says that there would be more."""
    asked = ("answer", case, "one two three", "--approach", "PROMPTING", "--server", server.address)
    ended = advisor(*asked, "--max-tokens", 2)
    assert (ended.status, ended.out.strip()) == (0, "one two")
    assert "The answer was cut off at 2 tokens" in ended.err
    assert "cut off" not in advisor(*asked).err
    assert "advisor: --max-tokens: " in advisor(*asked, "--max-tokens", 0).err


def test_answer_in_a_form(advisor, server, case, write):
    """Labels and a schema are kept to, and standard output holds nothing else."""
    asked = ("answer", case, "one two", "--approach", "PROMPTING", "--server", server.address)
    assert advisor(*asked, "--label", "Zahlung fällig", "--label", "Pay").out.strip() == "Zahlung fällig"
    schema = write("schema.json", '{"enum": [[1, "[2]"]]}')
    assert json.loads(advisor(*asked, "--schema", schema).out) == [1, "[2]"]


def test_answer_with_what_was_asked_before(advisor, server, case, write):
    """A file in the form of examples is the history."""
    history = write(
        "history.jsonl", '{"question": "q1", "answer": "a1"}\n{"question": "q2", "answer": "a2"}\n'
    )
    asked = ("answer", case, "one two", "--approach", "PROMPTING", "--server", server.address)
    assert advisor(*asked, "--history", history).status == 0
    chat, _ = server.generator.asked[-1]
    assert [message.content for message in chat[-5:]] == ["q1", "a1", "q2", "a2", "one two"]


@pytest.mark.parametrize(
    ("option", "content", "expected"),
    [
        ("--label", None, "advisor: --label[0]: ' a' begins or ends with white space"),
        ("--schema", "[]", "advisor: --schema: is no JSON object"),
        ("--schema", b"\xff", "schema.json: not UTF-8"),
        ("--history", '{"question": "q"}', "schema.json:1: the example has no 'answer'"),
        ("--history", '{"question": "q", "answer": "a"}\n' * 51, "advisor: --history: has 51 exchanges"),
    ],
)
def test_what_an_answer_cannot_be_asked_with(advisor, server, case, write, option, content, expected):
    """The option is named, or the file with its line."""
    value = " a"
    if content is not None:
        value = write("schema.json", "")
        value.write_bytes(content if isinstance(content, bytes) else content.encode())
    ended = advisor("answer", case, "one", option, value, "--server", server.address)
    assert ended.status == 2
    assert expected in ended.err


@pytest.mark.parametrize("option", ["--schema", "--history"])
def test_a_file_that_is_missing_is_named(advisor, server, case, option):
    ended = advisor("answer", case, "one", option, "missing.json", "--server", server.address)
    assert (ended.status, ended.err.strip()) == (2, "advisor: missing.json: No such file or directory")


def test_answer_json_is_a_message_a_line(advisor, server, imported):
    """A program gets each event as it comes."""
    question = ("one two", "--approach", "PROMPTING", "--server", server.address)
    ended = advisor("answer", imported, *question, "--json")
    events = [json.loads(line) for line in ended.out.splitlines()]
    assert events[0]["recommendation"]["approach"] == "APPROACH_RAG"
    assert "one two" in "".join(event["token"]["text"] for event in events if "token" in event)
    assert events[-1]["summary"]["finish_reason"].startswith("FINISH_REASON_")


@pytest.mark.parametrize(
    ("question", "arguments", "expected"),
    [
        (" ", (), "question: "),
        ("one", ("--approach", "FINE_TUNING"), "`advisor tune FILE`"),
        ("explode", ("--approach", "PROMPTING"), "error id"),
    ],
)
def test_an_answer_that_fails_says_why(advisor, server, imported, question, arguments, expected):
    """What the server says of it is the message, and no traceback."""
    ended = advisor("answer", imported, question, *arguments, "--server", server.address)
    assert ended.status == 2
    assert ended.err.splitlines()[-1].startswith("advisor: ")
    assert expected in ended.err.splitlines()[-1]


def test_tune_waits_for_the_adapter(advisor, server, case, client, trainer):
    """The command ends with the adapter's name and what was measured."""
    ended = advisor("tune", case, "--epochs", 2, "--learning-rate", 1e-3, "--server", server.address)
    assert ended.status == 0
    assert "useCases/faq/adapters/" in ended.out
    assert "64 examples, 8 steps, loss 0.500, held-out loss 0.250" in ended.out
    assert f"advisor answer {case} QUESTION --approach FINE_TUNING" in ended.err
    assert len(list(client.adapters("faq"))) == 1


def test_tune_detached_prints_the_operation(advisor, server, case, client):
    """The name alone is printed, for the next command."""
    ended = advisor("tune", case, "--detach", "--server", server.address)
    assert ended.status == 0
    assert ended.out.splitlines()[-1] == next(client.operations()).name


def test_tune_detached_by_the_environment(advisor, server, case, client, monkeypatch):
    """A server that ADVISOR_SERVER names outlives the command as well."""
    monkeypatch.setenv("ADVISOR_SERVER", server.address)
    assert advisor("tune", case, "--detach").status == 0
    assert len(list(client.operations())) == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--approach", "RAG"), "allowed: FINE_TUNING, HYBRID"),
        (("--epochs", 0), "settings.epochs: "),
        (("--learning-rate", "nan"), "settings.learning_rate: "),
    ],
)
def test_tuning_that_is_not_allowed(advisor, server, imported, client, arguments, expected):
    """The field at fault is named, and nothing is queued."""
    ended = advisor("tune", imported, *arguments, "--server", server.address)
    assert ended.status == 2
    assert ended.err.startswith("advisor: ")
    assert expected in ended.err
    assert list(client.operations()) == []


def test_tuning_without_examples(advisor, server, write, client):
    """What the file lacks is told before anything is stored; where the store may have some, the server counts."""
    bare = write("bare.yaml", "id: bare\ndescription: Bare.\n")
    ended = advisor("tune", bare, "--server", server.address)
    assert (ended.status, list(client.use_cases())) == (2, [])
    assert "bare.yaml: names no examples to train on; add the line examples: FILE.jsonl" in ended.err
    assert "training needs 10" in advisor("tune", bare, "--keep", "--server", server.address).err


@pytest.fixture
def queued(advisor, server, imported):
    """Return the name of a training run that waits."""
    return advisor("tune", imported, "--detach", "--server", server.address).out.split()[-1]


def test_operations_are_listed(advisor, server, queued):
    """Each with its state and its adapter."""
    ended = advisor("operations", "list", "--server", server.address)
    assert (ended.status, ended.err) == (0, "")
    assert f"{queued} tune queued useCases/faq/adapters/" in ended.words


def test_operations_are_filtered(advisor, server, queued):
    """By the filter of the API; what it has wrong is told."""
    at = ("--server", server.address)
    listed = advisor("operations", "list", "--filter", "done = false AND kind = tune", *at)
    assert listed.out.startswith(queued)
    assert advisor("operations", "list", "--filter", "done = true", *at).err == "no operations\n"
    assert "filter" in advisor("operations", "list", "--filter", "dnoe = true", *at).err


def test_no_operations(advisor, server):
    """An empty list says so."""
    assert advisor("operations", "list", "--server", server.address).err == "no operations\n"
    assert advisor("operations", "list", "--json", "--server", server.address).out == ""


def test_operations_as_json(advisor, server, queued):
    """One message a line."""
    lines = advisor("operations", "list", "--json", "--server", server.address).out.splitlines()
    assert [json.loads(line)["name"] for line in lines] == [queued]


def test_wait_ends_with_the_run(advisor, server, queued, trainer):
    """Any client can wait for a run, by its name."""
    ended = advisor("operations", "wait", queued, "--server", server.address)
    assert (ended.status, ended.err) == (0, "")
    assert "useCases/faq/adapters/" in ended.out


def test_cancelled_runs(advisor, server, queued):
    """Cancelling says nothing; who waits is told, and the list shows it."""
    ended = advisor("operations", "cancel", queued, "--server", server.address)
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    waited = advisor("operations", "wait", queued, "--server", server.address)
    assert waited.status == 2
    assert "cancelled" in waited.err
    assert f"{queued} tune cancelled" in advisor("operations", "list", "--server", server.address).words
    again = advisor("operations", "cancel", queued, "--server", server.address)
    assert (again.status, again.out, again.err) == (0, "", f"{queued} had ended already: cancelled\n")


def test_operations_that_ended_can_be_deleted(advisor, server, queued):
    """What goes on cannot; what has ended is gone from the list."""
    at = ("--server", server.address)
    refused = advisor("operations", "delete", queued, *at)
    assert (refused.status, queued in refused.err) == (2, True)
    advisor("operations", "cancel", queued, *at)
    assert advisor("operations", "delete", queued, *at).status == 0
    assert advisor("operations", "list", "--json", *at).out == ""


def test_adapters_are_listed_and_deleted(advisor, server, case, trainer):
    """By the file or by the id; the name that the list shows is what is deleted."""
    at = ("--server", server.address)
    assert advisor("tune", case, *at).status == 0
    listed = [advisor("adapters", "list", which, *at).out for which in (case, "faq")]
    assert listed[0] == listed[1]
    name, approach = listed[0].split("\t")[:2]
    assert approach == "FINE_TUNING"
    values = json.loads(advisor("adapters", "list", "faq", "--json", *at).out)
    assert values["name"] == name
    assert advisor("adapters", "delete", name, *at).status == 0
    ended = advisor("adapters", "list", "faq", *at)
    assert (ended.out, ended.err) == ("", "no adapters of faq\n")


def test_tune_json_ends_with_what_came_out(advisor, server, case, trainer):
    """The operation as it goes on, and last the adapter."""
    lines = advisor("tune", case, "--json", "--server", server.address).out.splitlines()
    events = [json.loads(line) for line in lines]
    assert {kind for event in events[:-1] for kind in event} == {"operation"}
    assert events[-1]["response"]["name"].startswith("useCases/faq/adapters/")


def test_approaches_may_be_written_in_small_letters(advisor, server, case):
    """And the help names those that work."""
    ended = advisor("answer", case, "one two", "--approach", "prompting", "--server", server.address)
    assert (ended.status, ended.out.strip()) == (0, "one two")
    assert "FINE_TUNING|HYBRID" in advisor("tune", "--help").out


def test_the_help_of_tune_has_the_defaults_that_hold(advisor):
    """They are those of the settings themselves."""
    words, usual = advisor("tune", "--help").words, TuningSettings()
    assert f"({usual.learning_rate:g}, as the server" in words


def test_reindex_makes_outdated_passages_anew(advisor, server, imported, client, reindexer):
    """It says how many there are, or that there is nothing to do; questions find them as before."""
    with server.database.transaction() as connection:
        connection.execute("COMMENT ON COLUMN passages.text IS '0'")  # an older form
    ended = advisor("reindex", "--server", server.address)
    assert ended.status == 0
    assert ended.out.endswith("1 passage of 1 document made anew by words\n")
    assert [each.source for each in client.search("faq", "lamp")] == ["manual.md"]
    ended = advisor("reindex", "--json", "--server", server.address)
    assert json.loads(ended.out.splitlines()[-1])["response"]["embedder"] == "words"
    ended = advisor("reindex", "--server", server.address)
    assert ended.out.endswith("no passages to make: all there are were made by words\n")
    assert "reindex done passages" in advisor("operations", "list", "--server", server.address).words
