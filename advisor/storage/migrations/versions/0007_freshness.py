"""Changes of documents, languages of passages, and operations of no use case."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = """
ALTER TABLE operations ALTER use_case_id DROP NOT NULL;

-- When the content of a document was replaced: the last times, beyond which rows go.
CREATE TABLE document_changes (
    use_case_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    change_time timestamptz NOT NULL,
    PRIMARY KEY (use_case_id, source, change_time),
    FOREIGN KEY (use_case_id, source) REFERENCES documents ON DELETE CASCADE
);

-- Which passage has which language was not kept: what most are in stands for those that are there.
DO $$
BEGIN
    IF to_regclass('passages') IS NOT NULL THEN
        EXECUTE format(
            'ALTER TABLE passages ADD COLUMN IF NOT EXISTS language text NOT NULL DEFAULT %L',
            coalesce(
                (SELECT language FROM passage_languages GROUP BY language ORDER BY sum(passages) DESC LIMIT 1),
                'simple'
            )
        );
        ALTER TABLE passages ALTER language DROP DEFAULT;
    END IF;
END $$;
"""


def upgrade() -> None:
    """Add them."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop them, and with them the operations of no use case."""
    op.execute(
        "DELETE FROM operations WHERE use_case_id IS NULL;"
        "ALTER TABLE operations ALTER use_case_id SET NOT NULL;"
        "DROP TABLE document_changes;"
        "ALTER TABLE IF EXISTS passages DROP COLUMN language;"
    )
