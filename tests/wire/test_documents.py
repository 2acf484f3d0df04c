"""Requests with documents: streamed, the same on every attempt, and never half sent without an error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sent_async import SentAPIError, SentClient, SentConfigError
from sent_async.models import SenderProfileCreate
from sent_async.multipart import Document, Multipart
from sent_async.operations import CREATE_SENDER_PROFILE
from tests.support.payloads import envelope, problem
from tests.support.raw_servers import Connection, RawServer, good
from tests.support.servers import MakeClient, Server, make_response

CREATED = make_response(envelope({"id": "1"}), 201)
BODY: Any = {"name": "Sales", "short_name": "SALES"}


@pytest.fixture(params=["own connections", "the caller's session"])
async def sent(request: pytest.FixtureRequest, client: MakeClient) -> AsyncIterator[SentClient]:
    """A client of each kind."""
    if request.param == "own connections":
        yield client()
        return
    async with aiohttp.ClientSession() as session:
        yield client(session=session)


async def test_an_upload_is_the_same_on_every_attempt(sent: SentClient, server: Server, tmp_path: Path) -> None:
    """The form and its idempotency key are repeated byte for byte, and the file is read from disk each time."""
    (tmp_path / "letter.pdf").write_bytes(b"%PDF" + bytes(300_000))
    server.responses = [make_response(b"", 503), CREATED]
    documents: dict[str, Document] = {"letter": tmp_path / "letter.pdf", "note": b"small"}
    assert (await sent.sender_profiles.create(**BODY, documents=documents)).id == "1"
    first, second = server.requests
    assert first.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert first.body == second.body and len(first.body) > 300_000
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert int(first.headers["Content-Length"]) == len(first.body)
    assert "Transfer-Encoding" not in first.headers


async def test_without_documents_it_is_json(sent: SentClient, server: Server) -> None:
    """The same method sends plain JSON when there is nothing to upload."""
    server.responses = [CREATED]
    await sent.sender_profiles.create(**BODY)
    assert server.last.headers["Content-Type"] == "application/json"


async def test_a_file_that_is_gone_when_it_is_sent(sent: SentClient, server: Server, tmp_path: Path) -> None:
    """The call raises an error that names the file."""
    letter = tmp_path / "letter.pdf"
    letter.write_bytes(b"%PDF")
    form = Multipart(SenderProfileCreate(**BODY), {"letter": letter}, parts="profile")
    letter.unlink()
    with pytest.raises(SentConfigError, match="letter"):
        await sent.send(CREATE_SENDER_PROFILE, body=form)


async def test_a_response_before_the_whole_form(client: MakeClient, tmp_path: Path) -> None:
    """An early refusal is the result, and its connection is not used again."""
    (tmp_path / "big.bin").write_bytes(bytes(20_000_000))

    async def refuse(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        await connection.reply(make_response(problem("VALIDATION_001"), 413))
        await connection.hang()

    async with RawServer(refuse, good) as raw:
        sent = client(base_url=raw.url)
        with pytest.raises(SentAPIError) as caught:
            await sent.sender_profiles.create(**BODY, documents={"big": tmp_path / "big.bin"})
        assert (caught.value.status, caught.value.attempts) == (413, 1)
        await sent.profiles.retrieve("p")
        assert raw.connections == 2


async def test_a_connection_that_breaks_during_the_form(client: MakeClient, tmp_path: Path) -> None:
    """It is a failure of the connection: the whole form is sent again."""
    (tmp_path / "big.bin").write_bytes(bytes(3_000_000))

    async def breaks(connection: Connection) -> None:
        await connection.reader.readuntil(b"\r\n\r\n")
        connection.reset()

    async def takes(connection: Connection) -> None:
        await connection.read()
        await connection.reply(CREATED)

    async with RawServer(breaks, takes) as raw:
        sent = client(base_url=raw.url)
        created = await sent.sender_profiles.create(**BODY, documents={"big": tmp_path / "big.bin"})
        assert created.id == "1"
        assert len(raw.requests[0].body) > 3_000_000
