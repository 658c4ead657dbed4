"""Retrieve, fine-tune, both, or neither: decide with evidence, then do the work.

    >>> import advisor
    >>> recommendation = advisor.recommend({"update_interval": "7d", "task": "QUESTION_ANSWERING"})
    >>> print(recommendation.approach)
    RAG
    >>> recommendation.approach is advisor.Approach.RAG
    True

What is named here is loaded when it is first used: importing this package loads
neither models nor gRPC's server.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from advisor.client import Client as Client
    from advisor.decision.advisor import Advisor as Advisor
    from advisor.decision.recommendation import Recommendation
    from advisor.errors import AdvisorError as AdvisorError
    from advisor.knowledge.approaches import Approach as Approach
    from advisor.v1 import facts_pb2

__all__ = ["Advisor", "AdvisorError", "Approach", "Client", "recommend"]

_HOMES = {
    "Advisor": "advisor.decision.advisor",
    "AdvisorError": "advisor.errors",
    "Approach": "advisor.knowledge.approaches",
    "Client": "advisor.client",
}


def recommend(facts: Mapping[str, object] | facts_pb2.Facts) -> Recommendation:
    """Recommend an approach, in this process, by the knowledge base that the package ships.

    Args:
        facts: What is known, by name; durations as `7d` or `12h`. Absent means unknown.

    Raises:
        InvalidInput: Facts that are not allowed; all of them are listed.
    """
    from advisor.decision.advisor import default_advisor

    return default_advisor().recommend(facts)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
