"""One attempt of a call: a slot, a connection, a permit and an exchange, in this order."""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

from .call import Call, CallTimer, StopReason
from .clock import Clock
from .connections import FAILURES, Connections, Response, Settings, connection_error, open_connections
from .errors import QUOTA_SPENT, SentConfigError, SentError, SentTimeoutError

_NO_HEADERS: Mapping[str, str] = {}
_QUOTA_SPENT = f'"{QUOTA_SPENT}"'.encode()


class Transport:
    """The connections and the calls of one client. It belongs to the event loop in which it was opened."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connections: Connections
        self._slots: Slots
        self._timers: dict[StopReason, dict[float, CallTimer]] = {"timeout": {}, "deadline": {}}
        self.calls: set[Call[Any]] = set()
        """The calls in flight. Each adds and removes itself."""
        self.closed = False

    def open(self) -> asyncio.AbstractEventLoop:
        """Bind to the running event loop, if that was not done yet. This makes no connection, so it need not wait.

        Returns:
            The event loop.

        Raises:
            SentConfigError: The client is closed, or belongs to another event loop.
        """
        loop = asyncio.get_running_loop()
        if self.closed:
            raise SentConfigError("this client is closed; make a new SentClient")
        if self._loop is loop:
            return loop
        if self._loop is not None:
            raise SentConfigError(
                "this client belongs to another event loop: make one SentClient inside each asyncio.run()"
            )
        self._connections = open_connections(self._settings, self._clock, loop)
        self._slots = Slots(self._connections.limit)
        self._loop = loop
        return loop

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of every request. They exist after ``open``."""
        return self._connections.headers

    async def attempt(self, call: Call[Any]) -> Response:
        """Make one attempt: get a slot, a connection and a permit, write the request, read the whole response.

        Waiting for a slot or for the rate limit does not count towards the timeout. The permit is taken last, so that
        no call holds one while it waits for a connection. If there is no permit, the connection is given back.

        Returns:
            The status, the headers and the body.

        Raises:
            SentError: There is no usable response, or the rate limit frees too late.
        """
        slots, connections, pacer, tier = self._slots, self._connections, call.pacer, call.operation.rate_tier
        needs_new, call.connection_was_dead = call.connection_was_dead, False
        while True:
            if slots.free:
                slots.free -= 1
            else:
                since = self._clock.time()
                await slots.acquire()
                call.waited_for_slot += self._clock.time() - since
            started = call.attempt_started = self._clock.time()
            timer = None
            if call.timeout is not None:
                timer = self.timer("timeout", call.timeout)
                timer.start(call, started + call.timeout)
            connection = permit = None
            paced_status, headers = 0, _NO_HEADERS
            failure: SentError | None = None
            try:
                connection = None if needs_new else connections.pop_idle(started)
                if connection is None and pacer.is_open(tier):
                    connection = await connections.connect()
                if connection is not None:
                    permit = pacer.try_acquire(tier)
                    if permit is not None:
                        call.attempts += 1
                        status, headers, body = await connections.exchange(connection, call)
                        # A used-up quota is no rate limit, so it must not pause other calls.
                        paced_status = 403 if status == 429 and _QUOTA_SPENT in body else status
                        return status, headers, body
                    connections.keep(connection)
            except asyncio.CancelledError:
                if call.undo_stop("timeout") is None:
                    raise
                failure = SentTimeoutError(
                    f"no complete response within {call.timeout:g} s", maybe_sent=call.maybe_sent
                )
            except SentError as error:
                failure = error
            except FAILURES as error:
                failure = connection_error(error, maybe_sent=call.maybe_sent)
            finally:
                if permit is not None:
                    pacer.release(tier, permit, paced_status, headers)
                if timer is not None:
                    timer.end(call)
                slots.release()
            if failure is not None:
                if connection is None:
                    call.attempts += 1  # it failed before it had a connection
                # Raised here, not in the handler: that would chain aiohttp's error, which has the request headers.
                raise failure
            since = self._clock.time()
            await pacer.wait(tier, call.expires)
            call.waited_for_limit += self._clock.time() - since

    def timer(self, reason: StopReason, seconds: float) -> CallTimer:
        """The timer for all calls with a limit of this length. Made if there is none."""
        timers = self._timers[reason]
        timer = timers.get(seconds)
        if timer is None:
            timer = timers[seconds] = CallTimer(reason, seconds, self._clock, partial(timers.pop, seconds, None))
        return timer

    async def close(self) -> None:
        """End each call in flight with a ``SentConnectionError``, and close our connections.

        A second call does nothing.
        """
        if self.closed:
            return
        self.closed = True
        for call in list(self.calls):
            call.stop("close")
        for timers in self._timers.values():
            for timer in timers.values():
                timer.close()
        if self._loop is not None:
            await self._connections.close()

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if not self.closed and self._loop is not None and self._settings.session is None:
            _warn("a SentClient was not closed: use `async with` or `await sent.close()`", ResourceWarning, source=self)
            if not self._loop.is_closed():
                self._connections.close_idle()  # otherwise aiohttp warns about each one, without naming SentClient


class Slots:
    """Limits the requests in flight. ``asyncio.Semaphore`` would cost 1.6 % of a request."""

    def __init__(self, count: int) -> None:
        self.free = count
        """While it is above 0, a caller may subtract 1 from it instead of calling ``acquire``."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def acquire(self) -> None:
        """Wait for a slot. Slots are given in the order of the calls."""
        if self.free:
            self.free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give the slot to the first waiting call. If no call waits, the slot becomes free."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1
