"""Trials: what was asked and answered, and what it came to; examples that are held out."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

SCHEMA = """
-- Kept to measure on.
ALTER TABLE examples ADD COLUMN held_out boolean NOT NULL DEFAULT false;
ALTER TABLE use_cases ADD COLUMN held_out_count bigint NOT NULL DEFAULT 0;

CREATE TABLE trials (
    use_case_id text COLLATE "C" NOT NULL REFERENCES use_cases ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL CHECK (id ~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$'),
    operation_id text COLLATE "C" NOT NULL,
    conditions jsonb NOT NULL,
    arms jsonb NOT NULL DEFAULT '[]',
    result jsonb,
    create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (use_case_id, id)
);
CREATE INDEX trials_newest ON trials (use_case_id, create_time DESC, id DESC);

-- The examples as they were when the trial began; the texts go when the example does.
CREATE TABLE trial_examples (
    use_case_id text COLLATE "C" NOT NULL,
    trial_id text COLLATE "C" NOT NULL,
    held_out boolean NOT NULL,
    number integer NOT NULL,
    sha256 text COLLATE "C" NOT NULL,
    question text,
    answer text,
    context text,
    PRIMARY KEY (use_case_id, trial_id, held_out, number),
    FOREIGN KEY (use_case_id, trial_id) REFERENCES trials ON DELETE CASCADE
);

-- What each arm answered; the text goes when its example does, or a document that it was given passages of.
CREATE TABLE trial_answers (
    use_case_id text COLLATE "C" NOT NULL,
    trial_id text COLLATE "C" NOT NULL,
    arm text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    text text,
    measured jsonb NOT NULL,
    documents text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (use_case_id, trial_id, arm, number),
    FOREIGN KEY (use_case_id, trial_id) REFERENCES trials ON DELETE CASCADE
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop the tables and what they hold."""
    op.execute(
        "DROP TABLE trial_answers, trial_examples, trials;"
        "DELETE FROM examples WHERE held_out;"
        "ALTER TABLE examples DROP COLUMN held_out;"
        "ALTER TABLE use_cases DROP COLUMN held_out_count;"
    )
