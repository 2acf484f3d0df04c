"""Hold requests back before the server refuses them. Limits are learned from its headers, never known beforehand."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Mapping
from copy import copy
from functools import partial
from itertools import chain
from typing import Any, Final, Protocol, Self

import msgspec
from multidict import istr

from .clock import Clock, Timer
from .envelope import http_date, retry_after
from .errors import SentTimeoutError

logger = logging.getLogger("sent_async")

LONGEST_WAIT: Final = 120.0
"""Seconds. A call does not wait for a limit that frees later than this."""

_LONGEST_WINDOW: Final = 3600.0  # seconds; what a response says beyond this is not believed
_LONGEST_SPREAD: Final = 300.0  # seconds after a 429 in which requests go out one by one
_LONGEST_INTERVAL: Final = 30.0  # seconds between two of them
PATIENCE: Final = 1.0  # seconds in which one slow request may hold the others back
_UNKNOWN: Final = -1.0
NEVER: Final = -math.inf

# Made once: a header lookup by a plain string has to be lower-cased each time.
_LIMIT: Final = istr("X-RateLimit-Limit")
_REMAINING: Final = istr("X-RateLimit-Remaining")
_RESET: Final = istr("X-RateLimit-Reset")
_DATE: Final = istr("Date")


class Pacer(Protocol):
    """What the client asks before each attempt and tells after it. One on a shared store paces several processes.

    The client has its connection when it calls ``take``. When that returns ``None``, it gives the connection back,
    awaits ``wait`` and starts over. All are called in the task of the call.
    """

    def for_key(self, api_key: str) -> Pacer:
        """The pacer of this key, since limits belong to an account.

        A client asks for it when it is made, and a view when it is made with another key.
        """
        ...

    def is_open(self, tier: str) -> bool:
        """Whether ``take`` would give a permit now. Asked before a new connection is made; it changes nothing."""
        ...

    def take(self, tier: str) -> int | None:
        """Ask to write one request now.

        Returns:
            A permit, which goes back to ``release`` once; ``None`` when the request has to wait.
        """
        ...

    async def wait(self, tier: str, expires: float | None) -> None:
        """Wait until ``take`` is worth another try.

        Args:
            tier: The rate-limit tier of the operation.
            expires: When the call's deadline ends, on the client's clock; ``None`` without a deadline.

        Raises:
            SentTimeoutError: The limit frees too late for this call.
        """
        ...

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Take note of the response to a permitted request; status 0 and no headers when there was none."""
        ...


class NoPacer:
    """The pacer of a client with ``pacing=False``."""

    def for_key(self, api_key: str) -> NoPacer:  # noqa: ARG002
        return self

    def is_open(self, tier: str) -> bool:  # noqa: ARG002
        return True

    def take(self, tier: str) -> int:  # noqa: ARG002
        return 0

    async def wait(self, tier: str, expires: float | None) -> None:
        """Never asked for: ``take`` always gives a permit."""

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Nothing is learned."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one tier's limit. ``None`` where no response has said it yet."""

    limit: int | None
    """Requests per window."""
    remaining: int | None
    """Requests left in this window, by the last response."""
    resets_in: float | None
    """Seconds until the next window starts; 0 when it already has."""
    paused_for: float
    """Seconds for which a 429 still holds back all requests of the tier."""
    in_flight: int
    waiting: int


