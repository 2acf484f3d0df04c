"""Rate limits: windows, buckets, their headers, and 429 responses. No test waits."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest

from sent_async import RateLimitError, SentClient
from sent_async.testing import FakeSent, Limit
from sent_async.testing.limits import FixedWindow, TokenBucket
from tests.support.fake_data import SEEDED
from tests.support.raw_client import RawResponse, Wire


async def statuses(fake: FakeSent, wire: Wire, count: int, *, key: str = "sk_test_fake", **headers: Any) -> list[int]:
    return [(await wire(fake, "GET", "/v3/profiles", key=key, **headers)).status for _ in range(count)]


def rate(response: RawResponse) -> tuple[int, int]:
    return int(response.headers["X-RateLimit-Limit"]), int(response.headers["X-RateLimit-Remaining"])


async def test_a_window(fake_sent: FakeSent, wire: Wire) -> None:
    """``limit`` requests pass, then none until the window ends, then ``limit`` again."""
    fake_sent.rate_limit("standard", limit=3, window=60)
    assert await statuses(fake_sent, wire, 5) == [200, 200, 200, 429, 429]
    fake_sent.advance(61)
    assert await statuses(fake_sent, wire, 4) == [200, 200, 200, 429]


async def test_a_window_with_a_burst(fake_sent: FakeSent, wire: Wire) -> None:
    """``burst`` requests pass beyond the limit while the headers already say that none are left."""
    fake_sent.rate_limit("standard", limit=1, burst=1)
    first, second, third = [await wire(fake_sent, "GET", "/v3/profiles") for _ in range(3)]
    assert [response.status for response in (first, second, third)] == [200, 200, 429]
    assert [rate(response) for response in (first, second, third)] == [(1, 0), (1, 0), (1, 0)]


async def test_a_bucket(fake_sent: FakeSent, wire: Wire) -> None:
    """``burst`` requests pass at once, then as many as time has refilled."""
    fake_sent.rate_limit("standard", limit=60, window=60, burst=2, kind="bucket")
    assert await statuses(fake_sent, wire, 3) == [200, 200, 429]
    fake_sent.advance(1)
    assert await statuses(fake_sent, wire, 2) == [200, 429]
    fake_sent.advance(3600)
    assert await statuses(fake_sent, wire, 3) == [200, 200, 429]


async def test_a_429(fake_sent: FakeSent, sent: SentClient, wire: Wire) -> None:
    """BUSINESS_002 with the seconds to wait; nothing is done, and the reset is on the clock of the response."""
    fake_sent.rate_limit("standard", limit=1, window=60)
    await wire(fake_sent, "GET", "/v3/profiles")
    refused = await wire(fake_sent, "POST", "/v3/profiles", {"name": "Sales"}, idempotency_key="k1")
    assert (refused.status, refused.code) == (429, "BUSINESS_002")
    assert 55 <= int(refused.headers["Retry-After"]) <= 60
    assert int(refused.headers["X-RateLimit-Reset"]) - fake_sent.requests[-1].at < 61
    with pytest.raises(RateLimitError) as caught:
        await sent.with_options(max_retries=0).profiles.list()
    assert caught.value.retry_after is not None
    fake_sent.advance(60)
    made = await wire(fake_sent, "POST", "/v3/profiles", {"name": "Sales"}, idempotency_key="k1")
    assert made.status == 201
    assert "Idempotent-Replayed" not in made.headers


@pytest.mark.parametrize("kind", ["window", "bucket"])
async def test_what_retry_after_says(fake_sent: FakeSent, wire: Wire, kind: Literal["window", "bucket"]) -> None:
    """It is the exact wait rounded up to at least a second, or the window, or absent."""
    limit, burst = (1, 0) if kind == "window" else (60, 1)
    says: dict[Literal["exact", "window", "none"], str | None] = {"exact": "1", "window": "60", "none": None}
    for retry_after, wanted in says.items():
        fake_sent.rate_limit("standard", limit=limit, window=60, kind=kind, burst=burst, retry_after=retry_after)
        await statuses(fake_sent, wire, 1)
        if kind == "window":
            fake_sent.advance(59.5)
        refused = await wire(fake_sent, "GET", "/v3/profiles")
        assert (refused.status, refused.headers.get("Retry-After")) == (429, wanted)


async def test_headers_of_a_short_window_have_fractions(fake_sent: FakeSent, wire: Wire) -> None:
    """Whole seconds would be longer than the window."""
    fake_sent.rate_limit("standard", limit=1, window=0.5)
    first = await wire(fake_sent, "GET", "/v3/profiles")
    refused = await wire(fake_sent, "GET", "/v3/profiles")
    assert (first.status, refused.status) == (200, 429)
    assert re.fullmatch(r"0\.\d{3}", refused.headers["Retry-After"])
    assert re.fullmatch(r"\d+\.\d{3}", refused.headers["X-RateLimit-Reset"])
    assert float(refused.headers["X-RateLimit-Reset"]) >= fake_sent.requests[0].at + 0.5


async def test_limits_without_headers(fake_sent: FakeSent, wire: Wire) -> None:
    """With ``headers=False`` no response has rate limit headers, and the limit still applies."""
    fake_sent.rate_limit("standard", limit=1, headers=False)
    responses = [await wire(fake_sent, "GET", "/v3/profiles") for _ in range(2)]
    assert [response.status for response in responses] == [200, 429]
    assert not [name for response in responses for name in response.headers if name.lower().startswith("x-ratelimit")]


async def test_tiers_and_keys_have_pools_of_their_own(fake_sent: FakeSent, wire: Wire) -> None:
    """Completions count in the sensitive tier. A profile's key has its own pool, a profile in a header has not."""
    key = fake_sent.add_key(profile_id=SEEDED)
    fake_sent.rate_limit("standard", limit=1)
    fake_sent.rate_limit("sensitive", limit=1)
    hook = {"webHookUrl": "https://example.com"}
    assert await statuses(fake_sent, wire, 2) == [200, 429]
    path = f"/v3/profiles/{SEEDED}/complete"
    assert [(await wire(fake_sent, "POST", path, hook)).status for _ in range(2)] == [200, 429]
    assert await statuses(fake_sent, wire, 1, x_profile_id=SEEDED) == [429]
    assert await statuses(fake_sent, wire, 2, key=key) == [200, 429]


