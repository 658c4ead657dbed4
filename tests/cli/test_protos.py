"""`advisor protos`: a folder that compiles by itself, written without losing what is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from advisor.v1 import decision_service_pb2

BUF = Path(sys.executable).with_name("buf")
COMMENT = "// A note of mine.\n"


@pytest.fixture
def folder(advisor, tmp_path) -> Path:
    """Return a folder that the command wrote."""
    target = tmp_path / "new" / "protos"
    assert advisor("protos", "--out", target).status == 0
    return target


def test_the_bundle_compiles_by_itself(folder):
    """A compiler that sees this folder alone finds every import, and the same API as ours."""
    image = subprocess.run(
        [BUF, "build", "-o", "-", "--as-file-descriptor-set"], cwd=folder, capture_output=True
    )
    assert image.returncode == 0, image.stderr.decode()
    found = {each.name: each for each in descriptor_pb2.FileDescriptorSet.FromString(image.stdout).file}
    ours = descriptor_pb2.FileDescriptorProto()
    decision_service_pb2.DESCRIPTOR.CopyToProto(ours)
    compiled = found["advisor/v1/decision_service.proto"]
    compiled.ClearField("source_code_info")
    for field in [field for message in compiled.message_type for field in message.field]:
        field.ClearField("json_name")
    assert compiled == ours
    assert "google/rpc/error_details.proto" in found


def test_the_bundle_names_its_licences(folder):
    """Ours and Google's are there, whole."""
    for name in ("LICENSE", "google/LICENSE"):
        assert "Apache License" in (folder / name).read_text()


def test_every_import_is_in_the_bundle(folder):
    """Nothing is missing, and nothing is there that nobody imports, but for the details of errors."""
    protos = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.proto")}
    imported = {
        name for text in protos.values() for name in re.findall(r'^import "(.+)";', text, re.MULTILINE)
    }
    wanted = {name for name in imported if not name.startswith("google/protobuf/")}
    google = {name for name in protos if name.startswith("google/")}
    assert wanted <= protos.keys()
    assert google - wanted == {"google/rpc/error_details.proto"}


def test_the_bundle_says_when_to_try_again(folder):
    """The retry policy names services that the protos define."""
    named = json.loads((folder / "service_config.json").read_text())["methodConfig"][0]["name"]
    text = "".join(path.read_text() for path in folder.rglob("*.proto"))
    assert all(f"service {each['service'].rpartition('.')[2]} {{" in text for each in named)


def test_a_file_that_differs_is_kept(advisor, folder):
    """Nothing at all is written then, and the message names the file and the way on."""
    mine = folder / "advisor" / "v1" / "facts.proto"
    mine.write_text(COMMENT)
    (folder / "LICENSE").unlink()
    ended = advisor("protos", "--out", folder)
    assert (ended.status, ended.out) == (2, "")
    assert str(mine) in ended.err
    assert "--force" in ended.err
    assert mine.read_text() == COMMENT
    assert not (folder / "LICENSE").exists()


def test_force_overwrites_what_differs_and_writes_what_is_missing(advisor, folder):
    """It names the files that it wrote, and counts the others."""
    mine = folder / "advisor" / "v1" / "facts.proto"
    mine.write_text(COMMENT)
    (folder / "LICENSE").unlink()
    ended = advisor("protos", "--out", folder, "--force")
    *written, counts = ended.out.splitlines()
    assert {mine, folder / "LICENSE"} == set(map(Path, written))
    assert "1 written, 1 overwritten, " in counts
    assert COMMENT not in mine.read_text()


def test_the_same_again_changes_nothing(advisor, folder):
    """Writing twice is no error."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    ended = advisor("protos", "--out", folder)
    assert (ended.status, len(ended.out.splitlines())) == (0, 1)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
