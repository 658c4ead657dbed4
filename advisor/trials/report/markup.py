"""HTML that is safe by its type: what is not `Html` is escaped wherever it is put in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

__all__ = ["Html", "block", "element", "joined", "legal"]

# Control characters that HTML does not allow, and halves of surrogate pairs, which no encoding can write.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_VOID = ("input", "meta")


class Html(str):
    """Markup: put in as it is. Adding to it makes a plain string again, which is escaped."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | int | bool | None) -> Html:
    """Return an element; children that are no `Html` are escaped.

    Args:
        name: Of the element.
        children: What stands in it.
        attributes: By name, `_` for `-`, less one at the end; True stands alone, False and None are left out.

    Example:
        >>> element("td", "a < b", class_="text", data_label="so", hidden=True, title=None)
        '<td class="text" data-label="so" hidden>a &lt; b</td>'
    """
    opened = f"<{name}{''.join(map(_attribute, attributes.items()))}>"
    return Html(opened if name in _VOID else f"{opened}{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Html:
    """Return children one after the other; those that are no `Html` are escaped."""
    return Html("".join(each if isinstance(each, Html) else _escaped(each) for each in children))


def block(text: str | None, limit: int) -> Html:
    """Return a text of the use case, in its own direction: cut after so many characters, with a note; None: erased."""
    if text is None:
        return element("p", element("em", "erased"), class_="text")
    if not text.strip():
        return element("p", element("em", "empty"), class_="text")
    if len(text) <= limit:
        return element("p", text, class_="text", dir="auto")
    note = element("span", f"cut: {limit:,} of {len(text):,} characters", class_="note")
    return joined((element("p", f"{text[:limit]}…", class_="text", dir="auto"), note))


def legal(text: str) -> str:
    """Return a text with a replacement character for each that no page may have."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)


def _attribute(item: tuple[str, str | int | bool | None]) -> str:
    name, value = item
    if value is None or value is False:
        return ""
    written = name.removesuffix("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    return escape(legal(text))
