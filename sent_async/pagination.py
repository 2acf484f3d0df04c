"""Lists: await one for its first page, iterate it for every item, page after page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from .models.responses import Pagination

T = TypeVar("T")


class Page(Sequence[T]):
    """The items of one page, in the server's order, and its ``pagination`` when the API sent one."""

    __slots__ = ("_items", "pagination")

    def __init__(self, items: Sequence[T], pagination: Pagination | None = None) -> None:
        self._items = items
        self.pagination = pagination

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"Page({list(self._items)!r}, pagination={self.pagination!r})"


class Paginator(Generic[T]):
    """A list that has not been asked for yet::

        page = await sent.templates.list()              # the first page
        async for template in sent.templates.list():    # every item, page after page
        async for page in sent.templates.list().pages():

    Each page is a request of its own, with the client's retries and deadline. Iterating stops when the API says there
    is no more, at an empty page, and at a server that does not move on to the page it was asked for.
    """

    __slots__ = ("_fetch", "_first")

    def __init__(self, fetch: Callable[[int | None], Awaitable[Page[T]]], first: int | None = None) -> None:
        self._fetch = fetch
        self._first = first

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._fetch(self._first).__await__()

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Every page that has items."""
        page = await self._fetch(self._first)
        while page:
            yield page
            here = page.pagination
            if here is None or not here.has_more:
                return
            following = await self._fetch(here.page + 1)
            there = following.pagination
            if (there is not None and there.page <= here.page) or list(following) == list(page):
                return
            page = following

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page:
                yield item
