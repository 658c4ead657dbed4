"""reStructuredText to Markdown, with what Sphinx adds to it.

Docutils parses; nothing is included, run or fetched. Directives and roles that it does not know are Sphinx's
or an extension's: an argument becomes a term, options become lines, content is kept, and a role gives its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from backends.documents.doctree import markdown
from backends.documents.encoding import decode
from backends.documents.markup import written
from backends.documents.text import DocumentText

if TYPE_CHECKING:
    from docutils import nodes

__all__ = ["read"]

_MOST_CHARACTERS = 1024 * 1024  # docutils parses fifty to five hundred kilobytes a second
_MOST_LINE = 10_000
# Docutils looks for the end of each markup from its start on, to the end of the paragraph.
_MOST_LOOKED_AT = 2_000_000_000
_MOST_NAMES = 1_000

_NAME = r"[A-Za-z][\w.+:-]{0,60}?"
_DIRECTIVE = re.compile(
    rf"^[ \t]*\.\.[ ]+(?:\|[^|\n]{{1,80}}\|[ ]+)?({_NAME})[ ]?::(?=[ \t]|$)", re.MULTILINE
)
_ROLE = re.compile(rf":({_NAME}):`|`:({_NAME}):(?!`)")
_FIELD = re.compile(r":(?![: ])((?:[^:\\]|\\.)*[^ ]):(?:[ ]+(.*)|$)")
_LINKED = re.compile(r"^(.+?)\s*<[^<>]+>$", re.DOTALL)

_CODE = frozenset(
    {
        "code",
        "code-block",
        "sourcecode",
        "parsed-literal",
        "literal",
        "testcode",
        "testoutput",
        "testsetup",
        "prompt",
    }
    | {"doctest", "ipython", "console", "productionlist", "graphviz", "mermaid", "math", "highlight-block"}
)
_SILENT = frozenset(
    {
        "toctree",
        "index",
        "highlight",
        "currentmodule",
        "default-domain",
        "rst-class",
        "tabularcolumns",
        "meta",
    }
    | {
        "program",
        "literalinclude",
        "include",
        "raw",
        "sectionauthor",
        "codeauthor",
        "contents",
        "py:currentmodule",
    }
)
_PLAIN = frozenset(
    {"only", "ifconfig", "container", "hlist", "glossary", "acks", "tabs", "tab-set", "grid", "div"}
)
_PROSE = frozenset({"ref", "doc", "term", "abbr", "numref", "any", "download", "guilabel", "menuselection"})
_WORDED = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "versionremoved": "Removed in version",
    "versiondeprecated": "Deprecated since version",
    "deprecated": "Deprecated since version",
    "deprecated-removed": "Deprecated since version",
    "seealso": "See also:",
    "todo": "To do:",
    "rubric": "",
    "centered": "",
    "figure": "",
    "image": "",
}
# Options that say how something looks or is found, not what it is.
_UNSEEN = frozenset(
    {
        "noindex",
        "no-index",
        "noindexentry",
        "no-index-entry",
        "no-contents-entry",
        "nocontentsentry",
        "name",
        "class",
    }
    | {
        "width",
        "height",
        "scale",
        "align",
        "target",
        "figwidth",
        "module",
        "members",
        "undoc-members",
        "sorted",
    }
    | {"show-inheritance", "inherited-members", "columns", "hidden", "open", "figclass", "loading", "alt"}
)


def read(source: str, content: bytes) -> DocumentText:
    """Return a reStructuredText as Markdown, its blocks' lines as places.

    A text that is too large for docutils, or that it fails on, stays as it is.

    Raises:
        DocumentError: It is not text.
    """
    text = decode(source, content)
    if not _is_parsable(text):
        return DocumentText(text, plain=True)
    try:
        document = _parsed(text)
        return written(markdown(document), _title(document))
    except Exception:  # noqa: BLE001 - docutils raises whatever it stumbles over, RecursionError among it
        return DocumentText(text, plain=True)


def _title(document: nodes.document) -> str:
    from docutils import nodes

    for section in document.findall(nodes.section):
        return section[0].astext() if len(section) and isinstance(section[0], nodes.title) else ""
    return ""


def _is_parsable(text: str) -> bool:
    """Tell whether docutils parses a text in bounded time."""
    if len(text) > _MOST_CHARACTERS or any(len(line) > _MOST_LINE for line in text.split("\n")):
        return False
    looked_at = 0
    for paragraph in re.split(r"\n[ \t]*\n", text):
        looked_at += len(paragraph) * (sum(map(paragraph.count, "*`|_[")) + paragraph.count("\n+"))
    return looked_at <= _MOST_LOOKED_AT


def _parsed(text: str) -> nodes.document:
    from docutils.frontend import get_default_settings
    from docutils.parsers.rst import Parser
    from docutils.utils import new_document

    _register(text)
    settings = get_default_settings(Parser)
    for name, value in {
        "file_insertion_enabled": False,
        "raw_enabled": False,
        "report_level": 5,
        "halt_level": 5,
        "warning_stream": "",
        "syntax_highlight": "none",
        "line_length_limit": _MOST_LINE,
        "pep_references": False,
        "rfc_references": False,
        "_disable_config": True,
    }.items():
        setattr(settings, name, value)
    document = new_document("document", settings)
    Parser().parse(text, document)
    return document


def _register(text: str) -> None:
    """Tell docutils of the directives and roles of a text that it does not know, or knows too strictly.

    Its registries are its own and for all texts: what is put there is the same for each name, whenever.
    """
    from docutils.parsers.rst import directives, roles
    from docutils.parsers.rst.languages import en

    used = {match.group(1).lower() for match in _DIRECTIVE.finditer(text)}
    named = {(first or second).lower() for first, second in _ROLE.findall(text)}
    if len(used) + len(named) > _MOST_NAMES:
        raise ValueError("more directives and roles than a text has")
    for name in used:
        if name not in en.directives or name in _CODE or name in _SILENT or name in _WORDED:
            directives.register_directive(name, _generic_directive())
    role: Any = _role
    for name in named - set(en.roles):
        roles.register_local_role(name, role)


def _role(
    name: str, rawtext: str, text: str, *_context: Any, **_options: Any
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Give the text of a role: of a link its title, of a name the name."""
    from docutils import nodes, utils

    text = utils.unescape(text)
    linked = _LINKED.match(text)
    shown = linked.group(1) if linked else text.lstrip("!~")
    prose = linked or name in _PROSE
    return [nodes.inline(rawtext, shown) if prose else nodes.literal(rawtext, shown)], []


