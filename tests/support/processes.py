"""The types of fixtures that run programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from .terminal import Terminal

EXAMPLES = Path(__file__).parents[2] / "examples"


class Start(Protocol):
    """Starts ``python <arguments>``; a first argument such as ``demo.py`` is one of the examples."""

    async def __call__(self, *arguments: str | Path) -> asyncio.subprocess.Process: ...


class Run(Protocol):
    """Runs it to its end. Returns the exit code and the output, stdout first."""

    async def __call__(self, *arguments: str | Path) -> tuple[int | None, str]: ...


class Ended(NamedTuple):
    """The exit code and the output of a process."""

    code: int | None
    out: str
    err: str


Cli = Callable[..., Coroutine[Any, Any, Ended]]
StartCli = Callable[..., Coroutine[Any, Any, asyncio.subprocess.Process]]
InTerminal = Callable[..., "Terminal"]
