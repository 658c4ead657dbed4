"""Reading a knowledge base, and refusing what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from advisor.errors import RulesError
from advisor.knowledge.notation import Interval
from advisor.knowledge.rulefile import MAX_RULES, default_rules_paths, load_default_rules, load_rules
from advisor.knowledge.rules import Decision
from advisor.knowledge.yamltree import MAX_FILE_BYTES

WEEKLY = (
    '  - {id: weekly, criterion: freshness, when: {update_interval: "<= 7d"},'
    ' evidence: {RAG: 0.6, HYBRID: 0.2}, reason: "changes every {update_interval}", sources: ["book:p1"],'
    " examples: {fire: [{update_interval: 1d}], silent: [{update_interval: 30d}]}}"
)
BASE = f"""\
version: 1
decision:
  {{tolerance: 1.5, undecided: {{evidence: 0.5, upkeep: 0.3}}, upkeep: {{PROMPTING: 0, RAG: -1, FINE_TUNING: -2, HYBRID: -3, tenfold_cost: 2}}}}
sources: {{book: {{title: Title, reference: Reference}}}}
rules:
{WEEKLY}
  - id: labels
    criterion: specialization
    when:
      output_form: [LABEL, STYLE]
      labelled_examples: "[500..5_000)"
    evidence: {{FINE_TUNING: 1}}
    reason: "{{labelled_examples}} examples"
    sources: [book]
    examples: {{fire: [{{output_form: LABEL, labelled_examples: 500}}], silent: [{{output_form: LABEL}}]}}
vetoes:
  - {{id: no-hardware, criterion: retraining, when: {{can_train: false}}, excludes: [FINE_TUNING, HYBRID], reason: r, sources: [book], examples: {{fire: [{{can_train: false}}], silent: [{{}}]}}}}
warnings:
  - {{id: stale, when: {{update_interval: "<= 1d", required_quality: unknown}}, text: r, sources: [book], examples: {{fire: [{{update_interval: 1d}}], silent: [{{}}]}}}}
worlds: {{update_interval: {{1h: 1, 30d: 3}}, can_train: {{true: 6, false: 4}}}}
monotonic: [{{fact: update_interval, direction: decreasing, raises: RAG, against: [FINE_TUNING, PROMPTING]}}]
"""  # noqa: E501
OVERLAY_RULE = WEEKLY.replace("0.6", "0.9")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Return a small valid knowledge base."""
    return write(tmp_path, BASE)


