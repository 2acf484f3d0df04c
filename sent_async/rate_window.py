"""The rate limit of one tier, as its responses describe it. Pure: the time is passed in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from multidict import istr

from .envelope import http_date, retry_after

GRACE: Final = 1.0
"""Seconds for which one slow request may delay the others."""
NEVER: Final = -math.inf
"""The time of something that has not happened."""

_LONGEST_WINDOW: Final = 3600.0  # seconds; a longer time in a response is ignored
_LONGEST_SPREAD: Final = 300.0  # seconds after a 429 in which requests are spread
_LONGEST_INTERVAL: Final = 30.0  # seconds between two spread requests
_UNKNOWN: Final = -1.0

# A header lookup by a plain string would lower-case it each time.
_LIMIT: Final = istr("X-RateLimit-Limit")
_REMAINING: Final = istr("X-RateLimit-Remaining")
_RESET: Final = istr("X-RateLimit-Reset")
_DATE: Final = istr("Date")


class RateWindow:
    """How many requests may be sent now, and when more may be sent.

    It works with fixed windows and token buckets. As many requests may be sent as ``X-RateLimit-Remaining`` says, less
    those in flight. When there are none left, it waits for ``X-RateLimit-Reset``. Then one request is sent as a probe,
    whose response has the new number. When the probe gets no response, or one without rate-limit headers, requests are
    not limited.

    After a 429 nothing is sent until ``Retry-After``. Then requests are spread for a while: they are sent one by one,
    with a fixed interval between them.
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
        """The length of a window in seconds: the longest time until a reset in any response."""
        self.remaining = _UNKNOWN
        """Requests left by the last response; infinite while they are not limited."""
        self.resets_at = NEVER
        """When ``remaining`` ends."""
        self.in_flight: int = 0
        self.paused_until = NEVER
        self.pauses: int = 0
        """The number of pauses so far. The permit of a request is this number at the time when it is sent."""
        self.recovering = False
        """True from a 429 to the end of the spreading. While it is false, ``remaining`` alone decides."""
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
        """When there will be room without a response. If it is not after ``now``, only a response can make room."""
        at = self.frees_at(now)
        if self.probe_in_flight and self.probed_at is not None and self.remaining <= self.in_flight:
            at = max(at, self.probed_at + GRACE)
        if self.recovering and at < self.spread_until:
            at = max(at, min(self.next_request_at, self.spread_until))
        return at

    def frees_at(self, now: float) -> float:
        """When the limit allows requests, as far as it is known: ``now`` or later."""
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
            The permit of the request, for ``learn``.
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
        """Learn from a response in the quick way: if many requests are left, only their number matters.

        Returns:
            Whether that was enough. If not, call ``learn``.
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
                self.learn_silence(now)
            return
        self.probed_at = None
        left = _count(headers.get(_REMAINING))
        if status == 429:
            self._pause(now, wall, permit, headers, has_remaining=bool(left))
        elif left is None:
            if now >= self.resets_at:
                self.remaining = math.inf
            elif status < 500:  # a 5xx may come from a proxy, and then the API did not count the request
                self.remaining = max(0.0, self.remaining - 1)
        elif now >= self.resets_at:
            self.remaining = left
            self._read_reset(now, wall, headers, new_window=True)
        else:
            self.remaining = min(self.remaining, left)
            if left <= 2 * self.in_flight + 2:  # otherwise many are left, and the other headers do not matter
                self._read_reset(now, wall, headers, new_window=False)

    def learn_silence(self, now: float) -> None:
        """Learn that a request got no response, or was not sent in time. Pacing must not make an outage slower.

        The first time, as many requests are allowed as the last known limit. The next time, they are not limited.
        """
        if self.remaining <= self.in_flight and now >= self.resets_at:
            if self.probed_at is None:
                self.probed_at = now - GRACE
            elif now >= self.probed_at + GRACE:
                self.remaining = math.inf

    def _pause(self, now: float, wall: float, permit: int, headers: Mapping[str, str], *, has_remaining: bool) -> None:
        """Pause all requests after a 429.

        One burst makes one pause: a 429 to a request that was sent before the pause only makes the pause longer.
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
        # Another process uses the same limit, so requests are spread for a window. They are spread for longer if the
        # 429 itself says that requests are left: then there is another limit, which the headers do not report.
        spread = (self.period or 60.0) * (64 if has_remaining else 1)
        self.spread_until = self.paused_until + min(spread, _LONGEST_SPREAD)
        self.recovering = True

    def _read_reset(self, now: float, wall: float, headers: Mapping[str, str], *, new_window: bool) -> float | None:
        """Learn the limit and the end of the window. Returns the seconds until that end, if the response has it."""
        limit = _count(headers.get(_LIMIT)) or self.limit
        if limit != self.limit:
            self.limit, self.period = limit, None  # another limit may have another window
        wait = seconds_until_reset(headers, wall)
        resets_at = now + (1.0 if wait is None else wait)
        self.resets_at = resets_at if new_window else max(self.resets_at, resets_at)
        if wait is not None:
            self.period = max(self.period or 0.0, wait)
        return wait


def seconds_until_reset(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds to ``X-RateLimit-Reset`` (a Unix time), by the server's clock if it sends ``Date``, otherwise by ours."""
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
    """A whole number, or ``None``. More than 15 digits are refused, because Python raises on thousands of digits."""
    return int(value) if value is not None and len(value) <= 15 and value.isdecimal() else None
