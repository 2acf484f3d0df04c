"""The errors of this package. ``except SentError`` catches all of them."""

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
    """The base of all errors of this package. Errors contain no API key and no body, and can be pickled."""

    request_id: str | None = None
    """The id to give to the vendor's support, from the ``X-Request-Id`` header or the envelope's ``meta``."""

    attempts: int = 0
    """The number of attempts before this was raised."""

    idempotency_key: str | None = None
    """The key of the write. Call again with it: what was done already is not done a second time."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(kind: type[SentError], args: tuple[Any, ...], state: dict[str, Any]) -> SentError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class SentConfigError(SentError, ValueError):
    """The call cannot be made: no key, an invalid option, an empty id, a closed client, another event loop."""


class SentConnectionError(SentError):
    """There is no usable response. The cause is chained if it contains no secrets.

    Args:
        message: What happened.
        maybe_sent: Whether the request may have reached the server.
    """

    def __init__(self, message: str, *, maybe_sent: bool) -> None:
        super().__init__(message)
        self.maybe_sent = maybe_sent
        """Whether the request may have reached the server. If false, nothing happened there."""


class SentTimeoutError(SentConnectionError, TimeoutError):
    """An attempt took longer than ``timeout``, the call took longer than ``deadline``, or a rate limit frees too late.

    Args:
        message: What happened.
        maybe_sent: Whether the request may have reached the server.
        retry_after: Seconds until the rate limit frees, if that is the reason.
    """

    def __init__(self, message: str, *, maybe_sent: bool, retry_after: float | None = None) -> None:
        super().__init__(message, maybe_sent=maybe_sent)
        self.retry_after = retry_after
        """Seconds until the rate limit frees, if that was the reason; otherwise ``None``."""


class SentDecodeError(SentError):
    """A response or a webhook does not have the expected form.

    Args:
        message: What is wrong.
        status: The HTTP status of the response; ``None`` for a webhook.
        request_id: The id to give to the vendor's support.
        path: The place in the body; ``None`` if the body is not JSON.
    """

    def __init__(
        self, message: str, *, status: int | None = None, request_id: str | None = None, path: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status of the response; ``None`` for a webhook."""
        self.request_id = request_id
        self.path = path
        """The place in the body, such as ``$.data.profiles[1].created_at``; ``None`` if the body is not JSON."""

    def __str__(self) -> str:
        head = "webhook" if self.status is None else str(self.status)
        return _sentence(head, self.args[0], self.request_id)


class SentAPIError(SentError):
    """The API refused the request: a status of 300 or above, or ``success: false`` with any status.

    The common statuses have their own classes, such as ``NotFoundError`` for 404.

    Args:
        message: The message of the API.
        status: The HTTP status of the response.
        code: The code of the error in the API's catalogue.
        details: Names of members of the request, each with its problems.
        doc_url: The page of the vendor's documentation about this error.
        request_id: The id to give to the vendor's support.
        retry_after: Seconds that the server asked to wait.
        headers: The headers of the response.
        hint: What to do next, if the response does not say it.
    """

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
        """The HTTP status of the response; 2xx if the envelope has ``success: false``."""
        self.code = code
        """An ``ErrorCode``, such as ``RESOURCE_005``; ``None`` if the body has none."""
        self.details: Mapping[str, Sequence[str]] = details or {}
        """Names of members of the request, each with its problems."""
        self.doc_url = doc_url
        self.request_id = request_id
        self.retry_after = retry_after
        """Seconds that the server asked to wait, or ``None``."""
        self.headers: Mapping[str, str] = headers if headers is not None else {}
        self.hint = hint
        """What to do next, if the response does not say it; otherwise empty. Part of ``str(error)``."""

    def __str__(self) -> str:
        """One line: status, code, message, request id, then the details and the hint."""
        head = f"{self.status} {self.code}" if self.code else str(self.status)
        text = _sentence(head, self.message, self.request_id)
        for member, problems in self.details.items():
            text += f"; {member}: {' '.join(', '.join(problems).split())}"
        if not self.hint:
            return text
        has_reason = self.code or self.message or self.details
        return f"{text}; {self.hint}" if has_reason else f"{text}: {self.hint}"

    @property
    def replayed(self) -> bool:
        """Whether this is the stored response to an earlier request with the same idempotency key."""
        return is_replay(self.headers)


class BadRequestError(SentAPIError):
    """400: the request did not pass validation. ``details`` names the members."""


class AuthenticationError(SentAPIError):
    """401: there is no key, or it is unknown or revoked."""


class PermissionDeniedError(SentAPIError):
    """403: the key may not do this. ``profile_id=`` needs the key of an organization."""


class NotFoundError(SentAPIError):
    """404: there is no such resource for this key.

    If a DELETE was repeated (``attempts`` > 1), an earlier attempt may have deleted the resource.
    """


class ConflictError(SentAPIError):
    """409: the request conflicts with the current state of the resource; see ``code``."""


class UnprocessableEntityError(SentAPIError):
    """422: the request is valid, but a business rule forbids it; see ``code``."""


class RateLimitError(SentAPIError):
    """429: too many requests. ``retry_after`` has the seconds to wait, if the server sent them."""


class ServerError(SentAPIError):
    """5xx: the API, or a proxy in front of it, failed."""


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
"""The code of a 429 for a used-up quota. Other codes mean too many requests in a short time."""


def error_class(status: int | None) -> type[SentAPIError]:
    """The error class of a status. ``SentAPIError`` for a status without its own class."""
    if status is not None and 500 <= status <= 599:
        return ServerError
    return _BY_STATUS.get(status or 0, SentAPIError)


def is_replay(headers: Mapping[str, str]) -> bool:
    """Whether a response with these headers is the stored response to an earlier request with the same key."""
    return headers.get("Idempotent-Replayed", "").lower() == "true"


def _sentence(head: str, message: str, request_id: str | None) -> str:
    text = f"{head}: {message}" if message else head
    return f"{text} (request_id={request_id})" if request_id else text
