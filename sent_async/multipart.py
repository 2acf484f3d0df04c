"""A request body with documents, written as ``multipart/form-data``.

Compliance documents are uploaded this way. Without documents the same request is JSON.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import stat
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeVar, cast

import msgspec

from .errors import SentConfigError

Document: TypeAlias = os.PathLike[str] | bytes | tuple[str, bytes, str]
"""The path of a file, the content itself, or a tuple of file name, content and content type."""

T = TypeVar("T")

_CHUNK = 256 * 1024
_BINARY = "application/octet-stream"


class Multipart:
    """The members of a body and its documents. It can be sent any number of times.

    The bytes are the same for every attempt. Files are read in chunks, while they are sent.

    Args:
        body: The body that is sent as JSON when there are no documents.
        documents: The documents, by the document keys in the market's requirements. Keys become part names.
        parts: How the form carries ``body``. A string is the name of one part with the whole body as JSON. A mapping
            has the names of the members that the form takes, each with the name of its part.

    Raises:
        SentConfigError: A document is missing, unreadable or of another type; a name has control characters or is the
            name of another part; or the form has no part for a member of ``body``.
    """

    def __init__(self, body: object, documents: Mapping[str, Document], *, parts: str | Mapping[str, str]) -> None:
        if not isinstance(documents, Mapping):
            raise SentConfigError("documents must be a mapping of document key to Path, bytes, or a tuple")
        boundary = uuid.uuid4().hex
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._pieces: list[bytes | _File] = []
        members = _members(body, parts)
        for name, content, content_type in members:
            self._pieces += [_part_headers(boundary, content_type, name=name), content, b"\r\n"]
        for key, document in documents.items():
            if any(key == name for name, _, _ in members):
                raise SentConfigError(f'documents["{key}"] has the name of another part of the form')
            filename, piece, content_type = _document(key, document)
            self._pieces += [_part_headers(boundary, content_type, name=key, filename=filename), piece, b"\r\n"]
        self._pieces.append(f"--{boundary}--\r\n".encode())
        self._files = [piece for piece in self._pieces if isinstance(piece, _File)]
        self._count = len(documents)
        self.length = sum(piece.size if isinstance(piece, _File) else len(piece) for piece in self._pieces)
        """Number of bytes, for ``Content-Length``."""

    def __repr__(self) -> str:
        return f"<Multipart with {self._count} document(s)>"  # no names and contents in tracebacks

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes of one attempt. Close the iterator if it is not read to its end.

        Raises:
            SentConfigError: A file has changed since the call began. This is raised before the first chunk, or before
                the last one if the file changes while it is read, so that the request is never complete.
        """
        await asyncio.to_thread(self._check)
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            # Opened here and not in a thread: if the call is cancelled meanwhile, nobody would close the file.
            with piece.open() as file:
                left = piece.size
                while left:
                    chunk = await asyncio.to_thread(piece.read, file, min(left, _CHUNK))
                    left -= len(chunk)
                    yield chunk

    def _check(self) -> None:
        for file in self._files:
            file.open().close()


class _File:
    """A file as it was when the call began."""

    def __init__(self, key: str, path: Path) -> None:
        self._what = f'documents["{key}"]'
        self._path = path
        self._state = self._current_state()
        self.size = self._state[0]
        self.open().close()

    def open(self) -> BinaryIO:
        """Open the file, which must not have changed."""
        if self._current_state() != self._state:
            raise self._changed_error()
        return self._run(lambda: open(self._path, "rb"))

    def read(self, file: BinaryIO, size: int) -> bytes:
        """Read the next chunk. Raises if the file has changed."""
        chunk = self._run(lambda: file.read(size))
        if not chunk or self._current_state() != self._state:
            raise self._changed_error()
        return chunk

    def _current_state(self) -> tuple[int, int]:
        state = self._run(lambda: os.stat(self._path))
        if not stat.S_ISREG(state.st_mode):
            raise SentConfigError(f"{self._what} is not a file")
        # With the time of the change, because other content under the same idempotency key would be another request.
        return state.st_size, state.st_mtime_ns

    def _changed_error(self) -> SentConfigError:
        return SentConfigError(f"{self._what} changed while it was being sent; call again with the finished file")

    def _run(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except OSError as error:
            problem = error.strerror or type(error).__name__
        # Raised here, so that the path, which is in the system's error, is not chained.
        raise SentConfigError(f"{self._what} cannot be read: {problem}")


def _document(key: str, document: object) -> tuple[str, bytes | _File, str]:
    """The file name, the content and the content type of one document."""
    match document:
        case bytes():
            return key, document, _BINARY
        case (str() as name, bytes() as content, str() as content_type):
            return name, content, content_type
        case os.PathLike():
            path = Path(cast("os.PathLike[str]", document))
            name = path.name
            return name, _File(key, path), mimetypes.guess_type(name)[0] or _BINARY
        case _:
            raise SentConfigError(
                f'documents["{key}"] must be a Path, bytes, or (file name, bytes, content type),'
                f" not {type(document).__name__}"
            )


def _members(body: object, parts: str | Mapping[str, str]) -> list[tuple[str, bytes, str | None]]:
    """The name, content and content type of each part that carries the body."""
    encoded = _encode(body)
    if isinstance(parts, str):
        return [(parts, encoded, "application/json")]
    members: dict[str, Any] = msgspec.json.decode(encoded)
    for member, value in members.items():
        if member not in parts:
            raise SentConfigError(f"{member} cannot be sent together with documents; leave it out or send no documents")
        if value is None:
            raise SentConfigError(f"{member} cannot be null together with documents; leave it out")
    return [
        (parts[member], value.encode() if isinstance(value, str) else msgspec.json.encode(value), None)
        for member, value in members.items()
    ]


def _encode(body: object) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        problem = type(error).__name__
    # Raised here, so that the encoder's error, which may have a value, is not chained.
    raise SentConfigError(f"the body cannot be written as JSON ({problem}); check its values")


def _part_headers(boundary: str, content_type: str | None, **names: str) -> bytes:
    """The header lines of a part."""
    if not all(text and text.isprintable() for text in (*names.values(), content_type or _BINARY)):
        raise SentConfigError("a document's key, file name and content type must be printable and not empty")
    from aiohttp.payload import BytesPayload  # here, so that importing the package does not load aiohttp

    part = BytesPayload(b"", content_type=content_type or _BINARY)
    part.set_content_disposition("form-data", quote_fields=False, **names)
    lines = [f"--{boundary}", f"Content-Disposition: {part.headers['Content-Disposition']}"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    return "\r\n".join([*lines, "", ""]).encode()
