"""Whether clients of the last release still understand the API: `buf breaking` against its protos.

breaking.py [REF [ROOT]]

REF is a commit or tag; the newest tag `v*` where left out, and there is nothing to compare with where there is none.
ROOT is the folder with `protos`, `third_party` and `buf.yaml` that is compared; this repository where left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

HERE = Path(__file__).resolve().parents[1]


def main(arguments: list[str]) -> int:
    """Return the exit status of the comparison, which prints what breaks."""
    ref = arguments[0] if arguments else newest_release()
    root = Path(arguments[1]) if len(arguments) > 1 else HERE
    if ref is None:
        sys.stdout.write("no release yet: nothing to break\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(
            ["git", "archive", "--format=zip", ref, "protos", "buf.yaml"],
            cwd=HERE,
            check=True,
            stdout=subprocess.PIPE,
        )
        with ZipFile(BytesIO(archive.stdout)) as content:
            content.extractall(folder)
        shutil.copytree(root / "third_party", Path(folder) / "third_party")
        buf = Path(sys.executable).with_name("buf")
        return subprocess.run([buf, "breaking", "--against", folder], cwd=root, check=False).returncode


def newest_release() -> str | None:
    """Return the newest tag of a release before this commit; None where there is none."""
    found = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0", "--match", "v*"],
        cwd=HERE,
        check=False,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
