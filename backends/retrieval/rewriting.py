"""The tables of passages and of their words, written anew: what was deleted stays in its pages otherwise.

PostgreSQL's own way, VACUUM FULL, keeps everyone out until the index by meaning
is built again, which takes a second for each thousand passages. Here the new
table is made beside the old, which searches read meanwhile, and takes its place
at the end; only who writes passages waits.

with connection.transaction():
    copy_passages(connection)
    replace_passages(connection)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backends.retrieval.index import VECTOR_INDEX

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["copy_passages", "replace_passages"]

_COPY = f"""
CREATE TABLE passages_anew (LIKE passages INCLUDING ALL EXCLUDING INDEXES)
    WITH (toast_tuple_target = 4080);
INSERT INTO passages_anew SELECT * FROM passages;
ALTER TABLE passages_anew ADD CONSTRAINT passages_anew_pkey PRIMARY KEY (collection, id);
CREATE INDEX passages_anew_source ON passages_anew (collection, source);
CREATE INDEX passages_anew_words ON passages_anew USING gin (words);
CREATE INDEX passages_anew_embedding ON passages_anew USING {VECTOR_INDEX};
CREATE TABLE passage_words_anew (LIKE passage_words INCLUDING ALL EXCLUDING INDEXES);
INSERT INTO passage_words_anew SELECT * FROM passage_words;
ALTER TABLE passage_words_anew ADD CONSTRAINT passage_words_anew_pkey PRIMARY KEY (collection, lexeme);
"""  # noqa: S608 (fixed text)

_REPLACE = """
DROP TABLE passages;
ALTER TABLE passages_anew RENAME TO passages;
ALTER TABLE passages RENAME CONSTRAINT passages_anew_pkey TO passages_pkey;
ALTER INDEX passages_anew_source RENAME TO passages_source;
ALTER INDEX passages_anew_words RENAME TO passages_words;
ALTER INDEX passages_anew_embedding RENAME TO passages_embedding;
DROP TABLE passage_words;
ALTER TABLE passage_words_anew RENAME TO passage_words;
ALTER TABLE passage_words RENAME CONSTRAINT passage_words_anew_pkey TO passage_words_pkey;
"""


def copy_passages(connection: Connection[Any]) -> None:
    """Copy the tables and build the indexes of the copies; writers wait until the caller commits, searches do not.

    Raises:
        LockNotAvailable: Somebody writes passages, for longer than `lock_timeout`.
    """
    connection.execute("LOCK TABLE passages, passage_words IN SHARE ROW EXCLUSIVE MODE")
    connection.execute(_COPY)


def replace_passages(connection: Connection[Any]) -> None:
    """Put the copies in the place of the tables, in the same transaction; searches under way end before.

    Raises:
        LockNotAvailable: Searches go on for longer than `lock_timeout`.
    """
    connection.execute(_REPLACE)
