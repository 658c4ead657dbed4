"""Vectors of passages in half precision, beside their passages' rows instead of apart."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

# The first import makes the table. One ALTER TABLE, so that it is written anew once, in the form that it gets.
CHANGE = """
DO $$
DECLARE dimensions integer;
BEGIN
    SELECT atttypmod INTO dimensions FROM pg_attribute
        WHERE attrelid = to_regclass('passages') AND attname = 'embedding';
    IF FOUND THEN
        DROP INDEX IF EXISTS passages_embedding;
        EXECUTE format(
            'ALTER TABLE passages ALTER embedding TYPE {type}(%s) USING embedding::{type}(%s),'
            ' ALTER embedding SET STORAGE {storage}, {target}',
            dimensions, dimensions
        );
        CREATE INDEX passages_embedding ON passages USING hnsw (embedding {type}_cosine_ops)
            WITH (ef_construction = 160);
    END IF;
END
$$
"""


def upgrade() -> None:
    """Round the vectors that are there, and index them again: a second for each thousand passages."""
    op.execute(CHANGE.format(type="halfvec", storage="MAIN", target="SET (toast_tuple_target = 4080)"))


def downgrade() -> None:
    """Keep vectors in single precision again; what was rounded stays so."""
    op.execute(CHANGE.format(type="vector", storage="EXTERNAL", target="RESET (toast_tuple_target)"))
