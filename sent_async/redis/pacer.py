"""Rate limits that processes share."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Self

import msgspec

from ..clock import Clock, SystemClock, Timer
from ..errors import SentConfigError
from ..pacing import HeaderPacer, TierQueue
from ..rate_window import NEVER
from .connection import connect, digest
from .window import LEAST_INTERVAL, PACE, Reply, Report, SharedWindow

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger("sent_async")

_HEARTBEAT: Final = 0.25  # seconds between two exchanges of a process that uses a tier
_PER_MEMBER: Final = 0.001  # seconds; limits the exchanges of all processes to about 1,000 a second
_LONGEST_RETRY: Final = 5.0  # seconds between two attempts to reach Redis

_reply_decoder = msgspec.json.Decoder(Reply)


class RedisPacer(HeaderPacer):
    """Paces all processes with the same API key and the same Redis together. For ``SentClient(pacing=...)``::

        async with RedisPacer("redis://localhost") as pacer, SentClient(pacing=pacer) as sent:
            ...

    The processes share what each of them learns from rate-limit headers. Each process takes a block of permits a few
    times a second, and uses them without asking Redis. A 429 pauses all processes. All times are those of Redis's
    clock. The permits of a process that was killed come back after ``lease`` seconds.

    While Redis cannot be reached, each process paces alone, like ``pacing=True``. The start and the end of that time
    are logged as a WARNING. Redis stores numbers under digests of key and tier, but no API key, path or id. A pacer
    belongs to one event loop.

    Args:
        url_or_client: ``redis://``, ``rediss://`` or ``unix://``; or a ``redis.asyncio.Redis``, which is never closed.
        lease: Seconds after which the permits of a silent process come back.
        timeout: Seconds for one exchange with Redis. After that time, Redis counts as not reachable.
        clock: A replacement for the system clock, for tests.

    Raises:
        SentConfigError: The URL is not a Redis URL, or a time is not positive.
    """

    def __init__(
        self, url_or_client: str | Redis, *, lease: float = 5.0, timeout: float = 0.5, clock: Clock | None = None
    ) -> None:
        if not lease > 0 or not timeout > 0:
            raise SentConfigError("lease and timeout must be positive")
        super().__init__(clock or SystemClock())
        self._lease = lease
        self._store = _Store(url_or_client, timeout, self._clock)
        self._account = ""
        self._tiers: dict[str, _SharedTier] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give unused permits back, and close the connections that this pacer made. A second call does nothing.

        After that, requests with this pacer are paced without Redis.
        """
        if self._store.closed:
            return
        self._store.closed = True
        for shared in self._store.tiers:
            window = shared.window
            if shared.task is not None:
                shared.task.cancel()
                await asyncio.wait([shared.task])
            window.permits = window.spent = 0
            report = window.make_report(self._clock.time(), 0, shared.heartbeat, self._lease)
            await self._store.exchange(shared.keys, shared.member, report)
            window.go_local()
            self._wake(shared.queue)
        await self._store.close()

    def for_key(self, api_key: str) -> Self:
        """See ``Pacer.for_key``."""
        is_new = api_key not in self._pacers
        pacer: Self = super().for_key(api_key)
        if is_new:
            pacer._account, pacer._tiers = digest("account", api_key), {}
        return pacer

    def try_acquire(self, tier: str) -> int | None:
        """See ``Pacer.try_acquire``."""
        permit = super().try_acquire(tier)
        shared = self._tiers[tier]
        if shared.task is None or shared.window.is_low:
            self._request_permits(shared)
        return permit

    async def wait(self, tier: str, expires: float | None) -> None:
        """See ``Pacer.wait``."""
        self._request_permits(self._tiers[tier])
        await super().wait(tier, expires)

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        """See ``Pacer.release``."""
        super().release(tier, permit, status, headers)
        shared = self._tiers[tier]
        if shared.window.has_unreported:
            shared.due.set()

    def _new_queue(self, tier: str) -> TierQueue:
        shared = self._tiers[tier] = _SharedTier(tier, self._account)
        self._store.tiers.append(shared)
        if self._store.closed:
            shared.window.go_local()
        return shared.queue

    def _request_permits(self, shared: _SharedTier) -> None:
        """Exchange with Redis soon, or at the time at which it may have permits."""
        if self._store.closed:
            return
        if shared.task is None:
            shared.task = asyncio.get_running_loop().create_task(self._exchange_while_used(shared))
        else:
            self._schedule(shared, shared.nothing_until)

    def _schedule(self, shared: _SharedTier, at: float) -> None:
        """Make the next exchange at this time, unless it is planned for an earlier time."""
        if at < shared.timer_at:
            if shared.timer is not None:
                shared.timer.cancel()
            delay = max(0.0, at - self._clock.time())
            shared.timer, shared.timer_at = self._clock.call_later(delay, shared.due.set), at

    async def _exchange_while_used(self, shared: _SharedTier) -> None:
        """Exchange with Redis as long as this process uses the tier."""
        try:
            while (pause := await self._exchange(shared)) is not None:
                shared.timer_at = math.inf
                self._schedule(shared, self._clock.time() + pause)
                await shared.due.wait()
                shared.due.clear()
                shared.timer_at = NEVER
        finally:
            shared.task = None
            if shared.timer is not None:
                shared.timer.cancel()

    async def _exchange(self, shared: _SharedTier) -> float | None:
        """Exchange once. Returns the seconds until the next exchange; ``None`` when none is needed."""
        queue, window, started = shared.queue, shared.window, self._clock.time()
        report = window.make_report(started, queue.length + len(queue.woken), shared.heartbeat, self._lease)
        reply = await self._store.exchange(shared.keys, shared.member, report)
        now = self._clock.time()
        if reply is None:
            window.go_local()
            self._wake(queue)
            shared.nothing_until = self._store.retry_at
            return max(0.0, shared.nothing_until - now) if queue.length or window.in_flight else None
        window.apply(now, reply, started + self._lease)
        self._wake(queue)
        shared.heartbeat = min(max(_HEARTBEAT, reply.members * _PER_MEMBER), self._lease / 3)
        least = shared.heartbeat * LEAST_INTERVAL
        if queue.length and not window.permits:
            wait = reply.wait + random.uniform(0, 2 * least)  # noqa: S311 - spreads the processes, no secret
            shared.nothing_until = now + wait
            return min(wait, shared.heartbeat) if window.in_flight else wait
        shared.nothing_until = now + least
        if window.is_low and report.want:
            return least
        return shared.heartbeat if report.held or report.want or window.in_flight else None


