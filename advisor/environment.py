"""The environment variables of this project: one table, and what is set that is not in it.

A misspelt variable would change nothing and say nothing, so it is refused where
the environment is read.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable

from advisor.errors import ConfigurationError

__all__ = ["OF_CLIENTS", "OF_SERVERS", "PREFIX", "VARIABLES", "check_environment", "unknown_variables"]

PREFIX = "ADVISOR_"

OF_SERVERS = (
    "ADVISOR_DATA_DIR",
    "ADVISOR_DATABASE_URL",
    "ADVISOR_HOST",
    "ADVISOR_PORT",
    "ADVISOR_GENERATOR",
    "ADVISOR_ENGINE",
    "ADVISOR_TRAINABLE",
    "ADVISOR_EMBEDDER",
    "ADVISOR_RERANKER",
    "ADVISOR_ADAPTER_STORE",
    "ADVISOR_MODEL_CACHE",
    "ADVISOR_RULES",
    "ADVISOR_GAINS",
    "ADVISOR_ADMIN_TOKEN",
    "ADVISOR_TLS_CERTIFICATE",
    "ADVISOR_TLS_KEY",
    "ADVISOR_TLS_CLIENT_CA",
    "ADVISOR_PROCESSES",
    "ADVISOR_INSECURE",
    "ADVISOR_METRICS_PORT",
    "ADVISOR_METRICS_HOST",
    "ADVISOR_LOG_LEVEL",
    "ADVISOR_TRACING",
    "ADVISOR_WORKERS",
    "ADVISOR_DOCUMENT_BYTES",
    "ADVISOR_USE_CASE_BYTES",
    "ADVISOR_USE_CASE_EXAMPLES",
    "ADVISOR_EXAMPLE_BYTES",
    "ADVISOR_QUESTION_CHARACTERS",
    "ADVISOR_QUEUED_OPERATIONS",
    "ADVISOR_PRINCIPAL_BYTES",
    "ADVISOR_PRINCIPAL_OPERATIONS",
    "ADVISOR_PRINCIPAL_CALLS",
    "ADVISOR_CONCURRENT_ANSWERS",
    "ADVISOR_CONCURRENT_IMPORTS",
)
"""Of servers and workers: the fields of `advisor.settings.Settings`."""
OF_CLIENTS = (
    "ADVISOR_SERVER",
    "ADVISOR_TOKEN",
    "ADVISOR_SERVER_CA",
    "ADVISOR_CLIENT_CERTIFICATE",
    "ADVISOR_CLIENT_KEY",
)
OF_TESTS = (
    "ADVISOR_FUZZ_REQUESTS",
    "ADVISOR_SOAK_RUNS",
    "ADVISOR_SOAK_STREAMS",
    "ADVISOR_STRICT_WARNINGS",
    "ADVISOR_TEST_DATABASE_URL",
)
VARIABLES = (*OF_SERVERS, *OF_CLIENTS, *OF_TESTS)

# Kubernetes sets these in every container beside a Service that is called `advisor`.
_OF_KUBERNETES = re.compile(r"ADVISOR_SERVICE_(HOST|PORT(_\w+)?)|ADVISOR_PORT_\d+_\w+")


def unknown_variables(names: Iterable[str]) -> tuple[str, ...]:
    """Return a fault for each variable of ours that nothing reads, with the nearest that something does."""
    return tuple(
        f"{name}: unknown; {_nearest(name)}"
        for name in sorted(names)
        if name.upper().startswith(PREFIX) and name not in VARIABLES and not _OF_KUBERNETES.fullmatch(name)
    )


def check_environment() -> None:
    """Refuse variables of ours that nothing reads.

    Raises:
        ConfigurationError: There are such; it has a fault for each.
    """
    if faults := unknown_variables(os.environ):
        raise ConfigurationError(*faults)


def _nearest(name: str) -> str:
    names = [each.removeprefix(PREFIX) for each in VARIABLES]
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), names, n=1)
    return (
        f"did you mean {PREFIX}{near[0]}?"
        if near
        else "remove it; advisor serve --help lists those there are"
    )
