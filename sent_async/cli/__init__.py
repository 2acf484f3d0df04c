"""The command line, ``sent-async``: a thin layer over ``SentClient`` behind the extra ``sent-async[cli]``.

Nothing of it is loaded by ``import sent_async``. Commands import what is slow to load, such as aiohttp and rich, where
they use it: help and completion need neither.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec


def app() -> None:
    """Run the command line. The console script and ``python -m sent_async`` call this."""
    try:
        if not all(find_spec(name) for name in ("typer", "rich")):
            sys.exit("sent-async: the command line needs its extra; install it with: pip install 'sent-async[cli]'")
        from .main import app as commands

        commands(prog_name="sent-async")
    except KeyboardInterrupt:  # before the commands are loaded, which handle it themselves
        sys.exit(130)
