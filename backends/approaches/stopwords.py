"""Words that say nothing of what a text is about."""

from __future__ import annotations

import re

__all__ = ["STOP_WORDS"]

STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can do does for from has have how if in into is it its of on or that the "
        "their there these this to was were what when where which who will with you your",
    )
)
"""English words that questions and statements share whatever they are about."""
