"""Verify webhook deliveries and decode them. The scheme is that of Sent's documentation and of its own packages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias, cast

from aiohttp import web

from ..clock import Clock, SystemClock
from ..errors import SentConfigError, SentError
from .events import Event, decode
from .handlers import AsgiApp, Headers, aiohttp_handler
from .seen import Seen

Reason: TypeAlias = Literal["missing_header", "bad_timestamp", "stale", "bad_signature", "unknown_endpoint"]
Secrets: TypeAlias = str | Sequence[str]

ENVIRONMENT: Final = "SENT_WEBHOOK_SECRET"
TOLERANCE: Final = 300.0
"""The largest difference in seconds between a timestamp and our clock, in both directions."""

_ENDPOINT: Final = "x-webhook-id"
_TIMESTAMP: Final = "x-webhook-timestamp"
_SIGNATURE: Final = "x-webhook-signature"
_EVENT_ID: Final = "x-webhook-event-id"
_HEADERS: Final = frozenset((_ENDPOINT, _TIMESTAMP, _SIGNATURE, _EVENT_ID))

_MESSAGES: Final[Mapping[Reason, str]] = {
    "missing_header": (
        f"{_ENDPOINT}, {_TIMESTAMP} or {_SIGNATURE} is missing; it is not from Sent, or a proxy removes these headers"
    ),
    "bad_timestamp": f"{_TIMESTAMP} is not a number of Unix seconds",
    "stale": (
        f"{_TIMESTAMP} is more than {TOLERANCE:.0f} s away from this computer's clock; "
        "check the clock, or somebody recorded the request and sent it again"
    ),
    "bad_signature": (
        "no signature is valid; check that the secret is the current one of the endpoint, and that the body is passed "
        "as the bytes that were received"
    ),
    "unknown_endpoint": f"there is no secret for the endpoint in {_ENDPOINT}; add it if the endpoint is yours",
}


class WebhookSignatureError(SentError):
    """The delivery may not come from Sent. Respond with 401, and do nothing else.

    Args:
        reason: Why it was refused.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        """``missing_header``, ``bad_timestamp``, ``stale``, ``bad_signature`` or ``unknown_endpoint``."""

    def __str__(self) -> str:
        return f"webhook refused ({self.reason}): {_MESSAGES[self.reason]}"


