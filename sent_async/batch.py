"""One call for many items: limited concurrency, errors as values, and no task left running at the end."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Sized,
)
from typing import Any, ClassVar, Generic, Literal, Never, NoReturn, Protocol, TypeAlias, TypeVar, cast, overload

import msgspec

from .clock import Clock, SystemClock
from .errors import SentConfigError, SentError
from .journal import ItemNames, Journal
from .options import check_count
from .request import given_keys

K = TypeVar("K")
V = TypeVar("V")
K_contra = TypeVar("K_contra", contravariant=True)
V_co = TypeVar("V_co", covariant=True)

_PROGRESS_EVERY = 0.1
_ITEMS_PER_TURN = 64
"""How many items a batch takes before other tasks can run, if calls do not suspend."""


class Success(msgspec.Struct, Generic[K, V], frozen=True):
    """The ``Result`` of an item whose call returned."""

    key: K
    """The item itself."""
    value: V
    """What the call returned."""
    ok: ClassVar[Literal[True]] = True
    error: ClassVar[None] = None

    def unwrap(self) -> V:
        """Return the value.

        Returns:
            What the call returned.
        """
        return self.value


class Failure(msgspec.Struct, Generic[K], frozen=True):
    """The ``Result`` of an item whose call raised a ``SentError``. To save memory, the error has no traceback."""

    key: K
    """The item itself."""
    error: SentError
    """What the call raised."""
    ok: ClassVar[Literal[False]] = False
    # It is None. It is declared as Never because pyright does not narrow a union by `if result.ok:`. With Never, the
    # value of a result has the type V there, for pyright and mypy.
    value: ClassVar[Never] = cast("Never", None)

    def unwrap(self) -> NoReturn:
        """Raise the error.

        Raises:
            SentError: What the call raised.
        """
        raise self.error


Result: TypeAlias = Success[K, V] | Failure[K]
"""The outcome for one item: ``key``, ``ok``, and ``value`` or ``error``, which ``unwrap()`` returns or raises."""


class Progress(msgspec.Struct, frozen=True):
    """The progress of a batch. ``print`` shows it as a readable line."""

    done: int
    """Finished items, with the failed ones."""
    failed: int
    """Items whose call raised a ``SentError``."""
    total: int | None
    """The number of items, if ``items`` has a length; otherwise ``None``."""
    elapsed: float
    """Seconds since the batch began."""

    @property
    def rate(self) -> float:
        """The average number of items finished per second."""
        return self.done / self.elapsed if self.elapsed else 0.0

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.done:,}{of} done{failed}, {self.rate:,.0f}/s"


class KeyedCall(Protocol[K_contra, V_co]):
    """A function that gets an item and its idempotency key from the batch."""

    def __call__(self, item: K_contra, /, *, idempotency_key: str) -> Awaitable[V_co]:
        """Make the call for one item."""
        ...


@overload
def batch(
    call: Callable[[K], Awaitable[V]],
    items: Iterable[K] | AsyncIterable[K],
    *,
    concurrency: int = 50,
    fail_fast: bool = False,
    on_progress: Callable[[Progress], object] | None = None,
    key: None = None,
    journal: Journal | str | os.PathLike[str] | None = None,
    clock: Clock | None = None,
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
    journal: Journal | str | os.PathLike[str] | None = None,
    clock: Clock | None = None,
) -> Batch[K, V]: ...
@overload
def batch(
    call: Callable[[K], Awaitable[V]],
    items: Iterable[K] | AsyncIterable[K],
    *,
    concurrency: int = 50,
    fail_fast: bool = False,
    on_progress: Callable[[Progress], object] | None = None,
    key: Callable[[K], str],
    journal: Journal | str | os.PathLike[str],
    clock: Clock | None = None,
) -> Batch[K, V]: ...
def batch(
    call: Callable[..., Awaitable[V]],
    items: Iterable[K] | AsyncIterable[K],
    *,
    concurrency: int = 50,
    fail_fast: bool = False,
    on_progress: Callable[[Progress], object] | None = None,
    key: Callable[[K], str] | None = None,
    journal: Journal | str | os.PathLike[str] | None = None,
    clock: Clock | None = None,
) -> Batch[K, V]:
    """Call an async function for every item, at most ``concurrency`` at a time. Await the batch, or iterate it, once::

        results = await batch(sent.templates.retrieve, ids)           # a list of Result, in the order of the items
        async for result in batch(sent.templates.retrieve, ids): ...  # each Result as it finishes, constant memory

    A ``SentError`` becomes a ``Result``, and the batch goes on. Any other exception, in the call or in ``items``, ends
    the batch. When the batch ends, all its calls have ended too, and an async iterator of items is closed.

    Args:
        call: An async function with the item as its only argument.
        items: Any iterable or async iterable. The next item is taken when a call can begin.
        concurrency: How many calls may run at once, 1 or more.
        fail_fast: Raise the first ``SentError`` and cancel the other calls.
        on_progress: Called with a ``Progress`` at most ten times a second, and at the end.
        key: Makes the idempotency key of an item, which the call gets as ``idempotency_key=``. If the same batch runs
            again after a crash, no write is executed twice (the server keeps keys for 24 hours). With a journal, the
            key is also the name of the item there, and the call need not take ``idempotency_key=``.
        journal: The path of a file, or a ``Journal``, which makes the batch resumable. Each finished item is written
            to the file before it is reported. The next run with the same file makes only the calls that are missing,
            and returns the results of all items. Failed items are tried again. The items must be text or whole
            numbers, or ``key`` must make their names. The idempotency keys of their writes are the same in every run.
            Results must be models, dataclasses or plain JSON values.
        clock: A replacement for the system clock, for tests.

    Returns:
        A batch, which has not begun.

    Raises:
        SentConfigError: ``concurrency`` is below 1, or ``items`` is a single string. When the batch runs: the journal
            cannot be used, or two items have the same name.
    """
    check_count("concurrency", concurrency, least=1)
    if isinstance(items, str | bytes | bytearray):
        raise SentConfigError("items is a single string, and each of its characters would be an item; pass a list")
    clock = clock or SystemClock()
    if journal is None:
        one = call if key is None else _keyed(call, key)
        return Batch(one, items, concurrency, fail_fast, on_progress, clock)
    names = ItemNames(journal if isinstance(journal, Journal) else Journal(journal), call, key)
    return Batch(call, items, concurrency, fail_fast, on_progress, clock, names)


class Batch(Generic[K, V]):
    """A batch of calls. Only ``batch`` and ``retrieve_many`` make one. Await it or iterate it, once."""

    def __init__(
        self,
        call: Callable[..., Awaitable[V]],
        items: Iterable[K] | AsyncIterable[K],
        concurrency: int,
        fail_fast: bool,
        on_progress: Callable[[Progress], object] | None,
        clock: Clock,
        names: ItemNames[K] | None = None,
    ) -> None:
        self._call = call
        self._items = items
        self._total = len(items) if isinstance(items, Sized) else None
        self._workers = concurrency if self._total is None else min(concurrency, max(1, self._total))
        self._fail_fast = fail_fast
        self._on_progress = on_progress
        self._clock = clock
        self._names = names
        self._begun = False

    def __repr__(self) -> str:
        of = "" if self._total is None else f" of {self._total:,}"
        next_step = "has run already" if self._begun else "await it for a list, or iterate it with 'async for'"
        return f"<Batch{of}: {next_step}>"

    def __await__(self) -> Generator[Any, None, list[Result[K, V]]]:
        self._begin()
        return self._collect().__await__()

    def __aiter__(self) -> AsyncGenerator[Result[K, V], None]:
        self._begin()
        return self._iterate()

    def _begin(self) -> None:
        if self._begun:
            raise SentConfigError("this batch has run already; make another one to run its calls again")
        self._begun = True

    async def _collect(self) -> list[Result[K, V]]:
        results: dict[int, Result[K, V]] = {}

        async def store(index: int, result: Result[K, V]) -> None:
            results[index] = result

        source = _Source(self._items)
        await self._open()
        tasks = self._start(source, store)
        try:
            await asyncio.gather(*tasks)
        finally:
            await self._end(tasks, source)
        return [results[index] for index in range(len(results))]

    async def _iterate(self) -> AsyncGenerator[Result[K, V], None]:
        finished: deque[Result[K, V]] = deque()
        changed, has_room = asyncio.Event(), asyncio.Event()

        async def enqueue(_: int, result: Result[K, V]) -> None:
            finished.append(result)
            changed.set()
            while len(finished) > self._workers:  # a slow consumer slows the batch down instead of filling the memory
                has_room.clear()
                await has_room.wait()

        source = _Source(self._items)
        await self._open()
        tasks = self._start(source, enqueue)
        running, failures = set(tasks), list[BaseException]()

        def on_end(task: asyncio.Task[None]) -> None:
            running.discard(task)
            failure = asyncio.CancelledError() if task.cancelled() else task.exception()
            if failure is not None:
                failures.append(failure)
                _cancel(running)  # now, not when the consumer asks for the next result
            changed.set()

        for task in tasks:
            task.add_done_callback(on_end)
        try:
            while not failures and (running or finished):
                if finished:
                    yield finished.popleft()
                    has_room.set()
                else:
                    changed.clear()
                    await changed.wait()
            if failures:
                raise failures[0]
        finally:
            await self._end(tasks, source)

    async def _open(self) -> None:
        if self._names is not None:
            await self._names.journal.open(self._names.call)

    async def _end(self, tasks: list[asyncio.Task[None]], source: _Source[K]) -> None:
        try:
            _cancel(tasks)
            await asyncio.gather(*tasks, return_exceptions=True)
            await source.close()
        finally:
            if self._names is not None:
                await self._names.journal.close()

    def _start(
        self, source: _Source[K], report: Callable[[int, Result[K, V]], Coroutine[Any, Any, None]]
    ) -> list[asyncio.Task[None]]:
        progress = _Reporter(self._on_progress, self._total, self._clock) if self._on_progress is not None else None
        names = self._names
        running = self._workers
        items_per_turn = max(1, _ITEMS_PER_TURN // self._workers)

        async def finish(index: int, result: Result[K, V]) -> None:
            await report(index, result)
            if progress is not None:
                progress.count(result.ok)

        async def worker() -> None:
            nonlocal running
            number = 0
            while (taken := await source.next()) is not None:
                index, item = taken
                if names is None:
                    await finish(index, await self._result_of(item))
                else:
                    await self._recorded(index, item, names, finish)
                number += 1
                if number % items_per_turn == 0:
                    await asyncio.sleep(0)  # calls that never suspend must not block the rest of the program
            running -= 1
            if running == 0:
                if names is not None:
                    names.journal.end()
                elif progress is not None:
                    progress.report()

        async def writer(journal: Journal) -> None:
            await journal.write()
            if progress is not None:
                progress.report()

        tasks = [asyncio.create_task(worker()) for _ in range(self._workers)]
        if names is not None:
            tasks.append(asyncio.create_task(writer(names.journal)))
        return tasks

    async def _recorded(
        self,
        index: int,
        item: K,
        names: ItemNames[K],
        finish: Callable[[int, Result[K, V]], Coroutine[Any, Any, None]],
    ) -> None:
        """Report an item that is in the journal, or make its call and write it there before it is reported."""
        name = names.register(item)
        if name in names.journal:
            await finish(index, Success(item, await names.journal.value(name)))
            return
        token = given_keys.set(names.idempotency_keys(name))
        try:
            result = await self._result_of(item, **names.keywords(name))
        finally:
            given_keys.reset(token)
        if result.ok:
            await names.journal.add(name, result.value, functools.partial(finish, index, result))
        else:
            await finish(index, result)

    async def _result_of(self, item: K, **keywords: str) -> Result[K, V]:
        try:
            return Success(item, await self._call(item, **keywords))
        except SentError as error:
            if self._fail_fast:
                raise
            _drop_tracebacks(error)
            return Failure(item, error)


def _keyed(call: Callable[..., Awaitable[V]], key: Callable[[K], str]) -> Callable[[K], Awaitable[V]]:
    return lambda item: call(item, idempotency_key=key(item))


def _drop_tracebacks(error: BaseException) -> None:
    """Remove the tracebacks of an error and of all errors chained to it. They keep local variables alive."""
    chain: list[BaseException | None] = [error]
    for link in chain:
        if link is not None and link.__traceback__ is not None:  # also ends a circular chain
            link.__traceback__ = None
            chain += link.__cause__, link.__context__


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        if not task.cancelling():  # a second cancellation would interrupt its clean-up
            task.cancel()


class _Source(Generic[K]):
    """The items of a batch with their indices. The workers take them from here."""

    def __init__(self, items: Iterable[K] | AsyncIterable[K]) -> None:
        self._numbers = itertools.count()
        self._items = aiter(items) if isinstance(items, AsyncIterable) else iter(items)
        self._lock = asyncio.Lock()  # an async generator cannot run twice at once

    async def next(self) -> tuple[int, K] | None:
        """The next item and its index; ``None`` at the end."""
        if isinstance(self._items, AsyncIterator):
            async with self._lock:
                async for item in self._items:
                    return next(self._numbers), item
            return None
        for item in self._items:
            return next(self._numbers), item
        return None

    async def close(self) -> None:
        close = getattr(self._items, "aclose", None)
        if close is not None:
            await close()


class _Reporter:
    """Counts finished items, and reports the progress at most every tenth of a second."""

    def __init__(self, on_progress: Callable[[Progress], object], total: int | None, clock: Clock) -> None:
        self._on_progress = on_progress
        self._total = total
        self._clock = clock
        self._done = self._failed = 0
        self._started = self._reported_at = clock.time()

    def count(self, ok: bool) -> None:
        self._done += 1
        self._failed += not ok
        if self._clock.time() - self._reported_at >= _PROGRESS_EVERY:
            self.report()

    def report(self) -> None:
        self._reported_at = self._clock.time()
        self._on_progress(Progress(self._done, self._failed, self._total, self._reported_at - self._started))
