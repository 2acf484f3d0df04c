"""A request on its way, as a debugger or a traceback shows it."""

from __future__ import annotations

from sent_async.models import PaymentDetails, ProfileCreate
from sent_async.operations import CREATE_PROFILE
from sent_async.options import check_base_url
from sent_async.request import build


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
