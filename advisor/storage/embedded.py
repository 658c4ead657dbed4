"""The embedded PostgreSQL: in `data_dir/postgres`, on a socket, shared by all processes of the folder.

Each process that has it open holds a connection. Who opens it first starts it,
the last one that closes it stops it, and where it dies, whoever has it open
starts it again. When a process is killed, the database runs on and the next
one joins it. Nothing outside `data_dir` is changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import structlog

from advisor.errors import ConfigurationError
from advisor.storage.account import account_of, require_passage
from advisor.storage.binaries import find_binaries
from advisor.storage.orphans import remove_orphans
from advisor.storage.presence import Presence

__all__ = ["Server", "open_embedded"]

SUPERUSER = "postgres"
PORT = 5432
"""Part of the socket's name alone: no port is listened on."""
START_S = 60.0
LEFTOVERS_S = 3.0
"""How long the memory of one that died may seem in use."""
CONNECT_TIMEOUT_S = 10
LONGEST_SOCKET_BYTES = 103 if sys.platform == "darwin" else 107
"""Longest path of a socket that the system takes, less its final zero."""
LOG = "postgresql.log"
LOG_BYTES = 1024 * 1024

OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # What was deleted must not live on in the log of changes: little of it is kept, and none is used again.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_recycle": "off",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "5min",
    # Nor in the server's log: errors, which quote values, go to the client alone.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}

log = structlog.get_logger(__name__)


@contextmanager
def open_embedded(data_dir: Path) -> Iterator[str]:
    """Start the PostgreSQL of a data folder, or join it; yield its connection string, and keep it running.

    Raises:
        ConfigurationError: It cannot run there; the message names the folder and the next step.
    """
    try:
        server = Server(data_dir)
        presence = Presence(server.connect, str(server.folder))
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationError(
            f"the embedded PostgreSQL cannot start in {data_dir / 'postgres'} ({type(error).__name__}: "
            f"{error}); make sure that the folder is writable and the disk is not full, "
            "or set ADVISOR_DATABASE_URL"
        ) from error
    try:
        yield server.url
    finally:
        presence.close()
        server.stop_if_unused()


