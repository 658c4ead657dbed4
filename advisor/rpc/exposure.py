"""What a server must have before it listens beyond this machine."""

from __future__ import annotations

import structlog

from advisor.client.credentials import is_loopback
from advisor.errors import ConfigurationError
from advisor.rpc.encryption import Certificates
from advisor.settings import Settings

__all__ = ["certificates_of", "refuse_exposure"]

_log = structlog.get_logger(__name__)


def certificates_of(settings: Settings) -> Certificates | None:
    """Return what connections are encrypted with; None where they are not.

    Raises:
        ConfigurationError: A part is missing.
    """
    certificate, key, client_ca = settings.tls_certificate, settings.tls_key, settings.tls_client_ca
    if certificate is not None and key is not None:
        return Certificates(certificate, key, client_ca)
    if certificate is None and key is None and client_ca is None:
        return None
    missing = "ADVISOR_TLS_KEY" if key is None and certificate is not None else "ADVISOR_TLS_CERTIFICATE"
    raise ConfigurationError(f"{missing} is missing; encryption needs a certificate and its key")


def refuse_exposure(settings: Settings, *, closed: bool) -> None:
    """Refuse to listen beyond this machine without a lock on the door, unless that is asked for by name.

    Args:
        settings: What the server runs with.
        closed: Whether calls need a token.

    Raises:
        ConfigurationError: Connections would not be encrypted, or anyone could call.
    """
    if is_loopback(settings.host):
        return
    faults = []
    if settings.tls_certificate is None:
        faults.append("connections are not encrypted: set ADVISOR_TLS_CERTIFICATE and ADVISOR_TLS_KEY")
    if not closed and settings.tls_client_ca is None:
        faults.append(
            "anyone may call: run advisor tokens create, or set ADVISOR_ADMIN_TOKEN or ADVISOR_TLS_CLIENT_CA"
        )
    if not faults:
        return
    if settings.insecure:
        _log.warning("listening beyond this machine", host=settings.host, faults=faults)
        return
    raise ConfigurationError(
        *(f"{settings.host} is beyond this machine, and {each}" for each in faults),
        "or set ADVISOR_INSECURE=true, where a proxy in front does both",
    )
