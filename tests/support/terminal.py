"""A program in a terminal of its own, which a test reads and types into."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence


class Terminal:
    """Runs a command in a pseudo-terminal.

    Args:
        command: What to run.
        environment: Its environment variables.
        columns: Width of the terminal.
        stdout: Where the output goes instead of the terminal.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], *, columns: int = 200, stdout: int | None = None
    ) -> None:
        self._own_end, program_end = pty.openpty()
        fcntl.ioctl(program_end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.seen = ""
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=program_end,
            stdout=program_end if stdout is None else stdout,
            stderr=program_end,
            start_new_session=True,
        )
        os.close(program_end)

    async def until(self, text: str) -> None:
        """Read until this text has been printed."""
        while text not in self.seen:
            more = await asyncio.to_thread(self._read)
            assert more, f"ended without {text!r}: {self.seen}"
            self.seen += more

    def type(self, text: str) -> None:
        """Type this."""
        os.write(self._own_end, text.encode())

    async def end(self) -> int:
        """Read to the end; gives the exit code."""
        while more := await asyncio.to_thread(self._read):
            self.seen += more
        os.close(self._own_end)
        return await asyncio.to_thread(self.process.wait)

    @property
    def lines(self) -> list[str]:
        """What has been printed, as lines."""
        return self.seen.replace("\r\n", "\n").splitlines()

    def _read(self) -> str:
        try:
            return os.read(self._own_end, 65536).decode(errors="replace")
        except OSError:  # how Linux says that the other side has closed
            return ""
