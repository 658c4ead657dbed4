"""Generate `advisor/v1/` from `protos/`, at build and by `make protos`.

What our protos import of Google's is copied from the installed
googleapis-common-protos into `third_party/`, with its licence, so that `protoc`
and `buf` find it. No Python is generated for it: the package brings its own.
A wheel holds both, the bundle that `advisor protos` writes.
"""

from __future__ import annotations

import re
import shutil
from importlib.metadata import files as installed_files
from importlib.resources import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GOOGLE = "googleapis-common-protos"
# What no proto of ours imports and clients read all the same: the details of errors.
DETAILS = "google/rpc/error_details.proto"
# The package ships this proto under a name of its own; everyone else, its own
# Python registration included, knows it as `operations.proto`.
RENAMED = {"google/longrunning/operations.proto": "google/longrunning/operations_proto.proto"}
# These come with every protoc.
WELL_KNOWN = "google/protobuf/"
# Below examples/: programs to copy, which a command has no use for.
NOT_IN_WHEEL = {"clients", "deploy", "monitoring"}


class ProtoBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Generates the protobuf code before a wheel or an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before the build; see hatchling's BuildHookInterface."""
        generate(Path(self.root))
        if version == "standard":  # an editable install reads the one at the top of the tree
            build_data["force_include"].update(data_files(Path(self.root)))


def data_files(root: Path) -> dict[str, str]:
    """Return what a wheel holds of the tree as data: where it lies in the tree -> where in the wheel."""
    examples = sorted(each.name for each in (root / "examples").iterdir() if each.name not in NOT_IN_WHEEL)
    return {
        "rules.yaml": "advisor/data/rules.yaml",
        "protos/advisor": "advisor/data/protos/advisor",
        "third_party/google": "advisor/data/protos/google",
        "LICENSE": "advisor/data/protos/LICENSE",
        **{f"examples/{name}": f"advisor/data/examples/{name}" for name in examples},
    }


def generate(root: Path) -> None:
    """Write `advisor/v1/` and `third_party/` below `root`."""
    copy_google_protos(root / "protos" / "advisor", root / "third_party")
    run_protoc(root)


def copy_google_protos(protos: Path, target: Path) -> None:
    """Copy what the protos below `protos` import of Google's, and what that imports in turn."""
    shutil.rmtree(target, ignore_errors=True)
    shipped = {str(path): Path(str(path.locate())) for path in installed_files(GOOGLE) or ()}
    waiting = [DETAILS, *(name for path in sorted(protos.rglob("*.proto")) for name in google_imports(path))]
    while waiting:
        name = waiting.pop()
        if (target / name).exists():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shipped[RENAMED.get(name, name)], target / name)
        waiting += google_imports(target / name)
    licence = next(path for name, path in shipped.items() if name.endswith("licenses/LICENSE"))
    shutil.copyfile(licence, target / "google" / "LICENSE")


def google_imports(path: Path) -> list[str]:
    """Return the files of Google's that a proto imports, without those that protoc brings."""
    imported = re.findall(
        r'^import (?:public )?"(google/.+)";', path.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [name for name in imported if not name.startswith(WELL_KNOWN)]


def run_protoc(root: Path) -> None:
    """Compile every proto below `protos/advisor`; SystemExit with protoc's own message on failure."""
    from grpc_tools import protoc

    protos = sorted(
        str(path.relative_to(root / "protos")) for path in (root / "protos" / "advisor").rglob("*.proto")
    )
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
