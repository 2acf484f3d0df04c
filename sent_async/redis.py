"""Rate limits and handled webhook events that several processes share in Redis. Needs the extra ``sent-async[redis]``.

``import sent_async`` does not import it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import secrets
from collections.abc import Mapping
from hashlib import blake2b
from importlib.resources import files
from typing import Final, Self

import msgspec

from .clock import Clock, SystemClock, Timer
from .errors import SentConfigError
from .pacing import NEVER, PATIENCE, HeaderPacer, Lane, Window
from .webhooks.seen import DAY

try:
    from redis.asyncio import Redis
except ModuleNotFoundError as error:
    raise ImportError("sent_async.redis needs the extra: pip install 'sent-async[redis]'") from error

logger = logging.getLogger("sent_async")

_HEARTBEAT: Final = 0.25  # seconds between two exchanges of a process that uses a tier
_PER_MEMBER: Final = 0.001  # seconds; of many processes each comes less often: about 1,000 exchanges a second in all
_LEAST: Final = 0.2  # of a heartbeat: the shortest time between two exchanges, when permits run out
_LONGEST_RETRY: Final = 5.0  # seconds between two attempts to reach Redis
_UNLIMITED: Final = 1e12  # JSON has no infinity

_PACE: Final = files("sent_async").joinpath("redis_pace.lua").read_text("utf-8")

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a process tells Redis. Times are seconds from now."""

    held: int
    """Permits: those of requests in flight, and those that it may still spend."""
    want: int
    """How many more."""
    epoch: int
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
    patience: float = PATIENCE
    unlimited: float = _UNLIMITED


class _Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What Redis says. Times are seconds from now, but for ``now``."""

    granted: int
    wait: float
    """Until there may be more permits."""
    now: float
    """Unix time."""
    members: int
    """Processes that use this tier."""
    epoch: int
    left: float
    limit: float
    period: float
    resets: float
    paused: float
    spread: float


_reply_decoder = msgspec.json.Decoder(_Reply)


class _SharedWindow(Window):
    """A tier's window of which this process has a block of permits; while Redis is away, an ordinary one.

    It learns from responses like a ``Window`` and takes over what others have learned, so that the process can go on
    by itself at any time.
    """

    __slots__ = (
        "alone", "block", "epoch", "fresh", "low", "since", "told_pause", "used", "valid_until", "wall_ahead",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.calm = False  # `remaining` is everybody's: it never decides by itself
        self.alone = False
        """Redis is away."""
        self.block = 0
        """Permits to spend."""
        self.low = 0
        """With this many of them left, it is time for more."""
        self.valid_until = NEVER
        """When the lease of the block ends."""
        self.used = 0  # permits, since `since`
        self.since = 0.0
        self.epoch = 0
        self.fresh = False
        """A response told of a window after ``epoch``."""
        self.told_pause = NEVER
        """The end of the last pause that Redis knows."""
        self.wall_ahead: float | None = None
        """Redis's Unix time less our monotonic time."""

    @property
    def is_low(self) -> bool:
        return not self.alone and self.block <= self.low

    @property
    def has_news(self) -> bool:
        """Something that the other processes wait for."""
        return self.fresh or self.paused_until != self.told_pause

    def room(self, now: float) -> float:
        if self.alone:
            return super().room(now)
        return self.block if self.paused_until <= now < self.valid_until else 0

    def opens_at(self, now: float) -> float:
        return super().opens_at(now) if self.alone else now  # Redis tells

    def take(self, now: float) -> int:
        if self.alone:
            return super().take(now)
        self.block -= 1
        self.used += 1
        self.in_flight += 1
        return self.pauses

    def learn(self, now: float, wall: float, permit: int, status: int, headers: Mapping[str, str]) -> None:
        begins = status not in (0, 429) and now >= self.resets_at
        if self.wall_ahead is not None:
            wall = now + self.wall_ahead  # the clocks of hosts differ
        super().learn(now, wall, permit, status, headers)
        self.fresh |= begins
        if status == 429:
            self.block, self.fresh = 0, False

    def unheard(self, now: float) -> None:
        if self.alone:
            super().unheard(now)

    def report(self, now: float, waiting: int, heartbeat: float, lease: float) -> _Report:
        """What to tell Redis now. It counts as told until ``go_alone`` is called."""
        # Permits for those who wait, and for what was used lately, growing while it is used quickly.
        lately = self.used * 2 * heartbeat / max(now - self.since, 0.001)
        target = max(waiting, min(max(2 * self.used, math.ceil(lately)), 4 * self.used))
        self.block = min(self.block, target) if now < self.valid_until else 0
        self.used, self.since = 0, now
        self.epoch += self.fresh
        self.fresh = False
        pause = 0.0 if self.paused_until == self.told_pause else max(0.0, self.paused_until - now)
        self.told_pause = self.paused_until
        return _Report(
            held=self.in_flight + self.block,
            want=target - self.block,
            epoch=self.epoch,
            left=min(self.remaining, _UNLIMITED),
            resets=max(0.0, self.resets_at - now),
            limit=self.limit or 0,
            period=self.period or 0.0,
            pause=pause,
            spread=max(0.0, self.spread_until - self.paused_until) if pause else 0.0,
            interval=self.interval(),
            lease=lease,
            poll=heartbeat * _LEAST,
        )

    def adopt(self, now: float, reply: _Reply, valid_until: float) -> None:
        """Take over the permits and what all know, unless a response has told more since."""
        if self.alone:
            self.alone = self.calm = self.asking = False
            self.asked_at = None
        self.wall_ahead = reply.now - now
        self.valid_until = valid_until
        if self.has_news:
            return  # the next exchange gets permits; these come back with it
        left = math.inf if reply.left >= _UNLIMITED else reply.left
        self.remaining = left if reply.epoch != self.epoch else min(left, self.remaining)
        self.resets_at = now + reply.resets
        self.epoch = reply.epoch
        if reply.limit:
            self.limit, self.period = int(reply.limit), reply.period or None
        if reply.paused > 0 and now + reply.paused > self.paused_until + PATIENCE:  # another process met a 429
            self.paused_until = self.told_pause = self.next_at = now + reply.paused
            self.spread_until = now + reply.spread
            self.pauses += 1
            self.refusals += 1
            self.block = 0
        elif reply.spread <= 0:
            self.refusals = 0
        self.block += reply.granted
        self.low = self.block // 2

    def go_alone(self) -> None:
        self.alone, self.block, self.told_pause = True, 0, NEVER


