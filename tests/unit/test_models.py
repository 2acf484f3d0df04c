"""Models that callers build: three states of a member, and masked secrets."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from sent_async.models import (
    CampaignCreate,
    CampaignData,
    CampaignUseCaseData,
    PaymentDetails,
    Profile,
    ProfileCreate,
    ProfileDelete,
    ProfileUpdate,
    TemplateCategory,
    TemplateDelete,
    WhatsAppBusinessAccount,
    requests,
)
from sent_async.structs import RequestModel
from tests.support.payloads import payload

CARD = PaymentDetails(card_number="4111111111111111", expiry="12/30", cvc="737", zip_code="94103")
WABA = WhatsAppBusinessAccount(waba_id="waba_1", access_token="EAAG-token", phone_number_id="pn_1")
SECRETS = ("4111111111111111", "737", "EAAG-token", "12/30")


def encoded(body: RequestModel) -> Any:
    return json.loads(msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("body", "wire"),
    [
        (ProfileUpdate(), {}),
        (ProfileUpdate(description=None), {"description": None}),
        (ProfileUpdate(description=""), {"description": ""}),
        (ProfileUpdate(inherit_tcr_brand=False), {"inherit_tcr_brand": False}),
        (ProfileUpdate(billing_model="profile", brand=None), {"billing_model": "profile", "brand": None}),
        (ProfileDelete(sandbox=False), {"sandbox": False}),
        (TemplateDelete(delete_from_meta=None), {"delete_from_meta": None}),
        (requests.TemplateUpdate(category=TemplateCategory.UTILITY), {"category": "UTILITY"}),
    ],
)
def test_three_states(body: RequestModel, wire: dict[str, Any]) -> None:
    """Absent is not sent, None is null, a value is itself, and false or empty are values."""
    assert encoded(body) == wire


def test_camel_case_inside() -> None:
    """Nested members have the API's own case on the wire, snake_case in Python."""
    use_case = CampaignUseCaseData(messaging_use_case_us="MIXED", sample_messages=["a", "b"])
    body = CampaignCreate(campaign=CampaignData(name="n", description="d", type="App", use_cases=(use_case,)))
    assert encoded(body) == {
        "campaign": {
            "name": "n",
            "description": "d",
            "type": "App",
            "useCases": [{"messagingUseCaseUs": "MIXED", "sampleMessages": ["a", "b"]}],
        }
    }


@pytest.mark.parametrize(
    "holder",
    [
        CARD,
        WABA,
        ProfileCreate(name="n", payment_details=CARD, whatsapp_business_account=WABA),
        ProfileUpdate(payment_details=CARD),
        [CARD],
        {"card": WABA},
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_secrets_are_masked(holder: object) -> None:
    """Neither repr, str nor format shows card data or a token, at any depth."""
    for text in (repr(holder), str(holder), f"{holder}", f"{holder!r:>500}"):
        assert not [secret for secret in SECRETS if secret in text]
    assert "***" in repr(holder)


def test_a_masked_repr_shows_the_rest() -> None:
    """Other members are shown, in the form of a call."""
    assert repr(WABA) == "WhatsAppBusinessAccount(waba_id='waba_1', access_token='***', phone_number_id='pn_1')"


@pytest.mark.parametrize("secret", [CARD, WABA])
def test_rich_shows_no_secrets(secret: Any) -> None:
    """rich gets masked members."""
    assert not [value for _, value in secret.__rich_repr__() if value in SECRETS]
    assert ("zip_code", "94103") in CARD.__rich_repr__()


def test_secrets_are_sent() -> None:
    """Secrets are masked for people and complete for the API."""
    assert encoded(CARD)["card_number"] == "4111111111111111"


def test_responses_are_frozen() -> None:
    """A response cannot be changed by accident."""
    data = json.loads(payload("profiles-list-200.seed"))["data"]["profiles"][0]
    profile = msgspec.convert(data, Profile)
    with pytest.raises(AttributeError):
        profile.name = "other"  # type: ignore[misc]  # what the test is about
    assert msgspec.convert(data, Profile) == profile