class Server:
    """The folder of one PostgreSQL, and what is done to it: all of it under the folder's lock."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._data_dir = data_dir.resolve()
        self.folder = self._data_dir / "postgres"
        self._account = account_of(self._data_dir, self.folder)
        require_passage(self._account, self._data_dir)
        self._thread_lock = threading.Lock()
        with self._locked():
            self._programs = find_binaries(self._account, self._data_dir)
            self._initialise()
            self._socket_folder = self._short_folder()

    @property
    def url(self) -> str:
        """The connection string; the same after every start."""
        return f"postgresql://{SUPERUSER}@/{SUPERUSER}?host={quote(str(self._socket_folder), safe='')}&port={PORT}"

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection to the server, started where it does not run."""
        with self._locked():
            began = time.monotonic()
            while (connection := self._try_to_connect()) is None:
                # What is left of one that died ends by itself; one that another process starts comes up.
                waited_s = time.monotonic() - began
                if waited_s > START_S or not self._processes():
                    failure = self._start()
                    if failure is None:
                        continue
                    if waited_s > LEFTOVERS_S:
                        raise failure
                time.sleep(0.1)
            with suppress(psycopg.Error, OSError):  # it has gone again; the next connection tries again
                remove_orphans(connection, self.folder)
            return connection

    def stop_if_unused(self) -> None:
        """Stop the server unless another process is connected."""
        with self._locked(), suppress(psycopg.OperationalError):  # it has gone already
            with psycopg.connect(self.url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S) as connection:
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                ).fetchone()
            if row is not None and row[0] == 0:
                self.stop()

    def stop(self) -> None:
        """Stop the server, whoever is connected."""
        ended = self._run("pg_ctl", "stop", "-D", ".", "-m", "fast", "-w")
        if ended.returncode != 0:
            log.warning("database does not stop", folder=str(self.folder), said=_last_line(ended.stderr))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path = self._data_dir / "postgres.lock"
        with self._thread_lock, os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600)) as file:
            self._account.take(path)
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _initialise(self) -> None:
        """Make a new database in a folder beside, and move it into place: it is there as a whole or not."""
        if (self.folder / "PG_VERSION").exists():
            return
        partial = self._data_dir / ".postgres.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        self._account.take(partial)
        # One way to compare texts wherever the folder was made, whatever the environment says.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        arguments = ("-D", ".", "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-instructions", *locale)
        ended = self._run("initdb", *arguments, folder=partial)
        if ended.returncode != 0:
            raise self._failure(_last_line(ended.stderr))
        partial.rename(self.folder)  # OSError where a folder is there that holds something else

    def _short_folder(self) -> Path:
        """Return the socket's folder: that of the data, or where its path is too long, a private short one."""
        if len(os.fsencode(self.folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_BYTES:
            return self.folder
        # The name must be the same after every start: the connection string has it. As anyone may make
        # folders in /tmp, one that is there must be our own.
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        short = Path("/tmp", f"rag-or-tune-{name}")  # noqa: S108 - checked below
        with suppress(FileExistsError):
            short.mkdir(mode=0o700)
            self._account.take(short)
        found = short.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self._account.uid or found.st_mode & 0o077:
            raise self._failure(f"its socket needs the short folder {short}, which somebody else made")
        return short

    def _start(self) -> ConfigurationError | None:
        """Start the server; return why it does not start."""
        if not (self.folder / "PG_VERSION").exists():
            return self._failure("the folder was removed")
        pid_file, log_file = self.folder / "postmaster.pid", self.folder / LOG
        if Path("/proc/self/cwd").exists() and not self._processes():
            pid_file.unlink(missing_ok=True)  # of one that died; its number may be another process's by now
        (self.folder / "log").unlink(missing_ok=True)  # of versions that logged what statements held
        if log_file.exists() and log_file.stat().st_size > LOG_BYTES:
            log_file.replace(log_file.with_suffix(".old"))
        options = {**OPTIONS, "unix_socket_directories": f'"{self._socket_folder}"', "port": str(PORT)}
        settings = shlex.join(part for key, value in options.items() for part in ("-c", f"{key}={value}"))
        ended = self._run(
            "pg_ctl", "start", "-D", ".", "-l", LOG, "-w", "-t", str(int(START_S)), "-o", settings
        )
        if ended.returncode == 0:
            return None
        said = log_file.read_text(errors="replace") if log_file.exists() else ended.stderr
        fatal = [line for line in said.splitlines() if "FATAL" in line]
        return self._failure(_last_line("\n".join(fatal) or said))

    def _try_to_connect(self) -> psycopg.Connection[Any] | None:
        try:
            return psycopg.connect(self.url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S)
        except psycopg.OperationalError:
            return None

    def _processes(self) -> bool:
        """Return whether a process works in the folder; False where the system has no /proc to tell."""
        # Asked as the server's own user, who may look: root may not always, as in containers.
        listed = self._account.run(
            ["sh", "-c", "exec ls -l /proc/[0-9]*/cwd"], capture_output=True, errors="surrogateescape"
        )
        return any(line.endswith(f" -> {self.folder}") for line in listed.stdout.splitlines())

    def _run(
        self, program: str, *arguments: str, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile("w+") as said:  # no pipe: a server that inherits it would keep it open
            ended = self._account.run(
                [self._programs / program, *arguments],
                cwd=folder or self.folder,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C in the terminal reaches us alone
            )
            said.seek(0)
            ended.stderr = said.read()
        return ended

    def _failure(self, reason: str) -> ConfigurationError:
        return ConfigurationError(
            f"the embedded PostgreSQL cannot start in {self.folder} ({reason}); see {self.folder / LOG}, "
            "make sure that the folder is writable and the disk is not full, or set ADVISOR_DATABASE_URL"
        )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no details"])[-1]