@cache
def _generic_directive() -> type[Any]:
    from docutils.parsers.rst import Directive

    class Generic(Directive):
        """Keeps what a directive says. Options are taken from the argument: docutils is strict about them."""

        optional_arguments = 1
        final_argument_whitespace = True
        has_content = True

        def run(self) -> list[nodes.Node]:
            return list(_kept(self))

    return Generic


def _kept(directive: Any) -> Iterator[nodes.Node]:
    """Yield what a directive says, as what docutils itself would make of it."""
    from docutils import nodes

    name = directive.name.lower().replace("version-", "version")
    arguments, options = _split("\n".join(directive.arguments))
    if name in _SILENT:
        return
    if name in _CODE or "code" in name:
        yield from _code(directive, arguments, dict(options).get("caption", ""))
        return
    body = _content(directive)
    if name in _PLAIN:
        yield from body
    elif name in _WORDED:
        caption = dict(options).get("alt", "") if name in ("figure", "image") else " ".join(arguments)
        if "version" in _WORDED[name]:
            version, _, words = caption.partition(" ")
            caption = f"{version}: {words}" if words else version
        yield from _worded(directive, f"{_WORDED[name]} {caption}".strip(), body)
    else:
        seen = [f"{key}: {value}".rstrip(": ") for key, value in options if key not in _UNSEEN]
        yield from _defined(directive, arguments, [*(nodes.paragraph(line, line) for line in seen), *body])


def _code(directive: Any, arguments: Sequence[str], caption: str) -> Iterator[nodes.Node]:
    from docutils import nodes

    code = "\n".join(directive.content)
    named = "code" in directive.name.lower()
    if not named:  # what stands beside the name of others is content
        code = "\n".join([*arguments, code]).strip("\n")
    language = " ".join(arguments).split(" ")[0] if named else ""
    block = nodes.literal_block(code, code, classes=["code", language])
    block.line = directive.lineno
    yield from ([nodes.paragraph(caption, caption)] if caption else [])
    yield block


def _split(argument: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the lines of an argument before the first option, and the options."""
    arguments: list[str] = []
    options: list[tuple[str, str]] = []
    for line in argument.split("\n"):
        if field := _FIELD.match(line.strip()):
            options.append((field.group(1), (field.group(2) or "").strip()))
        elif options:
            options[-1] = (options[-1][0], f"{options[-1][1]} {line.strip()}".strip())
        elif line.strip():
            arguments.append(line.strip().removesuffix("\\").strip())
    return arguments, options


def _content(directive: Any) -> list[nodes.Node]:
    from docutils import nodes

    holder = nodes.Element()
    holder.document = directive.state.document
    directive.state.nested_parse(directive.content, directive.content_offset, holder)
    return list(holder.children)


def _worded(directive: Any, words: str, body: Sequence[nodes.Node]) -> Iterator[nodes.Node]:
    """Yield content after some words, in one paragraph with the first of its own."""
    from docutils import nodes

    inline, _ = directive.state.inline_text(words, directive.lineno)
    paragraph = nodes.paragraph(words, "", *inline)
    paragraph.line = directive.lineno
    if body and isinstance(body[0], nodes.paragraph) and words:
        paragraph += [nodes.Text(" " if words.endswith(":") else ": "), *body[0].children]
        body = body[1:]
    yield from ([paragraph] if words else [])
    yield from body


def _defined(directive: Any, terms: Sequence[str], body: Sequence[nodes.Node]) -> Iterator[nodes.Node]:
    """Yield content as what its directive's arguments mean."""
    from docutils import nodes

    if not terms:
        yield from body
        return
    item = nodes.definition_list_item("", *(nodes.term(term, term) for term in terms))
    item.line = directive.lineno
    if body:
        item += nodes.definition("", *body)
    yield nodes.definition_list("", item)