class _Share:
    """One tier of one key: its lane, the task that exchanges with Redis, and when that is next to do so."""

    def __init__(self, tier: str, account: str) -> None:
        self.window = _SharedWindow()
        self.lane = Lane(tier, self.window)
        digest = _digest("pacer", account, tier)
        self.keys = [f"sent:{{{digest}}}:{part}" for part in ("window", "held", "leases")]
        self.member = secrets.token_hex(8)
        self.heartbeat = _HEARTBEAT
        self.closed_until = NEVER
        """Before that, asking for permits is of no use."""
        self.task: asyncio.Task[None] | None = None
        self.due = asyncio.Event()
        self.timer: Timer | None = None
        self.timer_at = NEVER


class RedisPacer(HeaderPacer):
    """Paces all processes with the same API key and the same Redis as one. For ``SentClient(pacing=...)``::

        async with RedisPacer("redis://localhost") as pacer, SentClient(pacing=pacer) as sent:
            ...

    What one process learns from rate-limit headers, all know. Each takes permits in blocks, a few times a second, and
    spends them without asking. A 429 pauses all of them once. Redis decides what time it is. Permits of a process that
    was killed come back after ``lease`` seconds.

    While Redis cannot be reached, each process paces by itself like ``pacing=True``. The beginning and the end of that
    are logged once each (WARNING). Redis holds numbers under digests of key and tier: no API key, path or id. One
    object belongs to one event loop.

    Args:
        url_or_client: ``redis://``, ``rediss://`` or ``unix://``; or a ``redis.asyncio.Redis``, which is never closed.
        lease: Seconds after which the permits of a silent process come back.
        timeout: Seconds for one exchange with Redis; after that Redis counts as away.
        clock: For tests.

    Raises:
        SentConfigError: Not a Redis URL, or a time that is not positive.
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
        self._shares: dict[str, _Share] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give unused permits back and close the connections, unless the client was lent. Idempotent.

        What still goes through this pacer is paced by this process alone.
        """
        if self._store.closed:
            return
        self._store.closed = True
        for share in self._store.shares:
            window = share.window
            if share.task is not None:
                share.task.cancel()
                await asyncio.wait([share.task])
            window.block = window.used = 0
            report = window.report(self._clock.time(), 0, share.heartbeat, self._lease)
            await self._store.pace(share.keys, share.member, report)
            window.go_alone()
            self._call(share.lane)
        await self._store.close()

    def for_key(self, api_key: str) -> Self:
        is_new = api_key not in self._family
        pacer: Self = super().for_key(api_key)
        if is_new:
            pacer._account, pacer._shares = _digest("account", api_key), {}
        return pacer

    def take(self, tier: str) -> int | None:
        permit = super().take(tier)
        share = self._shares[tier]
        if share.task is None or share.window.is_low:
            self._ask(share)
        return permit

    async def wait(self, tier: str, expires: float | None) -> None:
        self._ask(self._shares[tier])
        await super().wait(tier, expires)

    def release(self, tier: str, permit: int, status: int, headers: Mapping[str, str]) -> None:
        super().release(tier, permit, status, headers)
        share = self._shares[tier]
        if share.window.has_news:
            share.due.set()

    def _new_lane(self, tier: str) -> Lane:
        share = self._shares[tier] = _Share(tier, self._account)
        self._store.shares.append(share)
        if self._store.closed:
            share.window.go_alone()
        return share.lane

    def _ask(self, share: _Share) -> None:
        """There may be too few permits. Exchange soon, unless Redis has said that it is too early."""
        if self._store.closed:
            return
        if share.task is None:
            share.task = asyncio.get_running_loop().create_task(self._share(share))
        else:
            self._wake(share, share.closed_until)

    def _wake(self, share: _Share, at: float) -> None:
        """The next exchange is due at this time, if not earlier."""
        if at < share.timer_at:
            if share.timer is not None:
                share.timer.cancel()
            share.timer, share.timer_at = self._clock.call_later(max(0.0, at - self._clock.time()), share.due.set), at

    async def _share(self, share: _Share) -> None:
        """Exchange with Redis for as long as this process uses the tier."""
        try:
            while (pause := await self._exchange(share)) is not None:
                share.timer_at = math.inf
                self._wake(share, self._clock.time() + pause)
                await share.due.wait()
                share.due.clear()
                share.timer_at = NEVER
        finally:
            share.task = None
            if share.timer is not None:
                share.timer.cancel()

    async def _exchange(self, share: _Share) -> float | None:
        """One exchange. Returns the seconds until the next; ``None`` when none is needed."""
        lane, window, started = share.lane, share.window, self._clock.time()
        report = window.report(started, lane.length + len(lane.called), share.heartbeat, self._lease)
        reply = await self._store.pace(share.keys, share.member, report)
        now = self._clock.time()
        if reply is None:
            window.go_alone()
            self._call(lane)
            share.closed_until = self._store.retry_at
            return max(0.0, share.closed_until - now) if lane.length or window.in_flight else None
        window.adopt(now, reply, started + self._lease)
        self._call(lane)
        share.heartbeat = min(max(_HEARTBEAT, reply.members * _PER_MEMBER), self._lease / 3)
        least = share.heartbeat * _LEAST
        if lane.length and not window.block:
            wait = reply.wait + random.uniform(0, 2 * least)  # noqa: S311 - not all processes in the same moment
            share.closed_until = now + wait
            return min(wait, share.heartbeat) if window.in_flight else wait
        share.closed_until = now + least
        if window.is_low and report.want:
            return least
        return share.heartbeat if report.held or report.want or window.in_flight else None


