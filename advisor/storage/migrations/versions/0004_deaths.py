"""Operations count the workers that died at them apart from how often they were started."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

SCHEMA = """
ALTER TABLE operations ADD COLUMN deaths integer NOT NULL DEFAULT 0;
-- Until now only attempts whose worker died were left counted, and the one that runs.
UPDATE operations SET deaths = CASE state WHEN 'RUNNING' THEN attempt - 1 ELSE attempt END
    WHERE state IN ('QUEUED', 'RUNNING');
"""


def upgrade() -> None:
    """Add the count, and take it for what waits or runs from its attempts."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop the count; attempts stay, so that an operation may fail after fewer deaths."""
    op.execute("ALTER TABLE operations DROP COLUMN deaths")
