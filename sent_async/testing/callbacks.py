"""The unsigned report that a profile's completion has ended, to an address of the caller's own."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .outbox import Outbox
from .store import JSON

KEPT: Final = 10_000
"""How many reports are remembered."""
_PATIENCE: Final = 5.0


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """One report of a completion to its ``webHookUrl``."""

    url: str
    body: Any
    status: int | None
    """What the receiver responded; ``None`` when it was not reached, or is elsewhere and so not tried."""


async def report(outbox: Outbox, made: list[Callback], url: str, body: JSON) -> None:
    """Post it once, and note how that went. A failure is nobody's error but the receiver's."""
    outcome = await outbox.post(url, msgspec.json.encode(body), {}, _PATIENCE)
    made.append(Callback(url=url, body=body, status=outcome.status))
    del made[:-KEPT]
