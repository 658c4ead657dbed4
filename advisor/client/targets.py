"""What requests are about: use cases by id, resource name or facts, what was asked before, and how to answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from advisor.errors import InvalidInput
from advisor.knowledge.approaches import Approach
from advisor.knowledge.facts import facts_from_mapping
from advisor.names import shown, use_case_name
from advisor.v1 import execution_service_pb2 as execution_pb2
from advisor.v1 import facts_pb2, recommendation_pb2, use_case_pb2
from advisor.wire.recommendation import approach_to_proto
from backends.base import Exchange, Unsupported

__all__ = [
    "FactsLike",
    "exchange_of",
    "facts_of",
    "name_of",
    "options_of",
    "target_of",
    "tune_request",
    "view_of",
]

FactsLike = facts_pb2.Facts | Mapping[str, object]


def name_of(use_case: str) -> str:
    """Return the resource name of a use case that is given by that, or by its id."""
    return use_case if "/" in use_case else use_case_name(use_case)


def facts_of(facts: FactsLike) -> facts_pb2.Facts:
    """Return facts as a message; InvalidInput where they are not allowed."""
    return facts if isinstance(facts, facts_pb2.Facts) else facts_from_mapping(facts)


def target_of(use_case: FactsLike | str) -> dict[str, Any]:
    """Return the field of a request that says which use case is meant."""
    if isinstance(use_case, str):
        return {"use_case": name_of(use_case)}
    return {"inline_use_case": use_case_pb2.UseCase(facts=facts_of(use_case))}


def exchange_of(given: Exchange | execution_pb2.Exchange | Mapping[str, str]) -> execution_pb2.Exchange:
    """Return an earlier question with its answer as a message."""
    match given:
        case execution_pb2.Exchange():
            return given
        case Exchange():
            return execution_pb2.Exchange(question=given.question, answer=given.answer)
        case _:
            return execution_pb2.Exchange(**given)


def options_of(
    output_schema: str | Mapping[str, Any] | None, unsupported: str | None, options: Mapping[str, Any]
) -> execution_pb2.GenerationOptions:
    """Return how to generate.

    Args:
        output_schema: A schema as JSON or as what that holds.
        unsupported: `FLAG` or `LEAVE_OUT`.
        options: Other fields of the message.

    Raises:
        InvalidInput: `unsupported` is neither.
    """
    if unsupported is not None and unsupported not in set(Unsupported):
        raise InvalidInput.of(
            "unsupported", f"{shown(unsupported)} is not known; give {' or '.join(Unsupported)}"
        )
    schema = (
        output_schema
        if output_schema is None or isinstance(output_schema, str)
        else json.dumps(output_schema)
    )
    kept = None if unsupported is None else f"UNSUPPORTED_{unsupported}"
    return execution_pb2.GenerationOptions(output_schema=schema, unsupported=kept, **options)


def tune_request(
    use_case: str, approach: str, adapter_id: str, settings: Mapping[str, Any]
) -> execution_pb2.TuneRequest:
    """Return the request to train an adapter, which is carried out once, however often it is sent."""
    return execution_pb2.TuneRequest(
        parent=name_of(use_case),
        approach=approach_to_proto(Approach(approach)),
        adapter_id=adapter_id,
        settings=use_case_pb2.TuningSettings(**settings),
        request_id=str(uuid.uuid4()),
    )


def view_of(*, basic: bool) -> recommendation_pb2.RecommendationView:
    """Return how much of a recommendation to ask for."""
    return (
        recommendation_pb2.RECOMMENDATION_VIEW_BASIC if basic else recommendation_pb2.RECOMMENDATION_VIEW_FULL
    )
