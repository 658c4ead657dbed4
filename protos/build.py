"""Generate `advisor/v1/` from `protos/`, at build and by `make proto`.

Google's own protos are copied from the installed googleapis-common-protos into
`third_party/`, so that `protoc` and `buf` find them. No Python is generated for
them: the package brings its own.
"""

from __future__ import annotations

import shutil
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The package ships this proto under a name of its own; everyone else, its own
# Python registration included, knows it as `operations.proto`.
_RENAMED = {"operations_proto.proto": "operations.proto"}


class ProtoBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Generates the protobuf code before a wheel or an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before the build; see hatchling's BuildHookInterface."""
        generate(Path(self.root))
        if version == "standard":  # an editable install reads the one at the top of the tree
            build_data["force_include"]["rules.yaml"] = "advisor/data/rules.yaml"
            build_data["force_include"]["examples"] = "advisor/data/examples"


def generate(root: Path) -> None:
    """Write `advisor/v1/` and `third_party/` below `root`."""
    copy_google_protos(root / "third_party")
    run_protoc(root)


def copy_google_protos(target: Path) -> None:
    """Copy google's api, longrunning and rpc protos from the installed package."""
    shutil.rmtree(target, ignore_errors=True)
    for package in ("api", "longrunning", "rpc"):
        spec = find_spec(f"google.{package}")
        folders = spec.submodule_search_locations if spec else None
        if not folders:
            raise SystemExit("googleapis-common-protos is missing: pip install googleapis-common-protos")
        for source in Path(next(iter(folders))).glob("*.proto"):
            destination = target / "google" / package / _RENAMED.get(source.name, source.name)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, destination)


def run_protoc(root: Path) -> None:
    """Compile every proto below `protos/`; SystemExit with protoc's own message on failure."""
    from grpc_tools import protoc

    protos = sorted(str(path.relative_to(root / "protos")) for path in (root / "protos").rglob("*.proto"))
    output = root / "advisor" / "v1"
    shutil.rmtree(output, ignore_errors=True)
    arguments = [
        "protoc",
        f"-I{root / 'protos'}",
        f"-I{root / 'third_party'}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--python_out={root}",
        f"--pyi_out={root}",
        f"--grpc_python_out={root}",
        *protos,
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed: see the messages above")
    (output / "__init__.py").write_text('"""Generated from protos/advisor/v1; never edited."""\n')


if __name__ == "__main__":
    generate(Path(__file__).resolve().parents[1])
