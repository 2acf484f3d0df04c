"""The rate window that processes share, as one process sees it. Pure, except that it loads the script.

``pace.lua`` is the other half: it runs in Redis, which has the permits of all processes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import msgspec

from ..rate_window import GRACE, NEVER, RateWindow

PACE: Final = files("sent_async.redis").joinpath("pace.lua").read_text("utf-8")
"""The script. Its argument is a ``Report``, its result a ``Reply``."""
LEAST_INTERVAL: Final = 0.2
"""The shortest time between two exchanges, when permits run out, as a part of the heartbeat."""

_UNLIMITED: Final = 1e12  # JSON has no infinity


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a process sends to Redis. Times are in seconds, and points in time are seconds from now."""

    held: int
    """The permits of requests in flight, and those that the process may still use."""
    want: int
    """How many more permits it needs."""
    epoch: int
    """The number of the window that the report is about."""
    left: float
    """``X-RateLimit-Remaining`` in this epoch; -1 if no response has reported it."""
    resets: float
    """When the window ends."""
    limit: int
    """Requests per window; 0 if it is not known."""
    period: float
    """The length of a window; 0 if it is not known."""
    pause: float
    """The length of the pause after a 429 that Redis does not know yet; 0 without one."""
    spread: float
    """How long requests are spread after the pause."""
    interval: float
    """The time between two spread requests."""
    lease: float
    """How long the permits are valid."""
    poll: float
    """When the process asks again for permits that other processes hold."""
    patience: float = GRACE
    unlimited: float = _UNLIMITED


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis replies. Times are as in ``Report``, except ``now``. Members of both have the same meaning."""

    granted: int
    """The permits that the process gets."""
    wait: float
    """When there may be more permits."""
    now: float
    """The Unix time of Redis."""
    members: int
    """How many processes use this tier."""
    epoch: int
    left: float
    limit: float
    period: float
    resets: float
    paused: float
    spread: float


class SharedWindow(RateWindow):
    """This process's part of a tier's window: a number of permits. Without Redis, it is a plain ``RateWindow``.

    It learns from responses like a ``RateWindow``, and also applies what other processes have learned. So the process
    can go on without Redis at any time.
    """

    __slots__ = (
        "epoch", "is_local", "new_epoch", "permits", "refill_at", "reported_pause", "spent", "spent_since",
        "valid_until", "wall_ahead",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.recovering = True  # `remaining` is for all processes, so it must not decide alone
        self.is_local = False
        """Whether the process paces without Redis, because Redis cannot be reached."""
        self.permits = 0
        """How many requests may be sent without asking Redis."""
        self.refill_at = 0
        """The number of permits at which to ask for more."""
        self.valid_until = NEVER
        """When the lease of the permits ends."""
        self.spent = 0
        """Permits that were used since ``spent_since``."""
        self.spent_since = 0.0
        self.epoch = 0
        self.new_epoch = False
        """Whether a response belongs to a window after ``epoch``."""
        self.reported_pause = NEVER
        """The end of the last pause that Redis knows."""
        self.wall_ahead: float | None = None
        """The Unix time of Redis minus our monotonic time."""

    @property
    def is_low(self) -> bool:
        """Whether to ask for more permits."""
        return not self.is_local and self.permits <= self.refill_at

    @property
    def has_unreported(self) -> bool:
        """Whether this process has learned something that the other processes need."""
        return self.new_epoch or self.paused_until != self.reported_pause

    def room(self, now: float) -> float:
        if self.is_local:
            return super().room(now)
        return self.permits if self.paused_until <= now < self.valid_until else 0

    def opens_at(self, now: float) -> float:
        return super().opens_at(now) if self.is_local else now  # otherwise Redis decides

    def spend(self, now: float) -> int:
        if self.is_local:
            return super().spend(now)
        self.permits -= 1
        self.spent += 1
        self.in_flight += 1
        return self.pauses

    def learn(self, now: float, wall: float, permit: int, status: int, headers: Mapping[str, str]) -> None:
        begins = status not in (0, 429) and now >= self.resets_at
        if self.wall_ahead is not None:
            wall = now + self.wall_ahead  # the clocks of hosts differ
        super().learn(now, wall, permit, status, headers)
        self.new_epoch |= begins
        if status == 429:
            self.permits, self.new_epoch = 0, False

    def learn_silence(self, now: float) -> None:
        if self.is_local:
            super().learn_silence(now)

    def make_report(self, now: float, waiting: int, heartbeat: float, lease: float) -> Report:
        """Make the report for Redis. Its content counts as known to Redis until ``go_local`` is called.

        Args:
            now: The time, in seconds that never go back.
            waiting: How many calls wait for permits.
            heartbeat: Seconds between two exchanges.
            lease: Seconds for which the permits are valid.

        Returns:
            The report.
        """
        # Permits for the waiting calls, and for as many as were used lately; more if they were used quickly.
        lately = self.spent * 2 * heartbeat / max(now - self.spent_since, 0.001)
        target = max(waiting, min(max(2 * self.spent, math.ceil(lately)), 4 * self.spent))
        self.permits = min(self.permits, target) if now < self.valid_until else 0
        self.spent, self.spent_since = 0, now
        self.epoch += self.new_epoch
        self.new_epoch = False
        pause = 0.0 if self.paused_until == self.reported_pause else max(0.0, self.paused_until - now)
        self.reported_pause = self.paused_until
        return Report(
            held=self.in_flight + self.permits,
            want=target - self.permits,
            epoch=self.epoch,
            left=min(self.remaining, _UNLIMITED),
            resets=max(0.0, self.resets_at - now),
            limit=self.limit or 0,
            period=self.period or 0.0,
            pause=pause,
            spread=max(0.0, self.spread_until - self.paused_until) if pause else 0.0,
            interval=self.interval(),
            lease=lease,
            poll=heartbeat * LEAST_INTERVAL,
        )

    def apply(self, now: float, reply: Reply, valid_until: float) -> None:
        """Take the permits. Also take what other processes have learned, unless this one has learned more since.

        Args:
            now: The time, in seconds that never go back.
            reply: The reply of Redis.
            valid_until: When the lease of the permits ends.
        """
        if self.is_local:
            self.is_local = self.probe_in_flight = False
            self.recovering = True
            self.probed_at = None
        self.wall_ahead = reply.now - now
        self.valid_until = valid_until
        if self.has_unreported:
            return  # the permits of this reply are not used; the next exchange gets others
        left = math.inf if reply.left >= _UNLIMITED else reply.left
        self.remaining = left if reply.epoch != self.epoch else min(left, self.remaining)
        self.resets_at = now + reply.resets
        self.epoch = reply.epoch
        if reply.limit:
            self.limit, self.period = int(reply.limit), reply.period or None
        if reply.paused > 0 and now + reply.paused > self.paused_until + GRACE:  # another process got a 429
            self.paused_until = self.reported_pause = self.next_request_at = now + reply.paused
            self.spread_until = now + reply.spread
            self.pauses += 1
            self.recent_pauses += 1
            self.permits = 0
        elif reply.spread <= 0:
            self.recent_pauses = 0
        self.permits += reply.granted
        self.refill_at = self.permits // 2

    def go_local(self) -> None:
        """Pace without Redis until its next reply."""
        self.is_local, self.permits, self.reported_pause = True, 0, NEVER
