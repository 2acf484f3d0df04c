"""One call for many items: bounded concurrency, failures as values, nothing left running."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Coroutine, Generator, Iterable, Sized
from typing import Any, Generic, Protocol, TypeVar, cast, overload

import msgspec

from .errors import SentError
from .options import check_count

K = TypeVar("K")
V = TypeVar("V")
K_contra = TypeVar("K_contra", contravariant=True)
V_co = TypeVar("V_co", covariant=True)

_PROGRESS_EVERY = 0.1


class Result(msgspec.Struct, Generic[K, V], frozen=True):
    """What became of one item: a value, or the ``SentError`` it failed with."""

    key: K
    """The item itself."""
    value: V | None = None
    error: SentError | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    def unwrap(self) -> V:
        """The value; raises the error if there is one."""
        if self.error is not None:
            raise self.error
        return cast("V", self.value)


class Progress(msgspec.Struct, frozen=True):
    """How far a batch is. ``print`` makes a readable line of it."""

    done: int
    """Items finished, the failed ones included."""
    failed: int
    total: int | None
    """How many there are, where the source has a length."""
    elapsed: float
    """Seconds since the first item was taken."""

    @property
    def rate(self) -> float:
        """Items finished a second, on average."""
        return self.done / self.elapsed if self.elapsed else 0.0

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.done:,}{of} done{failed}, {self.rate:,.0f}/s"


class KeyedCall(Protocol[K_contra, V_co]):
    """A write that takes its idempotency key from the batch."""

    def __call__(self, item: K_contra, /, *, idempotency_key: str) -> Awaitable[V_co]: ...


@overload
def batch(
    call: Callable[[K], Awaitable[V]],
    items: Iterable[K] | AsyncIterable[K],
    *,
    concurrency: int = 50,
    fail_fast: bool = False,
    on_progress: Callable[[Progress], object] | None = None,
    key: None = None,
) -> Batch[K, V]: ...
@overload
def batch(
    call: KeyedCall[K, V],
    items: Iterable[K] | AsyncIterable[K],
    *,
    concurrency: int = 50,
    fail_fast: bool = False,
    on_progress: Callable[[Progress], object] | None = None,
    key: Callable[[K], str],
) -> Batch[K, V]: ...
def batch(
    call: Callable[..., Awaitable[V]],
    items: Iterable[K] | AsyncIterable[K],
    *,
    concurrency: int = 50,
    fail_fast: bool = False,
    on_progress: Callable[[Progress], object] | None = None,
    key: Callable[[K], str] | None = None,
) -> Batch[K, V]:
    """Call for every item, at most ``concurrency`` at a time. Await it, or iterate it::

        results = await batch(sent.templates.retrieve, ids)           # a list of Result, in the order of the items
        async for result in batch(sent.templates.retrieve, ids): ...  # each Result as it finishes, constant memory

    ``items`` is any iterable or async iterable and is pulled as places become free. A ``SentError`` becomes a
    ``Result`` and stops nothing, unless ``fail_fast``: then the first one is raised, and the rest is cancelled. Any
    other exception, of the call or of the source, ends the batch. ``on_progress`` hears a ``Progress`` at most ten
    times a second, and at the end. ``key`` derives each item's idempotency key, passed on as ``idempotency_key=``:
    a run repeated after a crash then repeats nothing that already happened (the server keeps keys for 24 hours).
    """
    check_count("concurrency", concurrency, least=1)
    return Batch(call if key is None else _keyed(call, key), items, concurrency, fail_fast, on_progress)


class Batch(Generic[K, V]):
    """A batch that has not begun: await it or iterate it. Made by ``batch`` and ``retrieve_many``."""

    def __init__(
        self,
        call: Callable[[K], Awaitable[V]],
        items: Iterable[K] | AsyncIterable[K],
        concurrency: int,
        fail_fast: bool,
        on_progress: Callable[[Progress], object] | None,
    ) -> None:
        self._call = call
        self._items = items
        self._total = len(items) if isinstance(items, Sized) else None
        self._workers = concurrency if self._total is None else min(concurrency, max(1, self._total))
        self._fail_fast = fail_fast
        self._on_progress = on_progress

    def __await__(self) -> Generator[Any, None, list[Result[K, V]]]:
        return self._collect().__await__()

    async def _collect(self) -> list[Result[K, V]]:
        results: dict[int, Result[K, V]] = {}

        async def keep(index: int, result: Result[K, V]) -> None:
            results[index] = result

        tasks = self._start(keep)
        try:
            await asyncio.gather(*tasks)
        finally:
            await _end(tasks)
        return [results[index] for index in range(len(results))]

    async def __aiter__(self) -> AsyncGenerator[Result[K, V], None]:
        finished: deque[Result[K, V]] = deque()
        news, room = asyncio.Event(), asyncio.Event()

        async def hand_over(_: int, result: Result[K, V]) -> None:
            finished.append(result)
            news.set()
            while len(finished) > self._workers:  # a slow consumer holds the batch back instead of filling memory
                room.clear()
                await room.wait()

        tasks = self._start(hand_over)
        pending, failures = set(tasks), list[BaseException]()

        def ended(task: asyncio.Task[None]) -> None:
            pending.discard(task)
            if task.cancelled():
                failures.append(asyncio.CancelledError())
            elif (failure := task.exception()) is not None:
                failures.append(failure)
            news.set()

        for task in tasks:
            task.add_done_callback(ended)
        try:
            while (pending or finished) and not failures:
                while finished:
                    yield finished.popleft()
                    room.set()
                if pending:
                    news.clear()
                    await news.wait()
            if failures:
                raise failures[0]
        finally:
            await _end(tasks)

    def _start(self, emit: Callable[[int, Result[K, V]], Coroutine[Any, Any, None]]) -> list[asyncio.Task[None]]:
        progress = _Reporter(self._on_progress, self._total) if self._on_progress is not None else None
        pull = _puller(self._items)
        running = self._workers

        async def worker() -> None:
            nonlocal running
            while True:
                taken = await pull()
                if taken is None:
                    break
                index, item = taken
                result: Result[K, V]
                try:
                    result = Result(item, await self._call(item))
                except SentError as error:
                    if self._fail_fast:
                        raise
                    result = Result(item, error=error)
                await emit(index, result)
                if progress is not None:
                    progress.count(result.ok)
            running -= 1
            if running == 0 and progress is not None:
                progress.report()

        return [asyncio.create_task(worker()) for _ in range(self._workers)]


def _keyed(call: Callable[..., Awaitable[V]], key: Callable[[K], str]) -> Callable[[K], Awaitable[V]]:
    return lambda item: call(item, idempotency_key=key(item))


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _puller(items: Iterable[K] | AsyncIterable[K]) -> Callable[[], Coroutine[Any, Any, tuple[int, K] | None]]:
    """The next item with its index, or ``None`` at the end, for whichever worker asks."""
    count = 0
    if isinstance(items, AsyncIterable):
        source = aiter(items)
        turn = asyncio.Lock()  # an async generator cannot be asked twice at once

        async def pull_async() -> tuple[int, K] | None:
            nonlocal count
            async with turn:
                async for item in source:
                    count += 1
                    return count - 1, item
            return None

        return pull_async

    pairs = enumerate(items)

    async def pull() -> tuple[int, K] | None:
        return next(pairs, None)

    return pull


class _Reporter:
    def __init__(self, tell: Callable[[Progress], object], total: int | None) -> None:
        self._tell = tell
        self._total = total
        self._done = self._failed = 0
        self._started = self._told = time.monotonic()

    def count(self, ok: bool) -> None:
        self._done += 1
        self._failed += not ok
        if time.monotonic() - self._told >= _PROGRESS_EVERY:
            self.report()

    def report(self) -> None:
        self._told = time.monotonic()
        self._tell(Progress(self._done, self._failed, self._total, self._told - self._started))