class _SharedTier:
    """One tier of one key: its queue, the task that exchanges with Redis, and the time of the next exchange."""

    def __init__(self, tier: str, account: str) -> None:
        self.window = SharedWindow()
        self.queue = TierQueue(tier, self.window)
        name = digest("pacer", account, tier)
        self.keys = [f"sent:{{{name}}}:{part}" for part in ("window", "held", "leases")]
        self.member = secrets.token_hex(8)
        """The name of this process in Redis."""
        self.heartbeat = _HEARTBEAT
        self.nothing_until = NEVER
        """Until this time, Redis has no permits."""
        self.task: asyncio.Task[None] | None = None
        self.due = asyncio.Event()
        """Set when the next exchange is due."""
        self.timer: Timer | None = None
        self.timer_at = NEVER


class _Store:
    """Redis, and whether it can be reached."""

    def __init__(self, url_or_client: str | Redis, timeout: float, clock: Clock) -> None:
        self._client, self._owned = connect(url_or_client)
        self._pace = self._client.register_script(PACE)
        self._timeout = timeout
        self._clock = clock
        self._failures = 0
        self.retry_at = NEVER
        """Until this time, no exchange is tried."""
        self.tiers: list[_SharedTier] = []
        self.closed = False

    async def exchange(self, keys: list[str], member: str, report: Report) -> Reply | None:
        """Send a report, and return the reply; ``None`` if Redis cannot be reached, or before ``retry_at``."""
        if self._clock.time() < self.retry_at:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                reply = _reply_decoder.decode(await self._pace(keys, [member, msgspec.json.encode(report)]))
        except Exception as error:  # noqa: BLE001 - no error of Redis may stop the requests
            self._failures += 1
            wait = min(_LONGEST_RETRY, 0.25 * 2.0 ** min(self._failures, 8))
            self.retry_at = self._clock.time() + wait * random.uniform(0.5, 1)  # noqa: S311 - no secret
            if self._failures == 1:
                text = "rate limits are not shared: no usable response from Redis (%s). This process paces alone"
                logger.warning(text + " and tries Redis again", type(error).__name__)
            return None
        if self._failures:
            self._failures = 0
            logger.warning("rate limits are shared again: Redis responds")
        return reply

    async def close(self) -> None:
        if self._owned:
            await self._client.aclose()
