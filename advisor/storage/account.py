"""The system user that the embedded PostgreSQL runs as, and what that user can reach.

PostgreSQL refuses to run as root. An ordinary user runs it; root runs it as a
user that exists already: the owner of the data folder, or one of `ACCOUNTS`.
No user is added, and nothing outside the data folder is opened to anyone.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from advisor.errors import ConfigurationError

__all__ = ["Account", "account_of", "require_passage"]

ACCOUNTS = ("postgres", "nobody")
"""Users without rights that root runs PostgreSQL as: the first that exists."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Account:
    """A system user; a group of 0 is never taken along.

    Attributes:
        uid: Number of the user.
        gid: Number of the user's group.
        other: Whether it is another user than this process's own.
    """

    uid: int
    gid: int
    other: bool

    @property
    def name(self) -> str:
        """The user's name; its number where the system knows none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def run(
        self, command: Sequence[str | Path], environment: Mapping[str, str] = _NOTHING, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this user, without this process's environment; OSError where it cannot start."""
        if self.other:
            options.update(user=self.uid, group=self.gid, extra_groups=[])
        return subprocess.run(
            [str(part) for part in command],
            text=True,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **environment},
            **{"stdin": subprocess.DEVNULL, **options},
        )

    def may_pass(self, folder: Path) -> bool:
        """Return whether this user may go through a folder; the system itself is asked."""
        return not self.other or self.run(["test", "-x", folder]).returncode == 0

    def take(self, path: Path) -> None:
        """Make this user the owner of a path in the data folder."""
        if self.other:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account_of(data_dir: Path, folder: Path) -> Account:
    """Return who runs the PostgreSQL in `folder`, which lies in `data_dir`.

    Raises:
        ConfigurationError: The folder belongs to another user and we are not root, or no user will do.
    """
    uid = os.geteuid()
    owner = next((path.stat() for path in (folder, data_dir) if path.exists() and path.stat().st_uid), None)
    if uid != 0:
        if folder.exists() and folder.stat().st_uid != uid:
            raise ConfigurationError(
                f"{folder} belongs to user {Account(folder.stat().st_uid, 0, other=True).name}, "
                "this process to another; run it as that user, or set ADVISOR_DATA_DIR to a folder of your own"
            )
        return Account(uid, os.getegid(), other=False)
    if owner is not None:
        return Account(owner.st_uid, owner.st_gid or owner.st_uid, other=True)
    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid and entry.pw_gid}
    for name in ACCOUNTS:
        if name in known:
            return Account(known[name].pw_uid, known[name].pw_gid, other=True)
    raise ConfigurationError(
        f"PostgreSQL does not run as root, and there is no user {' or '.join(ACCOUNTS)} to run it as; "
        "run this as an ordinary user, or set ADVISOR_DATABASE_URL"
    )


def require_passage(account: Account, data_dir: Path) -> None:
    """Make sure that an account reaches the data folder; where that is new, it is opened to the account.

    Raises:
        ConfigurationError: It cannot pass the folder, or one above.
    """
    if account.may_pass(data_dir):
        return
    for folder in (*reversed(data_dir.parents), data_dir):
        closed = not account.may_pass(folder)
        if closed and (folder != data_dir or any(data_dir.iterdir())):
            raise ConfigurationError(
                f"PostgreSQL does not run as root but as the user {account.name}, who may not pass the folder "
                f"{folder} to reach {data_dir}, and no folder is opened for it; set ADVISOR_DATA_DIR to a "
                "folder elsewhere, such as /var/lib/rag-or-tune, set ADVISOR_DATABASE_URL, or run this as an "
                "ordinary user"
            )
    os.chown(data_dir, -1, account.gid)
    data_dir.chmod(data_dir.stat().st_mode & 0o7777 | 0o010)
