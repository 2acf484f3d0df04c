"""The envelopes of the fake's responses, for success and for errors."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from ..models import ErrorCode
from ..operations import ERROR_STATUS

DOC_URL: Final = "https://docs.sent.dm/docs/reference/api/error-catalog"
JSON_TYPE: Final = "application/json; charset=utf-8"

Details = Mapping[str, Sequence[str]]

_MESSAGES: Final[Mapping[str, str]] = {
    ErrorCode.NOT_AUTHENTICATED: "User is not authenticated",
    ErrorCode.INVALID_API_KEY: "Invalid or expired API key",
    ErrorCode.INSUFFICIENT_PERMISSIONS: "You do not have permission to perform this action",
    ErrorCode.VALIDATION_FAILED: "Request validation failed",
    ErrorCode.INVALID_IDEMPOTENCY_KEY: "Idempotency-Key must be 1 to 255 letters, digits, hyphens and underscores",
    ErrorCode.RATE_LIMIT_EXCEEDED: "Rate limit exceeded. Please try again later",
    ErrorCode.CAMPAIGN_NOT_FOUND: "Campaign not found for this profile",
    ErrorCode.BRAND_NOT_FOUND: "Brand not found for this profile",
    ErrorCode.IDEMPOTENCY_KEY_IN_FLIGHT: "A request with this idempotency key is still being processed",
    ErrorCode.IDEMPOTENCY_KEY_REUSED: "This idempotency key was already used for a different request",
    ErrorCode.TEMPLATE_IN_REVIEW: "The template is in review; its content cannot be changed or submitted again",
    ErrorCode.NUMBER_ON_OWN_WHATSAPP_ACCOUNT: "A number of this profile is still on its own WhatsApp account",
    ErrorCode.WHATSAPP_ACCOUNT_UNREADABLE: "The WhatsApp account of this profile could not be read",
    ErrorCode.INTERNAL_ERROR: "An unexpected error occurred. Please contact support with request ID: {request_id}",
}


class Refusal(Exception):  # noqa: N818 - a response, not a failure of the fake
    """An error response of the API. Any step of a request may raise it."""

    def __init__(
        self, code: str, message: str | None = None, *, details: Details | None = None, status: int | None = None
    ) -> None:
        super().__init__(code)
        self.code = str(code)
        self.message = message if message is not None else default_message(code)
        self.details = details
        self.status = status if status is not None else ERROR_STATUS[code]


class Reply(msgspec.Struct, frozen=True):
    """What a handler returns: the status, the ``data`` of the envelope, and a function to call afterwards."""

    status: int
    data: Any = None
    then: Callable[[], None] | None = None


class Response(msgspec.Struct, frozen=True):
    """One response, ready to be sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def new_request_id() -> str:
    return "req_" + secrets.token_hex(5)


def default_message(code: str) -> str:
    """The API's own message if it is known, otherwise the name of the code as a sentence."""
    return _MESSAGES.get(code) or ErrorCode(code).name.replace("_", " ").capitalize()


def success_body(data: object, request_id: str, timestamp: str) -> bytes:
    return _envelope(True, data, None, request_id, timestamp)


def refusal_body(refusal: Refusal, request_id: str, timestamp: str) -> bytes:
    error = {
        "code": refusal.code,
        "message": refusal.message.replace("{request_id}", request_id),
        "details": refusal.details,
        "doc_url": DOC_URL,
    }
    return _envelope(False, None, error, request_id, timestamp)


def _envelope(success: bool, data: object, error: object, request_id: str, timestamp: str) -> bytes:
    meta = {"request_id": request_id, "timestamp": timestamp, "version": "v3"}
    return msgspec.json.encode({"success": success, "data": data, "error": error, "meta": meta})
