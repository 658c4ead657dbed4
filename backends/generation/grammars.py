"""The grammar of a form, and what following it would cost: `python -m backends.generation.grammars` reads a schema.

A schema from a stranger may take the library minutes or gigabytes (intersected
patterns, large multiples). So it is first compiled in a process of its own that
may take neither; that process prints why the schema cannot be followed, if so.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llguidance import LLMatcher, LLParserLimits, LLTokenizer

if TYPE_CHECKING:
    from llguidance._lib import JsonCompileOptions

__all__ = ["LIMITS", "Form", "grammar_of"]

_CPU_S = 1
_MEMORY_BYTES = 512 << 20

LIMITS = LLParserLimits(verbose_errors=False)
"""The library's own bounds on the work for one token, about 20 ms; its errors do not quote the schema."""

_JSON: JsonCompileOptions = {
    # White space at will is what a small model goes on with until it is cut off.
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    # A keyword that is not known is an error, and so are alternatives that may hold at the same time.
    "lenient": False,
    "coerce_one_of": False,
}


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer must look like: exactly one of the labels, or else JSON by the schema.

    Attributes:
        labels: At least one where there is no schema.
        schema: A JSON schema that `backends.generation.schemas` finds no fault with.
    """

    labels: tuple[str, ...] = ()
    schema: str | None = None


def grammar_of(form: Form) -> str:
    """Return the library's grammar of a form.

    Raises:
        ValueError: The schema is no JSON object that the library can read.
    """
    if form.schema is None:
        labels = (json.dumps(label, ensure_ascii=False) for label in form.labels)
        return LLMatcher.grammar_from_lark(f"start: {' | '.join(labels)}")
    schema = json.loads(form.schema)
    schema.pop("x-guidance", None)  # the library's options, which would go before ours
    return LLMatcher.grammar_from_json_schema(schema, overrides=_JSON)


def _fault(schema: str) -> str:
    """Return why a schema cannot be followed; empty where it can."""
    try:
        matcher = LLMatcher(LLTokenizer("byte"), grammar_of(Form(schema=schema)), limits=LIMITS, log_level=0)
    except ValueError as unreadable:
        return str(unreadable)
    if not matcher.is_error():
        matcher.compute_bitmask()  # here it shows where a schema lets nothing begin
    error = matcher.get_error()
    return "there is no JSON value that follows it" if error.startswith("NoExtension") else error


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(_fault(sys.stdin.buffer.read().decode()))
