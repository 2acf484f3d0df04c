"""The fake's time: the real one, moved on by ``FakeSent.advance``."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Unix time plus what the clock was moved by."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move on by ``seconds``. Never back: windows and keys that have run out would come back to life."""
        if seconds < 0:
            raise ValueError(f"time goes forward only; got {seconds!r} seconds")
        self._ahead += seconds


def stamp(now: float) -> str:
    """A date-time as .NET writes it: seven fractional digits and an offset."""
    moment = datetime.fromtimestamp(int(now), UTC)
    ticks = int(now * 10_000_000) % 10_000_000
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ticks:07d}+00:00"
