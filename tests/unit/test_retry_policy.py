"""Which failures are retried, and after how long."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import ErrorCode, SentAPIError, SentConfigError, SentConnectionError, SentDecodeError, SentTimeoutError
from sent_async.retry import RETRY_AFTER_CAP, drawn_waits, is_retryable, wait_before_retry

UNSENT = SentConnectionError("refused", maybe_sent=False)
SENT = SentConnectionError("reset", maybe_sent=True)
TIMED_OUT = SentTimeoutError("too slow", maybe_sent=True)


def api(status: int, code: str | None = None, **headers: str) -> SentAPIError:
    return SentAPIError("no", status=status, code=code, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("error", "when_repeatable", "otherwise"),
    [
        pytest.param(UNSENT, True, True, id="not on the wire"),
        pytest.param(SentTimeoutError("connect", maybe_sent=False), True, True, id="connect timed out"),
        pytest.param(SENT, True, False, id="sent, no response"),
        pytest.param(TIMED_OUT, True, False, id="sent, too slow"),
        *(pytest.param(api(s), True, False, id=str(s)) for s in (408, 425, 429, 500, 502, 503, 504)),
        pytest.param(api(409, "CONFLICT_001"), True, False, id="key in flight"),
        pytest.param(api(409, ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT), True, False, id="key in flight, as a member"),
        pytest.param(api(409, "CONFLICT_005"), False, False, id="key reused"),
        pytest.param(api(409), False, False, id="409 without a code"),
        *(pytest.param(api(409, f"CONFLICT_{n:03}"), False, False, id=f"409 for good {n}") for n in (2, 4, 6, 12, 99)),
        pytest.param(api(429, "LIMIT_001"), False, False, id="a spent quota"),
        pytest.param(api(429, "LIMIT_001", Retry_After="1"), False, False, id="a spent quota, whatever it promises"),
        pytest.param(api(429, "BUSINESS_002"), True, False, id="a spent rate"),
        pytest.param(api(503, "LIMIT_001"), True, False, id="the code of a quota on another status"),
        pytest.param(api(400, "CONFLICT_001"), False, False, id="the code on another status"),
        pytest.param(api(503, Idempotent_Replayed="true"), False, False, id="replayed 503"),
        pytest.param(api(503, Idempotent_Replayed="True"), False, False, id="replayed, another case"),
        pytest.param(api(409, "CONFLICT_001", Idempotent_Replayed="true"), False, False, id="replayed 409"),
        pytest.param(api(503, Idempotent_Replayed="false"), True, False, id="not replayed"),
        *(pytest.param(api(s), False, False, id=str(s)) for s in (200, 302, 400, 401, 402, 403, 404, 407, 410, 422)),
        *(pytest.param(api(s), False, False, id=str(s)) for s in (501, 505, 507, 511, 599)),
        pytest.param(SentDecodeError("odd", status=200), False, False, id="unreadable response"),
        pytest.param(SentConfigError("bad option"), False, False, id="bad option"),
    ],
)
def test_the_table(error: SentAPIError, when_repeatable: bool, otherwise: bool) -> None:
    """Only requests that cannot run twice, and failures that may go away, are retried."""
    assert is_retryable(error, repeatable=True) is when_repeatable
    assert is_retryable(error, repeatable=False) is otherwise


@pytest.mark.parametrize(
    ("drawn", "retry_after", "remaining", "wait"),
    [
        (0.3, None, None, 0.3),
        (0.3, 5.0, None, 5.0),
        (7.0, 5.0, None, 7.0),
        (0.3, 0.0, None, 0.3),
        (0.3, 60.0, None, 60.0),
        (0.3, 60.001, None, None),
        (0.3, math.inf, None, None),
        (0.3, None, 10.0, 0.3),
        (0.3, 5.0, 4.9, None),
        (0.3, None, 0.2, None),
        (0.3, None, 0.0, None),
        (0.3, None, -1.0, None),
        (0.0, None, 0.1, 0.0),
    ],
)
def test_a_wait(drawn: float, retry_after: float | None, remaining: float | None, wait: float | None) -> None:
    """The wait is at least Retry-After. Beyond the cap or the deadline there is no retry."""
    assert wait_before_retry(drawn, retry_after, remaining) == wait


@given(st.floats(0, 8), st.none() | st.floats(0, 1000), st.none() | st.floats(-10, 1000))
def test_a_wait_is_never_short_and_never_late(drawn: float, asked: float | None, remaining: float | None) -> None:
    """It is at least what was asked for, within the cap, and over before the deadline."""
    wait = wait_before_retry(drawn, asked, remaining)
    if wait is None:
        assert (asked or 0) > RETRY_AFTER_CAP or (remaining is not None and max(drawn, asked or 0) >= remaining)
    else:
        assert wait >= max(drawn, asked or 0) and wait <= RETRY_AFTER_CAP
        assert remaining is None or wait < remaining


def test_the_cap_is_a_minute() -> None:
    """A server may ask for 60 seconds."""
    assert RETRY_AFTER_CAP == 60.0


def test_drawn_waits_stay_under_their_ceilings_and_reach_for_them() -> None:
    """The n-th wait is drawn from all of 0 to min(8, 0.5 x 2**n) seconds."""
    draws = [list(itertools.islice(drawn_waits(), 9)) for _ in range(400)]
    for n, column in enumerate(zip(*draws, strict=True)):
        ceiling = min(8.0, 0.5 * 2**n)
        assert all(0 <= wait <= ceiling for wait in column)
        # Chance of failing with a true uniform draw: below 1e-30.
        assert max(column) > ceiling * 0.8 and min(column) < ceiling * 0.2
