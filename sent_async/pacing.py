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

from .clock import Clock, Timer
from .errors import SentTimeoutError
from .rate_window import GRACE, NEVER, RateWindow

logger = logging.getLogger("sent_async")

LONGEST_WAIT: Final = 120.0
"""Seconds. A call does not wait for a limit that frees later than this."""


class Pacer(Protocol):
    """What the client asks before each attempt, and tells after it. Pass one of your own as ``SentClient(pacing=...)``.

    The client first gets a connection, and then calls ``try_acquire``. When that returns ``None``, it gives the
    connection back, awaits ``wait`` and starts over. All methods are called in the task of the call.
    """

    def for_key(self, api_key: str) -> Pacer:
        """The pacer of an API key, since limits belong to an account.

        A client asks for it when it is made, and a view when it is made with another key.
        """
        ...

    def is_open(self, tier: str) -> bool:
        """Whether ``try_acquire`` would give a permit now. Asked before a new connection is made; changes nothing."""
        ...

    def try_acquire(self, tier: str) -> int | None:
        """Ask for a permit to send one request now, without waiting.

        Args:
            tier: The rate-limit tier of the operation.

        Returns:
            A permit, which is given to ``release`` once; ``None`` when the request has to wait.
        """
        ...

    async def wait(self, tier: str, expires: float | None) -> None:
        """Wait until ``try_acquire`` is worth another try.

        Args:
            tier: The rate-limit tier of the operation.
            expires: When the call's deadline ends, on the client's clock; ``None`` without a deadline.

        Raises:
            SentTimeoutError: The limit frees too late for this call.
        """
        ...

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Learn from the response to a request.

        Args:
            tier: The rate-limit tier of the operation.
            permit: What ``try_acquire`` returned for the request.
            status: The HTTP status; 0 when there was no response.
            headers: The headers of the response; empty when there was none.
        """
        ...


class NoPacer:
    """The pacer of a client with ``pacing=False``."""

    def for_key(self, api_key: str) -> NoPacer:  # noqa: ARG002 - every pacer takes it
        return self

    def is_open(self, tier: str) -> bool:  # noqa: ARG002 - every pacer takes it
        return True

    def try_acquire(self, tier: str) -> int:  # noqa: ARG002 - every pacer takes it
        return 0

    async def wait(self, tier: str, expires: float | None) -> None:
        """Never called: ``try_acquire`` always gives a permit."""

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Learns nothing."""


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
    """Requests that were sent and have no response yet."""
    waiting: int
    """Calls that wait for the limit."""


class _Waiter(msgspec.Struct, eq=False):
    """One call that waits."""

    expires: float | None
    result: asyncio.Future[SentTimeoutError | None]


_Task = asyncio.Task[Any] | None


class TierQueue:
    """The window of a tier and the calls that wait for it, each known by its task, first come first served.

    Ordered dicts, not lists: any of 20,000 can leave at the same small cost.
    """

    def __init__(self, tier: str, window: RateWindow) -> None:
        self.tier = tier
        self.window = window
        self.busy = False
        """One of the three below may have somebody in it, so newcomers have to look."""
        self.woken: OrderedDict[_Task, float] = OrderedDict()
        """Calls that were woken and are on their way to ``try_acquire``. Each has a request kept for it until the time
        given here."""
        self.requeued: OrderedDict[_Task, _Waiter] = OrderedDict()
        """Calls that were woken, but found the limit spent again. They go before the rest."""
        self.waiting: OrderedDict[_Task, _Waiter] = OrderedDict()
        self.timer: Timer | None = None
        self.timer_at = 0.0
        self.checked_until = NEVER
        """The end of the wait for which the deadlines of all who wait were last checked."""
        self.logged_until = NEVER

    @property
    def length(self) -> int:
        """How many calls wait."""
        return len(self.requeued) + len(self.waiting)