def write(folder: Path, text: str, name: str = "rules.yaml") -> Path:
    """Write a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> list[str]:
    """Return the lines of the error that a file raises, without its folder."""
    with pytest.raises(RulesError) as caught:
        load_rules(write(folder, text))
    return str(caught.value).replace(f"{folder}/", "").splitlines()


def altered(old: str, new: str) -> str:
    """Return the valid knowledge base with its first `old` replaced."""
    assert old in BASE
    return BASE.replace(old, new, 1)


def test_rules_are_read(base: Path) -> None:
    """Tests, evidence, reasons, sources and examples are what the file says."""
    weekly, labels, *_ = load_rules(base).rules
    assert (weekly.id, weekly.kind, weekly.criterion) == ("weekly", "evidence", "freshness")
    assert weekly.log_odds == (0.0, 0.6, 0.0, 0.2)
    assert [(test.subject, test.holds) for test in weekly.tests] == [
        ("update_interval", Interval(high=604_800))
    ]
    assert [test.holds for test in labels.tests] == [{"LABEL", "STYLE"}, Interval(500, 5_000, high_open=True)]
    assert (weekly.sources, weekly.fire) == (("book:p1",), ({"update_interval": "1d"},))
    assert (labels.place.line, labels.place.column) == (7, 5)


def test_vetoes_and_warnings_are_rules(base: Path) -> None:
    """They stand after the evidence, with what they exclude."""
    *_, veto, warning = load_rules(base).rules
    assert (veto.kind, veto.excludes) == ("veto", {"FINE_TUNING", "HYBRID"})
    assert (warning.kind, warning.criterion, warning.log_odds) == ("warning", None, (0.0,) * 4)


def test_everything_else_is_read(base: Path) -> None:
    """Decision, worlds and promises are what the file says."""
    knowledge = load_rules(base)
    assert knowledge.decision == Decision(1.5, 0.5, 0.3, (0.0, -1.0, -2.0, -3.0), 2.0)
    assert knowledge.worlds["update_interval"] == ((3_600.0, 0.25), (2_592_000.0, 0.75))
    assert [(each.raises, each.against) for each in knowledge.monotonic] == [
        ("RAG", "FINE_TUNING"),
        ("RAG", "PROMPTING"),
    ]


def test_the_digest_tells_files_apart(tmp_path: Path, base: Path) -> None:
    """The same files give the same digest, and others another."""
    first = load_rules(base).digest
    assert load_rules(base).digest == first
    assert load_rules(base, write(tmp_path, "version: 1\n", "mine.yaml")).digest != first


def test_the_shipped_knowledge_base_loads() -> None:
    """What the package ships is valid."""
    knowledge = load_default_rules()
    assert len(knowledge.rules) >= 45
    assert knowledge.worlds
    assert knowledge.monotonic


def test_the_shipped_files_are_one_knowledge_base(tmp_path: Path) -> None:
    """A change of any of the files gives another digest."""
    copies = [write(tmp_path, path.read_text("utf-8"), path.name) for path in default_rules_paths()]
    assert load_rules(*copies).digest == load_default_rules().digest
    for path in copies:
        text = path.read_text("utf-8")
        path.write_text(f"{text}# read\n", "utf-8")
        assert load_rules(*copies).digest != load_default_rules().digest
        path.write_text(text, "utf-8")


def test_files_without_a_decision_are_no_knowledge_base() -> None:
    """The priors alone decide nothing."""
    _, worlds, _ = default_rules_paths()
    with pytest.raises(RulesError, match="no file has a `decision` section"):
        load_rules(worlds)


@pytest.mark.parametrize(
    ("old", "new", "at", "words"),
    [
        ('"<= 7d"', '"<= 7x"', 'x"}, evidence', "'x' is not a unit of time; allowed: ms, s, m, h, d, w, y"),
        ('"<= 7d"', "'<= 7x'", "x'}, evidence", "'x' is not a unit of time"),
        ('"<= 7d"', "<= 7x", "x}, evidence", "'x' is not a unit of time"),
        ('"<= 7d"', '"<= 7"', '7"}, evidence', "7 has no unit; write 7d, 7h, 7m or 7s"),
        ('"<= 7d"', '"7d"', '7d"}, evidence', "'7d' is not a test"),
        ('"[500..5_000)"', '"[500..5x)"', "x)", "'5x' is not a number: 'x' is none of K, M, B, T"),
        ('"[500..5_000)"', "<= 7k", "k", "'7k' is not a number: 'k' is none of K, M, B, T"),
        ("[LABEL, STYLE]", "not(STILE)", "STILE", "'STILE' is not one of FREE_TEXT, LABEL"),
        ("[LABEL, STYLE]", "[LABEL, STILE]", "STILE", "'STILE' is not one of FREE_TEXT, LABEL"),
        ("[LABEL, STYLE]", '"[LABEL, STILE]"', "STILE", "'STILE' is not one of"),
        ("can_train: false}, ex", "can_train: maybe}, ex", "maybe", "'maybe' is not one of true, false"),
        (
            '{update_interval: "<= 7d"}',
            '{updte_interval: "<= 7d"}',
            "updte",
            'did you mean "update_interval"?',
        ),
        ('{update_interval: "<= 7d"}', "{}", "{}", "a rule without tests always fires"),
        (
            "freshness, when",
            "fresh, when",
            "fresh,",
            "'fresh' is not a criterion; did you mean \"freshness\"?",
        ),
        ("RAG: 0.6", "RAG: .inf", ".inf", "'.inf' is not a number"),
        ("RAG: 0.6", "RAG: 1e999", "1e999", "1e999 is not a finite number"),
        ("RAG: 0.6", "RAG: nan", "nan", "nan is not a finite number"),
        ("RAG: 0.6", "RAGE: 0.6", "RAGE", "'RAGE' is not a key here; did you mean \"RAG\"?"),
        ("{RAG: 0.6, HYBRID: 0.2}", "{}", "{}, reason", "the evidence is the same for every approach"),
        ("id: labels", "id: weekly", "id: weekly", "the id 'weekly' stands in this file twice"),
        ("id: no-hardware", "id: No_Hardware", "No_", "'No_Hardware' is not an id"),
        ("every {update_interval}", "every {task}", "{task}", "{task} is not tested by the rule"),
        ('"changes every {update_interval}"', '""', '"", sources', "it is empty; say why"),
        ('["book:p1"]', '["bok:p1"]', "{id: weekly", "unknown source 'bok:p1'; did you mean \"book\"?"),
        ('["book:p1"]', "[]", "[], examples", "at least one source is needed"),
        ("fire: [{update_interval: 1d}]", "fire: []", "[], silent", "at least one example is needed"),
        (
            "fire: [{update_interval: 1d}]",
            "fire: [{update_interval: 7}]",
            "7}",
            "has no unit",
        ),
        (
            "labelled_examples: 500}]",
            "labelled_examples: 5k}]",
            "k}]",
            "'5k' is not a number: 'k' is none of K, M, B, T",
        ),
        ("labelled_examples: 500}]", "labeled_examples: 500}]", "500}]", 'did you mean "labelled_examples"?'),
        ("labelled_examples: 500}]", "labelled_examples: -1}]", "-1}]", "-1 is out of bounds"),
        ("[FINE_TUNING, HYBRID]", "[FINETUNING]", "FINETUNING", 'did you mean "FINE_TUNING"?'),
        ("[FINE_TUNING, HYBRID]", "[]", "[], reason", "name at least one approach"),
        ("{1h: 1, 30d: 3}", "{1h: 1, 30D: 3}", "D: 3", "'D' is not a unit of time"),
        ("FINE_TUNING: 1}", "FINE_TUNING: 1e308}", "1e308", "1e+308 is out of bounds; allowed: -20 to 20"),
        ("FINE_TUNING: 1}", "FINE_TUNING: -21}", "-21", "-21 is out of bounds; allowed: -20 to 20"),
        ("FINE_TUNING: 1}", "FINE_TUNING: .nan}", ".nan", "'.nan' is not a number"),
        ('"[500..5_000)"', "<= 1e999", "1e999", "1e999 is not a finite number"),
        ("{1h: 1, 30d: 3}", "{1h: 1, 30d: 1e308}", "1e308", "1e+308 is out of bounds"),
        ("RAG: -1", "RAG: -51", "-51", "-51 is out of bounds; allowed: -50 to 50"),
        (", tenfold_cost: 2", "", "{PROMPTING", "the key 'tenfold_cost' is missing"),
        (
            "{can_train: false}, ex",
            "{can_train: unknown}, ex",
            "unknown",
            "'unknown' is not one of true, false",
        ),
        ('"<= 7d"', "unknown", "{update_interval}", "is not tested by the rule, and so may be unknown"),
        ("{1h: 1, 30d: 3}", "{1h: 0, 30d: 3}", "0, 30d", "0 is out of bounds; allowed: 1e-06 to 1e+06"),
        ("tolerance: 1.5", "tolerance: -1", "-1", "-1 is out of bounds; allowed: 0 to 50"),
        ("tolerance: 1.5", "tolerance: 1, tolerance: 2", "tolerance: 2", "stands here twice"),
        ("evidence: 0.5", "evidence: -1", "-1", "-1 is out of bounds; allowed: 0 to 100"),
        ("true: 6", "maybe: 6", "maybe", "'maybe' is neither true nor false"),
        ("{true: 6, false: 4}", "{}", "{}}", "at least one value with its weight is needed"),
        ("direction: decreasing", "direction: down", "down", "write increasing or decreasing"),
        ("[FINE_TUNING, PROMPTING]", "[RAG]", "[RAG]", "RAG cannot rise against itself"),
        ("version: 1", "version: 2", "2", "version '2' is unknown; write 1"),
        ("worlds:", "wolrds:", "wolrds", 'did you mean "worlds"?'),
    ],
)
def test_what_is_wrong_is_pointed_at(tmp_path: Path, old: str, new: str, at: str, words: str) -> None:
    """The error gives file, line and column, the line, and a caret under what is wrong."""
    text = altered(old, new)
    head, line, caret = refusal(tmp_path, text)
    column = caret.index("^")
    assert words in head
    assert head.startswith(f"rules.yaml:{text.splitlines().index(line) + 1}:{column + 1}: ")
    assert line[column:].startswith(at)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    """A rule without its reason is refused, at the rule."""
    head, *_ = refusal(tmp_path, altered(' reason: "changes every {update_interval}",', ""))
    assert head == "rules.yaml:6:5: the key 'reason' is missing"


def test_too_many_rules_are_refused(tmp_path: Path) -> None:
    """One rule more than the limit is too many."""
    short = (
        "  - {id: r%d, criterion: cost, when: {latency_budget: '< 1s'}, evidence: {RAG: 1}, reason: r, sources: [book],"
        " examples: {fire: [{}], silent: [{}]}}"
    )
    many = "\n".join(short % number for number in range(MAX_RULES))
    head, *_ = refusal(tmp_path, altered(WEEKLY, many))
    assert f"more than {MAX_RULES:,} rules" in head


def test_ten_thousand_rules_are_refused_by_size(tmp_path: Path) -> None:
    """A file of ten thousand rules is over the limit of bytes, and is not even parsed."""
    many = "\n".join(WEEKLY.replace("weekly", f"weekly-{number}") for number in range(10_000))
    assert refusal(tmp_path, altered(WEEKLY, many)) == [
        f"rules.yaml: over {MAX_FILE_BYTES:,} bytes, the most allowed; make it smaller"
    ]


def test_an_overlay_replaces_a_rule_in_its_place(tmp_path: Path, base: Path) -> None:
    """The rule of the same id gives way; the others and their order stay."""
    mine = write(tmp_path, f"version: 1\nrules:\n{OVERLAY_RULE}\n", "mine.yaml")
    merged = load_rules(base, mine)
    assert [rule.id for rule in merged.rules] == ["weekly", "labels", "no-hardware", "stale"]
    assert merged.rules[0].log_odds == (0.0, 0.9, 0.0, 0.2)
    assert merged.rules[0].place.file == str(mine)


def test_an_overlay_adds_and_disables_rules(tmp_path: Path, base: Path) -> None:
    """New ids are added, and those under `disable` are dropped."""
    added = OVERLAY_RULE.replace("id: weekly", "id: mine")
    mine = write(tmp_path, f"version: 1\nrules:\n{added}\ndisable: [weekly, stale]\n", "mine.yaml")
    assert [rule.id for rule in load_rules(base, mine).rules] == ["labels", "no-hardware", "mine"]


def test_an_overlay_replaces_sources_and_worlds(tmp_path: Path, base: Path) -> None:
    """Named parts give way one by one."""
    text = "version: 1\nsources: {book: {title: Other, reference: R}}\nworlds: {can_train: {true: 1}}\n"
    merged = load_rules(base, write(tmp_path, text, "mine.yaml"))
    assert merged.sources["book"].title == "Other"
    assert (merged.worlds["can_train"], len(merged.worlds)) == (((1.0, 1.0),), 2)


def test_disabling_an_unknown_rule_is_refused(tmp_path: Path, base: Path) -> None:
    """The error names the nearest id, in the overlay's own file."""
    mine = write(tmp_path, "version: 1\ndisable: [wekly]\n", "mine.yaml")
    with pytest.raises(RulesError, match=r"mine\.yaml:2:11: .*did you mean \"weekly\"\?"):
        load_rules(base, mine)


def test_every_fault_is_told_at_once(tmp_path: Path, base: Path) -> None:
    """Whoever mends rule files mends all of them in one go, each fault in its own place."""
    one = write(tmp_path, "version: 1\nrules: [{id: x}, {id: y}]\nworlds: {nothing: {1: 1}}\n", "one.yaml")
    two = write(tmp_path, "version: 1\ndisable: [wekly, labls]\n", "two.yaml")
    with pytest.raises(RulesError) as caught:
        load_rules(base, one, two)
    places = sorted(fault.partition(": ")[0].removeprefix(f"{tmp_path}/") for fault in caught.value.faults)
    assert places == ["one.yaml:2:18", "one.yaml:2:9", "one.yaml:3:10", "two.yaml:2:11", "two.yaml:2:18"]


def test_a_refused_overlay_leaves_what_was_loaded(tmp_path: Path, base: Path) -> None:
    """Loading makes a new value, so knowledge in use is untouched by a bad file."""
    knowledge = load_rules(base)
    before = knowledge.rules
    with pytest.raises(RulesError):
        load_rules(base, write(tmp_path, "version: 1\nrules: [{id: x}]\n", "mine.yaml"))
    assert knowledge.rules is before
