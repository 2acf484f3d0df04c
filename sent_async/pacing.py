"""Hold requests back before the server has to: limits are learnt from its headers, never known beforehand."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Mapping
from typing import Protocol

import msgspec

from .envelope import http_date, retry_after
from .retry import RETRY_AFTER_CAP

_LONGEST_WINDOW = 3600.0
_CLOCKS_AGREE = 2.0
_UNKNOWN = -1.0
_PROBE_PATIENCE = 1.0
"""Seconds. One slow answer must not hold everybody back for as long as it takes."""


class Pacer(Protocol):
    """What the client asks before and tells after each attempt. Put one on a shared store to pace several processes."""

    async def acquire(self, tier: str) -> int:
        """Wait until a request of this tier may go. The permit goes back to ``release``, once."""
        ...

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """The answer to a permitted request; status 0 and no headers when none came."""
        ...


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one tier's limit. ``None`` where no answer has said it yet."""

    limit: int | None
    """Requests a window."""
    remaining: int | None
    """Requests left in this window, by the last answer."""
    resets_in: float | None
    """Seconds until the window starts anew; 0 when it already has."""
    paused_for: float
    """Seconds that a 429 still holds all requests of the tier back."""
    in_flight: int
    waiting: int


class Window:
    """The limit of one tier as its answers describe it. Pure: the time is passed in.

    Fits fixed windows and token buckets alike: spend what ``X-RateLimit-Remaining`` says, less what is in flight;
    when that is spent wait for ``X-RateLimit-Reset``, send one request to learn what there is now, go on.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self.remaining: float = _UNKNOWN
        self.in_flight = 0
        self.resets_at = 0.0
        self.period: float | None = None
        self.paused_until = 0.0
        self.pauses = 0
        """All there have been; a permit tells by it which ones it came after."""
        self.calm = True
        """No 429 is being waited out or recovered from: ``remaining`` alone decides."""
        self._refusals = 0  # in a row: since the window was calm
        self._probing = False
        self._probe_until = 0.0
        self._spread_until = 0.0
        self._next_at = 0.0

    def ready_at(self, now: float) -> float:
        """When the next request may go, unless an answer comes before: ``now`` or a later time."""
        at = max(now, self.paused_until)
        if not self.calm:
            at = max(at, self._next_at)
            if now >= self._spread_until:
                self.calm, self._refusals = True, 0
        if self.remaining > self.in_flight:
            return at
        return max(at, self._probe_until if self._probing else self.resets_at)

    def take(self, now: float) -> int:
        """Count a request that ``ready_at`` let go. Returns its permit: the number of pauses before it."""
        if self.remaining <= self.in_flight:
            self._probing, self._probe_until = True, now + _PROBE_PATIENCE
        self._next_at = max(now, self._next_at + self._interval())  # a late alarm is made up for
        self.in_flight += 1
        return self.pauses

    def answered(self, now: float, wall: float, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer. ``wall`` is Unix time, for ``X-RateLimit-Reset``."""
        self._probing = False
        left = _whole(headers.get("X-RateLimit-Remaining"))
        if status == 429:
            self._limited(now, wall, permit, headers, promised=bool(left))
        elif left is None:
            if status and self.remaining == _UNKNOWN:
                self.remaining = math.inf
        elif now >= self.resets_at or self.remaining == _UNKNOWN:
            self.remaining = left
            self._read_reset(now, wall, headers, fresh=True)
        else:
            self.remaining = min(self.remaining, left)
            if left <= 2 * self.in_flight + 2:  # while there is plenty, the rest of the headers decides nothing
                self._read_reset(now, wall, headers, fresh=False)

    def _limited(self, now: float, wall: float, permit: int, headers: Mapping[str, str], *, promised: bool) -> None:
        """One pause for one burst: 429s to requests that were under way before it began only make it longer."""
        if permit == self.pauses:
            self.pauses += 1
            self._refusals += 1
        self.remaining = 0
        until_reset = self._read_reset(now, wall, headers, fresh=True)
        wait = retry_after(headers, now=wall)
        if wait is None:
            wait = until_reset or 0.5 * 2.0 ** min(self._refusals, 7)
        # Never longer than a call would wait by itself: then one request asks again.
        resumes_at = now + min(wait, RETRY_AFTER_CAP)
        self.paused_until = self.resets_at = self._next_at = max(self.paused_until, resumes_at)
        # Another process spends the same limit: no bursts for a window. For many when the refusal itself still
        # promised requests: then there is a limit below the one that the headers tell of.
        self._spread_until = self.paused_until + (self.period or 60.0) * (64 if promised else 1)
        self.calm = False

    def _interval(self) -> float:
        if self.limit and self.period:
            return self.period / self.limit
        return min(5.0, 0.05 * 2.0 ** min(self._refusals, 7))

    def _read_reset(self, now: float, wall: float, headers: Mapping[str, str], *, fresh: bool) -> float | None:
        """Returns the seconds until the reset, where the answer tells them."""
        limit = _whole(headers.get("X-RateLimit-Limit")) or self.limit
        if limit != self.limit:
            self.limit, self.period = limit, None  # another limit may come with another window
        wait = seconds_until_reset(headers, wall)
        if wait is None:
            self.resets_at = max(self.resets_at, now + (1.0 if self.remaining == 0 else 0.0))
        else:
            self.resets_at = now + wait if fresh else max(self.resets_at, now + wait)
            self.period = max(self.period or 0.0, wait)
        return wait


