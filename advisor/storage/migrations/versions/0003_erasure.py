"""Use cases know the files they are kept in step with, and adapters what they were trained on."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = """
ALTER TABLE use_cases ADD COLUMN origins text[] NOT NULL DEFAULT '{}';
ALTER TABLE adapters
    ADD COLUMN erased_examples bigint NOT NULL DEFAULT 0,
    ADD COLUMN erased_documents bigint NOT NULL DEFAULT 0;

-- Hashes of contents. A row goes when its content does, and is counted in the adapter.
CREATE TABLE trained_on (
    use_case_id text COLLATE "C" NOT NULL,
    adapter_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('EXAMPLE', 'DOCUMENT')),
    sha256 text COLLATE "C" NOT NULL,
    PRIMARY KEY (use_case_id, adapter_id, kind, sha256),
    FOREIGN KEY (use_case_id, adapter_id) REFERENCES adapters ON DELETE CASCADE
);
"""


def upgrade() -> None:
    """Add them; what adapters that are there were trained on is not known any more."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop them."""
    op.execute(
        "DROP TABLE trained_on;"
        "ALTER TABLE adapters DROP COLUMN erased_examples, DROP COLUMN erased_documents;"
        "ALTER TABLE use_cases DROP COLUMN origins;"
    )
