"""Forms with documents, which two operations accept instead of JSON."""

from __future__ import annotations

import email
from collections.abc import Mapping
from email.message import Message
from typing import Any, Final, cast

import msgspec

from .. import operations
from ..operation import Operation
from .store import JSON, new_id
from .validation import invalid

_PARTS: Final[Mapping[str, str | Mapping[str, str]]] = {
    operations.CREATE_SENDER_PROFILE.name: "profile",
    operations.CREATE_SMS_MARKET.name: {
        "country": "country",
        "numberType": "number_type",
        "senderValue": "sender_value",
        "sandbox": "sandbox",
    },
}
"""The name of the part with the whole body as JSON, or the names of all parts with their members of the body."""


def read_form(operation: Operation[Any], content_type: str, content: bytes) -> tuple[bytes, list[JSON]]:
    """Read the members of a form as a JSON body, and its documents as responses describe them.

    Raises ``Refusal`` if the form cannot be read, or if the operation accepts no form.
    """
    member_parts = _PARTS.get(operation.name)
    if member_parts is None:
        raise invalid("body", "The request body must be a JSON object")
    # Decoded as Latin-1, where every byte is a character: the parser would replace non-ASCII bytes in names.
    form = email.message_from_string(f"Content-Type: {content_type}\r\n\r\n{content.decode('latin-1')}")
    if not form.is_multipart():
        raise invalid("body", "The form cannot be read")
    parts = cast("list[Message]", form.get_payload())
    body: bytes | None = None
    members: JSON = {}
    documents: list[JSON] = []
    for part in parts:
        name, value = _text(part.get_param("name", "", header="content-disposition")), _content(part)
        if name == member_parts:
            body = value
        elif isinstance(member_parts, Mapping) and name in member_parts:
            text = value.decode(errors="replace")
            members[member_parts[name]] = text == "true" if name == "sandbox" else text
        else:
            documents.append({"key": name, "file_name": _text(part.get_filename("")) or None, "document_id": new_id()})
    return body if body is not None else msgspec.json.encode(members), documents


def _content(part: Message) -> bytes:
    content: object = part.get_payload()
    return content.encode("latin-1") if isinstance(content, str) else b""


def _text(value: object) -> str:
    """A name in a header as text."""
    return str(value).encode("latin-1").decode(errors="replace")