class HeaderPacer:
    """A ``Window`` for each tier, and the requests that wait for it, first come first served."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}
        self._waiting: dict[str, deque[asyncio.Future[int]]] = {}
        self._alarms: dict[str, asyncio.TimerHandle] = {}

    async def acquire(self, tier: str) -> int:
        window = self._windows.get(tier)
        if window is None:
            window = self._windows[tier] = Window()
            self._waiting[tier] = deque()
        waiting = self._waiting[tier]
        if window.calm and window.remaining > window.in_flight and not waiting:
            window.in_flight += 1
            return window.pauses
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        self._let_go(tier)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(tier, turn.result(), 0, {})
            else:
                if turn in waiting:
                    waiting.remove(turn)
                self._let_go(tier)
            raise

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        window = self._windows[tier]
        window.in_flight -= 1
        window.answered(time.monotonic(), time.time(), permit, status, headers)
        if self._waiting[tier]:
            self._let_go(tier)

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        now = time.monotonic()
        return {
            tier: RateLimit(
                limit=window.limit,
                remaining=int(window.remaining) if 0 <= window.remaining < math.inf else None,
                resets_in=None if window.period is None else max(0.0, window.resets_at - now),
                paused_for=max(0.0, window.paused_until - now),
                in_flight=window.in_flight,
                waiting=len(self._waiting[tier]),
            )
            for tier, window in self._windows.items()
        }

    def _let_go(self, tier: str) -> None:
        """Wake those whose time has come, and set one alarm for the next."""
        alarm = self._alarms.pop(tier, None)
        if alarm is not None:
            alarm.cancel()
        window, waiting = self._windows[tier], self._waiting[tier]
        while waiting:
            now = time.monotonic()
            at = window.ready_at(now)
            if at > now:
                self._alarms[tier] = asyncio.get_running_loop().call_later(at - now, self._let_go, tier)
                return
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(window.take(now))


def seconds_until_reset(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds to ``X-RateLimit-Reset`` (Unix seconds), by the server's own ``Date`` where our clocks differ."""
    try:
        reset = float(headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return None
    date = http_date(headers.get("Date", ""))
    if date is not None and abs(date - wall) > _CLOCKS_AGREE and 0 <= reset - date <= _LONGEST_WINDOW:
        return reset - date
    return reset - wall if 0 <= reset - wall <= _LONGEST_WINDOW else None


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() else None
