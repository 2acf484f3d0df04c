"""``python -m sent_async.cli``, for where the console script is not on the path."""

from . import app

app()
