"""The description of an endpoint: everything about a request that is known before the call."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from .choice import read_choice
from .errors import SentConfigError
from .models.responses import ApiMeta, ErrorDetail
from .structs import RequestModel, check_aware, check_list

T = TypeVar("T")

RateTier = str
"""Which rate limit a request counts against: ``standard``, ``sensitive``, ``message``, or another name."""

Idempotency = Literal["automatic", "explicit", "none"]
"""``automatic``: each call makes a key. ``explicit``: a key is sent only if it is passed. ``none``: there is no key."""

_PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class Envelope(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """The form of every response body, success or failure."""

    success: bool | None = None
    data: T | None = None
    error: ErrorDetail | None = None
    meta: ApiMeta | None = None


class Operation(Generic[T]):
    """An endpoint: its method, path, parameters and response type, and how it is paced and repeated.

    ``sent_async.operations`` has all operations of the API description. For any other endpoint, make an ``Operation``
    and pass it to ``SentClient.send``::

        balance = Operation("balance", "GET", "/v3/accounts/{accountId}/balance", response=dict[str, Any])
        response = await sent.send(balance, account_id=account_id)

    Args:
        name: A name for error messages.
        method: The HTTP method.
        path: The path, with a placeholder such as ``{accountId}`` for each of its parameters.
        response: The type of the envelope's ``data``; ``None`` for an endpoint without data.
        path_parameters: Keyword names, each with the name of its placeholder. Default: the placeholders in snake case.
        query_parameters: Keyword names, each with the name in the query.
        query_lists: The keyword names of query parameters that take a list. Each item is sent with the name again.
        body: The request model that is sent as the body, if there is one.
        rate_tier: The rate limit that requests count against: ``standard``, ``sensitive``, ``message``, or another.
        idempotency: ``automatic`` makes a key for each call, ``explicit`` sends a key only if it is passed, ``none`` is
            for endpoints without keys. Default: ``automatic`` for POST, PUT and PATCH, otherwise ``none``.
    """

    def __init__(
        self,
        name: str,
        method: str,
        path: str,
        *,
        response: type[T] | None,
        path_parameters: Mapping[str, str] | None = None,
        query_parameters: Mapping[str, str] | None = None,
        query_lists: Collection[str] = (),
        body: type[RequestModel] | None = None,
        rate_tier: RateTier = "standard",
        idempotency: Idempotency | None = None,
    ) -> None:
        if path_parameters is None:
            path_parameters = {_snake_case(wire): wire for wire in _PLACEHOLDER.findall(path)}
        self.name = name
        self.method = method.upper()
        self.path = path
        self.response = response
        self.path_parameters = dict(path_parameters)
        self.query_parameters = dict(query_parameters or {})
        self.query_lists = frozenset(query_lists)
        self.body = body
        self.rate_tier = rate_tier
        self.idempotency: Idempotency = idempotency or (
            "automatic" if self.method in ("POST", "PUT", "PATCH") else "none"
        )
        python_names = {wire: python for python, wire in self.path_parameters.items()}
        self._path_names = tuple(python_names[wire] for wire in _PLACEHOLDER.findall(path))
        self._path_format = _PLACEHOLDER.sub("%s", path.replace("%", "%%"))
        self._single = self._path_names[0] if len(self._path_names) == 1 and not self.query_parameters else None

    def __repr__(self) -> str:
        return f"<Operation {self.name}: {self.method} {self.path}>"

    @property
    def repeatable(self) -> bool:
        """Whether a request that may have reached the server can be sent again without being executed twice."""
        return self.idempotency == "automatic" or self.method in ("GET", "HEAD", "OPTIONS", "DELETE")

    @cached_property
    def decode(self) -> Callable[[bytes], Envelope[T]]:
        """Decode a body. The decoder is made at first use and kept, because making it costs more than using it."""
        return msgspec.json.Decoder(self.envelope, dec_hook=read_choice).decode

    @property
    def envelope(self) -> type[Envelope[T]]:
        """The type of the response body."""
        data: Any = msgspec.Raw if self.response is None else self.response
        return Envelope[data]

    def without_data(self) -> T:
        """The value for a successful response without data.

        It is ``None`` if the type allows it. For an action with only optional members, such as ``complete`` with 204,
        it is an object without members. For a GET it is not, because an empty page would look like a complete list.

        Returns:
            The value.

        Raises:
            msgspec.ValidationError: The response of the operation must have data.
        """
        action = self.method != "GET" and isinstance(self.response, type) and issubclass(self.response, msgspec.Struct)
        return cast("T", msgspec.convert({} if action else None, self.response, dec_hook=read_choice))

    def target(self, parameters: Mapping[str, object]) -> tuple[str, str]:
        """Make the path and the query string of a request.

        Args:
            parameters: The path and query parameters, by their Python names.

        Returns:
            The path and the query, both percent-encoded. The query is empty if there is none.

        Raises:
            SentConfigError: An id is empty, has dots only, or is not a string.
            TypeError: A parameter is missing or unknown.
        """
        if self._single is not None and len(parameters) == 1:
            value = parameters.get(self._single)
            if isinstance(value, str) and _PLAIN_SEGMENT.fullmatch(value):
                return self._path_format % value, ""
        known = self.path_parameters.keys() | self.query_parameters.keys()
        if unknown := sorted(parameters.keys() - known):
            raise TypeError(
                f"{self.name} takes no parameter {unknown[0]!r}; it takes {', '.join(sorted(known)) or 'none'}"
            )
        if missing := [name for name in self._path_names if name not in parameters]:
            raise TypeError(f"{self.name} needs {missing[0]}=")
        try:
            path = self._path_format % tuple(_segment(name, parameters[name]) for name in self._path_names)
            query = urlencode(
                [
                    (wire, value)
                    for python, wire in self.query_parameters.items()
                    for value in self._texts(python, parameters.get(python))
                ]
            )
        except UnicodeEncodeError:
            raise SentConfigError(f"{self.name}: a parameter has a lone surrogate, which cannot be sent") from None
        return path, query

    def _texts(self, name: str, value: object) -> list[str]:
        if name in self.query_lists:
            check_list(name, value)
        return _query_values(name, value)


def _segment(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise SentConfigError(f"{name} must be a string, not {type(value).__name__}; convert it with str()")
    if not value.strip(". "):
        raise SentConfigError(f"{name} must be an id: {value!r} would call another endpoint")
    return quote(value, safe="")


def _query_values(name: str, value: object) -> list[str]:
    """The values of a query parameter as text: none for ``None``, several for a list."""
    if value is None:
        return []
    if isinstance(value, (list, tuple, set, frozenset)):
        return [text for item in cast("list[object]", value) for text in _query_values(name, item)]
    if isinstance(value, datetime):
        return [check_aware(name, value).isoformat()]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def _snake_case(wire: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire).lower()
