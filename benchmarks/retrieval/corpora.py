"""Documentation that package registries carry, fetched when needed and laid out as a user would hand it over."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CORPORA", "Corpus", "fetch", "files_of", "unpacked"]

_MANDOC = "mandoc"


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documentation of one product.

    Attributes:
        name: Its folder.
        product: What questions call it.
        kind: The kind of document.
        packages: Debian's packages that carry it, or `pip:NAME` for a source distribution.
        files: Patterns of the files taken from the unpacked packages.
    """

    name: str
    product: str
    kind: str
    packages: tuple[str, ...]
    files: tuple[str, ...]


_PG = "usr/share/doc/postgresql-doc-*/html/"
_APACHE = "usr/share/doc/apache2-doc/manual/en/"

CORPORA = (
    Corpus(
        "postgresql",
        "PostgreSQL",
        "HTML",
        ("postgresql-doc-15",),
        tuple(
            f"{_PG}{pages}*.html"
            for pages in (
                "runtime",
                "app",
                "sql-",
                "functions",
                "catalog",
                "view",
                "auth",
                "logical-",
                "back",
            )
        ),
    ),
    Corpus("apache", "Apache", "HTML", ("apache2-doc",), (f"{_APACHE}*.html", f"{_APACHE}mod/*.html")),
    Corpus("git", "Git", "HTML", ("git-doc",), ("usr/share/doc/git-doc/git*.html",)),
    Corpus("coreutils", "coreutils", "texinfo", ("coreutils",), ("usr/share/info/*.info*.gz",)),
    Corpus("gnupg", "GnuPG", "texinfo", ("gnupg",), ("usr/share/info/*.info-*.gz",)),
    Corpus(
        "manuals",
        "",
        "man pages",
        ("curl", "rsync", "openssh-client", "openssh-server", "manpages", _MANDOC),
        (
            "usr/share/man/man1/curl.1.gz",
            "usr/share/man/man1/rsync*.1.gz",
            "usr/share/man/man1/ssh*.1.gz",
            "usr/share/man/man5/*.5.gz",
            "usr/share/man/man7/s*.7.gz",
        ),
    ),
    Corpus("exim", "Exim", "plain text", ("exim4-base",), ("usr/share/doc/exim4-base/spec.txt.gz",)),
    Corpus("gunicorn", "Gunicorn", "Markdown", ("pip:gunicorn",), ("*/docs/content/**/*.md",)),
    Corpus(
        "bash",
        "Bash",
        "PDF",
        ("bash-doc", "gnuplot-doc"),
        ("usr/share/doc/bash/bashref.pdf", "usr/share/doc/gnuplot/gnuplot.pdf"),
    ),
    Corpus("coverage", "coverage.py", "reStructuredText", ("pip:coverage",), ("*/doc/**/*.rst",)),
)


def fetch(corpus: Corpus, cache: Path) -> Path:
    """Return the folder with a corpus's documents, fetched and laid out unless they are there."""
    folder = cache / "corpora" / corpus.name
    if folder.is_dir():
        return folder
    roots = [unpacked(package, cache / "packages") for package in corpus.packages]
    partial = folder.with_suffix(".partial")
    partial.mkdir(parents=True, exist_ok=True)
    for root in roots:
        for pattern in corpus.files:
            for path in sorted(root.glob(pattern)):
                _lay_out(path, partial, corpus.kind, cache / "packages")
    partial.rename(folder)
    return folder


def files_of(folder: Path) -> list[Path]:
    """Return the documents of a corpus, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def unpacked(package: str, cache: Path) -> Path:
    """Return the folder of an unpacked package, fetched unless it is there; `pip:NAME` for a source distribution."""
    folder = cache / package.replace(":", "-")
    if not folder.is_dir():
        downloads = cache / "downloads" / folder.name
        downloads.mkdir(parents=True, exist_ok=True)
        partial = folder.with_suffix(".partial")
        partial.mkdir(parents=True, exist_ok=True)
        (_unpack_sdist if package.startswith("pip:") else _unpack_deb)(
            package.removeprefix("pip:"), downloads, partial
        )
        partial.rename(folder)
    return folder


def _unpack_deb(package: str, downloads: Path, folder: Path) -> None:
    _run(["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", package], downloads)
    (archive,) = downloads.glob("*.deb")
    _run(["dpkg-deb", "-x", str(archive), str(folder)], downloads)


def _unpack_sdist(package: str, downloads: Path, folder: Path) -> None:
    options = ["download", "-q", "--no-deps", "--no-binary", ":all:", "-d", "."]
    _run([sys.executable, "-m", "pip", *options, package], downloads)
    (archive,) = downloads.glob("*.tar.gz")
    with tarfile.open(archive) as contents:
        contents.extractall(folder, filter="data")


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def _lay_out(path: Path, folder: Path, kind: str, packages: Path) -> None:
    """Write a file as it is, unpacked, and a manual page as `man` shows it."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    name = path.name.removesuffix(".gz")
    if kind == "man pages":
        content = _as_man_shows(content, packages)
        name += ".txt"
    elif kind == "texinfo":
        name = re.sub(r"[.-]info", "-info", name) + ".txt"
    parent = folder / ("mod" if path.parent.name == "mod" else "")
    parent.mkdir(exist_ok=True)
    if content.strip():
        (parent / name).write_bytes(content)


def _as_man_shows(page: bytes, packages: Path) -> bytes:
    program = packages / _MANDOC / "usr/bin/mandoc"
    shown = subprocess.run(
        [str(program), "-T", "utf8", "-O", "width=78"], input=page, check=False, capture_output=True
    )
    return re.sub(rb"(?:[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]+)\x08", b"", shown.stdout)


def versions(cache: Path) -> Iterator[str]:
    """Yield the file name, and so the version, of each package fetched."""
    for path in sorted((cache / "packages" / "downloads").glob("*/*")):
        yield path.name
