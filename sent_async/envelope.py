"""Turn the bytes of a response into a typed value or the right error. Pure: no I/O, and the clock is passed in."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Generic, TypeVar, cast

import msgspec
from multidict import CIMultiDict

from . import repair
from .choice import read_choice
from .clock import Clock
from .errors import SentAPIError, SentDecodeError, error_class, is_replay
from .models.enums import ErrorCode
from .models.responses import ApiMeta
from .operation import Envelope, Operation
from .operations import ERROR_STATUS, PREFIX_STATUS

T = TypeVar("T")

_SECONDS = re.compile(r"\d+(\.\d+)?")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")
_WITHOUT_REASON = {
    401: "the key is missing, unknown or revoked; check SENT_DM_API_KEY",
    403: "the key may not do this; check its role, and that a profile_id is used with an organization key",
    404: "there is no such resource; check the id and the base_url",
    429: "the rate limit is spent; call again later",
}
"""What to say about an error response with an empty body, by status."""


class SentResponse(msgspec.Struct, Generic[T], frozen=True, kw_only=True, gc=False):
    """A typed response: data, status, headers and meta. It can be pickled and copied."""

    data: T
    """The ``data`` of the envelope, in the response type of the operation."""
    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """The headers of the response. The case of names does not matter."""
    meta: ApiMeta | None = None
    """The ``meta`` of the envelope."""
    attempts: int = 1
    """The number of attempts that were needed."""
    elapsed: float = 0.0
    """Seconds from the start of the call to the response, with all waits."""

    @property
    def request_id(self) -> str | None:
        """The id to give to the vendor's support."""
        return self.headers.get("X-Request-Id") or (self.meta.request_id if self.meta is not None else None)

    @property
    def replayed(self) -> bool:
        """Whether this is the stored response to an earlier request with the same idempotency key."""
        return is_replay(self.headers)

    def __repr__(self) -> str:
        """Without the headers: a server may set a cookie there."""
        shown = ("status", "request_id", "attempts", "replayed", "data")
        return f"SentResponse({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        # aiohttp's headers cannot be pickled. They are copied here, so that only pickling has this cost.
        return _restore, ({**msgspec.structs.asdict(self), "headers": CIMultiDict(self.headers)},)


def _restore(members: dict[str, Any]) -> SentResponse[Any]:
    return SentResponse(**members)


def decode(
    operation: Operation[T], status: int, headers: Mapping[str, str], body: bytes, clock: Clock
) -> tuple[T, ApiMeta | None]:
    """Decode the body of a response.

    Args:
        operation: What was called.
        status: The HTTP status.
        headers: The headers of the response.
        body: The body, decompressed.
        clock: The client's clock, for a ``Retry-After`` that is a date.

    Returns:
        The ``data`` and the ``meta`` of the envelope.

    Raises:
        SentAPIError: The status is not 2xx, or the envelope has ``success: false``.
        SentDecodeError: The body does not have the response type of the operation.
    """
    if not 200 <= status < 300:
        raise api_error(status, headers, body, clock)
    try:
        envelope = operation.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        envelope = _decode_leniently(operation, status, headers, body, clock)
    if envelope.success is False or (envelope.success is None and envelope.error is not None):
        raise api_error(status, headers, body, clock)
    if operation.response is None:
        nothing: Any = None
        return nothing, envelope.meta
    if envelope.data is None:
        return _without_data(operation, status, headers, body), envelope.meta
    return envelope.data, envelope.meta


def _without_data(operation: Operation[T], status: int, headers: Mapping[str, str], body: bytes) -> T:
    try:
        return operation.without_data()
    except msgspec.ValidationError:
        if body.strip():
            raise _decode_error("the envelope has no data", status, headers, path="$.data") from None
        raise _decode_error("the body is empty", status, headers) from None


