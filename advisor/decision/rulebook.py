"""The rulebook: which rules fired, and their reasons in the use case's own values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from advisor.decision.scoring import RuleTests, Scorer, Scores
from advisor.knowledge.facts import Row, fact, fact_index, facts, value_to_text
from advisor.knowledge.rules import DECIDING, Knowledge, Rule, RuleKind, RuleSource
from backends.counts import singular

__all__ = ["Rulebook", "cite"]

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_EVERY_ONE = re.compile(r"\bevery 1 (\w+)\b")


class Rulebook:
    """A knowledge base's rules, to be told to people.

    Args:
        scorer: Says which rules fired.
    """

    def __init__(self, scorer: Scorer) -> None:
        self._rules = scorer.rules
        self._rows = {
            kind: np.array([i for i, rule in enumerate(self._rules) if rule.kind == kind], dtype=np.intp)
            for kind in DECIDING
        }
        self._telling = scorer.knowledge.telling
        self._tests = RuleTests(self._telling)
        rules = scorer.knowledge.rules
        self._sources = {rule.id: cite(rule.sources, scorer.knowledge) for rule in rules}
        # Texts and names by turns: "Every ", "update_interval", " something changes."
        self._reasons = {rule.id: _PLACEHOLDER.split(rule.reason) for rule in rules}
        counts = {item.unit.partition(" ")[0] for item in facts() if item.kind == "count"}
        self._one = re.compile(rf"(?<![\d.,])1 ({'|'.join(sorted(counts))})\b")

    def fired(self, kind: RuleKind, scores: Scores, index: int) -> Iterator[Rule]:
        """Yield the rules of a kind that decides which fired for a use case, in the order of the files."""
        rows = self._rows[kind]
        for i in rows[scores.fired[rows, index]].tolist():
            yield self._rules[i]

    def told(self, row: Row) -> tuple[Rule, ...]:
        """Return the warnings and the advice that a use case calls for, in the order of the files."""
        if not self._telling:
            return ()
        fired = self._tests.fired(row[:, None])[:, 0]
        return tuple(self._telling[i] for i in np.flatnonzero(fired).tolist())

    def reason(self, rule: Rule, row: Row) -> str:
        """Return a rule's reason, filled with the use case's own values."""
        parts = list(self._reasons[rule.id])
        for place in range(1, len(parts), 2):
            name = parts[place]
            parts[place] = value_to_text(fact(name), float(row[fact_index()[name]]))
        text = "".join(parts)
        if "1 " not in text:  # as a rule
            return text
        text = _EVERY_ONE.sub(r"every \1", text)
        return self._one.sub(lambda found: f"1 {singular(found[1])}", text)

    def sources(self, rule: Rule) -> tuple[RuleSource, ...]:
        """Return what a rule rests on."""
        return self._sources[rule.id]


def cite(keys: Iterable[str], knowledge: Knowledge) -> tuple[RuleSource, ...]:
    """Return the sources that keys name; the locator after a key's colon goes into the reference."""
    return tuple(_cited(key, knowledge) for key in keys)


def _cited(key: str, knowledge: Knowledge) -> RuleSource:
    name, _, locator = key.partition(":")
    source = knowledge.sources[name]
    reference = f"{source.reference}, {locator}" if locator else source.reference
    return RuleSource(name, source.title, reference)
