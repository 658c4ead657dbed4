"""A docutils tree to Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from backends.documents.markup import definition, escaped, fence, heading, marked, one_line, table

__all__ = ["markdown"]

_ADMONITIONS = frozenset(
    {"attention", "caution", "danger", "error", "hint", "important", "note", "tip", "warning"}
)
_UNSEEN = frozenset(
    {
        "comment",
        "target",
        "substitution_definition",
        "pending",
        "raw",
        "meta",
        "decoration",
        "transition",
        "label",
    }
)


def markdown(document: Any) -> Iterator[str]:
    """Yield the blocks of a docutils document as Markdown, with a mark for the line of each."""
    yield from _section(document, _Inline(document.substitution_defs), 0)


class _Inline:
    """Gives the text of inline nodes; it knows what substitutions stand for."""

    def __init__(self, substitutions: dict[str, Any]) -> None:
        self._substitutions = substitutions

    def __call__(self, node: Any) -> str:
        """Return the text within a node, on one line."""
        return one_line(self._text(node, substitute=True))

    def _text(self, node: Any, *, substitute: bool) -> str:
        name = node.tagname
        if name == "#text":
            return str(node)
        if name == "literal":
            text = one_line(node.astext())
            return f"`` {text} ``" if "`" in text else f"`{text}`"
        if name == "image":
            return str(node.get("alt", ""))
        if name == "math":
            return f"${node.astext()}$"
        if name in ("footnote_reference", "citation_reference"):
            return f"[{node.astext() or node.get('refname', '#')}]"
        if name in ("raw", "system_message"):
            return ""
        if name == "substitution_reference" and substitute:
            # Those within it stay as they are: each could stand for two others, and those for four.
            found = self._substitutions.get(node.get("refname", ""), node)
            return "".join(self._text(child, substitute=False) for child in found.children)
        return "".join(self._text(child, substitute=substitute) for child in node.children)


def _section(node: Any, inline: _Inline, level: int) -> Iterator[str]:
    """Yield the blocks of a section, and of those within it."""
    for child in node.children:
        if child.tagname == "section":
            yield from _section(child, inline, level + 1)
        elif child.tagname in ("title", "subtitle"):
            yield _line(child, node) + heading(level or 1, inline(child))
        else:
            yield from _marked(child, _blocks(child, inline))


def _line(*nodes: Any) -> str:
    line = next((node.line for node in nodes if getattr(node, "line", None)), None)
    return marked(f"line {line}") if line else ""


def _marked(node: Any, blocks: Iterable[str]) -> Iterator[str]:
    first = next(iter(node.children), None)
    for index, block in enumerate(filter(str.strip, blocks)):
        yield block if index else _line(node, *([first] if first is not None else [])) + block


def _blocks(node: Any, inline: _Inline) -> Iterator[str]:
    """Yield the blocks that a node makes."""
    name = node.tagname
    if name in _UNSEEN:
        return
    if name in _WRITERS:
        yield from _WRITERS[name](node, inline)
    elif name in _ADMONITIONS:
        yield from _led(f"{name.capitalize()}: ", _inside(node, inline))
    elif name == "image":
        yield escaped(inline(node))
    else:  # block quotes, containers, headers, and what is yet unknown
        yield from _inside(node, inline)


def _inside(node: Any, inline: _Inline) -> Iterator[str]:
    return chain.from_iterable(_blocks(child, inline) for child in node.children if child.tagname != "title")


def _led(words: str, blocks: Iterable[str]) -> Iterator[str]:
    """Yield blocks, the first one after some words."""
    first, *others = list(blocks) or [""]
    yield f"{words}{first}" if first[:1] not in ("|", "`", "-") else f"{words.rstrip()}\n\n{first}"
    yield from others


def _paragraph(node: Any, inline: _Inline) -> Iterator[str]:
    yield escaped(inline(node))


def _title(node: Any, inline: _Inline) -> Iterator[str]:
    yield escaped(inline(node))


def _titled(node: Any, inline: _Inline) -> Iterator[str]:
    """Yield what stands apart under a title of its own."""
    titles = [inline(child) for child in node.children if child.tagname == "title"]
    yield definition(titles, _inside(node, inline)) if titles else "\n\n".join(_inside(node, inline))


def _literal(node: Any, _inline: _Inline) -> Iterator[str]:
    language = next((name for name in node.get("classes", ()) if name not in ("code", "")), "")
    yield fence(node.astext(), "".join(c for c in language if c.isalnum() or c in "+-_"))


def _doctest(node: Any, _inline: _Inline) -> Iterator[str]:
    yield fence(node.astext(), "pycon")


def _list(node: Any, inline: _Inline) -> Iterator[str]:
    """Yield a list as one block; its items stand apart where one of them holds more than a paragraph."""
    start = int(node.get("start", 1))
    items = []
    for number, item in enumerate(node.children, start):
        sign = f"{number}. " if node.tagname == "enumerated_list" else "- "
        text = "\n\n".join(block for block in _blocks(item, inline) if block.strip())
        items.append(sign + text.replace("\n", "\n" + " " * len(sign)))
    items = ["\n".join(line.rstrip() for line in item.split("\n")) for item in items]
    yield ("\n\n" if any("\n\n" in item for item in items) else "\n").join(items)


def _definitions(node: Any, inline: _Inline) -> Iterator[str]:
    for item in node.children:
        terms: list[str] = []
        for child in item.children:
            if child.tagname == "term":
                terms.append(inline(child))
            elif child.tagname == "classifier" and terms:
                terms[-1] += f" : {inline(child)}"
        body = (child for child in item.children if child.tagname == "definition")
        yield _line(item) + definition(
            map(escaped, terms), chain.from_iterable(_inside(x, inline) for x in body)
        )


def _fields(node: Any, inline: _Inline) -> Iterator[str]:
    for field in node.children:
        name, body = field.children[0], field.children[1:]
        yield _line(field) + definition(
            [escaped(inline(name))], chain.from_iterable(_inside(part, inline) for part in body)
        )


def _options(node: Any, inline: _Inline) -> Iterator[str]:
    for item in node.children:
        group, description = item.children
        options = ("".join(part.astext() for part in option.children) for option in group.children)
        yield definition([escaped(one_line(", ".join(options)))], _inside(description, inline))


def _table(node: Any, inline: _Inline) -> Iterator[str]:
    rows: list[list[str]] = []
    for group in node.findall(lambda found: found.tagname == "tgroup"):
        rows += _rows(group, inline)
        break  # tables within its cells are theirs
    titles = [escaped(inline(child)) for child in node.children if child.tagname == "title"]
    yield from titles
    yield table(rows)


def _rows(group: Any, inline: _Inline) -> Iterator[list[str]]:
    """Yield the cells of each row; one that spans rows is in each of them."""
    spanning: dict[int, tuple[int, str]] = {}
    for part in group.children:
        for row in part.children if part.tagname in ("thead", "tbody") else ():
            cells: list[str] = []
            for entry in row.children:
                _fill(cells, spanning)
                text = " ".join(_inside(entry, inline)).replace("\0", "")
                if entry.get("morerows"):
                    spanning[len(cells)] = (int(entry["morerows"]), text)
                cells += [text, *[""] * int(entry.get("morecols", 0))]
            _fill(cells, spanning)
            yield cells


def _fill(cells: list[str], spanning: dict[int, tuple[int, str]]) -> None:
    while (column := len(cells)) in spanning:
        left, text = spanning.pop(column)
        if left > 1:
            spanning[column] = (left - 1, text)
        cells.append(text)


def _verse(node: Any, inline: _Inline) -> Iterator[str]:
    lines = node.findall(lambda found: found.tagname == "line")
    yield "\n".join(escaped(inline(line)) for line in lines)


def _footnote(node: Any, inline: _Inline) -> Iterator[str]:
    labels = [child.astext() for child in node.children if child.tagname == "label"]
    yield from _led(f"[{(labels or node.get('names') or ['#'])[0]}] ", _inside(node, inline))


def _math(node: Any, _inline: _Inline) -> Iterator[str]:
    yield fence(node.astext(), "math")


def _message(node: Any, _inline: _Inline) -> Iterator[str]:
    """Yield the source that docutils could not read: what it says is better than nothing."""
    for child in node.children:
        if child.tagname == "literal_block" and node.get("level", 0) >= 3:
            yield fence(child.astext())


_WRITERS: dict[str, Callable[[Any, _Inline], Iterator[str]]] = {
    "paragraph": _paragraph,
    "rubric": _paragraph,
    "caption": _paragraph,
    "attribution": _paragraph,
    "title": _title,
    "topic": _titled,
    "sidebar": _titled,
    "admonition": _titled,
    "literal_block": _literal,
    "doctest_block": _doctest,
    "bullet_list": _list,
    "enumerated_list": _list,
    "definition_list": _definitions,
    "field_list": _fields,
    "option_list": _options,
    "table": _table,
    "line_block": _verse,
    "footnote": _footnote,
    "citation": _footnote,
    "math_block": _math,
    "system_message": _message,
}
