"""The call that asked for an operation: its request id and its span, for logs and traces of the work."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add it."""
    op.execute("ALTER TABLE operations ADD COLUMN call jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    """Drop it."""
    op.execute("ALTER TABLE operations DROP COLUMN call")
