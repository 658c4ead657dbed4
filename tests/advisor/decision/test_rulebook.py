"""The rulebook: reasons in the use case's own values, and what they rest on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.decision.rulebook import Rulebook, cite
from advisor.decision.scoring import Scorer
from advisor.knowledge.facts import encode_facts, facts_from_mapping
from advisor.knowledge.rulefile import load_default_rules
from advisor.knowledge.rules import RuleSource

KNOWLEDGE = load_default_rules()
VALUES = {
    "update_interval": "1d",
    "labelled_examples": 800,
    "new_knowledge_share": 0.6,
    "corpus_tokens": 1,
    "context_tokens": 2001,
    "queries_per_month": 1,
}
ROW = encode_facts(facts_from_mapping(VALUES))


@pytest.mark.parametrize(
    ("reason", "worded"),
    [
        ("It changes every {update_interval}.", "It changes every day."),
        ("{labelled_examples} examples, {new_knowledge_share} new.", "800 examples, 60% new."),
        ("Nothing to fill in.", "Nothing to fill in."),
        ("{corpus_tokens} tokens of {context_tokens} tokens.", "1 token of 2,001 tokens."),
        ("{queries_per_month} queries a month.", "1 query a month."),
    ],
)
def test_reasons_are_filled_with_the_use_cases_values(reason: str, worded: str) -> None:
    """Facts are written as people write them, `every 1 day` as `every day`, and one of a thing in the singular."""
    rule = replace(KNOWLEDGE.rules[0], reason=reason)
    book = Rulebook(Scorer(replace(KNOWLEDGE, rules=(rule,))))
    assert book.reason(rule, ROW) == worded


def test_a_locator_goes_into_the_reference() -> None:
    """The key stays the publication's, so that its citations can be counted."""
    source = RuleSource("raft", "RAFT", "arXiv:2403.10131")
    knowledge = replace(KNOWLEDGE, sources={"raft": source})
    plain, located = cite(("raft", "raft:Table 1"), knowledge)
    assert plain == source
    assert located == RuleSource("raft", "RAFT", "arXiv:2403.10131, Table 1")


def test_every_rule_cites_sources_of_the_knowledge_base() -> None:
    """No id keeps a locator."""
    for rule in KNOWLEDGE.rules:
        assert all(source.id in KNOWLEDGE.sources for source in cite(rule.sources, KNOWLEDGE))
