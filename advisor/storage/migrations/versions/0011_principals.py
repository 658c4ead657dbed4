"""Principals: each use case belongs to one, by the id under which it is kept; tokens say who calls."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

ID = "[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
SCHEMA = f"""
ALTER TABLE use_cases DROP CONSTRAINT use_cases_id_check;
ALTER TABLE use_cases ADD CONSTRAINT use_cases_id_check CHECK (id ~ '^({ID}~)?{ID}$');

-- Of `{{principal}}~{{id}}`, the principal; of an id alone nobody's name.
CREATE FUNCTION principal_of(kept text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN strpos(kept, '~') > 0 THEN split_part(kept, '~', 1) ELSE '' END
$$;

-- What an operation makes has a name that others may give to what is theirs.
DROP INDEX operations_target;
CREATE UNIQUE INDEX operations_target ON operations (principal_of(coalesce(use_case_id, '')), target)
    WHERE state IN ('QUEUED', 'RUNNING');

-- When work of each principal was taken up last.
CREATE TABLE turns (
    principal text COLLATE "C" PRIMARY KEY,
    turn_time timestamptz NOT NULL
);

-- Of a token's secret the hash alone is kept; what was revoked stays, for whoever looks into what happened.
CREATE TABLE tokens (
    id text COLLATE "C" PRIMARY KEY,
    principal text COLLATE "C" NOT NULL,
    role text NOT NULL CHECK (role IN ('READ', 'WRITE', 'ADMIN')),
    note text NOT NULL,
    secret_sha256 bytea NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    expire_time timestamptz,
    revoke_time timestamptz
);
"""


def upgrade() -> None:
    """Create what tells principals apart."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """Drop it, with what belongs to principals with a name."""
    op.execute(
        "DELETE FROM use_cases WHERE principal_of(id) <> ''; DELETE FROM requests WHERE strpos(id, '~') > 0;"
        "ALTER TABLE use_cases DROP CONSTRAINT use_cases_id_check"
    )
    op.execute(f"ALTER TABLE use_cases ADD CONSTRAINT use_cases_id_check CHECK (id ~ '^{ID}$')")
    op.execute(
        "DROP TABLE tokens, turns; DROP INDEX operations_target;"
        "CREATE UNIQUE INDEX operations_target ON operations (target) WHERE state IN ('QUEUED', 'RUNNING');"
        "DROP FUNCTION principal_of"
    )