async def test_the_limit_counts_down(fake_sent: FakeSent, wire: Wire) -> None:
    """Remaining falls by one with each request. A request with an unknown key does not count."""
    fake_sent.rate_limit("standard", limit=10)
    assert rate(await wire(fake_sent, "GET", "/v3/profiles")) == (10, 9)
    assert rate(await wire(fake_sent, "GET", "/v3/profiles", key="other")) == (10, 10)
    assert rate(await wire(fake_sent, "GET", "/v3/profiles")) == (10, 8)


@pytest.mark.parametrize(
    "members", [{"limit": 0}, {"window": 0}, {"window": float("nan")}, {"burst": -1}, {"kind": "bucket", "burst": 0}]
)
def test_impossible_limits(members: dict[str, Any]) -> None:
    """Impossible limits are refused when they are made."""
    with pytest.raises(ValueError, match="burst"):
        Limit(**members)


def test_a_window_starts_with_its_first_request() -> None:
    """Idle time before does not count, and the next window starts with its own first request."""
    window = FixedWindow(Limit(limit=1, window=10), now=100)
    assert window.resets_at(105) == 110
    assert window.take(125)
    assert window.resets_at(125) == 135
    assert window.opens_in(130) == 5


def test_a_bucket_never_overflows() -> None:
    """It holds no more than its size, however long there are no requests."""
    bucket = TokenBucket(Limit(limit=10, window=10, kind="bucket"), now=0)
    assert bucket.remaining(1000) == 10
    assert all(bucket.take(1000) for _ in range(10))
    assert not bucket.take(1000)
    assert (bucket.opens_in(1000), bucket.resets_at(1000)) == (1, 1010)
