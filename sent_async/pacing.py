"""Delay requests before the server refuses them. The limits are learned from the headers of responses."""

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
    """Decides when the client may send a request. Pass your own pacer as ``SentClient(pacing=...)``.

    For each attempt the client gets a connection, and then calls ``try_acquire``. When that returns ``None``, the
    client gives the connection back, awaits ``wait`` and starts again. After the attempt it calls ``release``. All
    methods but ``for_key`` are called in the task of the call.
    """

    def for_key(self, api_key: str) -> Pacer:
        """The pacer for an API key, because limits belong to an account.

        It is called when a client is made, and when ``with_options`` makes a view with another key.

        Args:
            api_key: The API key.

        Returns:
            A pacer, which may be this one.
        """
        ...

    def is_open(self, tier: str) -> bool:
        """Whether ``try_acquire`` would return a permit now. It is called before a new connection is made.

        Args:
            tier: The rate-limit tier of the operation.

        Returns:
            If false, the client calls ``wait`` without making a connection.
        """
        ...

    def try_acquire(self, tier: str) -> int | None:
        """Ask for a permit to send one request now, without waiting.

        Args:
            tier: The rate-limit tier of the operation.

        Returns:
            A permit, which is passed to ``release`` once; ``None`` when the request has to wait.
        """
        ...

    async def wait(self, tier: str, expires: float | None) -> None:
        """Wait until a permit may be available.

        Args:
            tier: The rate-limit tier of the operation.
            expires: When the call's deadline ends, on the client's clock; ``None`` without a deadline.

        Raises:
            SentTimeoutError: The limit frees too late for this call.
        """
        ...

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Take a permit back, and learn from the response to its request.

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
        """This is never called, because ``try_acquire`` always returns a permit."""

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """Do nothing."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """The known state of one tier's limit. A member is ``None`` if it is not known yet."""

    limit: int | None
    """Requests per window."""
    remaining: int | None
    """Requests left in this window, by the last response."""
    resets_in: float | None
    """Seconds until the next window starts; 0 when it already has."""
    paused_for: float
    """Seconds for which all requests of the tier still wait after a 429; 0 without one."""
    in_flight: int
    """Requests that were sent and have no complete response yet."""
    waiting: int
    """Calls that wait for the limit."""


class _Waiter(msgspec.Struct, eq=False):
    """One call that waits."""

    expires: float | None
    result: asyncio.Future[SentTimeoutError | None]


_Task = asyncio.Task[Any] | None


class TierQueue:
    """The window of a tier and the calls that wait for it, by their tasks, in the order in which they came.

    Calls are in ordered dicts, because a call can be removed from any place at the same small cost.
    """

    def __init__(self, tier: str, window: RateWindow) -> None:
        self.tier = tier
        self.window = window
        self.busy = False
        """False if the three dicts below are empty. A new call then need not look at them."""
        self.woken: OrderedDict[_Task, float] = OrderedDict()
        """Calls that were woken and have not called ``try_acquire`` yet. One request is reserved for each until the
        time in the value."""
        self.requeued: OrderedDict[_Task, _Waiter] = OrderedDict()
        """Calls that were woken, but got no permit. They go before the others."""
        self.waiting: OrderedDict[_Task, _Waiter] = OrderedDict()
        self.timer: Timer | None = None
        self.timer_at = 0.0
        self.checked_until = NEVER
        """The end of the wait for which the deadlines of all waiting calls were last checked."""
        self.logged_until = NEVER

    @property
    def length(self) -> int:
        """How many calls wait."""
        return len(self.requeued) + len(self.waiting)


class HeaderPacer:
    """A ``Pacer`` that learns from rate-limit headers: a ``RateWindow`` for each tier, and the calls that wait for it.

    Fairness: when a window opens, as many waiting calls are woken as it has room for, in the order in which they came.
    One request is reserved for each for a second, while the call gets a connection. A new call gets a permit only if
    there is room for it and for all waiting calls. A woken call that gets no permit waits in front of the others.

    Args:
        clock: The client's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queues: dict[str, TierQueue] = {}
        self._pacers: dict[str, Self] = {}  # by API key

    def for_key(self, api_key: str) -> Self:
        """See ``Pacer.for_key``. It returns the same pacer each time for the same key."""
        existing = self._pacers.get(api_key)
        if existing is not None:
            return existing
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
            self._wake(queue)  # the time for the next call may be known only now
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
                self._wake(queue)  # another call may use the request that was reserved for this one
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
        finally:  # also wakes the waiting calls if the headers cannot be read
            if queue.busy:
                self._wake(queue)

    @property
    def rate_limits(self) -> dict[str, RateLimit]:
        """The known state of the limits, by tier."""
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
        """Wake the calls that may send now, end the waits that would be too long, and set a timer for the next call."""
        now = self._clock.time()
        _drop_overdue(queue, now)
        room = queue.window.room(now)
        while queue.length and room > len(queue.woken):
            task, waiter = (queue.requeued or queue.waiting).popitem(last=False)
            if not waiter.result.done():  # otherwise it was cancelled, and its task has not run since then
                waiter.result.set_result(None)
                queue.woken[task] = now + GRACE
        if queue.window.frees_at(now) > now:
            _reject_late(queue, now)
        if queue.length:
            _log_wait(queue, now)
            times = [queue.window.opens_at(now), *list(queue.woken.values())[:1]]
            self._set_timer(queue, now, min((at for at in times if at > now), default=None))

    def _set_timer(self, queue: TierQueue, now: float, at: float | None) -> None:
        """Set a timer, unless there is one that ends earlier, which does no harm."""
        if at is None or (queue.timer is not None and queue.timer_at <= at):
            return
        if queue.timer is not None:
            queue.timer.cancel()
        queue.timer, queue.timer_at = self._clock.call_later(at - now, partial(self._on_timer, queue)), at

    def _on_timer(self, queue: TierQueue) -> None:
        queue.timer = None
        self._wake(queue)


def _has_room(queue: TierQueue, now: float) -> bool:
    """Whether the running task may send a request now, with regard to the calls that came before it."""
    task = asyncio.current_task() if queue.busy else None
    ahead = 0 if task in queue.woken else len(queue.woken) + queue.length
    return queue.window.room(now) > ahead


def _drop_overdue(queue: TierQueue, now: float) -> None:
    """End the reservations of woken calls that did not call ``try_acquire`` in time."""
    woken = len(queue.woken)
    while queue.woken and next(iter(queue.woken.values())) <= now:
        queue.woken.popitem(last=False)
    if len(queue.woken) < woken:
        queue.window.learn_silence(now)


def _reject_late(queue: TierQueue, now: float) -> None:
    """End the waits that would be too long, if the limit frees later than at the last check."""
    frees_at = queue.window.frees_at(now)
    if frees_at <= queue.checked_until + 1:  # a second more is not worth a check of all calls
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
    """The error for a call that would wait too long behind ``ahead`` others; ``None`` when it may wait."""
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
        f"the rate limit of tier {queue.tier!r}{size} {why}. This attempt was not sent; call again after .retry_after",
        maybe_sent=False,
        retry_after=turn_at - now,
    )


def _log_wait(queue: TierQueue, now: float) -> None:
    """Log a pause once, when it first makes a call wait. Later responses may move its end a little."""
    frees_at = queue.window.frees_at(now)
    if frees_at > now:
        if now >= queue.logged_until:
            reason = "429" if queue.window.paused_until > now else "the limit is spent"
            text = "rate limit of tier %s: requests wait %.1f s (%s), %d so far"
            logger.info(text, queue.tier, frees_at - now, reason, queue.length)
        queue.logged_until = frees_at
