"""Filters of what is found: by the documents that the passages are of."""

from __future__ import annotations

from advisor.storage.filters import Condition, FilterField, parse_filter
from backends.base import Restriction
from backends.documents.reading import MEDIA_TYPES
from backends.retrieval.words import LANGUAGES, OTHER

__all__ = ["restriction_of"]

_LANGUAGES = sorted(set(LANGUAGES.values()))
_EXAMPLE = 'source = "manuals/v2/*" AND media_type != text/html'


def restriction_of(text: str, field: str) -> Restriction | None:
    """Return which passages a filter lets through; None where it is empty.

    Args:
        text: The filter, by `source`, `media_type` and `language`; in a source, `*` stands for any characters.
        field: The request's field that holds it.

    Raises:
        InvalidInput: The filter cannot be read; the message names the part, and what is allowed.
    """
    conditions = parse_filter(text, _FIELDS, field, example=_EXAMPLE)
    if not conditions:
        return None
    names = [f"within_{number}" for number in range(len(conditions))]
    tests = (_test(each, name) for each, name in zip(conditions, names, strict=True))
    return Restriction(
        " AND ".join(tests), tuple(zip(names, (each.value for each in conditions), strict=True))
    )


def _test(condition: Condition, name: str) -> str:
    """Return the test of a condition, with the parameter of that name for its value."""
    test = _TESTS[condition.column].replace("%s", f"%({name})s")
    return test if condition.equal else f"NOT {test}"


def _like_pattern(value: str) -> str:
    """Return the pattern of LIKE that a source with stars is; ValueError where it can be no source."""
    if not value.strip() or "\0" in value:
        raise ValueError(value)
    for special in "\\%_":
        value = value.replace(special, f"\\{special}")
    return value.replace("*", "%")


_FIELDS = {
    "source": FilterField("source", _like_pattern, "a source, in which * stands for any characters"),
    "media_type": FilterField.of("media_type", {media_type: media_type for media_type in MEDIA_TYPES}),
    "language": FilterField.of("language", {language: language for language in (*_LANGUAGES, OTHER)}),
}
_TESTS = {
    "source": "(passages.source LIKE %s)",
    # Not correlated: the documents are read once for a query, and looked up by hashes.
    "media_type": "(passages.source IN ("
    "SELECT source FROM documents WHERE use_case_id = %(collection)s AND media_type = %s))",
    "language": "(passages.language = %s)",
}
