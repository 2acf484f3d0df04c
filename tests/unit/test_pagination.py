"""Where an iteration over pages ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sent_async import Page, Paginator, SentDecodeError
from sent_async.models import Pagination


def pagination(page: int, has_more: bool) -> Pagination:
    return Pagination(page=page, page_size=2, total_count=9, total_pages=5, has_more=has_more)


class Source:
    """Gives the scripted pages one by one, the last for ever, and notes which numbers were asked for."""

    def __init__(self, *pages: Page[str]) -> None:
        self.pages = list(pages)
        self.asked: list[int | None] = []

    async def fetch(self, number: int | None) -> Page[str]:
        assert len(self.asked) < 20, "asks without end"
        self.asked.append(number)
        return self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]


def page(items: str, number: int | None = None, more: bool = False) -> Page[str]:
    return Page(list(items), None if number is None else pagination(number, more), "req_1")


def counted(items: str, total: int, more: bool | None = None, size: int | None = None) -> Page[str]:
    """A page that says how many items there are, and little else."""
    return Page(list(items), Pagination(total_count=total, has_more=more, page_size=size), "req_1")


@pytest.mark.parametrize(
    ("pages", "items", "asked"),
    [
        pytest.param(
            [page("ab", 1, True), page("cd", 2, True), page("e", 3)], "abcde", [None, 2, 3], id="has_more false"
        ),
        pytest.param([page("ab")], "ab", [None], id="no pagination"),
        pytest.param([counted("ab", 4, True), page("cd")], "abcd", [None, 2], id="pagination ends with the items"),
        pytest.param(
            [page("ab", 1, True), page("cd", 5, True), page("e", 6)], "abcde", [None, 2, 6], id="number jumps"
        ),
    ],
)
async def test_stops(pages: list[Page[str]], items: str, asked: list[int | None]) -> None:
    """There is no request too many and no item twice, however the list ends."""
    source = Source(*pages)
    assert [item async for item in Paginator(source.fetch)] == list(items)
    assert source.asked == asked


@pytest.mark.parametrize(
    ("pages", "items", "what"),
    [
        pytest.param([page("", 1, True)], "", "page 1 is the last one with 0 of 9 items", id="empty at once"),
        pytest.param(
            [page("ab", 1, True), page("", 2, True)], "ab", "page 2 is the last one with 2 of 9 items", id="empty later"
        ),
        pytest.param(
            [page("ab", 1, True), page("ba", 1, True)], "ab", "page 1 came instead of page 2", id="stands still"
        ),
        pytest.param([page("ab", 3, True), page("cd", 2, True)], "ab", "page 2 came instead of page 4", id="goes back"),
        pytest.param([page("ab", 1, True), page("ab", 2, True)], "ab", "same items as page 1", id="the same items"),
        pytest.param([page("ab", 1, True), page("ab")], "ab", "same items", id="the same items, no pagination"),
    ],
)
async def test_a_list_that_ends_too_early_is_an_error(pages: list[Page[str]], items: str, what: str) -> None:
    """A page that contradicts earlier ones is an error, after all items that were read."""
    seen: list[str] = []

    async def read() -> None:
        async for item in Paginator(Source(*pages).fetch):
            seen.append(item)

    with pytest.raises(SentDecodeError, match=what) as caught:
        await read()
    assert seen == list(items)
    assert (caught.value.path, caught.value.request_id) == ("$.data.pagination", "req_1")


async def test_a_page_that_does_not_say_whether_there_is_more() -> None:
    """The number of items so far and the total decide."""
    source = Source(counted("ab", 3), counted("c", 3))
    assert [item async for item in Paginator(source.fetch)] == ["a", "b", "c"]
    assert source.asked == [None, 2]


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([counted("ab", 9, True), page("cd")], id="the position is missing later"),
        pytest.param(
            [counted("ab", 9), counted("cd", 9), counted("", 9)], id="empty, and it does not say if there is more"
        ),
        pytest.param(
            [counted("ab", 5, True, size=9), counted("cd", 5, True, size=9), counted("", 5, True, size=9)],
            id="pages shorter than their size",
        ),
    ],
)
async def test_items_are_counted(pages: list[Page[str]]) -> None:
    """A list with fewer items than the API counted is an error."""
    seen: list[str] = []

    async def read() -> None:
        async for item in Paginator(Source(*pages).fetch):
            seen.append(item)

    with pytest.raises(SentDecodeError, match=r"4 of [59] items"):
        await read()
    assert seen == list("abcd")


async def test_an_empty_page_after_the_last_item() -> None:
    """``has_more`` may be wrong when every item has been read."""
    end = Page[str]([], Pagination(page=6, page_size=2, total_count=9, total_pages=5, has_more=True))
    assert [item async for item in Paginator(Source(page("ab", 5, True), end).fetch)] == ["a", "b"]


async def test_pages_without_numbers_or_total() -> None:
    """Pages are counted, and an empty page is the end."""
    pages = [Page([letter], Pagination(has_more=True)) for letter in "abc"] + [Page[str]([], Pagination(has_more=True))]
    source = Source(*pages)
    assert [item async for item in Paginator(source.fetch)] == ["a", "b", "c"]
    assert source.asked == [None, 2, 3, 4]


async def test_await_gives_the_first_page() -> None:
    """Awaiting makes one request, for the page that was asked for."""
    source = Source(page("ab", 4, True))
    first = await Paginator(source.fetch, first=4)
    assert (list(first), source.asked) == (["a", "b"], [4])


async def test_nothing_is_asked_before_it_is_needed() -> None:
    """Making a paginator sends nothing, and a page is requested when its first item is needed."""
    source = Source(page("ab", 1, True), page("cd", 2))
    items = aiter(Paginator(source.fetch))
    assert source.asked == []
    assert [await anext(items), await anext(items)] == ["a", "b"]
    assert source.asked == [None]
    assert await anext(items) == "c"


async def test_iterating_twice_asks_twice() -> None:
    """A paginator stores nothing: each iteration makes its own requests."""
    source = Source(page("ab", 1))
    paginator = Paginator(source.fetch)
    assert [item async for item in paginator] == [item async for item in paginator]
    assert source.asked == [None, None]


async def test_pages() -> None:
    """Page by page, each with its position."""
    source = Source(page("ab", 1, True), page("c", 2))
    pages = [page async for page in Paginator(source.fetch).pages()]
    assert [list(page) for page in pages] == [["a", "b"], ["c"]]
    assert [page.pagination.page for page in pages if page.pagination] == [1, 2]


async def test_an_error_on_a_later_page_comes_out() -> None:
    """The items before it were delivered, and the error is raised."""
    asked: list[int | None] = []

    async def fetch(number: int | None) -> Page[str]:
        asked.append(number)
        if len(asked) == 2:
            raise ConnectionError
        return page("ab", 1, True)

    seen = []

    async def read() -> None:
        async for item in Paginator(fetch):
            seen.append(item)

    with pytest.raises(ConnectionError):
        await read()
    assert seen == ["a", "b"]


def test_a_page_is_a_sequence() -> None:
    """It has length, order, slices and membership."""
    letters = page("abc", 1)
    assert isinstance(letters, Sequence) and len(letters) == 3
    assert (letters[0], letters[-1], letters[1:]) == ("a", "c", ["b", "c"])
    assert "b" in letters and letters.index("c") == 2 and list(reversed(letters)) == ["c", "b", "a"]
    assert not page("")
