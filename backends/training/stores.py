"""Files of adapters: in the data folder, or in a store that servers and workers on several machines reach.

With a store, such as `s3://bucket/prefix`, an adapter is put there once it has been trained, before its row is
written, and whoever answers with it fetches it once, into `data_dir/fetched`. A folder there belongs to one training
run and is never written by another, so that what was fetched stays what it is. Which stores there are is fsspec's
matter: what it has, and what packages such as s3fs or gcsfs add.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog

from backends.base import ModelError
from backends.training.adapters import FILES, storage_error

__all__ = ["ADAPTERS", "AdapterFiles", "check_store"]

ADAPTERS = "adapters"
FETCHED = "fetched"

_log = structlog.get_logger(__name__)


class AdapterFiles:
    """Where the files of adapters are; folders are named as rows of adapters name them.

    Args:
        data_dir: The data folder.
        store: URL of the store that others reach as well; without one, the data folder is all there is.
    """

    def __init__(self, data_dir: Path, store: str = "") -> None:
        self._data_dir = data_dir
        self._url = store
        self._fetched = data_dir / FETCHED

    def folder_of(self, use_case_id: str, adapter_id: str, run: str) -> str:
        """Return the name of the folder of an adapter to be.

        Args:
            use_case_id: Whose it is.
            adapter_id: Its name there.
            run: The training run. In the data folder an adapter takes the place of what a crash left of another.
        """
        folder = f"{ADAPTERS}/{use_case_id}/{adapter_id}"
        return f"{folder}/{run}" if self._url else folder

    def made(self, folder: str) -> Path:
        """Return where a training run writes."""
        return self._data_dir / folder

    def keep(self, folder: str) -> None:
        """Put what was made into the store; without one, it is kept where it is.

        Raises:
            TuningError: The store does not take it.
        """
        if not self._url:
            return
        made = self.made(folder)
        try:
            with self._store() as (files, root):
                files.makedirs(f"{root}/{folder}", exist_ok=True)
                for name in FILES:  # in this order: what has a manifest is whole
                    files.put_file(str(made / name), f"{root}/{folder}/{name}")
        except OSError as error:
            size = sum((made / name).stat().st_size for name in FILES)
            raise storage_error(Path(folder), error, size) from error
        shutil.rmtree(made, ignore_errors=True)

    def local(self, folder: str) -> Path:
        """Return where an adapter lies on this machine; it is fetched first where it is not there yet.

        Raises:
            ModelError: The store cannot be read, or does not have it.
        """
        found = self._data_dir / folder
        if not self._url or found.is_dir():  # where it was made before there was a store
            return found
        found = self._fetched / folder
        if not found.is_dir():
            self._fetch(folder, found)
        return found

    def remove(self, folder: str) -> None:
        """Remove an adapter, or all of a use case; what cannot be removed stays, and the log says so."""
        shutil.rmtree(self._data_dir / folder, ignore_errors=True)
        if not self._url:
            return
        shutil.rmtree(self._fetched / folder, ignore_errors=True)
        try:
            with self._store() as (files, root), suppress(FileNotFoundError):
                files.rm(f"{root}/{folder}", recursive=True)
        except OSError as error:
            _log.warning("an adapter stays in the store", folder=folder, error=type(error).__name__)

    def remove_use_case(self, use_case_id: str) -> None:
        """Remove all adapters of a use case."""
        self.remove(f"{ADAPTERS}/{use_case_id}")

    def remove_fetched(self, kept: Callable[[], Container[str]]) -> None:
        """Remove what was fetched of adapters that are deleted.

        Args:
            kept: Returns the folders of those that are not; asked once it is known what is here, and where anything is.
        """
        whole = [
            path.parent for path in self._fetched.rglob(FILES[-1]) if not path.parent.name.startswith(".")
        ]
        known = kept() if whole else ()
        for folder in whole:
            if folder.relative_to(self._fetched).as_posix() not in known:
                shutil.rmtree(folder, ignore_errors=True)

    def _fetch(self, folder: str, target: Path) -> None:
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            with self._store() as (files, root):
                partial.mkdir(parents=True)
                for name in FILES:
                    files.get_file(f"{root}/{folder}/{name}", str(partial / name))
            if not target.is_dir():  # another thread may have been faster
                partial.rename(target)
        except OSError as error:
            if not target.is_dir():
                raise ModelError(
                    f"{folder}: cannot be fetched from the store of adapters ({type(error).__name__}); see that it "
                    "can be read, or tune again"
                ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    @contextmanager
    def _store(self) -> Iterator[tuple[Any, str]]:
        """Open the store; what its package raises, whatever that is, becomes an OSError."""
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        try:
            files, root = url_to_fs(self._url)
            yield files, root
        except OSError:
            raise
        except Exception as error:
            raise OSError(type(error).__name__) from error


def check_store(url: str) -> None:
    """Refuse a URL of no store.

    Raises:
        ValueError: Nothing installed knows such URLs; it says what to install.
    """
    from fsspec import get_filesystem_class  # type: ignore[import-untyped]
    from fsspec.core import split_protocol

    protocol, path = split_protocol(url)
    if protocol is None or not path:
        raise ValueError(f"{url!r} is no URL; write one such as s3://bucket/prefix or file:///mnt/adapters")
    try:
        get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        raise ValueError(f"{url!r} cannot be opened: {error}") from None
