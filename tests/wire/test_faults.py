"""Each way a connection can fail, for each kind of call, counted at the server."""

from __future__ import annotations

import pytest

from sent_async import Operation, SentConnectionError, SentTimeoutError
from tests.support.clocks import FakeClock
from tests.support.faults import CALLS, FAULTS, STALLS
from tests.support.payloads import envelope
from tests.support.raw_servers import Behaviour, Connection, RawServer, closed_port, good, reset_before_reading
from tests.support.servers import PROFILE_RESPONSE, MakeClient, make_response

TEMPLATE = {
    "id": "t",
    "name": "n",
    "category": "MARKETING",
    "language": "en_US",
    "status": "DRAFT",
    "created_at": "2024-01-15T10:30:00Z",
    "is_published": False,
}


async def any_good(connection: Connection) -> None:
    """The right success for every method."""
    request = await connection.read()
    replies = {"DELETE": make_response(b"", 204), "PUT": make_response(envelope(TEMPLATE))}
    await connection.reply(replies.get(request.method, PROFILE_RESPONSE))


by_name = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
by_method = pytest.mark.parametrize("method", CALLS)


@by_name
@by_method
async def test_one_fault_then_success(client: MakeClient, clock: FakeClock, fault: Behaviour, method: str) -> None:
    """Every call succeeds after one fault and one wait, and both requests have the same key."""
    async with RawServer(fault, any_good, clock=clock) as raw:
        sent = client(base_url=raw.url)
        await CALLS[method](sent)
    assert raw.connections == 2 and len(clock.slept) == 1
    assert {request.method for request in raw.requests} == {method}
    assert len({request.headers.get("idempotency-key") for request in raw.requests}) == 1
    assert len({request.body for request in raw.requests}) == 1
    assert ("idempotency-key" in raw.requests[-1].headers) is (method in ("POST", "PUT", "PATCH"))


@by_name
@by_method
async def test_a_fault_that_stays(client: MakeClient, clock: FakeClock, fault: Behaviour, method: str) -> None:
    """The server gets ``max_retries`` more attempts and no more. The error has what is known of the call."""
    async with RawServer(fault, clock=clock) as raw:
        sent = client(base_url=raw.url)
        with pytest.raises(SentConnectionError) as caught:
            await CALLS[method](sent)
        assert raw.connections == 3 and len(clock.slept) == 2
    assert isinstance(caught.value, SentTimeoutError) is (fault in STALLS)
    assert caught.value.attempts == 3
    if fault is not reset_before_reading:
        assert caught.value.maybe_sent and len(raw.requests) == 3
        assert caught.value.idempotency_key == raw.requests[0].headers.get("idempotency-key")


@by_method
async def test_connection_refused(client: MakeClient, clock: FakeClock, method: str) -> None:
    """Nothing was sent, so every call is retried, and the error says that nothing was sent."""
    sent = client(base_url=f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(SentConnectionError) as caught:
        await CALLS[method](sent)
    assert (caught.value.attempts, caught.value.maybe_sent, len(clock.slept)) == (3, False, 2)
    assert isinstance(caught.value.__cause__, OSError)


async def test_no_such_host(client: MakeClient) -> None:
    """A host name that cannot be resolved is a ``SentConnectionError``."""
    with pytest.raises(SentConnectionError) as caught:
        await client(base_url="https://sent.invalid", max_retries=0).profiles.retrieve("p")
    assert (caught.value.attempts, caught.value.maybe_sent) == (1, False)


@by_name
async def test_no_retries(client: MakeClient, clock: FakeClock, fault: Behaviour) -> None:
    """``max_retries=0`` is one attempt at the server, for a view too."""
    async with RawServer(fault, clock=clock) as raw:
        sent = client(base_url=raw.url).with_options(max_retries=0)
        with pytest.raises(SentConnectionError):
            await sent.profiles.retrieve("p")
        assert raw.connections == 1 and clock.slept == []


@by_name
async def test_a_write_without_a_key_is_not_repeated(client: MakeClient, clock: FakeClock, fault: Behaviour) -> None:
    """A write without a key that may have arrived is sent once; with a key it is retried."""
    operation: Operation[None] = Operation("x", "POST", "/v3/x", response=None, idempotency="explicit")
    async with RawServer(fault, clock=clock) as raw:
        sent = client(base_url=raw.url)
        with pytest.raises(SentConnectionError) as caught:
            await sent.send(operation, body={})
        assert raw.connections == (1 if caught.value.maybe_sent else 3)
        assert len(raw.requests) <= 1
    async with RawServer(fault, good, clock=clock) as raw:
        sent = client(base_url=raw.url)
        await sent.send(operation, body={}, idempotency_key="k")
        assert raw.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_dropped_while_idle(client: MakeClient, method: str) -> None:
    """When the server has closed a kept connection, the next call is not retried."""

    async def one_response(connection: Connection) -> None:
        await connection.read()
        await connection.reply()

    async with RawServer(one_response) as raw:
        sent = client(base_url=raw.url, max_retries=1)
        for _ in range(5):
            await CALLS[method](sent)
        assert len(raw.requests) == 5


async def test_a_connection_reset_in_use(client: MakeClient) -> None:
    """When a kept connection breaks as the next request arrives, the call is retried with the same key."""

    async def one_response_then_reset(connection: Connection) -> None:
        await connection.read()
        await connection.reply()
        await connection.read()
        connection.reset()

    async with RawServer(one_response_then_reset, good) as raw:
        sent = client(base_url=raw.url)
        await sent.profiles.create(name="first")
        await sent.profiles.create(name="second")
        keys = [request.headers["idempotency-key"] for request in raw.requests]
    assert len(keys) == 3 and keys[0] != keys[1] == keys[2]
