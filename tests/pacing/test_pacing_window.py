"""``RateWindow``: what it learns from responses. It is pure: seconds and Unix time are passed in."""

from __future__ import annotations

import email.utils
import math

import pytest

from sent_async.rate_window import RateWindow, seconds_until_reset

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


def after(*responses: tuple[float, int, dict[str, str]]) -> RateWindow:
    """A window that has learned from these responses (time, status, headers), each to one request."""
    window = RateWindow()
    for now, status, received in responses:
        respond(window, now, window.spend(now), status, received)
    return window


def respond(window: RateWindow, now: float, permit: int, status: int, received: dict[str, str]) -> None:
    window.in_flight -= 1
    if not window.learn_fast(now, status, received):
        window.learn(now, UNIX + now, permit, status, received)


def let_go(window: RateWindow, now: float) -> int:
    """How many requests may go at once."""
    count = 0
    while count < 1_000 and window.room(now) >= 1:
        window.spend(now)
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
        pytest.param(after((0, 0, {})), 0.0, 1, id="no response: still nothing known"),
        pytest.param(after((0, 404, headers(remaining=3))), 0.0, 3, id="errors count, too"),
        pytest.param(after((0, 200, headers(remaining=5)), (1, 200, {})), 1.0, 4, id="headers missing once: it counts"),
        pytest.param(
            after((0, 200, headers(remaining=5)), *[(1, 404, {})] * 5), 59.0, 0, id="headers missing until it is spent"
        ),
        pytest.param(after((0, 200, headers(remaining=0)), (1, 200, {})), 59.0, 0, id="never less than none"),
        pytest.param(after((0, 200, headers(remaining=5)), (1, 503, {})), 1.0, 5, id="a proxy's error does not count"),
        pytest.param(after((0, 200, headers(remaining=5)), (1, 0, {})), 1.0, 5, id="no response does not count"),
        pytest.param(
            after((0, 200, headers(remaining=0)), (60, 200, {})), 60.0, 1_000, id="headers gone after it was spent"
        ),
        pytest.param(
            after((0, 429, {"Retry-After": "5"}), (5, 200, {}), (66, 200, {})),
            66.0, 1_000, id="headers gone after a 429",
        ),
        pytest.param(
            after((0, 200, headers(remaining=5)), (60, 200, {})), 60.0, 1_000, id="headers gone with the window"
        ),
        pytest.param(
            after((0, 200, headers(remaining=5)), (1, 200, headers(remaining=8))), 1.0, 5, id="responses out of order"
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
        pytest.param(after((0, 429, {})), 0.9, 0, id="429 without a wait: a second the first time"),
        pytest.param(after((0, 429, {})), 1.0, 1, id="429 without a wait: then one"),
        pytest.param(after((0, 429, {}), (9, 429, {})), 10.9, 0, id="429 without a wait: longer the second time"),
        pytest.param(after((0, 200, NO_TIME)), 0.9, 0, id="spent, and no reset given: a second"),
        pytest.param(after((0, 200, NO_TIME)), 1.0, 1, id="spent, and no reset given: then one"),
        pytest.param(after((0, 429, {"Retry-After": "86400"})), 3599.0, 0, id="a day of Retry-After: none for an hour"),
        pytest.param(after((0, 429, {"Retry-After": "86400"})), 3600.0, 1, id="a day of Retry-After: then one"),
        *(
            pytest.param(
                after((0, 200, {"X-RateLimit-Remaining": value})), 0.0, 1_000, id="unreadable headers are no headers"
            )
            for value in ("many", "-1", "1.5", "9" * 5_000)
        ),
    ],
)  # fmt: skip
def test_how_many_requests_may_go_at_once(window: RateWindow, now: float, goes: int) -> None:
    """The number after these responses, at this time."""
    assert let_go(window, now) == goes


def test_requests_in_flight_count_against_what_remains() -> None:
    """When seven remain by the last response and two requests have no response yet, five may go."""
    window = after((0, 200, headers(remaining=9)))
    for _ in range(3):
        window.spend(1)
    respond(window, 1, 0, 200, headers(remaining=7))

    assert let_go(window, 1) == 5


def test_a_request_to_learn_holds_the_others_back_for_a_second_only() -> None:
    """After a second without a response nothing is held back: an outage must not become slower."""
    window = RateWindow()

    assert let_go(window, 0) == 1
    assert window.opens_at(0.5) == 1.0
    assert let_go(window, 0.9) == 0
    assert let_go(window, 1.0) == 1_000


def test_a_request_to_learn_that_fails_is_followed_by_another() -> None:
    """The second counts from the first of several that fail, since a caller may have cancelled one."""
    window = RateWindow()
    respond(window, 0.5, window.spend(0), 0, {})

    assert let_go(window, 0.5) == 1
    assert let_go(window, 1.0) == 1_000


def test_after_the_reset_the_old_limit_holds_until_requests_fail() -> None:
    """The next window is expected to be as large as the last one, until requests have no response."""
    window = after((0, 200, headers(limit=10, remaining=0)))

    assert let_go(window, 60) == 1
    assert let_go(window, 61) == 9
    assert window.opens_at(61) <= 61, "only a response can open it"
    respond(window, 90, 0, 0, {})
    assert let_go(window, 90) == 1_000


@pytest.mark.parametrize(("status", "received", "goes"), [(200, headers(remaining=7, reset=150), 7), (502, {}, 1_000)])
def test_the_first_response_after_an_outage_decides_again(status: int, received: dict[str, str], goes: int) -> None:
    """With rate headers there is a limit again, without them there is none."""
    window = after((0, 200, headers(limit=10, remaining=0)))
    permits = [window.spend(60), window.spend(61)]
    for permit in permits:
        respond(window, 90, permit, 0, {})

    respond(window, 91, window.spend(91), status, received)

    assert let_go(window, 91) == goes


