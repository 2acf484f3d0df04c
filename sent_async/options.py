"""The options of a client, checked when they are set."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from ssl import SSLContext
from typing import Any

import msgspec
from yarl import URL

from .errors import SentConfigError

DEFAULT_BASE_URL = "https://api.sent.dm"
DEFAULT_MAX_RESPONSE_BYTES = 64 * 1024 * 1024

_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_IDEMPOTENCY_KEY = re.compile(r"[a-zA-Z0-9_-]{1,255}")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options that ``SentClient.with_options`` can change. They are frozen: each view has its own."""

    api_key: str
    profile_id: str | None = None
    timeout: float | None = 30.0
    deadline: float | None = None
    max_retries: int = 2
    headers: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        check_header("x-api-key", self.api_key)
        check_seconds("timeout", self.timeout)
        check_seconds("deadline", self.deadline)
        check_count("max_retries", self.max_retries, least=0)
        if self.profile_id is not None:
            if not self.profile_id:
                raise SentConfigError("profile_id is empty; leave it out to act as the key's own account")
            check_header("x-profile-id", self.profile_id)
        for name, value in self.headers.items():
            check_header(name, value)
            if name.lower() in ("content-length", "transfer-encoding"):
                raise SentConfigError(f"{name} cannot be set: the client writes it for each request")
            if name.lower() == "idempotency-key":
                raise SentConfigError("an Idempotency-Key belongs to one call: pass idempotency_key= to the method")

    def __repr__(self) -> str:
        return f"Options({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The options without the API key, and of headers only the names, because a value may be a credential."""
        shown = {**msgspec.structs.asdict(self), "headers": sorted(self.headers)}
        del shown["api_key"]
        return list(shown.items())

    def request_headers(self) -> dict[str, str]:
        """The headers that these options add to every request."""
        headers = {"x-api-key": self.api_key}
        if self.profile_id is not None:
            headers["x-profile-id"] = self.profile_id
        return {**headers, **self.headers}


def check_seconds(name: str, value: float | None) -> None:
    """Raise ``SentConfigError`` unless the value is a number of seconds above 0, or ``None``."""
    if value is not None and (not isinstance(value, (int, float)) or math.isnan(value) or value <= 0):
        raise SentConfigError(f"{name} must be a number of seconds above 0, or None for no limit; got {value!r}")


def check_count(name: str, value: int, *, least: int) -> None:
    """Raise ``SentConfigError`` unless the value is a whole number of at least ``least``."""
    if not isinstance(value, int) or value < least:
        raise SentConfigError(f"{name} must be a whole number, {least} or more; got {value!r}")


def check_header(name: str, value: str) -> None:
    """Raise ``SentConfigError`` for a header that could end early and start another.

    The message does not have the value, which may be a key.
    """
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise SentConfigError(f"{name!r} is not a header name")
    if not isinstance(value, str) or _UNSENDABLE.search(value):
        raise SentConfigError(f"the value of header {name} must be a string without line breaks or control characters")


def check_idempotency_key(key: str) -> str:
    """Raise ``SentConfigError`` for a key that the API would refuse with ``VALIDATION_007``."""
    if not isinstance(key, str) or not _IDEMPOTENCY_KEY.fullmatch(key):
        raise SentConfigError("idempotency_key must have 1 to 255 characters of a-z A-Z 0-9 _ -")
    return key


def check_api_key(api_key: str | None) -> str:
    """Raise ``SentConfigError`` if there is no key."""
    if not api_key:
        raise SentConfigError("no API key: set SENT_DM_API_KEY, or pass SentClient(api_key=...)")
    return api_key


class BaseURL(msgspec.Struct, frozen=True):
    """The parts of a base URL that requests are built from."""

    scheme: str
    authority: str
    host: str
    prefix: str
    """The path before ``/v3``: empty for the API itself."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.prefix}"

    @property
    def origin(self) -> str:
        """Scheme and authority, without a path."""
        return f"{self.scheme}://{self.authority}"


def check_base_url(base_url: str, *, allow_http: bool) -> BaseURL:
    """Split a base URL into its parts.

    Raises:
        SentConfigError: It is not an http or https URL with a host, it has more than a host and a path, or it would
            send the key unencrypted: http to another machine without ``allow_http``.
    """
    try:
        url = URL(base_url)
        host = url.host
        _ = url.port
        (host or "").encode("idna")  # name resolution will do the same
    except (TypeError, ValueError):
        raise SentConfigError("base_url is not a URL with a valid host name") from None
    if url.user is not None or url.password is not None:
        raise SentConfigError("base_url must not have user info; the key goes in api_key=")
    if url.scheme not in ("http", "https") or not host:
        raise SentConfigError(f"base_url must be https://host[/path], got {base_url!r}")
    if url.query_string or url.fragment:
        raise SentConfigError(f"base_url must end with its host or path, without query or fragment, got {base_url!r}")
    if url.scheme == "http" and not allow_http and not is_loopback(host):
        raise SentConfigError(
            f"plain http would send the API key unencrypted to {host}; use https, allow_http=True or SENT_ALLOW_HTTP=1"
        )
    return BaseURL(url.scheme, url.raw_authority, host, url.raw_path.rstrip("/"))


def check_proxy(proxy: str) -> str:
    """Check the URL of a proxy, and add ``http://`` if it has no scheme.

    Raises:
        SentConfigError: It is not the URL of an HTTP proxy. aiohttp supports no others. The message does not have the
            URL, which may contain a password.
    """
    problem = "a proxy must be an http:// or https:// URL; trust_env=False ignores the environment's"
    if not isinstance(proxy, str):
        raise SentConfigError(problem)
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parsed = URL(url)
        valid = parsed.scheme in ("http", "https") and bool(parsed.host) and parsed.port is not None
    except ValueError:
        valid = False
    if not valid:
        raise SentConfigError(problem)
    return url


def check_ssl(ssl: SSLContext | bool | None) -> SSLContext | bool | None:
    """Raise ``SentConfigError`` for a value that aiohttp would refuse at the first request."""
    if ssl is None or isinstance(ssl, (bool, SSLContext)):
        return ssl
    raise SentConfigError(
        "ssl must be an ssl.SSLContext, True or False; for a file use ssl.create_default_context(cafile=...)"
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
