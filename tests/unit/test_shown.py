"""How a console and a notebook show models, pages, lists and batches."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from sent_async import Page, Paginator, SentClient, SentResponse, batch
from sent_async.models import (
    MessageSend,
    MessageStatus,
    Pagination,
    PaymentDetails,
    RcsAgent,
    Template,
    TemplateStatus,
    VoiceToken,
)

CARD = "4111111111111111"


def template(number: int, **members: Any) -> Template:
    return Template(id=f"t{number}", name=f"Template {number}", **members)


def full_page(items: int = 100) -> Page[Template]:
    position = Pagination(page=2, page_size=items, total_count=1188, total_pages=12, has_more=True)
    return Page([template(number, status=TemplateStatus.APPROVED) for number in range(items)], position, "req_1")


class Table(HTMLParser):
    """The texts of a table's cells, row by row, and the names of all elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.caption = ""
        self._open = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        self._open = tag
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self._open in ("td", "th"):
            self.rows[-1][-1] += data
        else:
            self.caption += data


def test_a_page_fits_a_screen() -> None:
    """At most 24 lines of 120 columns, which say how many items there are and where the page is in its list."""
    lines = repr(full_page()).splitlines()
    assert lines[0] == "<Page: 100 items, page 2 of 12, 1,188 in all"
    assert lines[1].startswith("  Template(id='t0', name='Template 0', status=TemplateStatus.APPROVED)")
    assert lines[-1] == "  ... 90 more>"
    assert len(lines) <= 24 and all(len(line) <= 120 for line in lines)


def test_a_page_that_has_no_position() -> None:
    """The repr has the number of items, and a long item is cut."""
    assert repr(Page(["a"])) == "<Page: 1 item\n  'a'>"
    assert repr(Page([])) == "<Page: 0 items>"
    assert repr(Page([], Pagination(page=1))) == "<Page: 0 items, page 1>"
    assert repr(Page(["x" * 500])).splitlines()[1].endswith("xxx ...>")


def test_lists_and_batches_say_what_to_do_with_them() -> None:
    """The repr of a paginator or a batch says how to use it."""

    async def call(item: str) -> str:
        return item

    async def fetch(_: int | None) -> Page[str]:
        return Page([])

    assert (
        repr(Paginator(fetch))
        == "<Paginator: await it for the first page, or iterate it with 'async for' for every item>"
    )
    assert repr(batch(call, ["a"])) == "<Batch of 1: await it for a list, or iterate it with 'async for'>"
    assert repr(batch(call, iter("a"))).startswith("<Batch: await it")


async def test_a_batch_that_has_run() -> None:
    """The repr says that it has run."""

    async def call(item: str) -> str:
        return item

    done = batch(call, ["a", "b"])
    await done
    assert repr(done) == "<Batch of 2: has run already>"


def test_a_resource_names_its_methods() -> None:
    """The repr has its methods and the resources below it."""
    sent = SentClient("key")
    assert repr(sent.profiles.campaigns) == "<sent.profiles.campaigns: list, create, update, delete>"
    assert repr(sent.profiles).endswith("update, delete, complete; campaigns>")


def test_an_enum_member_is_short() -> None:
    """A known member is shown by its Python name, an unknown one by its value."""
    assert repr(MessageStatus.SENT) == "MessageStatus.SENT"
    assert repr(MessageStatus("PAUSED")) == "MessageStatus('PAUSED')"


def test_a_response_shows_no_headers() -> None:
    """Headers may hold secrets, such as cookies."""
    response = SentResponse(data=["a"], status=200, headers={"X-Request-Id": "req_1", "Set-Cookie": "secret"})
    assert repr(response) == ("SentResponse(status=200, request_id='req_1', attempts=1, replayed=False, data=['a'])")


def test_a_page_as_a_table() -> None:
    """A row for each item, a column for each member that has a value in any of them."""
    items = [template(1), template(2, status=TemplateStatus.DRAFT, created_at=datetime(2026, 3, 1, tzinfo=UTC))]
    table = Table(Page(items)._repr_html_())
    assert table.rows == [
        ["id", "name", "status", "created_at"],
        ["t1", "Template 1", "", ""],
        ["t2", "Template 2", "DRAFT", "2026-03-01 00:00:00+00:00"],
    ]
    assert table.caption == "2 items"


def test_a_large_page_as_a_table() -> None:
    """Rows, columns and cells have a limit, and the caption says what is left out."""
    table = Table(full_page(250)._repr_html_())
    assert len(table.rows) == 101
    assert table.caption == "250 items, page 2 of 12, 1,188 in all; the first 100 are shown"
    wide = Table(Page([{"a": 1}, ["x" * 500]])._repr_html_())
    assert wide.rows[1] == ["{'a': 1}"]
    assert len(wide.rows[2][0]) == 80 and wide.rows[2][0].endswith("…")


def test_a_wide_page_as_a_table() -> None:
    """Members beyond the twelfth are named in the caption."""
    members = RcsAgent.__struct_fields__
    values: dict[str, Any] = dict.fromkeys(members, "x")
    table = Table(Page([RcsAgent(**values)])._repr_html_())
    assert len(table.rows[0]) == 12
    assert f"{len(members) - 12} more members: " in table.caption and members[-1] in table.caption


def test_a_model_as_a_table() -> None:
    """It has a row for each member with a value."""
    table = Table(template(1, channels=["sms", "whatsapp"])._repr_html_())
    assert table.rows == [["member", "value"], ["id", "t1"], ["name", "Template 1"], ["channels", "sms, whatsapp"]]
    assert table.caption == "Template"


def test_a_table_is_escaped() -> None:
    """Text of the API is never markup."""
    html = "</td><script>alert(1)</script>"
    for shown in (template(1, language=html), Page([template(1, language=html)]), Page([html])):
        table = Table(shown._repr_html_())
        assert table.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
        assert any(html in row for row in table.rows)


@pytest.mark.parametrize(
    "shown",
    [
        VoiceToken(token=CARD),
        Page([VoiceToken(token=CARD)]),
        PaymentDetails(card_number=CARD, expiry=CARD, cvc=CARD, zip_code="94103"),
        MessageSend(to=["+14155551234"], text=CARD),
    ],
    ids=lambda shown: type(shown).__name__,
)
def test_a_table_masks_secrets(shown: Any) -> None:
    """Secrets are masked in a table, too."""
    html = shown._repr_html_()
    assert CARD not in html and "***" in html
