"""The window that processes share: what one of them holds of it, and what it tells the others. Pure but for the script.

``pace.lua`` is the other half: it runs in Redis and knows what all processes hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import msgspec

from ..rate_window import GRACE, NEVER, RateWindow

PACE: Final = files("sent_async.redis").joinpath("pace.lua").read_text("utf-8")
"""The script: a ``Report`` goes in, a ``Reply`` comes out."""
LEAST_INTERVAL: Final = 0.2
"""Of a heartbeat: the shortest time between two exchanges, when permits run out."""

_UNLIMITED: Final = 1e12  # JSON has no infinity


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a process tells Redis. Times are seconds from now."""

    held: int
    """Permits: those of requests in flight, and those that it may still spend."""
    want: int
    """How many more it wants."""
    epoch: int
    """The number of the window that the report is about."""
    left: float
    """``X-RateLimit-Remaining`` in this epoch; -1 when no response has said it."""
    resets: float
    limit: int
    period: float
    pause: float
    """Of a 429 that Redis does not know yet; 0 without one."""
    spread: float
    """For how long requests are spread after the pause."""
    interval: float
    """Between two of them."""
    lease: float
    poll: float
    """Until it asks again for permits that others hold."""
    patience: float = GRACE
    unlimited: float = _UNLIMITED


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis says. Times are seconds from now, except ``now``."""

    granted: int
    """Permits that the process gets."""
    wait: float
    """Until there may be more permits."""
    now: float
    """Unix time."""
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
    """The part of a tier's window that this process has: a number of permits. While Redis is away, a ``RateWindow``.

    It learns from responses like a ``RateWindow``, and applies what others have learned, so that the process can go on
    by itself at any time.
    """

    __slots__ = (
        "epoch", "is_local", "new_epoch", "permits", "refill_at", "reported_pause", "spent", "spent_since",
        "valid_until", "wall_ahead",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.recovering = True  # `remaining` counts for all processes: it never decides by itself
        self.is_local = False
        """Redis is away, so the process paces by itself."""
        self.permits = 0
        """How many requests may be sent without asking Redis."""
        self.refill_at = 0
        """With this many permits left, it is time to ask for more."""
        self.valid_until = NEVER
        """When the lease of the permits ends."""
        self.spent = 0
        """Permits that were spent since ``spent_since``."""
        self.spent_since = 0.0
        self.epoch = 0
        self.new_epoch = False
        """A response told of a window after ``epoch``."""
        self.reported_pause = NEVER
        """The end of the last pause that Redis knows."""
        self.wall_ahead: float | None = None
        """Redis's Unix time less our monotonic time."""

    @property
    def is_low(self) -> bool:
        """Whether it is time to ask for permits."""
        return not self.is_local and self.permits <= self.refill_at

    @property
    def has_unreported(self) -> bool:
        """Whether it has learned something that the other processes wait for."""
        return self.new_epoch or self.paused_until != self.reported_pause

    def room(self, now: float) -> float:
        if self.is_local:
            return super().room(now)
        return self.permits if self.paused_until <= now < self.valid_until else 0

    def opens_at(self, now: float) -> float:
        return super().opens_at(now) if self.is_local else now  # Redis tells

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

    def no_response(self, now: float) -> None:
        if self.is_local:
            super().no_response(now)

    def make_report(self, now: float, waiting: int, heartbeat: float, lease: float) -> Report:
        """What to tell Redis now. What is in it counts as told until ``go_local`` is called.

        Args:
            now: The time, in seconds that never go back.
            waiting: How many calls wait for permits.
            heartbeat: Seconds between two exchanges.
            lease: Seconds for which the permits are to last.
        """
        # Permits for those who wait, and for what was spent lately; more while it is spent quickly.
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
        """Take the permits, and what the others have learned unless a response has told more since.

        Args:
            now: The time, in seconds that never go back.
            reply: What Redis says.
            valid_until: When the lease of the permits ends.
        """
        if self.is_local:
            self.is_local = self.probe_in_flight = False
            self.recovering = True
            self.probed_at = None
        self.wall_ahead = reply.now - now
        self.valid_until = valid_until
        if self.has_unreported:
            return  # the next exchange gets permits, and these go back with it
        left = math.inf if reply.left >= _UNLIMITED else reply.left
        self.remaining = left if reply.epoch != self.epoch else min(left, self.remaining)
        self.resets_at = now + reply.resets
        self.epoch = reply.epoch
        if reply.limit:
            self.limit, self.period = int(reply.limit), reply.period or None
        if reply.paused > 0 and now + reply.paused > self.paused_until + GRACE:  # another process met a 429
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
        """Pace by itself until the next reply of Redis."""
        self.is_local, self.permits, self.reported_pause = True, 0, NEVER