def _decode_leniently(
    operation: Operation[T], status: int, headers: Mapping[str, str], body: bytes, clock: Clock
) -> Envelope[T]:
    """Decode a body that did not fit its type: the envelope of an error, times to repair, or an unusable body."""
    if not body.strip():
        return Envelope()
    try:
        plain: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if operation.response is None:
            return Envelope()  # if the operation has no data, any 2xx is a success
        kind = headers.get("Content-Type", "no content type")
        raise _decode_error(f"the body is not JSON ({kind})", status, headers) from None
    if _mapping(plain).get("success") is False:
        raise api_error(status, headers, body, clock)
    if operation.response is None or plain is None:
        return Envelope()
    try:
        return repair.convert(plain, operation.envelope, optional=("error", "meta"), hook=read_choice)
    except msgspec.ValidationError as error:
        path, what = repair.path_and_message(error)
        raise _decode_error(what, status, headers, path=path, plain=plain) from None


def api_error(status: int, headers: Mapping[str, str], body: bytes, clock: Clock) -> SentAPIError:
    """The error for a response with any body: an envelope, the HTML page of a proxy, or nothing."""
    try:
        plain = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        plain = None
    envelope = _mapping(plain)
    problem = _mapping(envelope.get("error"))
    code = _text(problem.get("code"))
    details = {name: _texts(value) for name, value in _mapping(problem.get("details")).items()}
    error_status = _status_of(code) if 200 <= status < 300 else status
    return error_class(error_status)(
        _text(problem.get("message")) or "",
        status=status,
        code=ErrorCode(code) if code else None,
        details=details,
        doc_url=_text(problem.get("doc_url")),
        request_id=_request_id(headers, envelope),
        retry_after=retry_after(headers, now=clock.wall()),
        headers=CIMultiDict(headers),
        hint=_hint(error_status or status, headers, body, explained=bool(problem)),
    )


def _hint(status: int, headers: Mapping[str, str], body: bytes, *, explained: bool) -> str:
    """What to do next. It follows the message of the API, or replaces it if there is none."""
    advice = "check SENT_DM_API_KEY" if status == 401 else ""
    if explained:
        return advice
    if 200 <= status < 300:
        return "success is false and the response gives no reason"
    if body.strip():
        kind = _MEDIA_TYPE.match(headers.get("Content-Type", ""))
        foreign = f"no answer of the API's ({kind[0] if kind else 'no content type'}); a proxy may have answered"
        return f"{foreign}; {advice}" if advice else foreign
    if 300 <= status < 400:
        return "a redirect, which is not followed; check the base_url"
    if 500 <= status <= 599:
        return "the server failed and gave no reason; call again later"
    return _WITHOUT_REASON.get(status, "the response gives no reason")


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """The seconds to wait that ``Retry-After`` asks for, as a number or as a date.

    Args:
        headers: The headers of the response.
        now: Unix time, for a date in a response without a ``Date`` header.

    Returns:
        The seconds; ``None`` if the header is missing, in the past or unreadable.
    """
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = http_date(value)
    if until is None:
        return None
    since = http_date(headers.get("Date", ""))
    wait = until - (since if since is not None else now)
    return wait if wait >= 0 else None


def http_date(value: str) -> float | None:
    """Unix time of a date in a header; ``None`` if it is not one."""
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _status_of(code: str | None) -> int | None:
    return None if code is None else ERROR_STATUS.get(code) or PREFIX_STATUS.get(code.partition("_")[0])


def _decode_error(
    what: str, status: int, headers: Mapping[str, str], *, path: str | None = None, plain: object = None
) -> SentDecodeError:
    message = f"{what} - at {path}" if path else what
    return SentDecodeError(message, status=status, request_id=_request_id(headers, _mapping(plain)), path=path)


def _request_id(headers: Mapping[str, str], envelope: Mapping[str, Any]) -> str | None:
    return headers.get("X-Request-Id") or _text(_mapping(envelope.get("meta")).get("request_id"))


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [str(item) for item in cast("list[object]", value)] if isinstance(value, list) else [str(value)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
