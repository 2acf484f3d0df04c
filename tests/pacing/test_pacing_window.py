"""``Window``, row by row: what it makes of answers. Pure: seconds and Unix time are passed in."""

from __future__ import annotations

import email.utils

import pytest

from sent_async.pacing import Window, seconds_until_reset

UNIX = 1_800_000_000.0


def headers(limit: int = 10, remaining: int = 9, reset: float = 60.0, **more: str) -> dict[str, str]:
    """Rate headers as the API sends them; ``reset`` in seconds from time 0."""
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": f"{UNIX + reset:.0f}",
        **named,
    }


def after(*answers: tuple[float, int, dict[str, str]]) -> Window:
    """A window that has heard these answers (time, status, headers), each to one request."""
    window = Window()
    for now, status, told in answers:
        permit = window.take(now)
        window.in_flight -= 1
        window.answered(now, UNIX + now, permit, status, told)
    return window


def let_go(window: Window, now: float) -> int:
    """How many requests may go at once."""
    count = 0
    while count < 1_000 and window.ready_at(now) <= now:
        window.take(now)
        count += 1
    return count


REFUSED = headers(remaining=0, reset=40)
NO_TIME = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0"}


@pytest.mark.parametrize(
    ("window", "now", "goes"),
    [
        pytest.param(after(), 0.0, 1, id="nothing known: one request, to learn"),
        pytest.param(after((0, 200, headers(remaining=9))), 1.0, 9, id="as many as remain, then one at the reset"),
        pytest.param(after((0, 200, headers(remaining=0))), 1.0, 0, id="none remain"),
        pytest.param(after((0, 200, headers(remaining=0))), 59.0, 0, id="none remain until the reset"),
        pytest.param(after((0, 200, headers(remaining=0))), 60.0, 1, id="after the reset: one, to learn"),
        pytest.param(after((0, 200, {})), 0.0, 1_000, id="no rate headers: no limit"),
        pytest.param(after((0, 500, {})), 0.0, 1_000, id="an error without rate headers: no limit"),
        pytest.param(after((0, 0, {})), 0.0, 1, id="no answer: still nothing known"),
        pytest.param(after((0, 404, headers(remaining=3))), 0.0, 3, id="errors count and tell"),
        pytest.param(after((0, 200, headers(remaining=5)), (1, 200, {})), 1.0, 5, id="headers missing once"),
        pytest.param(
            after((0, 200, headers(remaining=5)), (1, 200, headers(remaining=8))), 1.0, 5, id="answers out of order"
        ),
        pytest.param(
            after((0, 200, headers(remaining=0)), (61, 200, headers(remaining=7, reset=121))),
            61.0, 7, id="the next window",
        ),
        pytest.param(
            after((0, 200, headers(limit=10)), (61, 200, headers(limit=4, remaining=3, reset=121))),
            61.0, 3, id="a lowered limit",
        ),
        pytest.param(
            after((0, 200, headers(limit=10)), (61, 200, headers(limit=50, remaining=49, reset=121))),
            61.0, 49, id="a raised limit",
        ),
        pytest.param(after((0, 200, headers(remaining=7)), (1, 429, REFUSED)), 39.0, 0, id="429: none until the reset"),
        pytest.param(after((0, 429, headers(remaining=0, Retry_After="5"))), 4.9, 0, id="429: Retry-After decides"),
        pytest.param(after((0, 429, headers(remaining=0, Retry_After="5"))), 5.0, 1, id="429: then one, to learn"),
        pytest.param(after((0, 429, {})), 0.9, 0, id="429 that tells nothing: a second the first time"),
        pytest.param(after((0, 429, {})), 1.0, 1, id="429 that tells nothing: then one"),
        pytest.param(after((0, 429, {}), (9, 429, {})), 10.9, 0, id="429 that tells nothing: longer the second time"),
        pytest.param(after((0, 200, NO_TIME)), 0.9, 0, id="spent, and no reset told: a second"),
        pytest.param(after((0, 200, NO_TIME)), 1.0, 1, id="spent, and no reset told: then one"),
        pytest.param(
            after((0, 200, {"X-RateLimit-Remaining": "many"})), 0.0, 1_000, id="unreadable headers are no headers"
        ),
    ],
)  # fmt: skip
def test_how_many_requests_may_go_at_once(window: Window, now: float, goes: int) -> None:
    """After these answers, at this time."""
    assert let_go(window, now) == goes


