"""Verifies webhook deliveries and decodes them. Five verifiers, three of them by the vendor, share this scheme."""

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
"""How many seconds a timestamp may be away from our clock, in both directions."""

_ENDPOINT: Final = "x-webhook-id"
_TIMESTAMP: Final = "x-webhook-timestamp"
_SIGNATURE: Final = "x-webhook-signature"
_EVENT_ID: Final = "x-webhook-event-id"
_WANTED: Final = frozenset((_ENDPOINT, _TIMESTAMP, _SIGNATURE, _EVENT_ID))

_MESSAGES: Final[Mapping[Reason, str]] = {
    "missing_header": (
        f"{_ENDPOINT}, {_TIMESTAMP} or {_SIGNATURE} is missing; it is not from Sent, or a proxy removes these headers"
    ),
    "bad_timestamp": f"{_TIMESTAMP} is not a number of Unix seconds",
    "stale": (
        f"{_TIMESTAMP} is more than {TOLERANCE:.0f} s away from this computer's clock; "
        "set the clock, or it was recorded and sent again"
    ),
    "bad_signature": (
        "no signature is right; check that the secret is the current one of the endpoint, and that the body is passed "
        "as the bytes that were received"
    ),
    "unknown_endpoint": f"there is no secret for the endpoint in {_ENDPOINT}; add it, or the delivery is not for you",
}


class WebhookSignatureError(SentError):
    """A delivery that is not verified to come from Sent. Respond with 401, and do nothing else."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        """``missing_header``, ``bad_timestamp``, ``stale``, ``bad_signature`` or ``unknown_endpoint``."""

    def __str__(self) -> str:
        return f"webhook refused ({self.reason}): {_MESSAGES[self.reason]}"


class WebhookReceiver:
    """Verifies and decodes incoming webhooks. Verification cannot be turned off.

    Args:
        secret: The endpoint's signing secret, ``whsec_…``. Several during a rotation. A mapping from endpoint id to
            secret, or to several, for one receiver of many endpoints. Default: the environment variable
            ``SENT_WEBHOOK_SECRET``, which may have several with spaces between them.
        clock: For tests.

    Raises:
        SentConfigError: There is no secret, or one is not ``whsec_`` and base64.
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
            body: The body as the bytes that were received. The signature of a body that was parsed and written again
                is not right.
            headers: The headers of the request, names in any case: a mapping, such as that of aiohttp, Starlette or
                Django, or ASGI's list of pairs of bytes.

        Returns:
            One of the event classes; ``UnknownEvent`` for an event that this version does not know.

        Raises:
            WebhookSignatureError: The delivery is not verified to come from Sent. ``.reason`` says why.
            SentDecodeError: It comes from Sent, but the body is not an event.
        """
        found = _wanted(headers)
        endpoint_id = self._verify(body, found)
        event_id = found.get(_EVENT_ID) or f"sha256-{hashlib.sha256(body).hexdigest()}"
        return decode(body, id=event_id, endpoint_id=endpoint_id)

    def aiohttp_handler(
        self, on_event: Callable[[Event], Awaitable[object]], *, seen: Seen | None = None
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler for aiohttp.web: ``app.router.add_post("/webhooks/sent", receiver.aiohttp_handler(on_event))``.

        It responds with 204 when ``on_event`` has returned, and at once for an event that was handled before. Other
        responses are 401 for a bad signature, 400 for a body that is not an event, 405 for another method than POST,
        413 above 1 MiB, 500 when ``on_event`` raised, and 503 while another process handles the same event. Sent
        delivers again after every status that is not 2xx.

        Args:
            on_event: Called with each event, and awaited. If the process ends before it returns, it is called again
                for the same event, so it should be idempotent.
            seen: Where handled events are noted. Default: ``MemorySeen()``, for a service of one process.

        Returns:
            The handler.
        """
        return aiohttp_handler(self.unwrap, on_event, seen)

    def asgi_app(self, on_event: Callable[[Event], Awaitable[object]], *, seen: Seen | None = None) -> AsgiApp:
        """The same as an ASGI app, to be mounted in FastAPI, Starlette or Litestar, or served by itself.

        In FastAPI and Starlette: ``app.router.routes.append(Route("/webhooks/sent", receiver.asgi_app(on_event)))``.
        ``app.mount`` redirects a path that does not end with a slash, and Sent need not follow.

        Args:
            on_event: As for ``aiohttp_handler``.
            seen: As for ``aiohttp_handler``.

        Returns:
            The app.
        """
        return AsgiApp(self.unwrap, on_event, seen)

    def _verify(self, body: bytes, found: Mapping[str, str]) -> str:
        """The endpoint's id, if the delivery comes from Sent."""
        endpoint, stamp, signatures = found.get(_ENDPOINT), found.get(_TIMESTAMP), found.get(_SIGNATURE)
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
        offered = [entry[3:].encode(errors="replace") for entry in signatures.split() if entry.startswith("v1,")]
        is_right = False
        for key in keys:
            expected = base64.b64encode(hmac.digest(key, signed, "sha256"))
            for signature in offered:
                is_right |= hmac.compare_digest(expected, signature)
        if not is_right:
            raise WebhookSignatureError("bad_signature")
        return endpoint


def _wanted(headers: Headers) -> dict[str, str]:
    """The headers that are needed, by their lower-case names. A signature header that came twice becomes one with both
    signatures."""
    found: dict[str, str] = {}
    pairs = cast(
        "Iterable[tuple[str | bytes, str | bytes]]", headers.items() if isinstance(headers, Mapping) else headers
    )
    for raw_name, raw_value in pairs:
        name = _text(raw_name).lower()
        if name in _WANTED:
            value = _text(raw_value)
            found[name] = f"{found[name]} {value}" if name == _SIGNATURE and name in found else value
    return found


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _keys(secrets: Secrets) -> tuple[bytes, ...]:
    keys = tuple(_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets))
    if not keys:
        raise SentConfigError("no webhook secret: the list of secrets is empty")
    return keys


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        raise SentConfigError("a webhook secret begins with whsec_; pass it as Sent gave it")
    text = secret.removeprefix("whsec_").rstrip("=")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SentConfigError("a webhook secret is whsec_ and base64; this one has other characters") from None
    if not key:
        raise SentConfigError("a webhook secret is empty after whsec_")
    return key
