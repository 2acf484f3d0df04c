"""An asyncio client for the Sent messaging API (v3)."""

from ._version import __version__
from .batch import Batch, Progress, Result, batch
from .call import Attempt
from .client import SentClient
from .envelope import SentResponse
from .errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SentAPIError,
    SentConfigError,
    SentConnectionError,
    SentDecodeError,
    SentError,
    SentTimeoutError,
    ServerError,
    UnprocessableEntityError,
)
from .following import wait_for_message
from .journal import Journal
from .models.enums import ErrorCode
from .operation import Operation
from .pacing import Pacer, RateLimit
from .pagination import Page, Paginator

__all__ = [
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "Batch",
    "ConflictError",
    "ErrorCode",
    "Journal",
    "NotFoundError",
    "Operation",
    "Pacer",
    "Page",
    "Paginator",
    "PermissionDeniedError",
    "Progress",
    "RateLimit",
    "RateLimitError",
    "Result",
    "SentAPIError",
    "SentClient",
    "SentConfigError",
    "SentConnectionError",
    "SentDecodeError",
    "SentError",
    "SentResponse",
    "SentTimeoutError",
    "ServerError",
    "UnprocessableEntityError",
    "__version__",
    "batch",
    "wait_for_message",
]