def test_requests_in_flight_count_against_what_remains() -> None:
    """Seven remain by the last answer, but two requests sent before it are still unanswered."""
    window = after((0, 200, headers(remaining=9)))
    for _ in range(3):
        window.take(1)
    window.in_flight -= 1
    window.answered(1, UNIX + 1, 0, 200, headers(remaining=7))

    assert let_go(window, 1) == 5


def test_an_unanswered_request_to_learn_holds_the_others_a_second() -> None:
    """Then one more goes, and so on: a hanging answer must not stop everything."""
    window = Window()

    assert let_go(window, 0) == 1
    assert window.ready_at(0.5) == 1.0
    assert let_go(window, 1.0) == 1
    assert let_go(window, 1.5) == 0


def test_many_refusals_of_one_burst_are_one_pause() -> None:
    """Requests under way when the pause began only make it longer, never a second one."""
    window = after((0, 200, headers(remaining=9)))
    permits = [window.take(1) for _ in range(5)]
    for wait, permit in zip(("3", "4", "2", "4", "1"), permits, strict=True):
        window.in_flight -= 1
        window.answered(1, UNIX + 1, permit, 429, headers(remaining=0, Retry_After=wait))

    assert window.pauses == 1
    assert window.paused_until == 5.0


def test_after_a_pause_requests_go_out_spread() -> None:
    """Ten a minute means one every six seconds, until a whole window has been calm."""
    window = after((0, 200, headers()), (1, 429, headers(remaining=0, Retry_After="5")))
    window.take(6)
    window.in_flight -= 1
    window.answered(6, UNIX + 6, window.pauses, 200, headers(remaining=9, reset=66))

    assert not window.calm
    assert [let_go(window, now) for now in (7, 12, 13, 18, 24)] == [0, 1, 0, 1, 1]
    assert let_go(window, 66) == 9 - 3 + 1, "what remains, and one to learn of the next window"
    assert window.calm


def test_a_late_alarm_is_made_up_for() -> None:
    """Spread requests keep their rate although each wakes a little late."""
    window = after((0, 200, headers()), (1, 429, headers(remaining=0, Retry_After="5")))
    window.take(6)
    window.in_flight -= 1
    window.answered(6, UNIX + 6, window.pauses, 200, headers(remaining=9, reset=66))

    assert [let_go(window, now) for now in (14, 17, 23.5, 24)] == [1, 0, 1, 1]


def test_a_refusal_that_still_promises_requests_ends_bursts_for_long() -> None:
    """There is a limit below the one the headers tell of, so that the next burst would be refused as well."""
    told, lied = (after((0, 200, headers()), (1, 429, headers(remaining=left, Retry_After="5"))) for left in (0, 6))

    assert told.ready_at(200) == lied.ready_at(200) == 200
    assert told.calm
    assert not lied.calm


def test_without_any_header_the_spread_slows_with_every_pause() -> None:
    """Nothing tells the rate: guess, and guess lower each time."""
    gaps = []
    for pauses in (1, 2, 3):
        window = after(*[(60.0 * number, 429, {}) for number in range(pauses)])
        start = window.paused_until
        window.take(start)
        gaps.append(window.ready_at(start) - start if window.ready_at(start) < start + 1 else 1.0)
        window.in_flight -= 1
        window.answered(start, UNIX, window.pauses, 200, {})

    assert gaps == sorted(gaps)


def _date(seconds: float) -> str:
    return email.utils.formatdate(UNIX + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 30:.0f}"}, 30.0, id="no Date: by our clock"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 30:.0f}", "Date": _date(1)}, 30.0, id="clocks agree: by ours"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 630:.0f}", "Date": _date(600)}, 30.0, id="ours is slow"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX - 570:.0f}", "Date": _date(-600)}, 30.0, id="ours is fast"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 30:.0f}", "Date": "soon"}, 30.0, id="unreadable Date"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 30:.0f}", "Date": _date(90)}, 30.0, id="past by its Date"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX - 5:.0f}"}, None, id="past"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 86_400:.0f}"}, None, id="too far to believe"),
        pytest.param({"X-RateLimit-Reset": "60"}, None, id="not Unix time"),
        pytest.param({"X-RateLimit-Reset": "later"}, None, id="no number"),
        pytest.param({"X-RateLimit-Reset": "nan"}, None, id="not a number"),
        pytest.param({"X-RateLimit-Reset": "inf"}, None, id="infinite"),
        pytest.param({}, None, id="absent"),
    ],
)
def test_seconds_until_reset(told: dict[str, str], expected: float | None) -> None:
    """Reset is Unix time by the server's clock."""
    assert seconds_until_reset(told, UNIX) == expected
