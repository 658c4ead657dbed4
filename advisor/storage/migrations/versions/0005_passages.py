"""Passages with their places, and the counts of their words: made anew from the documents."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Drop passages of an earlier form; the next import of their documents makes them again."""
    op.execute(
        "DROP TABLE IF EXISTS passages;"
        "UPDATE documents SET sha256 = '', passage_count = 0;"
        "UPDATE use_cases SET passage_count = 0;"
    )


def downgrade() -> None:
    """Drop passages of this form; the next import of their documents makes them again."""
    op.execute(
        "DROP TABLE IF EXISTS passages, passage_words, passage_languages;"
        "UPDATE documents SET sha256 = '', passage_count = 0;"
        "UPDATE use_cases SET passage_count = 0;"
    )
