"""Forms with documents, as a server reads them, for each attempt."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from sent_async import SentConfigError
from sent_async.multipart import Multipart
from sent_async.structs import RequestModel

PARTS = {"country": "country", "number_type": "numberType", "sandbox": "sandbox"}
Part: TypeAlias = tuple[str | None, str | None, str | None, bytes]
"""Name, file name, content type and content."""
# aiohttp's reader stumbles over semicolons and slashes in a quoted name; its writer does not.
NAMES = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters=";/\\"), min_size=1, max_size=20)


class Market(RequestModel):
    country: str
    number_type: str | msgspec.UnsetType = msgspec.UNSET
    sandbox: bool | msgspec.UnsetType = msgspec.UNSET
    compliance: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    when: Any = msgspec.UNSET


async def sent(form: Multipart) -> bytes:
    return b"".join([chunk async for chunk in form.chunks()])


@asynccontextmanager
async def reading() -> AsyncGenerator[tuple[Callable[[Multipart], Awaitable[list[Part]]], list[int | None]]]:
    """A server that reads forms with aiohttp's reader: a function that posts one, and the lengths that came."""
    lengths: list[int | None] = []
    forms: list[list[Part]] = []

    async def handler(request: web.Request) -> web.Response:
        parts: list[Part] = []
        async for part in await request.multipart():
            assert isinstance(part, aiohttp.BodyPartReader)
            parts.append((part.name, part.filename, part.headers.get("Content-Type"), bytes(await part.read())))
        lengths.append(request.content_length)
        forms.append(parts)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", handler)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:

        async def post(form: Multipart) -> list[Part]:
            headers = {"Content-Type": form.content_type, "Content-Length": str(form.length)}
            async with session.post(server.make_url("/"), data=form.chunks(), headers=headers) as response:
                assert response.status == 200
            return forms.pop()

        yield post, lengths


async def read(form: Multipart) -> list[Part]:
    """What a server reads out of one form."""
    async with reading() as (post, _):
        return await post(form)


async def test_the_body_goes_in_one_part_as_json(tmp_path: Path) -> None:
    """With one named part, that part is the whole body as JSON and every document is a file part of its own."""
    path = tmp_path / "registration.pdf"
    path.write_bytes(b"%PDF")
    form = Multipart(
        Market(country="US", compliance=None),
        {"registration": path, "logo": b"\x00\xff", "letter": ("a letter.txt", b"Dear\r\n", "text/plain")},
        parts="profile",
    )
    (body, *documents) = await read(form)
    assert body[:3] == ("profile", None, "application/json")
    assert json.loads(body[3]) == {"country": "US", "compliance": None}
    assert documents == [
        ("registration", "registration.pdf", "application/pdf", b"%PDF"),
        ("logo", "logo", "application/octet-stream", b"\x00\xff"),
        ("letter", "a letter.txt", "text/plain", b"Dear\r\n"),
    ]


async def test_the_members_go_in_parts_of_their_own() -> None:
    """With a mapping, each member is a text part under the form's name, and what is not given is no part."""
    form = Multipart(Market(country="XK", number_type="ALPHANUMERIC", sandbox=True), {"key": b"x"}, parts=PARTS)
    assert await read(form) == [
        ("country", None, None, b"XK"),
        ("numberType", None, None, b"ALPHANUMERIC"),
        ("sandbox", None, None, b"true"),
        ("key", "key", "application/octet-stream", b"x"),
    ]


@settings(max_examples=60, deadline=None)
@given(documents=st.dictionaries(NAMES, st.tuples(NAMES, st.binary(max_size=200)), max_size=4))
def test_any_name_and_content_arrives(documents: dict[str, tuple[str, bytes]]) -> None:
    """The reader gets the names and contents, and the length is that of the bytes."""
    files = {key: (name, content, "text/plain") for key, (name, content) in documents.items()}

    async def both() -> None:
        form = Multipart({"a": 1}, files, parts="profile")
        assert len(await sent(form)) == form.length
        assert [(name, file, content) for name, file, _, content in (await read(form))[1:]] == [
            (key, name, content) for key, (name, content) in documents.items()
        ]

    asyncio.run(both())


async def test_a_retry_sends_the_same_bytes(tmp_path: Path) -> None:
    """Each attempt reads the file anew and sends the same bytes, in chunks that are smaller than a large file."""
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(700_000))
    form = Multipart({}, {"large": path, "empty": b""}, parts="profile")
    chunks = [chunk async for chunk in form.chunks()]
    assert max(map(len, chunks)) < 700_000
    assert b"".join(chunks) == await sent(form)
    assert path.read_bytes() in b"".join(chunks)


async def test_a_server_takes_the_form_twice(tmp_path: Path) -> None:
    """A server gets the form with the announced length, and the same form again on a second attempt."""
    path = tmp_path / "registration.pdf"
    path.write_bytes(b"%PDF" * 100_000)
    form = Multipart(Market(country="US"), {"registration": path}, parts=PARTS)
    async with reading() as (post, lengths):
        first, second = await post(form), await post(form)
    assert first == second and lengths == [form.length, form.length]
    assert first[-1] == ("registration", "registration.pdf", "application/pdf", path.read_bytes())


async def test_an_attempt_that_is_given_up_closes_its_file(tmp_path: Path) -> None:
    """An attempt that is closed half-way leaves no file open."""
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(600_000))
    chunks = Multipart({}, {"large": path}, parts="profile").chunks()
    async with aclosing(chunks):
        async for chunk in chunks:
            if not chunk.strip(b"\0"):
                break
    assert [chunk async for chunk in chunks] == []


