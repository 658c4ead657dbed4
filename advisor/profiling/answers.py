"""What single answers are: structured, code, or short; by their text alone."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

__all__ = ["fields", "is_code", "is_json", "is_markup", "is_short", "leaves", "record", "unfenced"]

_FENCE = re.compile(r"\A\s*```[\w+-]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_MARKUP = re.compile(r"\A\s*(?:<\?xml.*?\?>\s*)?<([A-Za-z][\w.:-]*)(?:\s[^<>]*)?>.*</\1>\s*\Z", re.DOTALL)
_PAIR = re.compile(r"\s*[-*]?\s*([^\W\d][\w .\-/]{0,39}?)\s*(?::(?!/)|=(?!=))\s*(\S.*)?")
_SQL = re.compile(
    r"\A\s*(?:SELECT\b.+\bFROM\b|WITH\b.+\bAS\s*\(.+\bSELECT\b|INSERT\s+INTO\b|UPDATE\b.+\bSET\b|DELETE\s+FROM\b"
    r"|(?:CREATE|ALTER|DROP)\s+(?:TABLE|VIEW|INDEX|DATABASE|SCHEMA)\b)",
    re.IGNORECASE | re.DOTALL,
)
_SHELL = re.compile(
    r"\A\s*(?:[$#]\s+)?(?:sudo|git|docker|kubectl|curl|wget|npm|pip|ssh|scp|grep|awk|sed|tar|chmod|find|ls|cat|systemctl)"
    r" .*(?:(?:^| )--?\w|[|>/*])",
)
_CODE_LINE = re.compile(
    r"[;{}]\s*(?://.*)?$|^\s*(?:#include|using |import |package |return |\}|//|@\w+$)|=>\s*\S|\)\s*\{"
)
_LONGEST_SHORT_WORDS, _LONGEST_SHORT = 6, 60
_MOST_CODE = 20_000
"""Characters of an answer that are parsed."""


def is_short(answer: str) -> bool:
    """Return whether an answer has the length of a label: six words and sixty characters at most."""
    return len(re.findall(r"\w+", answer)) <= _LONGEST_SHORT_WORDS and len(answer.strip()) <= _LONGEST_SHORT


def unfenced(answer: str) -> str:
    """Return what stands between the fences of an answer that is one block of Markdown."""
    found = _FENCE.match(answer)
    return found.group(1) if found else answer


def is_json(answer: str) -> bool:
    """Return whether an answer is a JSON object or array."""
    return isinstance(_parsed(answer), dict | list)


def leaves(answer: str) -> Iterator[str]:
    """Yield the texts and numbers in a JSON value, or the values of a record."""
    value = _parsed(answer)
    if isinstance(value, dict | list):
        yield from _leaves(value)
    else:
        yield from record(answer).values()


def is_markup(answer: str) -> bool:
    """Return whether an answer is one element of XML or HTML."""
    return _MARKUP.match(unfenced(answer)) is not None


def record(answer: str) -> dict[str, str]:
    """Return an answer's values by their keys, of lines of `key: value` or `key=value`; empty where it is none."""
    text = unfenced(answer).strip()
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and "=" in text:
        lines = [part for part in re.split(r"[;,&]\s*|\s+(?=[\w.-]+=)", text) if part]
    pairs = [_PAIR.fullmatch(line) for line in lines]
    found = {pair[1].casefold(): pair[2] or "" for pair in pairs if pair}
    # One `word: text` may be a sentence.
    return found if len(found) == len(lines) >= (1 if "=" in text else 2) else {}


def fields(answer: str) -> tuple[str, int]:
    """Return by what an answer of one line is cut into fields, and into how many; ("", 1) where it is not."""
    text = answer.strip()
    for sign in ("\t", "|", ";", ","):
        parts = [part.strip() for part in text.strip("|").split(sign)]
        is_table = len(parts) >= 3 and all(
            len(part.split()) <= 4 and not part.endswith(".") for part in parts
        )
        if is_table and "\n" not in text:
            return sign, len(parts)
    return "", 1


def is_code(answer: str) -> bool:
    """Return whether an answer is code: Python, SQL, a command line, or lines that end as code does."""
    text = unfenced(answer).strip()
    fenced = text != answer.strip()
    if not text or len(text) > _MOST_CODE:
        return fenced
    return fenced or _is_sql(text) or bool(_SHELL.match(text)) or _is_python(text) or _has_code_lines(text)


def _parsed(answer: str) -> object:
    text = unfenced(answer).strip()
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _is_sql(text: str) -> bool:
    """Return whether a text is a statement of SQL; sentences begin with `Select` and `Update` as well."""
    return _SQL.match(text) is not None and (
        text[:6].isupper() or re.search(r"[*=;()].*[^.]\Z", text) is not None
    )


def _is_python(text: str) -> bool:
    """Return whether a text is statements of Python that no sentence is: a word alone parses as well."""
    try:
        body = ast.parse(text.replace("\\", "")).body  # of an escape that Python does not know it would warn
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(_is_statement(each, text) for each in body)


def _is_statement(node: ast.stmt, text: str) -> bool:
    if isinstance(node, ast.Expr):
        # `billing (late)` is a call, too: code sets no space there.
        return isinstance(node.value, ast.Call | ast.Await) and re.search(r"[\w\])]\(", text) is not None
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Name):
        return False  # x = 5 is an answer
    telling = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign)
    more = (ast.AugAssign, ast.For, ast.While, ast.If, ast.With, ast.Try, ast.Return, ast.Raise, ast.Assert)
    return isinstance(node, (*telling, *more))


def _has_code_lines(text: str) -> bool:
    lines = [line for line in text.splitlines() if line.strip()]
    code = sum(_CODE_LINE.search(line) is not None for line in lines)
    signs = re.search(r"[(){}\[\]=<>]", text) is not None
    return (
        code >= max(1, len(lines) / 2)
        and signs
        and (len(lines) > 1 or re.search(r"[=({].*;\s*$", text) is not None)
    )
