"""Dates and times as .NET writes them, in correct and incorrect forms."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import SentDecodeError
from sent_async.envelope import decode
from sent_async.models import Profile
from sent_async.operations import LIST_PROFILES, RETRIEVE_PROFILE
from sent_async.repair import convert, path_and_message
from tests.support.clocks import FakeClock
from tests.support.payloads import envelope, profile

CLOCK = FakeClock()


def read(stamp: object) -> Profile:
    data, _ = decode(RETRIEVE_PROFILE, 200, {}, envelope(profile(updated_at=stamp)), CLOCK)
    return data


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        ("2026-03-31T15:21:52.16610+00:00", datetime(2026, 3, 31, 15, 21, 52, 166100, UTC)),
        ("2026-05-21T12:05:03.754463+00:00", datetime(2026, 5, 21, 12, 5, 3, 754463, UTC)),
        ("2024-01-15T10:30:00Z", datetime(2024, 1, 15, 10, 30, tzinfo=UTC)),
        ("2024-01-15T10:30:00+02:00", datetime(2024, 1, 15, 10, 30, tzinfo=timezone(timedelta(hours=2)))),
        ("0001-01-01T00:00:00+00:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("2026-03-31T15:21:52", datetime(2026, 3, 31, 15, 21, 52, tzinfo=UTC)),
        ("2026-03-31T15:21:52.1234567", datetime(2026, 3, 31, 15, 21, 52, 123456, UTC)),
        ("9999-12-31T23:59:59.9999999", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("9999-12-31T23:59:59.9999999+00:00", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_a_stamp(stamp: str, moment: datetime) -> None:
    """Every form becomes an aware datetime; one without an offset is UTC."""
    updated = read(stamp).updated_at
    assert updated == moment
    assert updated is not None and updated.tzinfo is not None


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (date, "2026-03-31", date(2026, 3, 31)),
        (date, "2026-03-31T15:21:52.1661009+00:00", date(2026, 3, 31)),
        (date, "2026-03-31T00:00:00", date(2026, 3, 31)),
        (time, "15:21", time(15, 21)),
        (time, "15:21:52.1661000", time(15, 21, 52, 166100)),
        (timedelta, "PT1H30M", timedelta(hours=1, minutes=30)),
        (timedelta, "01:30:00", timedelta(hours=1, minutes=30)),
        (timedelta, "-2.00:00:01.5000000", -timedelta(days=2, seconds=1.5)),
    ],
)
def test_dates_times_and_durations(kind: type[Any], text: str, expected: object) -> None:
    """They decode in the forms that .NET gives them, in lists too."""
    assert convert({"items": [text, text]}, dict[str, list[kind]]) == {"items": [expected, expected]}  # type: ignore[valid-type]  # a variable


@pytest.mark.parametrize("kind", [date, time, timedelta])
@pytest.mark.parametrize("text", ["soon", "", "9" * 400 + ".00:00:00", "99:99", 7, None])
def test_values_that_are_no_date_time_or_duration(kind: type[Any], text: object) -> None:
    """Other text is refused, and the error names its place."""
    with pytest.raises(msgspec.ValidationError) as caught:
        convert([text], list[kind])  # type: ignore[valid-type]  # a variable
    assert path_and_message(caught.value)[0] == "$[0]"


def test_seven_digits() -> None:
    """Seven digits are read to within a microsecond."""
    updated = read("2026-03-31T15:21:52.1661009+00:00").updated_at
    assert updated is not None
    assert abs(updated - datetime(2026, 3, 31, 15, 21, 52, 166101, UTC)) <= timedelta(microseconds=1)


@pytest.mark.parametrize("stamp", ["yesterday", "", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00", 7, True, [], {}])
def test_values_that_are_no_time_stamp(stamp: object) -> None:
    """Other text is a decode error that names the member."""
    with pytest.raises(SentDecodeError) as caught:
        read(stamp)
    assert caught.value.path == "$.data.updated_at"


def test_naive_stamps_everywhere() -> None:
    """Times without an offset are repaired in all items and members; others stay as they are."""
    naive = "2026-03-31T15:21:52"
    brand = {**profile()["brand"], "created_at": naive}
    profiles = [profile(), profile(created_at=naive), profile(updated_at=naive, brand=brand)]
    body = envelope({"profiles": profiles}, meta={"request_id": "r", "timestamp": naive})
    data, meta = decode(LIST_PROFILES, 200, {}, body, CLOCK)
    aware = datetime(2026, 3, 31, 15, 21, 52, tzinfo=UTC)
    third = data.profiles[2]
    assert data.profiles[1].created_at == third.updated_at == aware
    assert third.brand is not None and third.brand.created_at == aware
    assert data.profiles[0].created_at != aware
    assert meta is not None and meta.timestamp == aware


def test_naive_stamps_among_unlike_neighbours() -> None:
    """Items without the member are skipped."""
    without = profile(id="a", brand=None)
    del without["updated_at"]
    profiles = [without, profile(id="b", updated_at="2026-03-31T15:21:52")]
    data, _ = decode(LIST_PROFILES, 200, {}, envelope({"profiles": profiles}), CLOCK)
    assert data.profiles[0].updated_at is None
    assert data.profiles[1].updated_at == datetime(2026, 3, 31, 15, 21, 52, tzinfo=UTC)


def test_a_naive_stamp_does_not_hide_a_wrong_one() -> None:
    """After the first is repaired, a wrong one is still an error at its own place."""
    profiles = [profile(created_at="2026-03-31T15:21:52"), profile(created_at="soon")]
    with pytest.raises(SentDecodeError) as caught:
        decode(LIST_PROFILES, 200, {}, envelope({"profiles": profiles}), CLOCK)
    assert caught.value.path == "$.data.profiles[1].created_at"


@given(st.datetimes(), st.integers(0, 9))
def test_any_naive_stamp(moment: datetime, seventh: int) -> None:
    """A time without an offset is UTC."""
    stamp = f"{moment.isoformat(timespec='microseconds')}{seventh}"
    assert read(stamp).updated_at == moment.replace(tzinfo=UTC)