class HeaderPacer:
    """A ``Pacer`` that learns from rate-limit headers: a ``RateWindow`` for each tier, and the calls that wait for it.

    Fairness: when a window opens, as many waiting calls are woken as it has room for, in the order they came. Each has
    one request kept for it for a second, while it gets a connection. Newcomers pass only where there is room beyond
    all who wait. A woken call that finds the limit spent again keeps its place in front of the others.

    Args:
        clock: The client's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queues: dict[str, TierQueue] = {}
        self._pacers: dict[str, Self] = {}  # by API key

    def for_key(self, api_key: str) -> Self:
        """The same pacer each time for the same key."""
        known = self._pacers.get(api_key)
        if known is not None:
            return known
        pacer: Self = copy(self)
        pacer._queues = {}
        self._pacers[api_key] = pacer
        return pacer

    def is_open(self, tier: str) -> bool:
        """See ``Pacer.is_open``."""
        queue = self._queues.get(tier)
        return queue is None or _has_room(queue, self._clock.time())

    def try_acquire(self, tier: str) -> int | None:
        """See ``Pacer.try_acquire``."""
        queue = self._queues.get(tier)
        if queue is None:
            queue = self._queues[tier] = self._new_queue(tier)
        window = queue.window
        if window.remaining > window.in_flight and not window.recovering and not queue.busy:
            window.in_flight += 1
            return window.pauses
        now = self._clock.time()
        _drop_overdue(queue, now)
        if not _has_room(queue, now):
            return None
        if queue.woken:
            queue.woken.pop(asyncio.current_task(), None)
        permit = window.spend(now)
        if queue.length:
            self._wake(queue)  # the time for the next one may be known only now
        else:
            queue.busy = bool(queue.woken)
        return permit

    async def wait(self, tier: str, expires: float | None) -> None:
        """See ``Pacer.wait``."""
        queue = self._queues[tier]
        task = asyncio.current_task()
        was_woken = queue.woken.pop(task, None) is not None
        line = queue.requeued if was_woken else queue.waiting
        ahead = len(queue.woken) + len(queue.requeued) + (0 if was_woken else len(queue.waiting))
        error = _error_if_too_late(queue, self._clock.time(), ahead, expires)
        if error is not None:
            raise error
        waiter = line[task] = _Waiter(expires, asyncio.get_running_loop().create_future())
        queue.busy = True
        self._wake(queue)
        try:
            error = await waiter.result
        except asyncio.CancelledError:
            if line.pop(task, None) is None and queue.woken.pop(task, None) is not None:
                self._wake(queue)  # it was woken, so another may go in its place
            if not queue.length and queue.timer is not None:
                queue.timer.cancel()
                queue.timer = None
            raise
        if error is not None:
            raise error

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """See ``Pacer.release``."""
        queue = self._queues[tier]
        window = queue.window
        window.in_flight -= 1
        try:
            now = self._clock.time()
            if not window.learn_fast(now, status, headers):
                window.learn(now, self._clock.wall(), permit, status, headers)
        finally:  # whatever the headers hold, those who wait are not forgotten
            if queue.busy:
                self._wake(queue)

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        """What is known of the limits, by tier."""
        now = self._clock.time()
        return {
            tier: RateLimit(
                limit=queue.window.limit,
                remaining=int(queue.window.remaining) if 0 <= queue.window.remaining < math.inf else None,
                resets_in=None if queue.window.period is None else max(0.0, queue.window.resets_at - now),
                paused_for=max(0.0, queue.window.paused_until - now),
                in_flight=queue.window.in_flight,
                waiting=queue.length,
            )
            for tier, queue in self._queues.items()
        }

    def _new_queue(self, tier: str) -> TierQueue:
        return TierQueue(tier, RateWindow())

    def _wake(self, queue: TierQueue) -> None:
        """Wake those whose turn it is, end the waits that would be too long, and set a timer for the next turn."""
        now = self._clock.time()
        _drop_overdue(queue, now)
        room = queue.window.room(now)
        while queue.length and room > len(queue.woken):
            task, waiter = (queue.requeued or queue.waiting).popitem(last=False)
            if not waiter.result.done():  # else it was cancelled, and has not run since
                waiter.result.set_result(None)
                queue.woken[task] = now + GRACE
        if queue.window.frees_at(now) > now:
            _reject_late(queue, now)
        if queue.length:
            _log_wait(queue, now)
            times = [queue.window.opens_at(now), *list(queue.woken.values())[:1]]
            self._set_timer(queue, now, min((at for at in times if at > now), default=None))

    def _set_timer(self, queue: TierQueue, now: float, at: float | None) -> None:
        """A timer that ends too early does no harm, so one that is set already may stay."""
        if at is None or (queue.timer is not None and queue.timer_at <= at):
            return
        if queue.timer is not None:
            queue.timer.cancel()
        queue.timer, queue.timer_at = self._clock.call_later(at - now, partial(self._on_timer, queue)), at

    def _on_timer(self, queue: TierQueue) -> None:
        queue.timer = None
        self._wake(queue)


def _has_room(queue: TierQueue, now: float) -> bool:
    """Whether the running task may send a request now, ahead of all who came after it."""
    task = asyncio.current_task() if queue.busy else None
    ahead = 0 if task in queue.woken else len(queue.woken) + queue.length
    return queue.window.room(now) > ahead


def _drop_overdue(queue: TierQueue, now: float) -> None:
    """Stop keeping requests for those who were woken and have not come: others may go."""
    woken = len(queue.woken)
    while queue.woken and next(iter(queue.woken.values())) <= now:
        queue.woken.popitem(last=False)
    if len(queue.woken) < woken:
        queue.window.no_response(now)


def _reject_late(queue: TierQueue, now: float) -> None:
    """End the waits that would be too long, when the limit frees later than it was known to."""
    frees_at = queue.window.frees_at(now)
    if frees_at <= queue.checked_until + 1:  # by less than a second: not worth going through all
        return
    queue.checked_until = frees_at
    line = list(chain(queue.requeued.items(), queue.waiting.items()))
    for ahead, (task, waiter) in enumerate(line, start=len(queue.woken)):
        error = _error_if_too_late(queue, now, ahead, waiter.expires)
        if error is not None:
            queue.requeued.pop(task, None)
            queue.waiting.pop(task, None)
            if not waiter.result.done():
                waiter.result.set_result(error)


def _error_if_too_late(queue: TierQueue, now: float, ahead: int, expires: float | None) -> SentTimeoutError | None:
    """The error for a call that should not wait behind ``ahead`` others; ``None`` when it may."""
    window = queue.window
    frees_at, turn_at = window.frees_at(now), window.turn_at(now, ahead)
    if frees_at > now + LONGEST_WAIT:
        why = f"frees in {frees_at - now:.0f} s, and a call waits at most {LONGEST_WAIT:.0f} s for it"
    elif expires is not None and turn_at > max(now, expires):
        why = f"is spent: the turn of this call comes in {turn_at - now:.1f} s, after its deadline"
    else:
        return None
    size = f" ({window.limit} requests per window)" if window.limit else ""
    return SentTimeoutError(
        f"the rate limit of tier {queue.tier!r}{size} {why}. This attempt was not sent; try again after .retry_after",
        maybe_sent=False,
        retry_after=turn_at - now,
    )


def _log_wait(queue: TierQueue, now: float) -> None:
    """Once for each pause, when it first makes a call wait. Later responses may move its end a little."""
    frees_at = queue.window.frees_at(now)
    if frees_at > now:
        if now >= queue.logged_until:
            reason = "429" if queue.window.paused_until > now else "the limit is spent"
            text = "rate limit of tier %s: requests wait %.1f s (%s), %d so far"
            logger.info(text, queue.tier, frees_at - now, reason, queue.length)
        queue.logged_until = frees_at
