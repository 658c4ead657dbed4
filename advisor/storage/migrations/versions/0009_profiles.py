"""Profiles: what was measured of the data of a use case."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

SCHEMA = """
CREATE TABLE profiles (
    use_case_id text COLLATE "C" PRIMARY KEY REFERENCES use_cases ON DELETE CASCADE,
    -- That of the examples when they were last read.
    version text COLLATE "C" NOT NULL DEFAULT '',
    measurements jsonb NOT NULL DEFAULT '[]',
    update_time timestamptz
);
"""


def upgrade() -> None:
    """Create the table."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop the table and what it holds."""
    op.execute("DROP TABLE profiles")
