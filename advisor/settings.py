"""The settings of a server and its workers: few, read once, frozen, handed down.

Each is an environment variable with the prefix `ADVISOR_`, such as
`ADVISOR_DATABASE_URL`; arguments of the command line come before it. The table
of all variables is `advisor.environment`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from advisor.environment import PREFIX, unknown_variables
from advisor.errors import ConfigurationError
from backends.base import ModelError
from backends.generation.engine import TOGETHER, EngineName
from backends.models.names import DEFAULT_EMBEDDER, DEFAULT_GENERATOR
from backends.models.resolve import check, default_cache
from backends.training.stores import check_store

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["Settings", "read_settings"]

MIB = 1024 * 1024
LEAST_SECRET = 32
Count = Annotated[int, Field(ge=1)]


def _default_data_dir() -> Path:
    """Return the user's data folder by the XDG convention; /var/lib for root.

    The embedded PostgreSQL of root runs as another user, who cannot reach a
    folder below /root; no folder outside the data folder is opened for that user.
    """
    base = os.environ.get("XDG_DATA_HOME")
    if base:
        return Path(base) / "rag-or-tune"
    if os.geteuid() == 0:
        return Path("/var/lib/rag-or-tune")
    return Path.home() / ".local" / "share" / "rag-or-tune"


class Settings(BaseSettings):
    """What one server or worker runs with.

    Attributes:
        data_dir: Folder of the embedded database, the adapters and the checkpoints.
        database_url: PostgreSQL to use instead of the embedded one.
        host: Address to listen on.
        port: Port to listen on; 0 for any that is free.
        generator: Model that answers and is tuned, as `backends.models.resolve` names models.
        engine: What computes the generator where it runs here; `auto` is OpenVINO where it is installed.
        trainable: Model that trials train where the generator runs on a server, named likewise; empty for none.
        embedder: Model that embeds passages, as `backends.models.resolve` names models.
        reranker: Cross-encoder that orders the passages found, named likewise; empty for none.
        adapter_store: Where adapters are kept when servers and workers share no data folder: a URL that fsspec opens,
            such as `s3://bucket/prefix`; empty for the data folder.
        model_cache: Folder of downloaded models.
        rules: Rule files merged over those of the package; the variable separates them as PATH does.
        gains: Model of gains to decide by, see `advisor learn`; by default `gains.json` in the data folder where there
            is one that fits, else the package's own.
        admin_token: A token that is good for everything, beside those of `advisor tokens`, as a secret store hands it
            over; 32 characters or more.
        tls_certificate: The server's certificate, as a PEM file; with `tls_key`, connections are encrypted.
        tls_key: Its private key, as a PEM file without a password.
        tls_client_ca: Who vouches for clients, as a PEM file; where given, each must have a certificate.
        processes: Servers that share the port, each a process with models of its own.
        insecure: Listen beyond this machine though connections are not encrypted, or anyone may call.
        metrics_port: Port on which Prometheus reads metrics, over HTTP; nowhere by default, 0 for any that is free.
        metrics_host: Address to serve them on.
        log_level: Lowest level of lines that are logged; `debug` has one for each call.
        tracing: Send spans of calls and of long work as the variables of OpenTelemetry say, such as
            `OTEL_EXPORTER_OTLP_ENDPOINT`; needs the extra `tracing`.
        workers: Training processes to keep; 0 where they run on other machines.
        document_bytes: Largest document.
        use_case_bytes: All documents of one use case together.
        use_case_examples: Most examples of one use case.
        example_bytes: Largest example: question, answer and context together.
        question_characters: Longest question.
        queued_operations: Most operations that wait for a worker.
        principal_bytes: Documents of all use cases of one principal together.
        principal_operations: Operations of one principal that wait or run.
        principal_calls: Calls a second that one principal may make of one server for long; twice as many at once.
        concurrent_answers: Answers written at a time, by one model together; further ones wait or are refused.
        concurrent_imports: Imports at a time, over all use cases.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    data_dir: Path = Field(default_factory=_default_data_dir)
    database_url: SecretStr | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 50051
    generator: str = DEFAULT_GENERATOR
    engine: EngineName = "auto"
    trainable: str = ""
    embedder: str = DEFAULT_EMBEDDER
    reranker: str = ""
    adapter_store: str = ""
    model_cache: Path = Field(default_factory=default_cache)
    rules: Annotated[tuple[Path, ...], NoDecode] = ()
    gains: Path | None = None
    admin_token: SecretStr | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    processes: Annotated[int, Field(ge=1, le=64)] = 1
    insecure: bool = False
    metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    metrics_host: str = "127.0.0.1"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    tracing: bool = False
    workers: Annotated[int, Field(ge=0, le=64)] = 1
    document_bytes: Count = 16 * MIB
    use_case_bytes: Count = 512 * MIB
    use_case_examples: Count = 100_000
    example_bytes: Count = 256 * 1024
    question_characters: Count = 8_000
    queued_operations: Count = 100
    principal_bytes: Count | None = None
    principal_operations: Count | None = None
    principal_calls: Annotated[float, Field(gt=0, le=1e6)] | None = None
    concurrent_answers: Count = TOGETHER
    concurrent_imports: Count = 2

    @field_validator("data_dir", "model_cache")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("gains", "tls_certificate", "tls_key", "tls_client_ca")
    @classmethod
    def _absolute_if_any(cls, value: Path | None) -> Path | None:
        return None if value is None else cls._absolute(value)

    @field_validator("admin_token")
    @classmethod
    def _long(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < LEAST_SECRET:
            raise ValueError(
                f"has fewer than {LEAST_SECRET} characters; take as many random ones, or leave it out"
            )
        return value

    @property
    def gains_path(self) -> Path:
        """Where a model of gains is that was learned from one's own cases."""
        return self.gains or self.data_dir / "gains.json"

    @field_validator("rules", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        return [path for path in value.split(os.pathsep) if path] if isinstance(value, str) else value

    @field_validator("rules")
    @classmethod
    def _all_absolute(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        return tuple(map(cls._absolute, value))

    @field_validator("adapter_store")
    @classmethod
    def _store(cls, value: str) -> str:
        if value:
            check_store(value)
        return value.rstrip("/")

    @field_validator("generator", "trainable", "embedder", "reranker")
    @classmethod
    def _model(cls, value: str, info: ValidationInfo) -> str:
        """Refuse what is no model before anything is done that a question would then fail after."""
        if info.field_name in ("trainable", "reranker") and not value:
            return value
        try:
            check(value, files=info.field_name != "generator")
        except ModelError as error:
            raise ValueError(str(error)) from None
        return value


def read_settings(**given: Any) -> Settings:
    """Read the settings: what is given here first, then the environment, then the defaults.

    Raises:
        ConfigurationError: A value is out of bounds, or a variable is misspelt; it has a fault for each.
    """
    faults = list(unknown_variables(os.environ))
    try:
        settings = Settings(**given)
    except ValidationError as error:
        faults.extend(map(_fault, error.errors(include_url=False)))
    if faults:
        raise ConfigurationError(*faults)
    return settings


def _fault(error: ErrorDetails) -> str:
    """Say what is wrong with a value, and quote it; a secret is not quoted, and our own errors do so themselves."""
    name = "_".join(map(str, error["loc"]))
    if error["type"] == "value_error":
        return f"{PREFIX}{name.upper()}: {error['msg'].removeprefix('Value error, ')}"
    value = "" if name in ("database_url", "admin_token") else f"{error['input']!r}: "
    return f"{PREFIX}{name.upper()}: {value}{error['msg'][:1].lower()}{error['msg'][1:]}"