@pytest.mark.parametrize("received", [{}, headers(remaining=900, reset=60)])
def test_a_response_that_decides_nothing_is_only_counted(received: dict[str, str]) -> None:
    """The common case reads neither the other headers nor the wall clock."""
    window = after((0, 200, headers(limit=1000, remaining=901) if received else {}))
    window.spend(1)
    window.in_flight -= 1

    assert window.learn_fast(1, 200, received)
    assert window.remaining == (900 if received else math.inf)


def test_many_refusals_of_one_burst_are_one_pause() -> None:
    """Refusals of requests that were in flight make the pause longer, and never a second one."""
    window = after((0, 200, headers(remaining=9)))
    permits = [window.spend(1) for _ in range(5)]
    for wait, permit in zip(("3", "4", "2", "4", "1"), permits, strict=True):
        respond(window, 1, permit, 429, headers(remaining=0, Retry_After=wait))

    assert window.pauses == 1
    assert window.paused_until == 5.0


def test_after_a_pause_requests_go_out_spread() -> None:
    """Ten a minute means one in six seconds, until a whole window has passed without a 429."""
    window = after((0, 200, headers()), (1, 429, headers(remaining=0, Retry_After="5")))
    window.spend(6)
    respond(window, 6, window.pauses, 200, headers(remaining=9, reset=66))

    assert window.recovering
    assert [let_go(window, now) for now in (7, 12, 13, 18, 24)] == [0, 1, 0, 1, 1]
    assert let_go(window, 66) == 9 - 3 + 1, "what remains, and one to learn of the next window"
    assert not window.recovering


def test_a_late_alarm_is_made_up_for() -> None:
    """Spread requests keep their rate although each is a little late."""
    window = after((0, 200, headers()), (1, 429, headers(remaining=0, Retry_After="5")))
    window.spend(6)
    respond(window, 6, window.pauses, 200, headers(remaining=9, reset=66))

    assert [let_go(window, now) for now in (14, 17, 23.5, 24)] == [1, 0, 1, 1]


def test_a_refusal_that_still_promises_requests_ends_bursts_for_long() -> None:
    """There is another limit than that of the headers, so the next burst would be refused as well."""
    plain, wrong = (after((0, 200, headers()), (1, 429, headers(remaining=left, Retry_After="5"))) for left in (0, 6))
    for window in (plain, wrong):
        respond(window, 200, window.spend(200), 200, headers(remaining=9, reset=260))

    assert (plain.recovering, wrong.recovering) == (False, True)
    assert let_go(plain, 201) == 9
    assert let_go(wrong, 201) == 1


@pytest.mark.parametrize("left", [0, 900])
def test_bursts_are_back_five_minutes_after_a_pause(left: int) -> None:
    """This holds for an hourly limit, and after a 429 that still promised requests."""
    hourly = after((0, 200, headers(limit=1000, reset=3600)))
    refused = headers(limit=1000, remaining=left, reset=3600, Retry_After="5")
    respond(hourly, 1, hourly.spend(1), 429, refused)
    respond(hourly, 6, hourly.spend(6), 200, headers(limit=1000, remaining=900, reset=3600))

    assert let_go(hourly, 304) == 2, "spread, and one that was late"
    assert let_go(hourly, 306) == 898


def test_spread_requests_of_a_small_limit_do_not_wait_for_long() -> None:
    """At ten an hour a request does not wait six minutes."""
    hourly = after((0, 200, headers(limit=10, reset=3600)), (1, 429, headers(limit=10, reset=3600, Retry_After="5")))
    respond(hourly, 6, hourly.spend(6), 200, headers(limit=10, remaining=8, reset=3600))

    assert hourly.opens_at(6) == 36


def test_without_any_header_the_spread_slows_with_every_pause() -> None:
    """The rate is not known, so it is guessed lower each time."""
    gaps: list[float] = []
    for pauses in (1, 2, 3):
        window = after(*[(60.0 * number, 429, {}) for number in range(pauses)])
        start = window.paused_until
        respond(window, start, window.spend(start), 200, {})
        gaps.append(window.opens_at(start) - start)

    assert gaps == pytest.approx([0.1, 0.2, 0.4])


@pytest.mark.parametrize(
    ("ahead", "turn"), [(0, 60), (9, 60), (10, 120), (25, 180)], ids=["first", "last of it", "second window", "third"]
)
def test_the_turn_of_a_call_behind_others(ahead: int, turn: float) -> None:
    """At ten a minute, a call behind 25 others comes in the third window."""
    window = after((0, 200, headers(limit=10, remaining=0)))

    assert window.turn_at(1, ahead) == turn


def _date(seconds: float) -> str:
    return email.utils.formatdate(UNIX + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 30:.0f}"}, 30.0, id="no Date: by our clock"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 30:.0f}", "Date": _date(1)}, 29.0, id="by its Date"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 630:.0f}", "Date": _date(600)}, 30.0, id="ours is slow"),
        pytest.param({"X-RateLimit-Reset": f"{UNIX + 28:.0f}", "Date": _date(-2)}, 30.0, id="ours is a little fast"),
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
def test_seconds_until_reset(received: dict[str, str], expected: float | None) -> None:
    """Reset is Unix time by the server's clock."""
    assert seconds_until_reset(received, UNIX) == expected
