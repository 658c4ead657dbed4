"""The advisor in force: its rules can be read again while calls run.

Whoever takes `now` decides by it until the call ends. A reload makes a whole new
advisor and puts it in place at once, or leaves the old one where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from advisor.decision.advisor import Advisor, default_advisor
from advisor.decision.recommendation import FULL, Recommendation, View
from advisor.errors import RulesError
from advisor.knowledge.inventory import NOTHING, Gathered
from advisor.knowledge.rulefile import default_rules_paths, load_rules
from advisor.learning.rulecheck import check_rules
from advisor.v1 import facts_pb2

__all__ = ["CurrentAdvisor", "Deciding", "read_advisor"]


class Deciding(Protocol):
    """What decides about one use case."""

    def recommend(
        self, facts: facts_pb2.Facts, view: View = FULL, path: str = "facts", *, gathered: Gathered = NOTHING
    ) -> Recommendation:
        """Decide, as `Advisor.recommend` says."""
        ...


class CurrentAdvisor:
    """The advisor that decides about calls which begin now.

    Args:
        advisor: Decides until the first reload.
        files: Rule files that a reload merges over those of the package.
    """

    def __init__(self, advisor: Advisor, files: Sequence[Path] = ()) -> None:
        self.files = tuple(files)
        self._now = advisor

    @classmethod
    def open(cls, files: Sequence[Path]) -> CurrentAdvisor:
        """Return the advisor of the package's rules and of these files; raises as `reload` does."""
        return cls(read_advisor(files) if files else default_advisor(), files)

    @property
    def now(self) -> Advisor:
        """The advisor in force, which itself never changes."""
        return self._now

    @property
    def version(self) -> str:
        """Hash of the rules in force, as recommendations give it."""
        return self._now.versions.rules

    def recommend(
        self, facts: facts_pb2.Facts, view: View = FULL, path: str = "facts", *, gathered: Gathered = NOTHING
    ) -> Recommendation:
        """Decide by the rules in force."""
        return self._now.recommend(facts, view, path, gathered=gathered)

    def reload(self) -> None:
        """Read the files again, and decide by them from now on.

        Raises:
            RulesError: They are wrong, every fault of theirs is told, and the rules in force stay.
        """
        self._now = read_advisor(self.files)


def read_advisor(files: Sequence[Path]) -> Advisor:
    """Return the advisor of the package's rules and of further files, checked as `advisor rules check` does.

    Raises:
        RulesError: The files are wrong; it has every fault found.
    """
    advisor = default_advisor().with_knowledge(load_rules(*default_rules_paths(), *files))
    faults = [str(finding) for finding in check_rules(advisor.scorer) if finding.severity == "error"]
    if faults:
        raise RulesError(*faults)
    return advisor
