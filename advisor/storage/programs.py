"""PostgreSQL's own programs for copies of a database, of a version that its server understands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.pq import Conninfo

from advisor.errors import ConfigurationError
from advisor.settings import Settings
from advisor.storage.account import Account, account_of
from advisor.storage.binaries import find_binaries, packaged

__all__ = ["Programs", "programs_for"]


@dataclass(frozen=True, slots=True)
class Programs:
    """pg_dump and pg_restore, and how they reach a database.

    Attributes:
        folder: Where they are.
        account: Who runs them.
        environment: The connection, in variables: a password must not be seen in a list of processes.
        database: Its name.
    """

    folder: Path
    account: Account
    environment: Mapping[str, str]
    database: str

    def dump(self, file: Path, snapshot: str) -> None:
        """Write what the database holds as of a snapshot; ConfigurationError where that fails."""
        options = ("--format=custom", f"--snapshot={snapshot}", "--no-comments")
        with file.open("xb") as dump:
            file.chmod(0o600)
            self._run("pg_dump", *options, "--no-owner", "--no-privileges", stdout=dump)

    def restore(self, file: Path) -> None:
        """Make what a dump holds, all or nothing; ConfigurationError where that fails."""
        options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
        with file.open("rb") as dump:
            self._run(
                "pg_restore", *options, f"--dbname={self.database}", stdin=dump, stdout=subprocess.DEVNULL
            )

    def _run(self, program: str, *arguments: str, **streams: object) -> None:
        ended = self.account.run(
            [self.folder / program, *arguments],
            environment=self.environment,
            stderr=subprocess.PIPE,
            cwd="/",  # a folder that whoever runs it can reach
            **streams,
        )
        if ended.returncode != 0:
            said = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[0]
            raise ConfigurationError(
                f"{program} failed ({said}); nothing is kept of it: mend that, and try again"
            )


def programs_for(settings: Settings, url: str) -> Programs:
    """Return the programs for a database.

    Raises:
        ConfigurationError: There are none for its version.
    """
    with psycopg.connect(url) as connection:
        major, database = connection.info.server_version // 10_000, connection.info.dbname
        encrypted = bool(connection.pgconn.ssl_in_use)
    environment = {
        option.envvar.decode(): option.val.decode()
        for option in Conninfo.parse(url.encode())
        if option.envvar and option.val
    }
    if settings.database_url is None:
        data_dir = settings.data_dir.resolve()
        account = account_of(data_dir, data_dir / "postgres")
        return Programs(find_binaries(account, data_dir), account, environment, database)
    account = Account(os.geteuid(), os.getegid(), other=False)
    return Programs(_installed(major, encrypted=encrypted), account, environment, database)


def _installed(major: int, *, encrypted: bool) -> Path:
    """Return the folder of programs of a version or a newer one: those of an older one refuse.

    Those that are installed come first: the ones in the package of the embedded PostgreSQL know no encryption.
    """
    elsewhere = shutil.which("pg_dump")
    if elsewhere is not None:
        said = subprocess.run([elsewhere, "--version"], capture_output=True, text=True, check=False).stdout
        number = re.search(r"\) (\d+)", said)
        if number and int(number[1]) >= major:
            return Path(elsewhere).parent
    found = {} if encrypted else {number: folder for number, folder in packaged().items() if number >= major}
    if not found:
        raise ConfigurationError(
            f"there is no pg_dump for PostgreSQL {major}{' over encrypted connections' if encrypted else ''}; "
            "install the client programs of that version or a newer one"
        )
    return found[min(found)]
