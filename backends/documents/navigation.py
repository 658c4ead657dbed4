"""What of a page leads elsewhere and says nothing: by role, by usual names, and as links alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

__all__ = ["leads_around"]

_AROUND = re.compile(
    r"(?:^|[\s_-])(?:nav(?:bar|igation|header|footer|list|links?)?|breadcrumbs?|menu|sidebar|toc|footer|"
    r"topnav|skip-?links?|pagination|pager|related|cookie|banner|headerlink|permalink|anchorjs-link|"
    r"sphinxsidebar\w*|langs?|toplang|bottomlang|comments?_section)(?:$|[\s_-])",
    re.IGNORECASE,
)
_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "menu", "menubar"})
_LINKS_ALONE = 0.8
"""A block with a larger share of its letters in links leads elsewhere and says nothing."""


def leads_around(node: LexborNode) -> bool:
    """Return whether an element is navigation: by its role, its class, or as links and nothing else."""
    attributes = node.attributes
    if (attributes.get("role") or "") in _ROLES:
        return True
    named = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    if named.strip() and node.tag not in ("body", "h1", "h2", "h3", "dt") and _AROUND.search(named):
        return node.tag == "a" or not _says_much(node)
    return node.tag in ("ul", "ol", "table", "div", "p", "dl") and _is_links(node)


def _says_much(node: LexborNode) -> bool:
    """Return whether a block named like navigation holds what no navigation does."""
    return len(node.css("p, pre, dd")) > 10


def _is_links(node: LexborNode) -> bool:
    links = node.css("a[href]")
    if len(links) < 3:
        return False
    linked = sum(_letters(link) for link in links)
    return linked > _LINKS_ALONE * _letters(node)


def _letters(node: LexborNode) -> int:
    return sum(map(len, (node.text(deep=True) or "").split()))
