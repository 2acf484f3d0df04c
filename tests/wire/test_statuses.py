"""Which statuses are retried, counted at the server."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from sent_async import Attempt, ConflictError, NotFoundError, RateLimitError, SentAPIError, ServerError
from tests.support.clocks import FakeClock
from tests.support.faults import CALLS
from tests.support.payloads import problem
from tests.support.servers import PROFILE_RESPONSE, MakeClient, Server, make_response

GONE = make_response(b"", 204)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_retried(client: MakeClient, server: Server, clock: FakeClock, status: int, method: str) -> None:
    """After two failures and a success there are three requests with one key, and two waits."""
    no = make_response(problem("INTERNAL_001"), status)
    server.responses = [no, no, GONE if method == "DELETE" else PROFILE_RESPONSE]
    await CALLS[method](client())
    assert len(server.requests) == 3 and len(clock.slept) == 2
    assert len({request.headers.get("Idempotency-Key") for request in server.requests}) == 1


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 410, 418, 422, 451, 501, 505])
async def test_final(client: MakeClient, server: Server, clock: FakeClock, status: int, method: str) -> None:
    """One request is made, and its error is raised."""
    server.responses = [make_response(problem("VALIDATION_001"), status)]
    with pytest.raises(SentAPIError) as caught:
        await CALLS[method](client())
    assert (caught.value.status, caught.value.attempts) == (status, 1)
    assert len(server.requests) == 1 and clock.slept == []


async def test_a_key_still_in_flight(client: MakeClient, server: Server) -> None:
    """CONFLICT_001 says that the first request is still in work: a retry with its key gets the response."""
    server.responses = [make_response(problem("CONFLICT_001"), 409), PROFILE_RESPONSE]
    profile = await client().profiles.create(name="n")
    assert profile.name == "Marketing Team"
    assert len({request.headers["Idempotency-Key"] for request in server.requests}) == 1 < len(server.requests)


async def test_a_key_in_flight_for_ever(client: MakeClient, server: Server) -> None:
    """After the last retry the conflict is raised."""
    server.responses = [make_response(problem("CONFLICT_001"), 409)]
    with pytest.raises(ConflictError) as caught:
        await client().profiles.create(name="n")
    assert (caught.value.attempts, len(server.requests)) == (3, 3)
    assert caught.value.idempotency_key == server.last.headers["Idempotency-Key"]


@pytest.mark.parametrize("status", [409, 429, 500, 503])
async def test_a_replayed_error(client: MakeClient, server: Server, status: int) -> None:
    """A stored error is not retried, because it will not change."""
    server.responses = [make_response(problem("CONFLICT_001"), status, Idempotent_Replayed="true")]
    with pytest.raises(SentAPIError) as caught:
        await client().profiles.create(name="n")
    assert caught.value.replayed and len(server.requests) == 1


async def test_success_false_on_a_200(client: MakeClient, server: Server) -> None:
    """It is raised and not retried."""
    server.responses = [make_response(problem("INTERNAL_001"), 200)]
    with pytest.raises(ServerError) as caught:
        await client().profiles.create(name="n")
    assert (caught.value.status, len(server.requests)) == (200, 1)


async def test_retry_after_seconds(client: MakeClient, server: Server, clock: FakeClock) -> None:
    """The wait is at least what the server asks for."""
    server.responses = [
        make_response(b"", 429, Retry_After="7"),
        make_response(b"", 503, Retry_After="0.25"),
        PROFILE_RESPONSE,
    ]
    await client().profiles.retrieve("p")
    assert clock.slept[0] == 7.0 and 0.25 <= clock.slept[1] <= 1.0


async def test_retry_after_date(client: MakeClient, server: Server, clock: FakeClock) -> None:
    """A date is relative to the response's own Date, so a server clock that is a year off does not matter."""
    there = time.time() + 365 * 86400
    server.responses = [
        make_response(b"", 503, Retry_After=formatdate(there + 9, usegmt=True), Date=formatdate(there, usegmt=True)),
        PROFILE_RESPONSE,
    ]
    await client().profiles.retrieve("p")
    assert clock.slept == [9.0]


@pytest.mark.parametrize("value", ["61", "86400", "9" * 400])
async def test_retry_after_over_the_cap(client: MakeClient, server: Server, clock: FakeClock, value: str) -> None:
    """When the server asks for too long a wait, the error is raised at once and has the number."""
    server.responses = [make_response(problem("BUSINESS_002"), 429, Retry_After=value)]
    with pytest.raises(RateLimitError) as caught:
        await client().profiles.retrieve("p")
    assert caught.value.retry_after == float(value)
    assert len(server.requests) == 1 and clock.slept == []


@pytest.mark.parametrize("value", ["-5", "nan", "soon", ""])
async def test_retry_after_unreadable(client: MakeClient, server: Server, clock: FakeClock, value: str) -> None:
    """The header is ignored, and the usual wait applies."""
    server.responses = [make_response(b"", 429, Retry_After=value), PROFILE_RESPONSE]
    await client().profiles.retrieve("p")
    assert len(clock.slept) == 1 and 0 <= clock.slept[0] <= 0.5


async def test_a_retried_delete_that_gets_404(client: MakeClient, server: Server) -> None:
    """The 404 is raised, and ``attempts`` says that it was retried."""
    server.responses = [make_response(b"", 502), make_response(problem("RESOURCE_014"), 404)]
    with pytest.raises(NotFoundError) as caught:
        await client().profiles.delete("p")
    assert caught.value.attempts == 2


async def test_each_attempt_is_reported(client: MakeClient, server: Server, clock: FakeClock) -> None:
    """``on_attempt`` is called for every attempt, with what is known of it and no id or body."""
    attempts: list[Attempt] = []
    server.responses = [make_response(b"", 503, X_Request_Id="req_1"), make_response(problem("RESOURCE_014"), 404)]
    sent = client(on_attempt=attempts.append)
    with pytest.raises(NotFoundError) as caught:
        await sent.profiles.retrieve("secret-id")
    server.responses = [PROFILE_RESPONSE]
    await sent.profiles.retrieve("secret-id")
    assert [(one.method, one.path, one.number, one.status) for one in attempts] == [
        ("GET", "/v3/profiles/{profileId}", 1, 503),
        ("GET", "/v3/profiles/{profileId}", 2, 404),
        ("GET", "/v3/profiles/{profileId}", 1, 200),
    ]
    assert [one.request_id for one in attempts] == ["req_1", "req_7X9zKp2jDw", "req_7X9zKp2jDw"]
    assert [one.retry_in for one in attempts] == [clock.slept[0], None, None]
    assert isinstance(attempts[0].error, ServerError)
    assert attempts[1].error is caught.value and attempts[2].error is None
    assert "secret-id" not in repr(attempts)
