"""A real browser for tests: Chromium without a window, driven over a pipe by the DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["NAMES", "Page", "chromium_path", "open_page"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip
# The protocol's pipe is descriptors 3 and 4 of the browser, whatever they are here.
_LAUNCH = """
import os, sys
reading, writing = (os.dup(int(each)) for each in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
os.set_inheritable(3, True)
os.set_inheritable(4, True)
os.execv(sys.argv[3], sys.argv[3:])
"""


def chromium_path() -> str | None:
    """Return the browser to use: the environment's CHROMIUM, else the first by name; None where there is none."""
    named = (os.environ.get("CHROMIUM", ""), *NAMES)
    return next((path for name in named if name and (path := shutil.which(name))), None)


class Page:
    """A page of a browser."""

    def __init__(self, reading: Any, writing: Any) -> None:
        self._reading, self._writing = reading, writing
        self._session: str | None = None
        self._calls = 0
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result; events that come before it are kept."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        self._writing.write(json.dumps(message).encode() + b"\0")
        self._writing.flush()
        while (answer := self._next()).get("id") != self._calls:
            self.events.append(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def show(self, path: Path, width: int, scheme: str) -> None:
        """Load a file at a width in pixels, in a colour scheme, with the network cut."""
        self.call(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(each.get("method") == "Page.loadEventFired" for each in self.events):
            self.events.append(self._next())

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, which its policy does not keep from us."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def picture(self, path: Path) -> None:
        """Write what the page looks like, all of it, as PNG."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def complaints(self) -> list[str]:
        """Return what the browser said of the page: errors, and what its policy kept out."""
        return [
            json.dumps(each["params"])
            for each in self.events
            if each.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        ]

    def close(self) -> None:
        """End the browser."""
        self._session = None
        self.call("Browser.close")

    def _next(self) -> dict[str, Any]:
        message = bytearray()
        while (byte := self._reading.read(1)) != b"\0":
            if not byte:
                raise AssertionError("the browser ended")
            message += byte
        return dict(json.loads(message))


@contextmanager
def open_page(path: str, folder: Path) -> Iterator[Page]:
    """Start a browser with a profile in a folder of its own, and yield a page of it."""
    (read, answers), (requests, write) = os.pipe(), os.pipe()
    launch = (sys.executable, "-c", _LAUNCH, str(requests), str(answers), path, *_ARGUMENTS)
    with (
        (folder / "chromium.log").open("wb") as log,
        subprocess.Popen(
            (*launch, f"--user-data-dir={folder}"), pass_fds=(requests, answers), stdout=log, stderr=log
        ) as process,
    ):
        os.close(requests)
        os.close(answers)
        with os.fdopen(read, "rb") as reading, os.fdopen(write, "wb") as writing:
            try:
                page = Page(reading, writing)
                yield page
                page.close()
            finally:
                process.terminate()