class Window:
    """The limit of one tier as its responses describe it. Pure: the time is passed in.

    It fits fixed windows and token buckets alike: spend what ``X-RateLimit-Remaining`` says, less what is in flight.
    When that is spent, wait for ``X-RateLimit-Reset``, send one request to learn the new number, and go on. When that
    request gets no response, or one without rate headers, nothing is known and nothing is held back.
    """

    __slots__ = (
        "asked_at",
        "asking",
        "calm",
        "in_flight",
        "limit",
        "next_at",
        "paused_until",
        "pauses",
        "period",
        "refusals",
        "remaining",
        "resets_at",
        "spread_until",
    )

    def __init__(self) -> None:
        self.limit: int | None = None
        self.period: float | None = None
        """Seconds; the longest time until a reset that was seen."""
        self.remaining = _UNKNOWN
        """Requests left by the last response; infinite while nothing limits them."""
        self.resets_at = NEVER
        """When ``remaining`` stops being true."""
        self.in_flight: int = 0
        self.paused_until = NEVER
        self.pauses: int = 0
        """How many pauses there have been. A permit tells by it which ones it came after."""
        self.calm = True
        """No 429 is being waited out or recovered from: ``remaining`` alone decides."""
        self.refusals = 0  # pauses since it was last calm
        self.spread_until = NEVER
        self.next_at = NEVER  # while spreading: when the next request may go
        self.asking = False  # a request to learn the limit is in flight
        self.asked_at: float | None = None  # when the first such request went; None once a response came

    def room(self, now: float) -> float:
        """How many more requests may be written now."""
        if now < self.paused_until:
            return 0
        room = self.remaining - self.in_flight
        if room < 1:
            if now < self.resets_at:
                return 0
            if self.asked_at is not None and now >= self.asked_at + PATIENCE:
                room = (self.limit or math.inf) - self.in_flight
            else:
                room = 0 if self.asking else 1
        if not self.calm and now < self.spread_until:
            return min(room, 1) if now >= self.next_at else 0
        return room

    def opens_at(self, now: float) -> float:
        """When there will be room if no response changes that. When this is not after ``now``, only a response can."""
        at = self.frees_at(now)
        if self.asking and self.asked_at is not None and self.remaining <= self.in_flight:
            at = max(at, self.asked_at + PATIENCE)
        if not self.calm and at < self.spread_until:
            at = max(at, min(self.next_at, self.spread_until))
        return at

    def frees_at(self, now: float) -> float:
        """When the limit, as far as it is known, lets requests through: ``now`` or later."""
        at = max(now, self.paused_until)
        return at if self.remaining > self.in_flight else max(at, self.resets_at)

    def turn_at(self, now: float, ahead: int) -> float:
        """The earliest time for a request that comes after ``ahead`` others: they may need several windows."""
        windows = ahead // self.limit if self.limit else 0
        return self.frees_at(now) + windows * (self.period or 0.0)

    def take(self, now: float) -> int:
        """Count a request that ``room`` let through. Returns its permit: the number of pauses before it."""
        if not self.calm:
            if now >= self.spread_until:
                self.calm, self.refusals = True, 0
            self.next_at = max(now, self.next_at + self.interval())  # a late timer is made up for
        if self.remaining <= self.in_flight:
            self.asking = True
            if self.asked_at is None:
                self.asked_at = now
        self.in_flight += 1
        return self.pauses

    def count(self, now: float, status: int, headers: Mapping[str, str]) -> bool:
        """Take note of a response that decides nothing. Returns whether it was one; else call ``learn``.

        Most are: while there is plenty left, only the number left matters.
        """
        if self.asked_at is not None or status == 429 or status == 0:
            return False
        value = headers.get(_REMAINING)
        if value is None:
            return self.remaining == math.inf
        left = _whole(value)
        if left is None or now >= self.resets_at or not 2 * self.in_flight + 2 < left <= self.remaining:
            return False
        self.remaining = left
        return True

    def learn(self, now: float, wall: float, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Learn from a response; status 0 when there was none. ``wall`` is Unix time, for ``X-RateLimit-Reset``."""
        self.asking = False
        if status == 0:
            if self.asked_at is not None:
                self.unheard(now)
            return
        self.asked_at = None
        left = _whole(headers.get(_REMAINING))
        if status == 429:
            self._limited(now, wall, permit, headers, promised=bool(left))
        elif left is None:
            if now >= self.resets_at:
                self.remaining = math.inf
            elif status < 500:  # the others may come from a proxy in front of what counts
                self.remaining = max(0.0, self.remaining - 1)
        elif now >= self.resets_at:
            self.remaining = left
            self._read_reset(now, wall, headers, fresh=True)
        else:
            self.remaining = min(self.remaining, left)
            if left <= 2 * self.in_flight + 2:  # while there is plenty, the other headers decide nothing
                self._read_reset(now, wall, headers, fresh=False)

    def unheard(self, now: float) -> None:
        """A request got no response, or could not be written in time. An outage must not be made slower.

        When a request was to learn the limit, go on with the last limit first, and then hold nothing back.
        """
        if self.remaining <= self.in_flight and now >= self.resets_at:
            if self.asked_at is None:
                self.asked_at = now - PATIENCE
            elif now >= self.asked_at + PATIENCE:
                self.remaining = math.inf

    def _limited(self, now: float, wall: float, permit: int, headers: Mapping[str, str], *, promised: bool) -> None:
        """One pause for one burst: 429s to requests that were sent before it began only make it longer."""
        if permit == self.pauses:
            self.pauses += 1
            self.refusals += 1
        self.remaining = 0
        until_reset = self._read_reset(now, wall, headers, fresh=True)
        wait = retry_after(headers, now=wall)
        if wait is None:
            wait = until_reset or 0.5 * 2.0 ** min(self.refusals, 7)
        resumes_at = now + min(wait, _LONGEST_WINDOW)
        self.paused_until = self.resets_at = self.next_at = max(self.paused_until, resumes_at)
        # Another process spends the same limit: no bursts for a window. For longer when the 429 itself still
        # promised requests: then there is a limit below the one that the headers tell of.
        spread = (self.period or 60.0) * (64 if promised else 1)
        self.spread_until = self.paused_until + min(spread, _LONGEST_SPREAD)
        self.calm = False

    def interval(self) -> float:
        """Seconds between two requests while they are spread after a 429."""
        if self.limit and self.period:
            return min(_LONGEST_INTERVAL, self.period / self.limit)
        return min(5.0, 0.05 * 2.0 ** min(self.refusals, 7))

    def _read_reset(self, now: float, wall: float, headers: Mapping[str, str], *, fresh: bool) -> float | None:
        """Returns the seconds until the reset, where the response tells them."""
        limit = _whole(headers.get(_LIMIT)) or self.limit
        if limit != self.limit:
            self.limit, self.period = limit, None  # another limit may come with another window
        wait = seconds_until_reset(headers, wall)
        resets_at = now + (1.0 if wait is None else wait)
        self.resets_at = resets_at if fresh else max(self.resets_at, resets_at)
        if wait is not None:
            self.period = max(self.period or 0.0, wait)
        return wait


class _Turn(msgspec.Struct, eq=False):
    """One call that waits."""

    expires: float | None
    result: asyncio.Future[SentTimeoutError | None]


_Task = asyncio.Task[Any] | None


class Lane:
    """A tier's window and the calls that wait for it, each known by its task, first come first served.

    Ordered dicts, not lists: any of 20,000 can leave at the same small cost.
    """

    def __init__(self, tier: str, window: Window) -> None:
        self.tier = tier
        self.window = window
        self.busy = False
        """Somebody may be in one of the three below: newcomers have to look."""
        self.called: OrderedDict[_Task, float] = OrderedDict()
        """Woken, and on their way to ``take``. Each has a request kept for it until this time."""
        self.returned: OrderedDict[_Task, _Turn] = OrderedDict()
        """Were called, but the limit was spent again when they came. They go before the rest."""
        self.waiting: OrderedDict[_Task, _Turn] = OrderedDict()
        self.timer: Timer | None = None
        self.timer_at = 0.0
        self.checked_until = NEVER
        """The time for which all who wait were last checked to live that long."""
        self.logged_until = NEVER

    @property
    def length(self) -> int:
        return len(self.returned) + len(self.waiting)


class HeaderPacer:
    """A ``Pacer`` that learns from rate-limit headers: a ``Window`` for each tier, and the calls that wait for it.

    Fairness: when a window opens, as many waiting calls are woken as it has room for, in the order they came. Each has
    one request kept for it for a second, while it gets a connection. Newcomers pass only where there is room beyond
    all who wait. A woken call that finds the limit spent again keeps its place in front of the others.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: dict[str, Lane] = {}
        self._family: dict[str, Self] = {}  # by API key

    def for_key(self, api_key: str) -> Self:
        """The same pacer each time for the same key."""
        known = self._family.get(api_key)
        if known is not None:
            return known
        pacer: Self = copy(self)
        pacer._lanes = {}
        self._family[api_key] = pacer
        return pacer

    def is_open(self, tier: str) -> bool:
        lane = self._lanes.get(tier)
        return lane is None or _has_room(lane, self._clock.time())

    def take(self, tier: str) -> int | None:
        lane = self._lanes.get(tier)
        if lane is None:
            lane = self._lanes[tier] = self._new_lane(tier)
        window = lane.window
        if window.remaining > window.in_flight and window.calm and not lane.busy:
            window.in_flight += 1
            return window.pauses
        now = self._clock.time()
        _forget_late(lane, now)
        if not _has_room(lane, now):
            return None
        if lane.called:
            lane.called.pop(asyncio.current_task(), None)
        permit = window.take(now)
        if lane.length:
            self._call(lane)  # the time for the next one may be known only now
        else:
            lane.busy = bool(lane.called)
        return permit

    async def wait(self, tier: str, expires: float | None) -> None:
        lane = self._lanes[tier]
        task = asyncio.current_task()
        was_called = lane.called.pop(task, None) is not None
        line = lane.returned if was_called else lane.waiting
        ahead = len(lane.called) + len(lane.returned) + (0 if was_called else len(lane.waiting))
        error = _too_late(lane, self._clock.time(), ahead, expires)
        if error is not None:
            raise error
        turn = line[task] = _Turn(expires, asyncio.get_running_loop().create_future())
        lane.busy = True
        self._call(lane)
        try:
            error = await turn.result
        except asyncio.CancelledError:
            if line.pop(task, None) is None and lane.called.pop(task, None) is not None:
                self._call(lane)  # it was called; another may go in its place
            if not lane.length and lane.timer is not None:
                lane.timer.cancel()
                lane.timer = None
            raise
        if error is not None:
            raise error

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        lane = self._lanes[tier]
        window = lane.window
        window.in_flight -= 1
        try:
            now = self._clock.time()
            if not window.count(now, status, headers):
                window.learn(now, self._clock.wall(), permit, status, headers)
        finally:  # whatever the headers hold, those who wait are not forgotten
            if lane.busy:
                self._call(lane)

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        """What is known of the limits, by tier."""
        now = self._clock.time()
        return {
            tier: RateLimit(
                limit=lane.window.limit,
                remaining=int(lane.window.remaining) if 0 <= lane.window.remaining < math.inf else None,
                resets_in=None if lane.window.period is None else max(0.0, lane.window.resets_at - now),
                paused_for=max(0.0, lane.window.paused_until - now),
                in_flight=lane.window.in_flight,
                waiting=lane.length,
            )
            for tier, lane in self._lanes.items()
        }

    def _new_lane(self, tier: str) -> Lane:
        return Lane(tier, Window())

    def _call(self, lane: Lane) -> None:
        """Wake those whose turn it is, turn those away who would wait too long, and set a timer for the next."""
        now = self._clock.time()
        _forget_late(lane, now)
        room = lane.window.room(now)
        while lane.length and room > len(lane.called):
            task, turn = (lane.returned or lane.waiting).popitem(last=False)
            if not turn.result.done():  # else it was cancelled, and has not run since
                turn.result.set_result(None)
                lane.called[task] = now + PATIENCE
        if lane.window.frees_at(now) > now:
            _turn_away(lane, now)
        if lane.length:
            _log(lane, now)
            times = [lane.window.opens_at(now), *list(lane.called.values())[:1]]
            self._set_timer(lane, now, min((at for at in times if at > now), default=None))

    def _set_timer(self, lane: Lane, now: float, at: float | None) -> None:
        """A timer that rings too early does no harm, so one that is set already may stay."""
        if at is None or (lane.timer is not None and lane.timer_at <= at):
            return
        if lane.timer is not None:
            lane.timer.cancel()
        lane.timer, lane.timer_at = self._clock.call_later(at - now, partial(self._ring, lane)), at

    def _ring(self, lane: Lane) -> None:
        lane.timer = None
        self._call(lane)


def _has_room(lane: Lane, now: float) -> bool:
    """Whether the running task may write a request now, ahead of all who came after it."""
    task = asyncio.current_task() if lane.busy else None
    ahead = 0 if task in lane.called else len(lane.called) + lane.length
    return lane.window.room(now) > ahead


def _forget_late(lane: Lane, now: float) -> None:
    """Stop keeping requests for those who were called and have not come: others may go."""
    called = len(lane.called)
    while lane.called and next(iter(lane.called.values())) <= now:
        lane.called.popitem(last=False)
    if len(lane.called) < called:
        lane.window.unheard(now)


def _turn_away(lane: Lane, now: float) -> None:
    """End the waits that would be too long, when the limit frees later than it was known to."""
    frees_at = lane.window.frees_at(now)
    if frees_at <= lane.checked_until + 1:  # by less than a second: not worth going through all
        return
    lane.checked_until = frees_at
    line = list(chain(lane.returned.items(), lane.waiting.items()))
    for ahead, (task, turn) in enumerate(line, start=len(lane.called)):
        error = _too_late(lane, now, ahead, turn.expires)
        if error is not None:
            lane.returned.pop(task, None)
            lane.waiting.pop(task, None)
            if not turn.result.done():
                turn.result.set_result(error)


def _too_late(lane: Lane, now: float, ahead: int, expires: float | None) -> SentTimeoutError | None:
    """The error for a call that should not wait for its turn behind ``ahead`` others, if there is one."""
    window = lane.window
    frees_at, turn_at = window.frees_at(now), window.turn_at(now, ahead)
    if frees_at > now + LONGEST_WAIT:
        why = f"frees in {frees_at - now:.0f} s, and a call waits at most {LONGEST_WAIT:.0f} s for it"
    elif expires is not None and turn_at > max(now, expires):
        why = f"is spent: the turn of this call comes in {turn_at - now:.1f} s, after its deadline"
    else:
        return None
    size = f" ({window.limit} requests per window)" if window.limit else ""
    return SentTimeoutError(
        f"the rate limit of tier {lane.tier!r}{size} {why}. This attempt was not sent; try again after .retry_after",
        maybe_sent=False,
        retry_after=turn_at - now,
    )


def _log(lane: Lane, now: float) -> None:
    """Once for each pause, when it first makes a call wait. Later responses may move its end a little."""
    frees_at = lane.window.frees_at(now)
    if frees_at > now:
        if now >= lane.logged_until:
            reason = "429" if lane.window.paused_until > now else "the limit is spent"
            text = "rate limit of tier %s: requests wait %.1f s (%s), %d so far"
            logger.info(text, lane.tier, frees_at - now, reason, lane.length)
        lane.logged_until = frees_at


def seconds_until_reset(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds to ``X-RateLimit-Reset`` (Unix seconds): by the server's own clock where it sends ``Date``, else ours."""
    try:
        reset = float(headers.get(_RESET, ""))
    except ValueError:
        return None
    date = http_date(headers.get(_DATE, ""))
    for now in (date, wall):
        if now is not None and 0 <= reset - now <= _LONGEST_WINDOW:
            return reset - now
    return None


def _whole(value: str | None) -> int | None:
    """A count. More than 15 digits are no count, and Python refuses to read thousands of them."""
    return int(value) if value is not None and len(value) <= 15 and value.isdecimal() else None
