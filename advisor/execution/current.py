"""The advisor in force: its rules and its model of gains can be read again while calls run.

Whoever takes `now` decides by it until the call ends. A reload makes a whole new
advisor and puts it in place at once, or leaves the old one where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import structlog

from advisor.decision.advisor import Advisor, default_advisor
from advisor.decision.gains import GainModel, read_learned
from advisor.decision.recommendation import FULL, Recommendation, View
from advisor.errors import ConfigurationError, RulesError
from advisor.knowledge.inventory import NOTHING, Gathered
from advisor.knowledge.rulefile import default_rules_paths, load_rules
from advisor.learning.rulecheck import check_rules
from advisor.names import principal
from advisor.v1 import facts_pb2

__all__ = ["CurrentAdvisor", "Deciding", "LearnedGains", "read_advisor"]

REMEMBERED = 256
"""Recommendations kept."""

_log = structlog.get_logger(__name__)


class Deciding(Protocol):
    """What decides about one use case."""

    def recommend(
        self, facts: facts_pb2.Facts, view: View = FULL, path: str = "facts", *, gathered: Gathered = NOTHING
    ) -> Recommendation:
        """Decide, as `Advisor.recommend` says."""
        ...


@dataclass(frozen=True, slots=True)
class LearnedGains:
    """Where a model of gains may be that was learned from cases of one's own.

    Attributes:
        path: The file.
        named: Whether the user named it: then it must be there and fit. Else the package's own model decides where
            there is none, as before anything was learned, or where it does not fit, as after an update.
    """

    path: Path
    named: bool

    def read(self) -> GainModel | None:
        """Return the model; None where the package's own decides.

        Raises:
            ConfigurationError: It was named, and is missing or does not fit.
        """
        if not self.named and not self.path.exists():
            return None
        try:
            return read_learned(self.path)
        except ConfigurationError as error:
            if self.named:
                raise
            _log.warning("learned model not taken; the shipped one decides", fault=str(error))
            return None


class CurrentAdvisor:
    """The advisor that decides about calls which begin now.

    Args:
        advisor: Decides until the first reload.
        files: Rule files that a reload merges over those of the package.
        learned: Where a reload looks for a model of gains; the package's own where None.
    """

    def __init__(
        self, advisor: Advisor, files: Sequence[Path] = (), learned: LearnedGains | None = None
    ) -> None:
        self.files = tuple(files)
        self._learned = learned
        self._now = advisor
        self._remembered = lru_cache(REMEMBERED)(_decide)

    @classmethod
    def open(cls, files: Sequence[Path], learned: LearnedGains | None = None) -> CurrentAdvisor:
        """Return the advisor of the package's rules and of these files; raises as `reload` does."""
        return cls(read_advisor(files, learned), files, learned)

    @property
    def now(self) -> Advisor:
        """The advisor in force, which itself never changes."""
        return self._now

    @property
    def version(self) -> str:
        """Hash of the rules in force, as recommendations give it."""
        return self._now.versions.rules

    @property
    def versions(self) -> dict[str, str]:
        """Hashes of the rules and of the model of gains in force, as recommendations give them."""
        return {name: each for name, each in self._now.versions.by_name.items() if name in ("rules", "gains")}

    def recommend(
        self, facts: facts_pb2.Facts, view: View = FULL, path: str = "facts", *, gathered: Gathered = NOTHING
    ) -> Recommendation:
        """Decide by the rules in force; what was decided of the same facts a while ago is remembered.

        An answer comes with its recommendation, which takes as long as some of the answer's tokens.
        """
        content = facts.SerializeToString(deterministic=True)
        # For each principal by itself: how soon an answer begins tells nobody what others have.
        return self._remembered(principal(), self._now, content, view, path, gathered)

    def reload(self) -> None:
        """Read the files again, and decide by them from now on.

        Raises:
            RulesError: Rules are wrong, every fault of theirs is told, and what is in force stays.
            ConfigurationError: The model of gains is missing or does not fit, and what is in force stays.
        """
        self._now = read_advisor(self.files, self._learned)
        self._remembered.cache_clear()


def _decide(
    _principal: str, advisor: Advisor, facts: bytes, view: View, path: str, gathered: Gathered
) -> Recommendation:
    return advisor.recommend(facts_pb2.Facts.FromString(facts), view, path, gathered=gathered)


def read_advisor(files: Sequence[Path], learned: LearnedGains | None = None) -> Advisor:
    """Return the advisor of the package's rules and of further files, checked as `advisor rules check` does.

    Raises:
        RulesError: The files are wrong; it has every fault found.
        ConfigurationError: The model of gains was named, and is missing or does not fit.
    """
    advisor = default_advisor()
    if learned is not None and (model := learned.read()) is not None:
        advisor = advisor.with_gains(model)
    if not files:
        return advisor
    advisor = advisor.with_knowledge(load_rules(*default_rules_paths(), *files))
    faults = [str(finding) for finding in check_rules(advisor.scorer) if finding.severity == "error"]
    if faults:
        raise RulesError(*faults)
    return advisor
