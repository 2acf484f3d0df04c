"""The unsigned callback after the completion of a profile, to the URL in the request."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .outbox import Outbox
from .store import JSON

KEPT: Final = 10_000
"""The number of callbacks that are recorded."""
_TIMEOUT: Final = 5.0


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """The callback after a completion, to its ``webHookUrl``."""

    url: str
    """Where it was posted to."""
    body: Any
    """The JSON body."""
    status: int | None
    """The status of the receiver's response; ``None`` when there was none, or when the host is not allowed."""


async def report(outbox: Outbox, made: list[Callback], url: str, body: JSON) -> None:
    """Post a callback once, and record the result. This raises nothing if it fails."""
    outcome = await outbox.post(url, msgspec.json.encode(body), {}, _TIMEOUT)
    made.append(Callback(url=url, body=body, status=outcome.status))
    del made[:-KEPT]
