"""A request on its way, as a debugger or a traceback shows it."""

from __future__ import annotations

from sent_async.models import PaymentDetails, ProfileCreate
from sent_async.operations import CREATE_PROFILE
from sent_async.options import Options, check_base_url
from sent_async.request import build
from sent_async.transport import Connection


def test_a_request_shows_nothing() -> None:
    """Neither headers nor body nor path values are in its repr, plain or rich."""
    card = PaymentDetails(card_number="4242424242424242", expiry="12/29", cvc="123", zip_code="10001")
    request = build(
        CREATE_PROFILE,
        base_url=check_base_url("https://api.sent.dm", allow_http=False),
        headers={"x-api-key": "sk_secret"},
        parameters={},
        body=ProfileCreate(name="Sales", payment_details=card),
        idempotency_key="key-1",
    )
    assert request.body is not None and b"4242" in request.body
    assert repr(request) == "<Request POST>"
    assert request.__rich_repr__() == [("method", "POST")]


def test_settings_show_no_credentials() -> None:
    """A client's settings name their headers and never show a value or the key, plain or rich."""
    options = Options(headers={"Authorization": "Bearer sk_secret"}, timeout=5.0)
    connection = Connection(
        base_url=check_base_url("https://api.sent.dm", allow_http=False), api_key="sk_secret", max_response_bytes=1
    )
    for shown in (options, connection):
        assert "sk_secret" not in repr(shown) + repr(shown.__rich_repr__())
    assert repr(options) == (
        "Options(profile_id=None, timeout=5.0, deadline=None, max_retries=2, headers=['Authorization'])"
    )
