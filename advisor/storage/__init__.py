"""What is kept: use cases with their documents, examples and adapters, in PostgreSQL.

    postgres.py     which PostgreSQL: the operator's, or the embedded one
    embedded.py     the embedded one: made, started, joined, stopped, started again
    account.py      the system user that runs it
    binaries.py     its programs
    presence.py     whether a database is there
    connections.py  a pool that is there while the database is
    database.py     connections, transactions, the schema's version
    erasure.py      what was deleted, removed from the database's files
    orphans.py      files left by a process of the embedded one that died
    use_cases.py    create, get, list, update, delete
    imports.py      documents and examples: staged in a transaction, published by its commit
    documents.py    documents and examples, read
    adapters.py     trained weights: rows here, folders in `data_dir`
    requests.py     the same request twice gives the first result
    pages.py        lists in pages
    records.py      the values
    migrations/     the schema, by alembic

Plain SQL over psycopg: passages are published by `backends.retrieval.index` on the
same connection, so that an import is one transaction. All functions block;
the asyncio server calls them by `asyncio.to_thread`. They are safe to call
from any thread and any number of processes.
"""
