"""Forms with documents, which two operations take in place of JSON."""

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
"""The part that holds the whole body as JSON, or the member of the body that each part stands for."""


def read_form(operation: Operation[Any], content_type: str, content: bytes) -> tuple[bytes, list[JSON]]:
    """The JSON body that a form stands for, and its documents in the form that the API tells of them.

    Raises ``Refusal`` for a form that cannot be read, and for one that the operation does not take.
    """
    places = _PARTS.get(operation.name)
    if places is None:
        raise invalid("body", "The request body must be a JSON object")
    # As Latin-1, in which every byte is a character: the parser would replace other bytes in names.
    form = email.message_from_string(f"Content-Type: {content_type}\r\n\r\n{content.decode('latin-1')}")
    if not form.is_multipart():
        raise invalid("body", "The form cannot be read")
    parts = cast("list[Message]", form.get_payload())
    body: bytes | None = None
    members: JSON = {}
    documents: list[JSON] = []
    for part in parts:
        name, value = _text(part.get_param("name", "", header="content-disposition")), _content(part)
        if name == places:
            body = value
        elif isinstance(places, Mapping) and name in places:
            text = value.decode(errors="replace")
            members[places[name]] = text == "true" if name == "sandbox" else text
        else:
            documents.append({"key": name, "file_name": _text(part.get_filename("")) or None, "document_id": new_id()})
    return body if body is not None else msgspec.json.encode(members), documents


def _content(part: Message) -> bytes:
    content: object = part.get_payload()
    return content.encode("latin-1") if isinstance(content, str) else b""


def _text(value: object) -> str:
    """A name out of a header."""
    return str(value).encode("latin-1").decode(errors="replace")
