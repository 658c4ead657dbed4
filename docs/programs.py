"""Write the programs below examples/clients into docs/clients.md, which shows them whole: `make docs`.

A program stands in a block of code below a line that ends with a link to its
file and a colon.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "clients.md"
SHOWN = re.compile(
    r"(\]\(\.\./(examples/clients/[\w./-]+)\):\n\n```\w+\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE
)


def shown(page: str) -> dict[str, str]:
    """Return the programs that a page shows, by their paths from the root of the tree."""
    return {path: text for _, path, text, _ in SHOWN.findall(page)}


def current(page: str) -> str:
    """Return the page with its programs as their files are now."""
    return SHOWN.sub(
        lambda found: f"{found[1]}{(ROOT / found[2]).read_text(encoding='utf-8')}{found[4]}", page
    )


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
