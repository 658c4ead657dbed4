"""Encryption: certificates from files, which are read again when they change.

Whoever renews them writes the files, as cert-manager and certbot do, and the
next connection gets the new one. Where what is written is no pair, the old one
stays, and the log says why.
"""

from __future__ import annotations

import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

from advisor.errors import ConfigurationError

__all__ = ["Certificates"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are, all of them PEM.

    Attributes:
        certificate: The server's, with those that vouch for it after it.
        key: Its private key.
        client_ca: Who vouches for clients; where given, each must have a certificate.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Return what a port is opened with.

        Raises:
            ConfigurationError: The files cannot be read, or are no pair.
        """
        following = _Following(self)
        return grpc.dynamic_ssl_server_credentials(
            following.first,
            following.changed,  # type: ignore[arg-type] # None stands for what was there before
            require_client_authentication=self.client_ca is not None,
        )

    def read(self) -> grpc.ServerCertificateConfiguration:
        """Return what the files hold now; raises as `credentials`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
            pair = (self.key.read_bytes(), self.certificate.read_bytes())
            roots = None
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
                roots = self.client_ca.read_bytes()
        except (OSError, ssl.SSLError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigurationError(
                f"the certificate cannot be used ({reason}): ADVISOR_TLS_CERTIFICATE is {self.certificate}, "
                f"ADVISOR_TLS_KEY {self.key}{f', ADVISOR_TLS_CLIENT_CA {self.client_ca}' if self.client_ca else ''}; "
                "give PEM files, a key without a password, and the certificate that goes with it"
            ) from None
        return grpc.ssl_server_certificate_configuration([pair], roots)

    def state(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Return what differs once a file was written."""
        return tuple(
            _stamp(each) for each in (self.certificate, self.key, self.client_ca) if each is not None
        )


class _Following:
    """What the files held last, for gRPC, which asks at every connection, from threads of its own."""

    def __init__(self, files: Certificates) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._seen = files.state()
        self.first = files.read()

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what the files hold where they have changed; None where all is as before."""
        with self._lock:
            state = self._files.state()
            if state == self._seen:
                return None
            self._seen = state  # the same files are not tried twice
            try:
                found = self._files.read()
            except ConfigurationError as error:
                _log.warning("the certificate stays as it was", reason=str(error))
                return None
            _log.info("the certificate was read again")
            return found


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _no_password() -> str:
    raise ValueError("the key has a password")
