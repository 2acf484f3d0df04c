"""Rate limits: one pool for each API key and tier, as a fixed window or a token bucket. Pure: the time is passed in."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

GENEROUS = 1_000_000


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """The number of requests of one tier that a key may make."""

    limit: int = GENEROUS
    """Requests per window."""
    window: float = 60.0
    """The length of a window in seconds."""
    burst: int | None = None
    """For a window: requests allowed in addition to the limit. For a bucket: its size, ``limit`` by default."""
    kind: Literal["window", "bucket"] = "window"
    """A fixed window that starts with its first request, or a bucket that gets ``limit`` requests per ``window``."""
    retry_after: Literal["exact", "window", "none"] = "exact"
    """The ``Retry-After`` of a 429: the seconds until a request is allowed, always the whole window, or none."""
    headers: bool = True
    """Whether responses have ``X-RateLimit-*`` headers."""

    def __post_init__(self) -> None:
        if self.limit < 1 or not self.window > 0 or (self.burst is not None and self.burst < 0):
            raise ValueError("a rate limit needs limit >= 1, window > 0 and burst >= 0")
        if self.kind == "bucket" and self.burst == 0:
            raise ValueError("a bucket with burst=0 would allow no request")


class FixedWindow:
    """``limit`` requests, and ``burst`` more, in a window that starts with the first request."""

    def __init__(self, limit: Limit, now: float) -> None:
        self._limit = limit
        self._used = 0
        self._ends = now + limit.window

    def take(self, now: float) -> bool:
        self._renew(now)
        if self._used >= self._limit.limit + (self._limit.burst or 0):
            return False
        self._used += 1
        return True

    def remaining(self, now: float) -> int:
        self._renew(now)
        return max(0, self._limit.limit - self._used)

    def resets_at(self, now: float) -> float:
        self._renew(now)
        return self._ends

    def opens_in(self, now: float) -> float:
        return self.resets_at(now) - now

    def _renew(self, now: float) -> None:
        if now >= self._ends:
            self._used, self._ends = 0, now + self._limit.window


class TokenBucket:
    """A bucket that is full at first and is refilled evenly. ``resets_at`` is when it is full again."""

    def __init__(self, limit: Limit, now: float) -> None:
        self._size = float(limit.limit if limit.burst is None else limit.burst)
        self._rate = limit.limit / limit.window
        self._tokens = self._size
        self._filled = now

    def take(self, now: float) -> bool:
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def remaining(self, now: float) -> int:
        self._fill(now)
        return int(self._tokens)

    def resets_at(self, now: float) -> float:
        self._fill(now)
        return now + (self._size - self._tokens) / self._rate

    def opens_in(self, now: float) -> float:
        self._fill(now)
        return (1 - self._tokens) / self._rate

    def _fill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._filled) * self._rate)
        self._filled = now


class Limits:
    """The limits by tier, and the pools that requests are taken from."""

    def __init__(self) -> None:
        self.by_tier: dict[str, Limit] = {}
        self._pools: dict[tuple[str, str], FixedWindow | TokenBucket] = {}

    def set(self, tier: str, limit: Limit) -> None:
        """Apply a limit from now on. All pools start full."""
        self.by_tier[tier] = limit
        for place in [place for place in self._pools if place[0] == tier]:
            del self._pools[place]

    def take(self, tier: str, key: str, now: float) -> bool:
        """Take a request from the pool. Returns whether it is allowed. A refused request does not count."""
        return self._pools.setdefault((tier, key), self._new(tier, now)).take(now)

    def headers(self, tier: str, key: str, now: float) -> dict[str, str]:
        """The rate limit headers of every response."""
        limit = self.by_tier.get(tier, _DEFAULT)
        if not limit.headers:
            return {}
        pool = self._pools.get((tier, key)) or self._new(tier, now)
        return {
            "X-RateLimit-Limit": str(limit.limit),
            "X-RateLimit-Remaining": str(pool.remaining(now)),
            "X-RateLimit-Reset": _rounded_up(pool.resets_at(now), limit),
        }

    def retry_after(self, tier: str, key: str, now: float) -> dict[str, str]:
        """The headers that a 429 adds."""
        limit = self.by_tier.get(tier, _DEFAULT)
        if limit.retry_after == "none":
            return {}
        seconds = limit.window if limit.retry_after == "window" else self._pools[tier, key].opens_in(now)
        return {"Retry-After": _rounded_up(seconds, limit)}

    def _new(self, tier: str, now: float) -> FixedWindow | TokenBucket:
        limit = self.by_tier.get(tier, _DEFAULT)
        return FixedWindow(limit, now) if limit.kind == "window" else TokenBucket(limit, now)


_DEFAULT = Limit()


def _rounded_up(seconds: float, limit: Limit) -> str:
    """Seconds rounded up: whole seconds as in the API, milliseconds for a window below a minute."""
    if limit.window >= 60:
        return str(math.ceil(seconds))
    return f"{math.ceil(seconds * 1000) / 1000:.3f}"
