"""Operations keep the steps of theirs that have ended."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; what waits or runs has no steps yet."""
    op.execute("ALTER TABLE operations ADD COLUMN steps jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    """Drop the column: what is resumed starts from its first step."""
    op.execute("ALTER TABLE operations DROP COLUMN steps")
