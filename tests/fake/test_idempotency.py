"""Idempotency keys: the work of one key is done once."""

from __future__ import annotations

import asyncio

import pytest

from sent_async.testing import FakeSent
from sent_async.testing.idempotency import LIFETIME, IdempotencyStore, StoredResponse
from sent_async.testing.responses import Refusal
from tests.support.fake_data import SEEDED, TEMPLATE
from tests.support.raw_client import Wire
from tests.support.waiting import until

BODY = {"name": "Sales"}


async def test_a_replay(fake_sent: FakeSent, wire: Wire) -> None:
    """The second response repeats the first. It is marked as replayed and has its own request id. One object exists."""
    first = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    again = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    assert (again.status, again.content) == (201, first.content)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Original-Request-Id"] == first.headers["X-Request-Id"] != again.headers["X-Request-Id"]
    assert len(fake_sent.profiles) == 2


async def test_errors_and_sandbox_responses_are_replayed_too(fake_sent: FakeSent, wire: Wire) -> None:
    """Any response is stored under its key."""
    for body, status in (({"name": ""}, 400), ({"name": "Sales", "sandbox": True}, 201)):
        for replayed in (None, "true"):
            response = await wire(fake_sent, "POST", "/v3/profiles", body, idempotency_key=f"k{status}")
            assert (response.status, response.headers.get("Idempotent-Replayed")) == (status, replayed)
            assert ("X-Sandbox" in response.headers) == (status == 201)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", f"/v3/profiles/{SEEDED}", BODY),
        ("PUT", f"/v3/templates/{TEMPLATE}", {"name": "Other"}),
        ("DELETE", f"/v3/templates/{TEMPLATE}", {}),
    ],
)
async def test_every_write_takes_a_key(
    fake_sent: FakeSent, wire: Wire, method: str, path: str, body: dict[str, object]
) -> None:
    """PATCH, PUT and DELETE are replayed, too: a second delete is no 404."""
    first = await wire(fake_sent, method, path, body, idempotency_key="k1")
    again = await wire(fake_sent, method, path, body, idempotency_key="k1")
    assert again.status == first.status
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_a_key_on_a_get_is_ignored(fake_sent: FakeSent, wire: Wire) -> None:
    """Its form is not checked either."""
    response = await wire(fake_sent, "GET", "/v3/profiles", idempotency_key="!")
    assert response.status == 200


@pytest.mark.parametrize("key", ["", "with space", "ü", "k" * 256])
async def test_a_malformed_key(fake_sent: FakeSent, wire: Wire, key: str) -> None:
    """It is VALIDATION_007, and nothing is done."""
    response = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key=key)
    assert (response.status, response.code) == (400, "VALIDATION_007")
    assert set(response.json["error"]["details"]) == {"Idempotency-Key"}
    assert len(fake_sent.profiles) == 1


async def test_a_key_used_for_something_else(fake_sent: FakeSent, wire: Wire) -> None:
    """It is CONFLICT_005 for another body, path or profile. Order of members and white space do not count."""
    made = await wire(fake_sent, "POST", "/v3/profiles", {"name": "Sales", "icon": None}, idempotency_key="k1")
    assert made.status == 201
    same = await wire(
        fake_sent, "POST", "/v3/profiles", content=b'{ "icon": null, "name": "Sales" }', idempotency_key="k1"
    )
    assert same.headers["Idempotent-Replayed"] == "true"
    for method, path, body in (("POST", "/v3/profiles", {"name": "Other"}), ("POST", "/v3/templates", BODY)):
        response = await wire(fake_sent, method, path, body, idempotency_key="k1")
        assert (response.status, response.code) == (409, "CONFLICT_005")
    scoped = await wire(
        fake_sent, "POST", "/v3/profiles", {"name": "Sales", "icon": None}, idempotency_key="k1", x_profile_id=SEEDED
    )
    assert scoped.code == "CONFLICT_005"


async def test_keys_of_two_accounts_are_separate(fake_sent: FakeSent, wire: Wire) -> None:
    """An idempotency key belongs to the API key that sent it."""
    other = fake_sent.add_key()
    for key in (fake_sent.api_key, other):
        response = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1", key=key)
        assert "Idempotent-Replayed" not in response.headers
    assert len(fake_sent.profiles) == 3


async def test_the_first_request_is_still_under_way(fake_sent: FakeSent, wire: Wire) -> None:
    """A second one is CONFLICT_001 until the first has ended, then a replay."""
    fake_sent.delay_next(0.2)
    first = asyncio.create_task(wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1"))
    await until(lambda: fake_sent.requests)
    meanwhile = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    assert (meanwhile.status, meanwhile.code) == (409, "CONFLICT_001")
    assert (await first).status == 201
    after = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    assert after.headers["Idempotent-Replayed"] == "true"
    assert len(fake_sent.profiles) == 2


async def test_a_key_lasts_24_hours(fake_sent: FakeSent, wire: Wire) -> None:
    """Before that a request is a replay, after that new work."""
    await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    fake_sent.advance(24 * 3600 - 1)
    before = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    fake_sent.advance(2)
    after = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    assert [response.headers.get("Idempotent-Replayed") for response in (before, after)] == ["true", None]


async def test_a_failure_before_the_work_is_not_kept(fake_sent: FakeSent, wire: Wire) -> None:
    """The retry of a 503 does the work."""
    fake_sent.fail_next()
    assert (await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")).status == 503
    retried = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    assert retried.status == 201
    assert "Idempotent-Replayed" not in retried.headers


async def test_a_failure_after_the_work_hides_a_success(fake_sent: FakeSent, wire: Wire) -> None:
    """Its retries get the success, and another failure in between is no replay."""
    fake_sent.fail_next(2, after_commit=True)
    for _ in range(2):
        failed = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
        assert failed.status == 503
        assert "Idempotent-Replayed" not in failed.headers
    retried = await wire(fake_sent, "POST", "/v3/profiles", BODY, idempotency_key="k1")
    assert (retried.status, retried.headers["Idempotent-Replayed"]) == (201, "true")
    assert len(fake_sent.profiles) == 2


def test_the_latest_keys_are_remembered() -> None:
    """When there are too many, the one that was unused for longest is forgotten."""
    store, outcome = IdempotencyStore(kept=2), StoredResponse(201, b"{}", "req_1")
    for key in ("k1", "k2", "k3"):
        assert store.claim(("sk", key), b"", now=0) is None
        store.settle(("sk", key), b"", outcome, now=0)
    assert store.claim(("sk", "k2"), b"", now=1) == outcome
    assert store.claim(("sk", "k1"), b"", now=1) is None
    assert store.claim(("sk", "k3"), b"", now=LIFETIME) is None
    assert store.claim(("sk", "k4"), b"", now=LIFETIME) is None
    with pytest.raises(Refusal):
        store.claim(("sk", "k3"), b"", now=LIFETIME)
