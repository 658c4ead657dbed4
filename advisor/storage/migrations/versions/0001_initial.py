"""Use cases, documents, examples, adapters, operations, requests."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

# Names sort by bytes (COLLATE "C"), whatever the locale of the database: pages rely on it.
SCHEMA = """
CREATE TABLE use_cases (
    id text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$'),
    description text NOT NULL,
    facts bytea NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    document_count bigint NOT NULL DEFAULT 0,
    passage_count bigint NOT NULL DEFAULT 0,
    example_count bigint NOT NULL DEFAULT 0
);

CREATE TABLE documents (
    use_case_id text COLLATE "C" NOT NULL REFERENCES use_cases ON DELETE CASCADE,
    source text COLLATE "C" NOT NULL,
    media_type text NOT NULL,
    content bytea NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    passage_count bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (use_case_id, source)
);

CREATE TABLE examples (
    use_case_id text COLLATE "C" NOT NULL REFERENCES use_cases ON DELETE CASCADE,
    position bigint GENERATED ALWAYS AS IDENTITY,
    question text NOT NULL,
    answer text NOT NULL,
    context text,
    sha256 text NOT NULL,
    PRIMARY KEY (use_case_id, position),
    UNIQUE (use_case_id, sha256)
);

CREATE TABLE adapters (
    use_case_id text COLLATE "C" NOT NULL REFERENCES use_cases ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL CHECK (id ~ '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$'),
    approach text NOT NULL,
    base_model text NOT NULL,
    data_sha256 text NOT NULL,
    settings jsonb NOT NULL,
    metrics jsonb NOT NULL,
    folder text NOT NULL,
    create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (use_case_id, id)
);
CREATE INDEX adapters_newest ON adapters (use_case_id, create_time DESC, id DESC);

CREATE TABLE operations (
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    use_case_id text COLLATE "C" NOT NULL REFERENCES use_cases ON DELETE CASCADE,
    target text NOT NULL,
    state text NOT NULL DEFAULT 'QUEUED'
        CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    payload jsonb NOT NULL,
    progress jsonb NOT NULL DEFAULT '{}',
    result jsonb,
    error jsonb,
    attempt integer NOT NULL DEFAULT 0,
    worker text,
    heartbeat timestamptz,
    cancel_requested boolean NOT NULL DEFAULT false,
    create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    update_time timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX operations_newest ON operations (create_time DESC, id DESC);
CREATE INDEX operations_active ON operations (create_time) WHERE state IN ('QUEUED', 'RUNNING');
CREATE INDEX operations_use_case ON operations (use_case_id);
-- One operation at a time makes one thing.
CREATE UNIQUE INDEX operations_target ON operations (target) WHERE state IN ('QUEUED', 'RUNNING');

CREATE FUNCTION notify_operation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('advisor_operations', NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER operations_notify AFTER INSERT OR UPDATE OF state, cancel_requested ON operations
    FOR EACH ROW EXECUTE FUNCTION notify_operation();

CREATE TABLE requests (
    id text PRIMARY KEY,
    fingerprint text NOT NULL,
    result jsonb,
    create_time timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX requests_oldest ON requests (create_time);
"""


def upgrade() -> None:
    """Create the tables."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop the tables and what they hold."""
    op.execute(
        "DROP TABLE use_cases, documents, examples, adapters, operations, requests;"
        "DROP FUNCTION notify_operation;"
    )
