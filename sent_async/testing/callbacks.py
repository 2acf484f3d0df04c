"""The unsigned callback after a profile's completion, to an address that the caller gave."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .outbox import Outbox
from .store import JSON

KEPT: Final = 10_000
"""The number of callbacks that are kept."""
_PATIENCE: Final = 5.0


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """One callback of a completion to its ``webHookUrl``."""

    url: str
    body: Any
    status: int | None
    """The status of the receiver's response. ``None`` when it was not reached, or its host is not allowed."""


async def report(outbox: Outbox, made: list[Callback], url: str, body: JSON) -> None:
    """Post it once, and record the result. A failure raises nothing."""
    outcome = await outbox.post(url, msgspec.json.encode(body), {}, _PATIENCE)
    made.append(Callback(url=url, body=body, status=outcome.status))
    del made[:-KEPT]