class _Store:
    """Redis, and whether it can be reached."""

    def __init__(self, url_or_client: str | Redis, timeout: float, clock: Clock) -> None:
        self._client, self._owned = _connect(url_or_client)
        self._pace = self._client.register_script(_PACE)
        self._timeout = timeout
        self._clock = clock
        self._failures = 0
        self.retry_at = NEVER
        self.shares: list[_Share] = []
        self.closed = False

    async def pace(self, keys: list[str], member: str, report: _Report) -> _Reply | None:
        """One exchange; ``None`` when Redis cannot be reached, or is not to be tried yet."""
        if self._clock.time() < self.retry_at:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                reply = _reply_decoder.decode(await self._pace(keys, [member, msgspec.json.encode(report)]))
        except Exception as error:  # noqa: BLE001 - whatever happens to Redis, the requests go on
            self._failures += 1
            wait = min(_LONGEST_RETRY, 0.25 * 2.0 ** min(self._failures, 8))
            self.retry_at = self._clock.time() + wait * random.uniform(0.5, 1)  # noqa: S311
            if self._failures == 1:
                text = "rate limits are not shared: no usable response from Redis (%s). This process paces by itself"
                logger.warning(text + " and tries to join again", type(error).__name__)
            return None
        if self._failures:
            self._failures = 0
            logger.warning("rate limits are shared again: Redis responds")
        return reply

    async def close(self) -> None:
        if self._owned:
            await self._client.aclose()


