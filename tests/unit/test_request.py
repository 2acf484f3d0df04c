"""The representation of a request and of settings, as a debugger or a traceback shows them."""

from __future__ import annotations

from typing import Any

from sent_async.connections import Settings
from sent_async.models import PaymentDetails, ProfileCreate
from sent_async.operation import Operation
from sent_async.operations import CREATE_PROFILE
from sent_async.options import Options, check_base_url
from sent_async.request import Headers, build_request


def test_a_request_shows_nothing() -> None:
    """Neither headers nor body nor path values are in its repr, plain or rich."""
    card = PaymentDetails(card_number="4242424242424242", expiry="12/29", cvc="123", zip_code="10001")
    request = build_request(
        CREATE_PROFILE,
        base_url=check_base_url("https://api.sent.dm", allow_http=False),
        headers=Headers({"x-api-key": "sk_secret"}),
        parameters={},
        body=ProfileCreate(name="Sales", payment_details=card),
        idempotency_key="key-1",
    )
    assert isinstance(request.body, bytes) and b"4242" in request.body
    assert repr(request) == "<Request POST>"
    assert request.__rich_repr__() == [("method", "POST")]


def test_settings_show_no_credentials() -> None:
    """A client's settings name their headers and never show a value or the key, plain or rich."""
    options = Options(api_key="sk_secret", headers={"Authorization": "Bearer sk_secret"}, timeout=5.0)
    settings = Settings(
        base_url=check_base_url("https://api.sent.dm", allow_http=False),
        proxy="http://user:sk_secret@proxy.example",
        max_response_bytes=1,
    )
    for shown in (options, settings):
        assert "sk_secret" not in repr(shown) + repr(shown.__rich_repr__())
    assert repr(options) == (
        "Options(profile_id=None, timeout=5.0, deadline=None, max_retries=2, headers=['Authorization'])"
    )


def test_headers_on_the_wire() -> None:
    """Of two headers with the same name in any case the later one is sent; a body's own headers come with the body."""
    headers = Headers({"Accept": "a/b", "X-One": "1"}, {"accept": "c/d", "content-type": "text/plain"})
    assert headers.wire == b"accept: c/d\r\nX-One: 1\r\n"
    operation: Operation[None] = Operation("put", "PUT", "/v3/things", response=None)
    arguments: dict[str, Any] = {
        "base_url": check_base_url("https://api.sent.dm/x", allow_http=False),
        "headers": headers,
    }
    request = build_request(operation, **arguments, parameters={}, body=None, idempotency_key="key-1")
    lines = b"accept: c/d\r\nX-One: 1\r\nIdempotency-Key: key-1\r\nContent-Length: 0\r\n\r\n"
    assert request.wire() == b"PUT /x/v3/things HTTP/1.1\r\n" + lines
    assert request.wire("http://host").startswith(b"PUT http://host/x/v3/things HTTP/1.1\r\n")
    request = build_request(operation, **arguments, parameters={}, body={"a": 1}, idempotency_key="key-1")
    assert request.wire().endswith(b'Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}')
