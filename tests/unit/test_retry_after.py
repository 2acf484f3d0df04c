"""The forms of ``Retry-After``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from sent_async import SentAPIError
from sent_async.envelope import decode, retry_after
from sent_async.operations import LIST_PROFILES
from sent_async.retry import RETRY_AFTER_CAP, wait_before_retry
from tests.support.clocks import FakeClock

CLOCK = FakeClock()
NOW = 1_790_000_000.0


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own time zone is not UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def read(value: str, date: str | None = None) -> float | None:
    headers = CIMultiDict({"retry-after": value})
    if date is not None:
        headers["date"] = date
    return retry_after(headers, now=NOW)


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0.0), ("7", 7.0), (" 7 ", 7.0), ("1.5", 1.5), ("60", 60.0), ("86400", 86400.0)]
)
def test_seconds(value: str, seconds: float) -> None:
    """Seconds are read with their decimals."""
    assert read(value) == seconds


@pytest.mark.parametrize(
    "value",
    ["", " ", "-1", "-0.5", "nan", "NaN", "inf", "-inf", "1e3", "0x10", "1_000", "soon", "1 2", "7s", "1.", ".5", "+5"],
)
def test_unreadable_counts_as_absent(value: str) -> None:
    """A negative value or a text is ignored."""
    assert read(value) is None


def test_absent() -> None:
    """Without the header there is no wait."""
    assert retry_after({}, now=NOW) is None


def test_a_date_is_relative_to_the_response() -> None:
    """A date is compared with the response's own Date, so different clocks do no harm."""
    assert read(formatdate(5_030.0, usegmt=True), date=formatdate(5_000.0, usegmt=True)) == 30.0


def test_a_date_without_a_date() -> None:
    """Without a readable Date it is compared with our own clock."""
    assert read(formatdate(NOW + 12, usegmt=True)) == 12.0
    assert read(formatdate(NOW + 12, usegmt=True), date="yesterday") == 12.0


def test_a_past_date_counts_as_absent() -> None:
    """A date in the past is ignored."""
    assert read(formatdate(NOW - 1, usegmt=True)) is None


def test_a_date_now_is_no_wait() -> None:
    """The date of the response itself is zero seconds."""
    assert read(formatdate(NOW, usegmt=True)) == 0.0


@pytest.mark.usefixtures("far_east")
@pytest.mark.parametrize(
    "value", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 -0000"]
)
def test_http_dates_are_gmt(value: str) -> None:
    """Each form of an HTTP date is GMT, whatever the time zone of this machine."""
    assert read(value, date="Sun, 06 Nov 1994 08:49:30 GMT") == 7.0


@pytest.mark.parametrize("value", ["9" * 400, "1" + "0" * 30, "3601", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_absurd_is_over_the_cap(value: str) -> None:
    """A very large value is a number on the error, and is not waited for."""
    seconds = read(value)
    assert seconds is not None and seconds > RETRY_AFTER_CAP
    assert wait_before_retry(0.1, seconds, None) is None


@given(st.text(max_size=60) | st.from_regex(r"\A[0-9.,:A-Za-z +-]{1,40}\Z"))
def test_anything(value: str) -> None:
    """Any header gives seconds that are not negative, or nothing."""
    seconds = read(value)
    assert seconds is None or seconds >= 0


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_dates(until: str, since: str) -> None:
    """Any Date header does the same."""
    seconds = read(until, date=since)
    assert seconds is None or seconds >= 0


def test_it_is_on_the_error() -> None:
    """Every API error carries it, whatever its status."""
    with pytest.raises(SentAPIError) as caught:
        decode(LIST_PROFILES, 503, CIMultiDict({"Retry-After": "3"}), b"", CLOCK)
    assert caught.value.retry_after == 3.0


def test_a_date_is_measured_on_the_clock_that_was_passed_in() -> None:
    """When the response has no Date, the client's clock is used."""
    until = formatdate(CLOCK.wall() + 25, usegmt=True)
    with pytest.raises(SentAPIError) as caught:
        decode(LIST_PROFILES, 503, CIMultiDict({"Retry-After": until}), b"", CLOCK)
    assert caught.value.retry_after == 25.0