def test_a_missing_document_is_an_error_before_anything_is_sent(tmp_path: Path) -> None:
    """A file that is not there is a config error that names the key and the reason, not the path."""
    with pytest.raises(SentConfigError, match=r'documents\["deed"\] cannot be read: No such file') as caught:
        Multipart({}, {"deed": tmp_path / "secret-name.pdf"}, parts="profile")
    assert "secret-name" not in str(caught.value) and caught.value.__cause__ is caught.value.__context__ is None


def test_an_unreadable_document_is_an_error(tmp_path: Path) -> None:
    """A path that the system refuses to open is a config error with the system's reason."""
    path = tmp_path / "loop.pdf"
    path.symlink_to(path)  # not a file without permissions: root reads every file
    with pytest.raises(SentConfigError, match=r'documents\["deed"\] cannot be read: Too many levels of symbolic links'):
        Multipart({}, {"deed": path}, parts="profile")


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    """The error says that it is a folder."""
    with pytest.raises(SentConfigError, match=r'documents\["deed"\] is not a file'):
        Multipart({}, {"deed": tmp_path}, parts="profile")


@pytest.mark.parametrize("document", ["deed.pdf", ("deed.pdf", b""), 1, None])
def test_other_types_are_refused(document: Any) -> None:
    """A plain string could be a path or the content, so it is refused like any other type, with what to give."""
    with pytest.raises(SentConfigError, match=r'documents\["deed"\] must be a Path, bytes, or \(file name, bytes'):
        Multipart({}, {"deed": document}, parts="profile")


def test_documents_are_a_mapping_with_names_of_their_own(tmp_path: Path) -> None:
    """A file without its key, and a key that is the name of another part, are config errors."""
    with pytest.raises(SentConfigError, match="documents must be a mapping"):
        Multipart({}, tmp_path, parts="profile")  # type: ignore[arg-type]  # what the test is about
    with pytest.raises(SentConfigError, match=r'documents\["profile"\] has the name of another part'):
        Multipart({}, {"profile": b""}, parts="profile")


@pytest.mark.parametrize("change", [b"longer than before", b"other"])
async def test_a_file_that_changed_between_attempts_is_an_error(tmp_path: Path, change: bytes) -> None:
    """Other content under the same idempotency key would be another request, so nothing is sent."""
    path = tmp_path / "deed.pdf"
    path.write_bytes(b"first")
    form = Multipart({}, {"deed": path}, parts="profile")
    await sent(form)
    path.write_bytes(change)
    os.utime(path, (1, 1))
    with pytest.raises(SentConfigError, match=r'documents\["deed"\] changed'):
        await anext(aiter(form.chunks()))


async def test_a_file_that_vanished_between_attempts_is_an_error(tmp_path: Path) -> None:
    """A file that is gone on the second attempt is a config error before the first byte."""
    path = tmp_path / "deed.pdf"
    path.write_bytes(b"first")
    form = Multipart({}, {"deed": path}, parts="profile")
    path.unlink()
    with pytest.raises(SentConfigError, match="cannot be read"):
        await anext(aiter(form.chunks()))


@pytest.mark.parametrize("size", [0, 300_000, 900_000])
async def test_a_file_that_changes_while_it_is_sent_is_never_sent_whole(tmp_path: Path, size: int) -> None:
    """The attempt ends before its announced length."""
    path = tmp_path / "deed.pdf"
    path.write_bytes(bytes(600_000))
    form = Multipart({}, {"deed": path}, parts="profile")
    got: list[int] = []

    async def send() -> None:
        async for chunk in form.chunks():
            got.append(len(chunk))
            if len(chunk) > 100_000:
                os.truncate(path, size)

    with pytest.raises(SentConfigError, match="changed while it was being sent"):
        await send()
    assert 0 < sum(got) < form.length


@pytest.mark.parametrize("name", ["", "a\r\nX-Evil: 1", "a\0b"])
def test_names_cannot_add_headers(name: str) -> None:
    """Control characters in a key, a file name or a content type are refused, and so are empty ones."""
    for documents in ({name: b""}, {"key": (name, b"", "text/plain")}, {"key": ("name", b"", name or "\n")}):
        with pytest.raises(SentConfigError, match="must be printable and not empty"):
            Multipart({}, documents, parts="profile")


def test_a_member_without_a_place_in_the_form_is_an_error() -> None:
    """A member that the form does not have, or null, is named in the error."""
    with pytest.raises(SentConfigError, match="compliance cannot be sent together with documents"):
        Multipart(Market(country="US", compliance={}), {"key": b""}, parts=PARTS)
    with pytest.raises(SentConfigError, match="country cannot be null together with documents"):
        Multipart({"country": None}, {"key": b""}, parts=PARTS)


def test_a_body_that_is_no_json_is_an_error() -> None:
    """A value that cannot be written is a config error without the value."""
    with pytest.raises(SentConfigError, match=r"cannot be written as JSON \(TypeError\)"):
        Multipart(Market(country="US", when=object()), {"key": b""}, parts="profile")


def test_the_repr_shows_nothing() -> None:
    """Names and contents are not in the repr."""
    assert repr(Multipart({"a": 1}, {"key": b"x"}, parts="profile")) == "<Multipart with 1 document(s)>"
