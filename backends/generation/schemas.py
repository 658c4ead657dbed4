"""JSON schemas that come with a question: whether an answer can be made to follow them."""

from __future__ import annotations

import json
import subprocess
import sys

__all__ = ["SCHEMA_BYTES", "schema_fault", "text_fault"]

SCHEMA_BYTES = 64 * 1024
_TIMEOUT_S = 20.0  # of which 1 s may be the schema's own; the rest is for a machine that is busy
_FAULT_CHARACTERS = 200
_TOO_MUCH = (
    "takes more time or memory to follow than is allowed; give fewer properties and alternatives, or "
    "simpler patterns and multiples"
)


def schema_fault(schema: str) -> str | None:
    """Return what is wrong with a schema, with the next step; None where an answer can follow it.

    Blocks for about a tenth of a second: it is compiled in a process of its own.
    """
    return text_fault(schema) or _compiling_fault(schema)


def text_fault(schema: str) -> str | None:
    """Return what can be seen to be wrong with a schema without following it."""
    if (size := len(schema.encode())) > SCHEMA_BYTES:
        return f"has {size:,} bytes; at most {SCHEMA_BYTES:,} are allowed"
    try:
        value = json.loads(schema)
    except RecursionError:
        return "is nested too deeply; give one with fewer levels"
    except ValueError as error:
        return f"is not JSON ({error}); give a JSON schema"
    if not isinstance(value, dict):
        return 'is no JSON object; give a schema such as {"type": "object"}'
    return None


def _compiling_fault(schema: str) -> str | None:
    command = [sys.executable, "-m", "backends.generation.grammars"]
    try:
        done = subprocess.run(
            command, input=schema.encode(), capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return _TOO_MUCH
    if done.returncode != 0:
        return _TOO_MUCH
    lines = [line for line in done.stdout.decode().splitlines() if line.strip()]
    # Where a pattern is wrong, the lines between the first and the last quote it.
    said = " ".join(lines[:1] if not lines or not lines[0].endswith(":") else (lines[0], lines[-1]))
    return f"cannot be followed: {said[:_FAULT_CHARACTERS]}; change it" if said else None
