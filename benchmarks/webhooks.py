"""A delivery from bytes and headers to a typed event, compared with ``standardwebhooks`` and ``json``."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping

from sent_async.webhooks import WebhookReceiver

from . import shared
from .shared import OURS, Row, row

STANDARD = "standardwebhooks + json"
SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, or so").decode()
COMMON = {"Content-Type": "application/json", "Content-Length": "0", "Host": "example.com", "User-Agent": "Sent/3"}


def webhooks(quick: bool) -> list[Row]:
    """A status event with 300 characters of text, and one with 3,000: verified and decoded."""
    rows: list[Row] = []
    for what, length in (("status event", 300), ("status event, long text", 3000)):
        body = _body(length)
        ours, theirs = WebhookReceiver(SECRET), shared.peer("standardwebhooks").Webhook(SECRET)
        headers, standard = _headers(body, "x-webhook-"), _headers(body, "webhook-")
        if ours.unwrap(body, headers).name != theirs.verify(body, standard)["event"]:
            raise RuntimeError("the two read different events")

        def call_ours(body: bytes = body, headers: Mapping[str, str] = headers) -> object:
            return ours.unwrap(body, headers)  # noqa: B023 (called before the next round)

        def call_theirs(body: bytes = body, headers: Mapping[str, str] = standard) -> object:
            return theirs.verify(body, headers)  # noqa: B023 (so is this)

        found = shared.interleaved({OURS: call_ours, STANDARD: call_theirs}, 9 if quick else 41, 0.02)
        figures = {name: shared.median(times) * 1e6 for name, times in found.items()}
        value = shared.ratio(found[OURS], found[STANDARD])
        rows.append(row(f"verify and decode a {what}", "µs", figures, value, "≤", 1.0, STANDARD))
    return rows


def _body(length: int) -> bytes:
    payload = {
        "account_id": "7ba7b820-9dad-11d1-80b4-00c04fd430c8",
        "message_id": "8ba7b830-9dad-11d1-80b4-00c04fd430c8",
        "message_status": "DELIVERED",
        "channel": "sms",
        "outbound_number": "+14155550100",
        "body": "x" * length,
        "template_id": None,
        "updated_at": "2026-01-01T00:00:00.1234567Z",
    }
    event = {"field": "message", "event": "message.delivered", "timestamp": "2026-01-01T00:00:00Z", "payload": payload}
    return json.dumps(event).encode()


def _headers(body: bytes, prefix: str) -> dict[str, str]:
    id, stamp = "0f8fad5b-d9cb-469f-a165-70867728950e", str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256)
    signature = "v1," + base64.b64encode(digest).decode()
    return {
        **COMMON,
        "X-Webhook-Event-ID": "evt_1",
        f"{prefix}id": id,
        f"{prefix}timestamp": stamp,
        f"{prefix}signature": signature,
    }
