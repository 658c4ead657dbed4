"""What a document holds and no reader sees: hidden elements, comments, and signs without a width.

A text that nobody sees was not written for readers, and may have been put there for the model.
Style sheets are not read: what they hide stays, since pages hide by them what a click shows.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.documents.text import DocumentText

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

__all__ = ["drop_hidden", "without_comments", "without_unseen_signs"]

_HIDING = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?\.?0+(?:[;\s!]|$)"
    r"|font-size\s*:\s*0(?:\.0+)?(?:[a-z%;\s!]|$)|(?:left|top|right|text-indent)\s*:\s*-\d{3,})",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?:^|;)\s*color\s*:\s*([^;!]+)", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|;)\s*background(?:-color)?\s*:\s*([^;!]+)", re.IGNORECASE)
_WHITE = frozenset({"white", "#fff", "#ffffff", "rgb(255,255,255)", "rgba(255,255,255,1)"})
# Signs without a width, marks of direction, signs that spell letters unseen (tags), and variants beyond those of emoji.
_SIGNS = (
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u061c\u180e"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef"
)
# Joiners belong to words of Persian and Indic scripts, and to emoji: between Latin letters they split words unseen.
_UNSEEN = re.compile(rf"[{_SIGNS}]|(?:(?<=[\x00-\u024f])|(?<![\s\S]))[\u200c\u200d](?=[\x00-\u024f]|\Z)")
_FENCES = re.compile(r"(?ms)^(?: {0,3})(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)|`[^`\n]+`")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_OPENING = re.compile(r"<(?P<tag>[a-z][a-z0-9]*)\b(?P<attributes>[^<>]*)>", re.IGNORECASE)
_HIDDEN = re.compile(r"\shidden(?=[\s=]|\Z)(?!\s*=\s*[\"']?until-found)", re.IGNORECASE)
_STYLE = re.compile(r"\sstyle\s*=\s*([\"'])(.*?)\1", re.IGNORECASE | re.DOTALL)


def drop_hidden(page: LexborHTMLParser) -> None:
    """Take the elements out of a page that their own attributes hide, with all that is in them."""
    styled = bool(page.css("style, link[rel~=stylesheet]"))
    for node in page.css("[hidden], [style]"):
        if _is_hidden(node, styled=styled):
            node.decompose()


def without_comments(markdown: str) -> str:
    """Return Markdown with its comments, and elements that hide themselves, blank: everything else stays in place."""
    parts, end = [], 0
    for code in _FENCES.finditer(markdown):
        parts += [_blanked(markdown[end : code.start()]), code.group()]
        end = code.end()
    return "".join([*parts, _blanked(markdown[end:])])


def without_unseen_signs(document: DocumentText) -> DocumentText:
    """Return a document without signs that nobody sees, its blocks and places where they were."""
    gone = [found.start() for found in _UNSEEN.finditer(document.text)]
    if not gone:
        return document

    def moved(index: int) -> int:
        return index - bisect_left(gone, index)

    return replace(
        document,
        text=_UNSEEN.sub("", document.text),
        title=_UNSEEN.sub("", document.title),
        places=tuple(replace(each, start=moved(each.start)) for each in document.places),
        blocks=tuple(
            replace(each, start=moved(each.start), end=moved(each.end), title=_UNSEEN.sub("", each.title))
            for each in document.blocks
        ),
    )


def _is_hidden(node: LexborNode, *, styled: bool) -> bool:
    attributes = node.attributes
    if "hidden" in attributes and attributes["hidden"] != "until-found":
        return True
    style = attributes.get("style") or ""
    if _HIDING.search(style):
        return True
    colour = _COLOUR.search(style)
    return colour is not None and _said(colour[1]) == _background(node, styled=styled)


def _background(node: LexborNode, *, styled: bool) -> str | None:
    """Return the colour that an element stands on; None where a style sheet may say."""
    at: LexborNode | None = node
    while at is not None and not (at.tag or "-").startswith("-"):
        found = _BACKGROUND.search(at.attributes.get("style") or "")
        if colour := found[1] if found else at.attributes.get("bgcolor"):
            return _said(colour)
        at = at.parent
    return None if styled else "white"


def _said(colour: str) -> str:
    name = re.sub(r"\s", "", colour.lower())
    return "white" if name in _WHITE else name


def _blanked(markdown: str) -> str:
    text = _COMMENT.sub(lambda found: _blank(found.group()), markdown)
    parts, end = [], 0
    for opening in _OPENING.finditer(text):
        if opening.start() >= end and _hides_itself(opening["attributes"]):
            closing = re.compile(rf"</{opening['tag']}\s*>", re.IGNORECASE).search(text, opening.end())
            after = closing.end() if closing else len(text)
            parts += [text[end : opening.start()], _blank(text[opening.start() : after])]
            end = after
    return "".join([*parts, text[end:]])


def _hides_itself(attributes: str) -> bool:
    style = _STYLE.search(attributes)
    return _HIDDEN.search(attributes) is not None or (
        style is not None and _HIDING.search(style[2]) is not None
    )


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
