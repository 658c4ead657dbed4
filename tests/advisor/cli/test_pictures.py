"""The pictures of the README show what the commands print."""

from __future__ import annotations

import pytest

from advisor.cli.pictures import FOLDER, PICTURES, Picture, draw, text_of

MAKE = "python -m advisor.cli.pictures"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_what_is_printed(picture: Picture) -> None:
    """Drawn again it says the same, and it is small enough for a page."""
    kept = (FOLDER / f"{picture.name}.svg").read_text(encoding="utf-8")
    assert text_of(kept) == text_of(draw(picture)), f"run {MAKE}"
    assert len(kept.encode()) < 60_000
    assert 'url("http' not in kept
