"""Encryption by files that change, and what a server must have before it listens beyond this machine."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from advisor.client import Client
from advisor.errors import ConfigurationError, Unavailable
from advisor.rpc.encryption import Certificates
from advisor.rpc.exposure import certificates_of, refuse_exposure
from advisor.rpc.server import Parts
from advisor.settings import Settings
from tests.rpc.test_credentials import make_certificate

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made by openssl")


@pytest.fixture
def files(tmp_path: Path) -> Certificates:
    """Return a certificate that signs itself, in files."""
    make_certificate(tmp_path)
    return Certificates(tmp_path / "certificate.pem", tmp_path / "key.pem")


@pytest.fixture
def encrypted(
    session_parts: Parts, files: Certificates, run_server: Callable[[Parts], AbstractContextManager[str]]
) -> Iterator[str]:
    """Run a server that encrypts, and yield its address."""
    settings = session_parts.settings.model_copy(
        update={"tls_certificate": files.certificate, "tls_key": files.key}
    )
    with run_server(replace(session_parts, settings=settings)) as address:
        yield address


def served(address: str) -> str:
    """Return the certificate that a server shows."""
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host, int(port)))


def renew(files: Certificates, folder: Path) -> bytes:
    """Put another pair in place of the files, each by a rename; return its certificate."""
    folder.mkdir()
    _, certificate = make_certificate(folder)
    for name, path in (("key.pem", files.key), ("certificate.pem", files.certificate)):
        (folder / name).replace(path)
    return certificate


def test_calls_are_encrypted(encrypted: str, files: Certificates) -> None:
    """A client that knows the certificate is answered; one in plain text is not."""
    trust = grpc.ssl_channel_credentials(files.certificate.read_bytes())
    with Client(encrypted, credentials=trust, timeout_s=60) as client:
        assert client.recommend({"needs_citations": True}).summary
    with Client(encrypted, timeout_s=5) as client, pytest.raises(Unavailable):
        client.recommend({})


def test_a_renewed_certificate_is_taken_without_a_restart(
    encrypted: str, files: Certificates, tmp_path: Path
) -> None:
    """The next connection gets it; where what is written is no pair, it gets the one before."""
    old = files.certificate.read_text()
    assert served(encrypted).split() == old.split()
    new = renew(files, tmp_path / "new")
    assert served(encrypted).split() == new.decode().split()
    files.key.write_text("none")
    assert served(encrypted).split() == new.decode().split()


def test_clients_need_a_certificate_where_one_is_asked_for(
    session_parts: Parts,
    files: Certificates,
    run_server: Callable[[Parts], AbstractContextManager[str]],
    tmp_path: Path,
) -> None:
    """Of the authority that the server names."""
    (tmp_path / "client").mkdir()
    key, certificate = make_certificate(tmp_path / "client")
    settings = session_parts.settings.model_copy(
        update={
            "tls_certificate": files.certificate,
            "tls_key": files.key,
            "tls_client_ca": tmp_path / "client" / "certificate.pem",
        }
    )
    known, nobody = (
        grpc.ssl_channel_credentials(files.certificate.read_bytes(), *pair)
        for pair in ((key, certificate), ())
    )
    with run_server(replace(session_parts, settings=settings)) as address:
        with Client(address, credentials=known, timeout_s=60) as client:
            assert client.recommend({"needs_citations": True}).summary
        with Client(address, credentials=nobody, timeout_s=5) as client, pytest.raises(Unavailable):
            client.recommend({})


@pytest.mark.parametrize("fault", ["missing", "no pair", "with a password"])
def test_files_that_cannot_be_used(files: Certificates, tmp_path: Path, fault: str) -> None:
    """The server does not start, and says which files and what they must be."""
    if fault == "missing":
        files.certificate.unlink()
    elif fault == "no pair":
        (tmp_path / "other").mkdir()
        make_certificate(tmp_path / "other")
        files = Certificates(files.certificate, tmp_path / "other" / "key.pem")
    else:
        command = [
            "openssl",
            "ec",
            "-aes256",
            "-passout",
            "pass:x",
            "-in",
            str(files.key),
            "-out",
            str(files.key),
        ]
        subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(ConfigurationError, match=r"ADVISOR_TLS_CERTIFICATE is .*; give PEM files"):
        files.credentials()


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"tls_certificate": "c.pem"}, "ADVISOR_TLS_KEY is missing"),
        ({"tls_key": "k.pem"}, "ADVISOR_TLS_CERTIFICATE is missing"),
        ({"tls_client_ca": "ca.pem"}, "ADVISOR_TLS_CERTIFICATE is missing"),
    ],
)
def test_half_of_a_pair(given: dict[str, str], missing: str) -> None:
    """It is no encryption, and none at all would not be what was meant."""
    with pytest.raises(ConfigurationError, match=missing):
        certificates_of(Settings(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "closed", "faults"),
    [
        ({"host": "127.0.0.1"}, False, 0),
        ({"host": "::1"}, False, 0),
        ({"host": "localhost"}, False, 0),
        ({"host": "0.0.0.0"}, False, 2),  # noqa: S104
        ({"host": "0.0.0.0"}, True, 1),  # noqa: S104
        ({"host": "0.0.0.0", "tls_certificate": "c", "tls_key": "k"}, False, 1),  # noqa: S104
        ({"host": "0.0.0.0", "tls_certificate": "c", "tls_key": "k"}, True, 0),  # noqa: S104
        ({"host": "0.0.0.0", "tls_certificate": "c", "tls_key": "k", "tls_client_ca": "a"}, False, 0),  # noqa: S104
        ({"host": "0.0.0.0", "insecure": True}, False, 0),  # noqa: S104
        ({"host": "example.org"}, False, 2),
    ],
)
def test_beyond_this_machine(given: dict[str, str], closed: bool, faults: int) -> None:
    """A lock on the door, and nobody who listens in; or who starts it says by name that it may be without."""
    settings = Settings(**given)  # type: ignore[arg-type]
    if not faults:
        refuse_exposure(settings, closed=closed)
        return
    with pytest.raises(ConfigurationError, match="ADVISOR_INSECURE=true") as caught:
        refuse_exposure(settings, closed=closed)
    assert len(caught.value.faults) == faults + 1
