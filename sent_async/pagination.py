"""Lists: await one for its first page, or iterate it for every item."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar, overload

from .errors import SentDecodeError
from .models.responses import Pagination

T = TypeVar("T")

_MOST_ITEMS: Final = 10
_MOST_CHARACTERS: Final = 110


class Page(Sequence[T]):
    """The items of one page, in the server's order.

    Args:
        items: The items.
        pagination: The position of the page in its list, if the API sent one.
        request_id: The id to give to the vendor's support.
    """

    __slots__ = ("_items", "pagination", "request_id")

    def __init__(self, items: Sequence[T], pagination: Pagination | None = None, request_id: str | None = None) -> None:
        self._items = items
        self.pagination = pagination
        self.request_id = request_id

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
        """The first items, each in one line, and how many there are."""
        lines = [f"  {_shortened(repr(item))}" for item in self[:_MOST_ITEMS]]
        if len(self) > _MOST_ITEMS:
            lines.append(f"  ... {len(self) - _MOST_ITEMS:,} more")
        return "\n".join([f"<Page: {summary_of(self)}", *lines]) + ">"

    def _repr_html_(self) -> str:
        """A table of the items, for notebooks."""
        from .notebook import page_table

        return page_table(self)


class Paginator(Generic[T]):
    """A list that has not been requested yet::

        page = await sent.templates.list()                # the first page
        async for template in sent.templates.list():      # every item of every page
        async for page in sent.templates.list().pages():  # every page

    Each page is one call, with the client's retries and deadline. The iteration ends when the API says that there is no
    more. A list that contradicts itself raises a ``SentDecodeError``, so it never ends early without an error.

    Args:
        fetch: Requests the page with this number. ``None`` requests the first page without a number.
        first: The number of the first page to request.
    """

    __slots__ = ("_fetch", "_first")

    def __repr__(self) -> str:
        return "<Paginator: await it for the first page, or iterate it with 'async for' for every item>"

    def __init__(self, fetch: Callable[[int | None], Awaitable[Page[T]]], first: int | None = None) -> None:
        self._fetch = fetch
        self._first = first

    def __await__(self) -> Generator[Any, None, Page[T]]:
        return self._fetch(self._first).__await__()

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Iterate over every page that has items.

        Yields:
            One page after another.

        Raises:
            SentDecodeError: The API said that there is more, and then sent an empty page before the last item, the same
                page again, or an earlier page.
            SentError: A request failed.
        """
        page = await self._fetch(self._first)
        number, total = self._first or 1, None
        position = page.pagination
        seen = 0
        if position is not None and position.page is not None:
            seen = (position.page - 1) * (position.page_size or 0)  # the items before the first page that was requested
        while True:
            position = page.pagination
            more = None
            if position is not None:
                number = position.page if position.page is not None else number
                total = position.total_count if position.total_count is not None else total
                more = position.has_more
            if page:
                yield page
            seen += len(page)
            if more is None:  # without has_more, the counts decide
                more = total is not None and seen < total
            if not more:
                return
            if not page or position is None:
                if total is not None and seen < total:
                    raise _contradiction(page, f"page {number} is the last one with {seen:,} of {total:,} items")
                return
            next_page = await self._fetch(number + 1)
            position = next_page.pagination
            if position is not None and position.page is not None and position.page <= number:
                raise _contradiction(next_page, f"page {position.page} came instead of page {number + 1}")
            if list(next_page) == list(page):
                raise _contradiction(next_page, f"page {number + 1} has the same items as page {number}")
            page, number = next_page, number + 1

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page:
                yield item


def summary_of(page: Page[Any]) -> str:
    """The size and position of a page, such as ``100 items, page 1 of 12, 1,188 in all``."""
    parts = [f"{len(page):,} {'item' if len(page) == 1 else 'items'}"]
    position = page.pagination
    if position is not None and position.page is not None:
        parts.append(f"page {position.page:,}" + (f" of {position.total_pages:,}" if position.total_pages else ""))
    if position is not None and position.total_count is not None:
        parts.append(f"{position.total_count:,} in all")
    return ", ".join(parts)


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 4]} ..."


def _contradiction(page: Page[Any], what: str) -> SentDecodeError:
    return SentDecodeError(
        f"the list contradicts itself: {what} - at $.data.pagination",
        status=200,
        request_id=page.request_id,
        path="$.data.pagination",
    )