class RedisSeen:
    """Which webhook events were handled, in Redis: for ``seen=`` of services on several hosts.

    A claim is a lease, as in ``SQLiteSeen``. Redis holds digests of the ids. While it cannot be reached, an event is
    refused with a 500, and Sent delivers it again.

    Args:
        url_or_client: ``redis://``, ``rediss://`` or ``unix://``; or a ``redis.asyncio.Redis``, which is never closed.
        name: Services with different names each handle every event.
        lease: Seconds after which an unfinished claim counts as that of a process that died. Longer than ``on_event``
            ever takes; shorter than the minute after which Sent delivers again.
        ttl: Seconds for which a handled event is remembered.

    Raises:
        SentConfigError: Not a Redis URL, or a time that is not positive.
    """

    def __init__(self, url_or_client: str | Redis, *, name: str = "", lease: float = 45.0, ttl: float = DAY) -> None:
        if not lease > 0 or not ttl > 0:
            raise SentConfigError("lease and ttl must be positive")
        self._client, self._owned = _connect(url_or_client)
        self._name = name
        self._lease = math.ceil(lease * 1000)
        self._ttl = math.ceil(ttl * 1000)
        self._owner = secrets.token_hex(8)
        self._release = self._client.register_script(_RELEASE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def claim(self, id: str, /) -> bool:
        """See ``Seen.claim``."""
        return bool(await self._client.set(self._place(id), self._owner, nx=True, px=self._lease))

    async def release(self, id: str, /) -> None:
        """See ``Seen.release``. A claim that another process has taken over meanwhile stays."""
        await self._release([self._place(id)], [self._owner])

    async def finish(self, id: str, /) -> None:
        """See ``LeasedSeen.finish``."""
        await self._client.set(self._place(id), "finished", px=self._ttl)

    async def is_finished(self, id: str, /) -> bool:
        """See ``LeasedSeen.is_finished``."""
        return await self._client.get(self._place(id)) in (b"finished", "finished")

    async def close(self) -> None:
        """Close the connections, unless the client was lent."""
        if self._owned:
            await self._client.aclose()

    def _place(self, id: str) -> str:
        return f"sent:seen:{_digest('seen', self._name, id)}"


def _digest(kind: str, *values: str) -> str:
    return blake2b("\0".join(values).encode(), digest_size=16, person=kind.encode()).hexdigest()


def _connect(url_or_client: str | Redis) -> tuple[Redis, bool]:
    """The client, and whether it is ours to close."""
    if not isinstance(url_or_client, str):
        return url_or_client, False
    try:
        client: Redis = Redis.from_url(url_or_client)  # pyright: ignore[reportUnknownMemberType] - its options have no types
        return client, True
    except ValueError:
        raise SentConfigError("not a Redis URL: redis://, rediss:// or unix:// is needed") from None
