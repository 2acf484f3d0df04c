"""Everything this package raises on purpose. ``except SentError`` catches all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "ConflictError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "SentAPIError",
    "SentConfigError",
    "SentConnectionError",
    "SentDecodeError",
    "SentError",
    "SentTimeoutError",
    "ServerError",
    "UnprocessableEntityError",
]


class SentError(Exception):
    """Root of all errors of this package: plain values, picklable, free of keys and bodies."""

    request_id: str | None = None
    """The id to give to the vendor's support, from the ``X-Request-Id`` header or the envelope's ``meta``."""

    attempts: int = 0
    """How many times the request was sent, or tried to be, before this was raised."""

    idempotency_key: str | None = None
    """The key the write carried. Calling again with it repeats nothing that already happened."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[SentError], args: tuple[Any, ...], state: dict[str, Any]) -> SentError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class SentConfigError(SentError, ValueError):
    """The call cannot be made as asked: no key, bad option, empty id, closed client, another event loop."""


class SentConnectionError(SentError):
    """No usable answer came back. The cause is chained where it carries no secrets."""

    def __init__(self, message: str, *, maybe_sent: bool) -> None:
        super().__init__(message)
        self.maybe_sent = maybe_sent
        """Whether the request may have reached the server. When false, nothing happened there."""


class SentTimeoutError(SentConnectionError, TimeoutError):
    """An attempt outlasted ``timeout``, or the call its ``deadline``, or a rate limit frees too late to wait for it."""

    def __init__(self, message: str, *, maybe_sent: bool, retry_after: float | None = None) -> None:
        super().__init__(message, maybe_sent=maybe_sent)
        self.retry_after = retry_after
        """Seconds until the rate limit frees, when that was the reason; otherwise ``None``."""


class SentDecodeError(SentError):
    """An answer or a webhook came, but not in the promised shape."""

    def __init__(
        self, message: str, *, status: int | None = None, request_id: str | None = None, path: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status of the answer; ``None`` for a webhook, which has none."""
        self.request_id = request_id
        self.path = path
        """Where in the body, as ``$.data.profiles[1].created_at``; ``None`` when it is not JSON at all."""

    def __str__(self) -> str:
        head = "webhook" if self.status is None else str(self.status)
        return _sentence(head, self.args[0], self.request_id)


class SentAPIError(SentError):
    """The API said no: a status of 300 or above, or ``success: false`` on any status."""

    def __init__(
        self,
        message: str = "",
        *,
        status: int,
        code: str | None = None,
        details: Mapping[str, Sequence[str]] | None = None,
        doc_url: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        """The HTTP status of the answer; 2xx when the envelope said ``success: false``."""
        self.code = code
        """An ``ErrorCode``, such as ``RESOURCE_005``, or ``None`` when the body named none."""
        self.details: Mapping[str, Sequence[str]] = details or {}
        """The request's own member names, each with what is wrong with it."""
        self.doc_url = doc_url
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds the server asked to wait, or ``None``."""
        self.headers: Mapping[str, str] = headers if headers is not None else {}
        self.hint = hint
        """What to look at next, where the response itself does not say; empty otherwise. Part of ``str(error)``."""

    def __str__(self) -> str:
        """One line: status, code, message, request id, then the details and the hint."""
        head = f"{self.status} {self.code}" if self.code else str(self.status)
        text = _sentence(head, self.message, self.request_id)
        for member, problems in self.details.items():
            text += f"; {member}: {' '.join(', '.join(problems).split())}"
        if not self.hint:
            return text
        told = self.code or self.message or self.details
        return f"{text}; {self.hint}" if told else f"{text}: {self.hint}"

    @property
    def replayed(self) -> bool:
        """Whether the server replayed the stored answer of an earlier request with the same idempotency key."""
        return is_replay(self.headers)


class BadRequestError(SentAPIError):
    """400: the request did not pass validation; ``details`` names the members."""


class AuthenticationError(SentAPIError):
    """401: no key, or one that is unknown or revoked."""


class PermissionDeniedError(SentAPIError):
    """403: the key may not do this; ``profile_id=`` needs an organization key."""


class NotFoundError(SentAPIError):
    """404: no such thing for this key. After a retried DELETE (``attempts`` > 1) an earlier attempt may have hit."""


class ConflictError(SentAPIError):
    """409: in the way of something else; ``code`` says of what."""


class UnprocessableEntityError(SentAPIError):
    """422: understood, but against a business rule."""


class RateLimitError(SentAPIError):
    """429: too many requests; ``retry_after`` says how many seconds to wait, when the server said so."""


class ServerError(SentAPIError):
    """5xx: the API, or something in front of it, failed."""


_BY_STATUS: dict[int, type[SentAPIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}

QUOTA_SPENT = "LIMIT_001"
"""The code of a 429 that is about what the account holds, not about how fast it asks."""


def error_class(status: int | None) -> type[SentAPIError]:
    """The class that stands for a status; ``SentAPIError`` itself for one without a class of its own."""
    if status is not None and 500 <= status <= 599:
        return ServerError
    return _BY_STATUS.get(status or 0, SentAPIError)


def is_replay(headers: Mapping[str, str]) -> bool:
    """Whether the answer with these headers is a stored one, given again for its idempotency key."""
    return headers.get("Idempotent-Replayed", "").lower() == "true"


def _sentence(head: str, message: str, request_id: str | None) -> str:
    text = f"{head}: {message}" if message else head
    return f"{text} (request_id={request_id})" if request_id else text
