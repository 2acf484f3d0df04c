"""The rate limit of one tier, as its responses describe it. Pure: the time is passed in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from multidict import istr

from .envelope import http_date, retry_after

GRACE: Final = 1.0
"""Seconds in which one slow request may hold the others back."""
NEVER: Final = -math.inf
"""The time of something that has not happened."""

_LONGEST_WINDOW: Final = 3600.0  # seconds; a response that says more is not believed
_LONGEST_SPREAD: Final = 300.0  # seconds after a 429 in which requests are spread
_LONGEST_INTERVAL: Final = 30.0  # seconds between two of them
_UNKNOWN: Final = -1.0

# Made once: a header lookup by a plain string has to be lower-cased each time.
_LIMIT: Final = istr("X-RateLimit-Limit")
_REMAINING: Final = istr("X-RateLimit-Remaining")
_RESET: Final = istr("X-RateLimit-Reset")
_DATE: Final = istr("Date")


class RateWindow:
    """How many requests may be sent now, and when more may be.

    It fits fixed windows and token buckets. It spends what ``X-RateLimit-Remaining`` says, less what is in flight. When
    that is spent, it waits for ``X-RateLimit-Reset``, and lets one request through as a probe that learns the new
    number. When the probe gets no response, or a response without rate-limit headers, nothing is held back.

    After a 429 nothing is sent until ``Retry-After``. Then requests are spread for a while: sent one by one, with a
    fixed interval between them.
    """

    __slots__ = (
        "in_flight",
        "limit",
        "next_request_at",
        "paused_until",
        "pauses",
        "period",
        "probe_in_flight",
        "probed_at",
        "recent_pauses",
        "recovering",
        "remaining",
        "resets_at",
        "spread_until",
    )

    def __init__(self) -> None:
        self.limit: int | None = None
        self.period: float | None = None
        """Seconds of a window: the longest time until a reset that was seen."""
        self.remaining = _UNKNOWN
        """Requests left by the last response; infinite while nothing limits them."""
        self.resets_at = NEVER
        """When ``remaining`` stops being true."""
        self.in_flight: int = 0
        self.paused_until = NEVER
        self.pauses: int = 0
        """How many pauses there have been. The permit of a request is this number at the time it was sent."""
        self.recovering = False
        """A 429 is being waited out or recovered from. While it is false, ``remaining`` alone decides."""
        self.recent_pauses = 0
        """Pauses since the last recovery."""
        self.spread_until = NEVER
        self.next_request_at = NEVER
        """When the next request may be sent, while requests are spread."""
        self.probe_in_flight = False
        self.probed_at: float | None = None
        """When the first probe without a response was sent; ``None`` when there is none."""

    def room(self, now: float) -> float:
        """How many more requests may be sent now."""
        if now < self.paused_until:
            return 0
        room = self.remaining - self.in_flight
        if room < 1:
            if now < self.resets_at:
                return 0
            if self.probed_at is not None and now >= self.probed_at + GRACE:
                room = (self.limit or math.inf) - self.in_flight
            else:
                room = 0 if self.probe_in_flight else 1
        if self.recovering and now < self.spread_until:
            return min(room, 1) if now >= self.next_request_at else 0
        return room

    def opens_at(self, now: float) -> float:
        """When there will be room if no response changes that. If this is not after ``now``, only a response can."""
        at = self.frees_at(now)
        if self.probe_in_flight and self.probed_at is not None and self.remaining <= self.in_flight:
            at = max(at, self.probed_at + GRACE)
        if self.recovering and at < self.spread_until:
            at = max(at, min(self.next_request_at, self.spread_until))
        return at

    def frees_at(self, now: float) -> float:
        """When the limit lets requests through, as far as it is known: ``now`` or later."""
        at = max(now, self.paused_until)
        return at if self.remaining > self.in_flight else max(at, self.resets_at)

    def turn_at(self, now: float, ahead: int) -> float:
        """The earliest time for a request with ``ahead`` others before it, which may need several windows."""
        windows = ahead // self.limit if self.limit else 0
        return self.frees_at(now) + windows * (self.period or 0.0)

    def interval(self) -> float:
        """Seconds between two requests while they are spread."""
        if self.limit and self.period:
            return min(_LONGEST_INTERVAL, self.period / self.limit)
        return min(5.0, 0.05 * 2.0 ** min(self.recent_pauses, 7))

    def spend(self, now: float) -> int:
        """Count a request that is sent now. Only call it when there is room.

        Returns:
            Its permit, which goes back to ``learn``.
        """
        if self.recovering:
            if now >= self.spread_until:
                self.recovering, self.recent_pauses = False, 0
            self.next_request_at = max(now, self.next_request_at + self.interval())  # makes up for a late timer
        if self.remaining <= self.in_flight:
            self.probe_in_flight = True
            if self.probed_at is None:
                self.probed_at = now
        self.in_flight += 1
        return self.pauses

    def learn_fast(self, now: float, status: int, headers: Mapping[str, str]) -> bool:
        """Learn from a response by the short way, which fits most: there is plenty left, so only that number counts.

        Returns:
            Whether the short way was enough. If not, call ``learn``.
        """
        if self.probed_at is not None or status == 429 or status == 0:
            return False
        value = headers.get(_REMAINING)
        if value is None:
            return self.remaining == math.inf
        left = _count(value)
        if left is None or now >= self.resets_at or not 2 * self.in_flight + 2 < left <= self.remaining:
            return False
        self.remaining = left
        return True

    def learn(self, now: float, wall: float, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Learn from a response.

        Args:
            now: The time, in seconds that never go back.
            wall: Unix time, for ``X-RateLimit-Reset``.
            permit: What ``spend`` returned for the request.
            status: The HTTP status; 0 when there was no response.
            headers: The headers of the response.
        """
        self.probe_in_flight = False
        if status == 0:
            if self.probed_at is not None:
                self.no_response(now)
            return
        self.probed_at = None
        left = _count(headers.get(_REMAINING))
        if status == 429:
            self._pause(now, wall, permit, headers, promised=bool(left))
        elif left is None:
            if now >= self.resets_at:
                self.remaining = math.inf
            elif status < 500:  # a proxy in front of what counts may have sent the others
                self.remaining = max(0.0, self.remaining - 1)
        elif now >= self.resets_at:
            self.remaining = left
            self._read_reset(now, wall, headers, new_window=True)
        else:
            self.remaining = min(self.remaining, left)
            if left <= 2 * self.in_flight + 2:  # while there is plenty, the other headers decide nothing
                self._read_reset(now, wall, headers, new_window=False)

    def no_response(self, now: float) -> None:
        """A request got no response, or could not be sent in time. Pacing must not make an outage slower.

        After a probe the last known limit counts for a while, and then nothing is held back.
        """
        if self.remaining <= self.in_flight and now >= self.resets_at:
            if self.probed_at is None:
                self.probed_at = now - GRACE
            elif now >= self.probed_at + GRACE:
                self.remaining = math.inf

    def _pause(self, now: float, wall: float, permit: int, headers: Mapping[str, str], *, promised: bool) -> None:
        """Hold everything back after a 429.

        There is one pause for one burst: a 429 to a request that was sent before the pause began only makes it longer.
        """
        if permit == self.pauses:
            self.pauses += 1
            self.recent_pauses += 1
        self.remaining = 0
        until_reset = self._read_reset(now, wall, headers, new_window=True)
        wait = retry_after(headers, now=wall)
        if wait is None:
            wait = until_reset or 0.5 * 2.0 ** min(self.recent_pauses, 7)
        resumes_at = now + min(wait, _LONGEST_WINDOW)
        self.paused_until = self.resets_at = self.next_request_at = max(self.paused_until, resumes_at)
        # Another process spends the same limit, so no bursts for a window. For longer if the 429 itself promised
        # requests: then there is a limit below the one that the headers tell of.
        spread = (self.period or 60.0) * (64 if promised else 1)
        self.spread_until = self.paused_until + min(spread, _LONGEST_SPREAD)
        self.recovering = True

    def _read_reset(self, now: float, wall: float, headers: Mapping[str, str], *, new_window: bool) -> float | None:
        """Learn the limit and the end of the window. Returns the seconds until then, if the response has them."""
        limit = _count(headers.get(_LIMIT)) or self.limit
        if limit != self.limit:
            self.limit, self.period = limit, None  # another limit may come with another window
        wait = seconds_until_reset(headers, wall)
        resets_at = now + (1.0 if wait is None else wait)
        self.resets_at = resets_at if new_window else max(self.resets_at, resets_at)
        if wait is not None:
            self.period = max(self.period or 0.0, wait)
        return wait


def seconds_until_reset(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds to ``X-RateLimit-Reset`` (Unix seconds): by the server's clock where it sends ``Date``, else by ours."""
    try:
        reset = float(headers.get(_RESET, ""))
    except ValueError:
        return None
    date = http_date(headers.get(_DATE, ""))
    for now in (date, wall):
        if now is not None and 0 <= reset - now <= _LONGEST_WINDOW:
            return reset - now
    return None


def _count(value: str | None) -> int | None:
    """A whole number, or ``None``. Python refuses to read thousands of digits, so more than 15 are no number."""
    return int(value) if value is not None and len(value) <= 15 and value.isdecimal() else None
