"""What each call needs: a role, or nothing where it is open to all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath

from advisor.storage.tokens import Role

__all__ = ["OPEN", "ROLES", "role_for"]

OPEN = frozenset({"grpc.health.v1.Health"})
"""Services that anyone may call: whoever watches a server need not be trusted by it."""

ROLES: Mapping[str, Mapping[str, Role]] = {
    "advisor.v1.DecisionService": dict.fromkeys(
        ("Recommend", "BatchRecommend", "Consult", "ListRules"), Role.READ
    ),
    "advisor.v1.UseCaseService": {
        **dict.fromkeys(
            ("GetUseCase", "ListUseCases", "GetDocument", "ListDocuments", "GetExample", "ListExamples"), Role.READ
        ),
        **dict.fromkeys(
            (
                "CreateUseCase", "UpdateUseCase", "DeleteUseCase", "ImportDocuments", "ImportExamples",
                "DeleteDocument", "DeleteExample",
            ),
            Role.WRITE,
        ),
    },
    "advisor.v1.ExecutionService": {
        **dict.fromkeys(("Answer", "Search", "GetAdapter", "ListAdapters"), Role.READ),
        **dict.fromkeys(("Tune", "DeleteAdapter"), Role.WRITE),
        "Reindex": Role.ADMIN,
    },
    "advisor.v1.TrialService": {
        **dict.fromkeys(("GetProfile", "GetTrial", "ListTrials", "GetTrialReport"), Role.READ),
        **dict.fromkeys(("MeasureProfile", "RunTrial", "DeleteTrial"), Role.WRITE),
    },
    "advisor.v1.LearningService": {
        **dict.fromkeys(("ListMeasuredCases", "GetTrackRecord"), Role.READ),
        "RecordOutcome": Role.WRITE,
    },
    "advisor.v1.ServerService": {"GetServerInfo": Role.READ},
    "google.longrunning.Operations": {
        **dict.fromkeys(("GetOperation", "ListOperations", "WaitOperation"), Role.READ),
        **dict.fromkeys(("CancelOperation", "DeleteOperation"), Role.WRITE),
    },
    "grpc.reflection.v1.ServerReflection": {"ServerReflectionInfo": Role.READ},
    "grpc.reflection.v1alpha.ServerReflection": {"ServerReflectionInfo": Role.READ},
}  # fmt: skip
"""The role that each method needs, by service; Reindex makes the passages of all principals anew."""


@cache
def role_for(method: str) -> Role | None:
    """Return what a method needs, by its path such as `/advisor.v1.DecisionService/Recommend`; None where it is open.

    A method that the table lacks needs the highest role.
    """
    path = PurePosixPath(method)
    service = path.parent.name
    return None if service in OPEN else ROLES.get(service, {}).get(path.name, Role.ADMIN)
