"""Keys, card data, tokens and bodies are in no log, repr, error, pickle or chained exception."""

from __future__ import annotations

import asyncio
import logging
import pickle
import ssl
import traceback
from collections.abc import Iterator

import pytest
import trustme

from sent_async import SentClient, SentError
from sent_async.models import PaymentDetails, WhatsAppBusinessAccount
from tests.support.clocks import FakeClock
from tests.support.faults import FAULTS, STALLS
from tests.support.payloads import envelope, problem, profile
from tests.support.raw_servers import Behaviour, Connection, RawServer, closed_port, good
from tests.support.servers import API_KEY, MakeClient, make_response
from tests.support.waiting import until

CARD = PaymentDetails(card_number="4111111111111111", expiry="12/39", cvc="737373", zip_code="94103")
WABA = WhatsAppBusinessAccount(waba_id="waba_1", access_token="EAAG-access-token")
SECRETS = (API_KEY, "4111111111111111", "737373", "EAAG-access-token", "private-name", "private-response", "private-id")


def texts(error: BaseException | None, seen: set[int] | None = None) -> Iterator[str]:
    """Everything that can be read off an error and all that is chained to it, attributes included."""
    seen = set() if seen is None else seen
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield from (repr(error), str(error), *map(repr, error.args), *map(repr, vars(error).values()))
    for name in dir(error):
        if not name.startswith("__") or name == "__notes__":
            yield repr(getattr(error, name, None))
    yield from texts(error.__cause__, seen)
    yield from texts(error.__context__, seen)


def assert_clean(*shown: str) -> None:
    assert not [(secret, text[:300]) for text in shown for secret in SECRETS if secret in text]


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Every logger at DEBUG, and the loop in debug mode."""
    loop = asyncio.get_event_loop_policy().get_event_loop()
    with caplog.at_level(logging.DEBUG):
        for name in ("sent_async", "aiohttp", "aiohttp.client", "asyncio", "backoff"):
            caplog.set_level(logging.DEBUG, logger=name)
        loop.set_debug(True)
        loop.slow_callback_duration = 0.0001
        yield caplog


async def write(sent: SentClient) -> None:
    await sent.with_options(headers={"X-Own": "private-id"}).profiles.create(
        name="private-name", payment_details=CARD, whatsapp_business_account=WABA
    )


async def check(sent: SentClient, logs: pytest.LogCaptureFixture) -> SentError:
    """Let a write fail, and look everywhere."""
    with pytest.raises(SentError) as caught:
        await write(sent)
    error = caught.value
    own = [line for line in traceback.format_exception(error) if "in write" not in line and "test_secrets" not in line]
    assert_clean(*texts(error), logs.text, repr(sent), *own)
    assert_clean(*(repr(record.__dict__) for record in logs.records if record.name.startswith("sent_async")))
    pickled = pickle.dumps(error)
    assert not [secret for secret in SECRETS if secret.encode() in pickled]
    return error


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_broken_connections(
    client: MakeClient, clock: FakeClock, logs: pytest.LogCaptureFixture, fault: Behaviour
) -> None:
    """They are not shown when a connection breaks."""
    async with RawServer(fault, clock=clock) as raw:
        await check(client(base_url=raw.url), logs)


async def test_refused(client: MakeClient, logs: pytest.LogCaptureFixture) -> None:
    """They are not shown when no connection can be made."""
    await check(client(base_url=f"http://127.0.0.1:{closed_port()}"), logs)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99_999])
async def test_unreadable_responses(client: MakeClient, logs: pytest.LogCaptureFixture, head: bytes) -> None:
    """aiohttp's errors hold the headers of the request. None of them is in the chain."""

    async def reply(connection: Connection) -> None:
        await connection.read()
        await connection.write(head)

    async with RawServer(reply) as raw:
        await check(client(base_url=raw.url), logs)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, problem("VALIDATION_001")),
        (401, b""),
        (502, b"<html>private-response</html>"),
        (503, problem("INTERNAL_005")),
        (200, b"private-response"),
        (200, envelope(profile(id=7, name="private-response"))),
        (200, envelope(profile(created_at="private-response"))),
        (201, b'{"success":true,"data":{"id":"private-response"}}'),
        (302, b"private-response"),
    ],
)
async def test_responses(client: MakeClient, logs: pytest.LogCaptureFixture, status: int, body: bytes) -> None:
    """The body of the response is not shown either."""

    async def reply(connection: Connection) -> None:
        await connection.read()
        await connection.reply(make_response(body, status), close=True)

    async with RawServer(reply) as raw:
        await check(client(base_url=raw.url), logs)


async def test_a_bad_certificate(client: MakeClient, logs: pytest.LogCaptureFixture) -> None:
    """They are not shown when the handshake fails."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with RawServer(good, tls=context) as raw:
        await check(client(base_url=raw.url), logs)


async def test_a_deadline(client: MakeClient, clock: FakeClock, logs: pytest.LogCaptureFixture) -> None:
    """They are not shown when the deadline ends a call."""
    async with RawServer(STALLS[0], clock=clock) as raw:
        await check(client(base_url=raw.url, deadline=20), logs)


async def test_closing(client: MakeClient, logs: pytest.LogCaptureFixture) -> None:
    """They are not shown when the client is closed during a call."""
    async with RawServer(STALLS[1]) as raw:
        sent = client(base_url=raw.url)
        task = asyncio.ensure_future(check(sent, logs))
        await until(lambda: raw.requests)
        await sent.close()
        await task


async def test_success(client: MakeClient, logs: pytest.LogCaptureFixture) -> None:
    """The log of a successful call has method, path template, status, request id, attempt and seconds only."""

    async def reply(connection: Connection) -> None:
        await connection.read()
        await connection.reply(make_response(envelope(profile(name="private-response", id="private-id"))), close=True)

    async with RawServer(reply) as raw:
        sent = client(base_url=raw.url)
        await write(sent)
        await sent.profiles.retrieve("private-id")
    assert_clean(logs.text, repr(sent), repr(sent.profiles), repr(sent._transport._settings))
    ours = [record.getMessage() for record in logs.records if record.name == "sent_async"]
    assert len(ours) == 2
    assert ours[1].startswith("GET /v3/profiles/{profileId} attempt 1: 200 in ")
    assert "request_id=req_7X9zKp2jDw" in ours[1]


async def test_a_retry_is_logged_at_info(client: MakeClient, clock: FakeClock, logs: pytest.LogCaptureFixture) -> None:
    """The line has the error and the wait before the next attempt."""
    with pytest.raises(SentError):
        await client(base_url=f"http://127.0.0.1:{closed_port()}", max_retries=1).profiles.retrieve("private-id")
    ours = [(record.levelname, record.getMessage()) for record in logs.records if record.name == "sent_async"]
    assert [level for level, _ in ours] == ["INFO", "DEBUG"]
    assert "SentConnectionError" in ours[0][1] and f"next attempt in {clock.slept[0]:.2f} s" in ours[0][1]
