"""``python -m sent_async``: the command line, for where the console script is not on the path."""

from .cli import app

app()
