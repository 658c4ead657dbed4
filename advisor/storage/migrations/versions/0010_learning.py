"""Learning from what was measured: cases that trials leave, outcomes of answers, the key that names answers."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

SCHEMA = """
-- What a trial teaches, without texts; it goes with the trial.
CREATE TABLE measured_cases (
    use_case_id text COLLATE "C" NOT NULL,
    trial_id text COLLATE "C" NOT NULL,
    measured jsonb NOT NULL,
    create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (use_case_id, trial_id),
    FOREIGN KEY (use_case_id, trial_id) REFERENCES trials ON DELETE CASCADE
);

-- What became of answers, one row each, without texts.
CREATE TABLE outcomes (
    use_case_id text COLLATE "C" NOT NULL REFERENCES use_cases ON DELETE CASCADE,
    answer_id uuid NOT NULL,
    approach text COLLATE "C" NOT NULL,
    adapter_id text COLLATE "C",
    versions jsonb NOT NULL,
    quality double precision NOT NULL CHECK (quality BETWEEN 0 AND 1),
    answer_time timestamptz NOT NULL,
    outcome_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (use_case_id, answer_id)
);

-- What attribution tokens are signed with: one row, the same for all servers on this database.
CREATE TABLE attribution_keys (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    key bytea NOT NULL
);
-- Two UUIDs of 122 random bits each, which PostgreSQL takes from a strong source.
INSERT INTO attribution_keys (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop the tables and what they hold."""
    op.execute("DROP TABLE attribution_keys, outcomes, measured_cases")
