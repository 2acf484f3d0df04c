"""The command line, ``sent-async``: a thin layer over ``SentClient`` behind the extra ``sent-async[cli]``.

Nothing of it is loaded by ``import sent_async``.
"""

from __future__ import annotations

import sys


def app() -> None:
    """What the console script calls."""
    try:
        from .main import app as commands
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("typer", "rich"):
            raise
        sys.exit("sent-async: the command line needs its extra; install it with: pip install 'sent-async[cli]'")
    commands(prog_name="sent-async")