class WebhookReceiver:
    """Verifies and decodes incoming webhooks. The verification cannot be turned off.

    Args:
        secret: The signing secret of the endpoint, ``whsec_…``; or a list of secrets, during a rotation. For several
            endpoints: a mapping from endpoint id to secret or list. Default: the environment variable
            ``SENT_WEBHOOK_SECRET``, which may contain several secrets with spaces between them.
        clock: A replacement for the system clock, for tests.

    Raises:
        SentConfigError: There is no secret, or a secret is not ``whsec_`` followed by base64.
    """

    def __init__(self, secret: Secrets | Mapping[str, Secrets] | None = None, *, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._keys: tuple[bytes, ...] = ()
        self._keys_by_endpoint: dict[str, tuple[bytes, ...]] | None = None
        if secret is None:
            secret = os.environ.get(ENVIRONMENT, "").split()
            if not secret:
                raise SentConfigError(f"no webhook secret: pass one to WebhookReceiver, or set {ENVIRONMENT}")
        if isinstance(secret, Mapping):
            if not secret:
                raise SentConfigError("no webhook secret: the mapping from endpoint id to secret is empty")
            self._keys_by_endpoint = {endpoint.lower(): _keys(value) for endpoint, value in secret.items()}
        else:
            self._keys = _keys(secret)

    def unwrap(self, body: bytes, headers: Headers) -> Event:
        """Verify a delivery and decode its event.

        Args:
            body: The body as the bytes that were received. A body that was parsed and written again does not match the
                signature.
            headers: The headers of the request, names in any case: a mapping, such as that of aiohttp, Starlette or
                Django, or ASGI's list of pairs of bytes.

        Returns:
            One of the event classes; ``UnknownEvent`` for an event that this version does not know.

        Raises:
            WebhookSignatureError: The delivery may not come from Sent. ``.reason`` says why.
            SentDecodeError: The delivery comes from Sent, but the body is not an event.
        """
        needed = _needed_headers(headers)
        endpoint_id = self._verify(body, needed)
        event_id = needed.get(_EVENT_ID) or f"sha256-{hashlib.sha256(body).hexdigest()}"
        return decode(body, id=event_id, endpoint_id=endpoint_id)

    def aiohttp_handler(
        self, on_event: Callable[[Event], Awaitable[object]], *, seen: Seen | None = None
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Make a handler for aiohttp.web::

            app.router.add_post("/webhooks/sent", receiver.aiohttp_handler(on_event))

        It responds with 204 when ``on_event`` has returned, and at once for an event that was handled before. Other
        responses are 401 for a bad signature, 400 for a body that is not an event, 405 for another method than POST,
        413 for a body above 1 MiB, 500 when ``on_event`` or the store raised, and 503 while another process handles the
        same event. Sent delivers again after every status that is not 2xx.

        Args:
            on_event: Called with each event, and awaited. If the process ends before it returns, it is called again
                for the same event, so it should be idempotent.
            seen: The store of handled events. Default: ``MemorySeen()``, for a service with one process.

        Returns:
            The handler.
        """
        return aiohttp_handler(self.unwrap, on_event, seen)

    def asgi_app(self, on_event: Callable[[Event], Awaitable[object]], *, seen: Seen | None = None) -> AsgiApp:
        """Make an ASGI app, for FastAPI, Starlette or Litestar, or for a server that runs only this app.

        In FastAPI and Starlette: ``app.router.routes.append(Route("/webhooks/sent", receiver.asgi_app(on_event)))``.
        Do not use ``app.mount``: it redirects a path without a slash at its end, and Sent may not follow redirects.

        Args:
            on_event: As for ``aiohttp_handler``.
            seen: As for ``aiohttp_handler``.

        Returns:
            The app.
        """
        return AsgiApp(self.unwrap, on_event, seen)

    def _verify(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Return the id of the endpoint, or raise ``WebhookSignatureError``."""
        endpoint, stamp, signatures = headers.get(_ENDPOINT), headers.get(_TIMESTAMP), headers.get(_SIGNATURE)
        if not (endpoint and stamp and signatures):
            raise WebhookSignatureError("missing_header")
        # The length is bounded because int() refuses very long numbers with a plain ValueError.
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 20):
            raise WebhookSignatureError("bad_timestamp")
        if abs(self._clock.wall() - int(stamp)) > TOLERANCE:
            raise WebhookSignatureError("stale")
        keys = self._keys
        if self._keys_by_endpoint is not None:
            keys = self._keys_by_endpoint.get(endpoint.lower(), ())
            if not keys:
                raise WebhookSignatureError("unknown_endpoint")
        signed = b"%b.%b.%b" % (endpoint.encode(errors="replace"), stamp.encode(), body)
        received = [entry[3:].encode(errors="replace") for entry in signatures.split() if entry.startswith("v1,")]
        is_valid = False
        for key in keys:
            expected = base64.b64encode(hmac.digest(key, signed, "sha256"))
            for signature in received:
                is_valid |= hmac.compare_digest(expected, signature)
        if not is_valid:
            raise WebhookSignatureError("bad_signature")
        return endpoint


def _needed_headers(headers: Headers) -> dict[str, str]:
    """The headers that are needed, by their lower-case names. Several signature headers become one."""
    needed: dict[str, str] = {}
    pairs = cast(
        "Iterable[tuple[str | bytes, str | bytes]]", headers.items() if isinstance(headers, Mapping) else headers
    )
    for raw_name, raw_value in pairs:
        name = _text(raw_name).lower()
        if name in _HEADERS:
            value = _text(raw_value)
            needed[name] = f"{needed[name]} {value}" if name == _SIGNATURE and name in needed else value
    return needed


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _keys(secrets: Secrets) -> tuple[bytes, ...]:
    keys = tuple(_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets))
    if not keys:
        raise SentConfigError("no webhook secret: the list of secrets is empty")
    return keys


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        raise SentConfigError("a webhook secret begins with whsec_; pass it as Sent shows it")
    text = secret.removeprefix("whsec_").rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SentConfigError("a webhook secret is whsec_ followed by base64; this one has other characters") from None
    if not key:
        raise SentConfigError("a webhook secret is empty after whsec_")
    return key
