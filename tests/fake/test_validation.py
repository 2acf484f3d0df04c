"""Requests that the fake server refuses, and its errors."""

from __future__ import annotations

from typing import Any

import pytest

from sent_async.testing import FakeSent
from tests.support.fake_data import SEEDED, TEMPLATE
from tests.support.raw_client import Wire

CAMPAIGNS = f"/v3/profiles/{SEEDED}/campaigns"
NOWHERE = "00000000-0000-4000-8000-000000000000"
CONTACT = {"name": "Jane", "email": "jane@example.com"}
CARD = {"card_number": "4111111111111111", "expiry": "12/30", "cvc": "123", "zip_code": "10001"}


def brand(**changes: Any) -> dict[str, Any]:
    members = {"vertical": "PROFESSIONAL", "brandRelationship": "SMALL_ACCOUNT", **changes.pop("compliance", {})}
    return {"contact": {"name": "John", **changes.pop("contact", {})}, "compliance": members, **changes}


def campaign(**changes: Any) -> dict[str, Any]:
    use_cases = [{"messagingUseCaseUs": "MARKETING", "sampleMessages": ["Hi"]}]
    return {"campaign": {"name": "N", "description": "D", "type": "App", "useCases": use_cases, **changes}}


def template(text: str = "Hello", *, variables: object = None, **definition: Any) -> dict[str, Any]:
    content = {"template": text, "variables": variables}
    return {"definition": {"body": {"multiChannel": content}, **definition}}


BAD_BODIES = [
    ("POST", "/v3/profiles", {}, {"name"}),
    ("POST", "/v3/profiles", {"name": None}, {"name"}),
    ("POST", "/v3/profiles", {"name": " "}, {"name"}),
    ("POST", "/v3/profiles", {"name": 5}, {"name"}),
    ("POST", "/v3/profiles", [], {"body"}),
    ("POST", "/v3/profiles", {"name": "A", "short_name": "AB"}, {"short_name"}),
    ("POST", "/v3/profiles", {"name": "A", "short_name": "123"}, {"short_name"}),
    ("POST", "/v3/profiles", {"name": "A", "short_name": "twelve chars"}, {"short_name"}),
    ("POST", "/v3/profiles", {"name": "A", "description": "d" * 5001}, {"description"}),
    ("POST", "/v3/profiles", {"name": "", "short_name": "!"}, {"name", "short_name"}),
    ("POST", "/v3/profiles", {"name": "A", "sandbox": None}, {"sandbox"}),
    ("POST", "/v3/profiles", {"name": "A", "billing_model": "Profile"}, {"billing_model"}),
    ("POST", "/v3/profiles", {"name": "A", "billing_model": "profile"}, {"billing_contact"}),
    ("POST", "/v3/profiles", {"name": "A", "billing_contact": {"name": "J"}}, {"billing_contact.email"}),
    (
        "POST",
        "/v3/profiles",
        {"name": "A", "billing_contact": {"name": "", "email": "jane"}},
        {"billing_contact.name", "billing_contact.email"},
    ),
    (
        "POST",
        "/v3/profiles",
        {"name": "A", "billing_model": "organization", "payment_details": CARD},
        {"payment_details"},
    ),
    (
        "POST",
        "/v3/profiles",
        {"name": "A", "payment_details": {"card_number": "4", "expiry": "13/30", "cvc": "1", "zip_code": ""}},
        {f"payment_details.{name}" for name in ("card_number", "expiry", "cvc", "zip_code")},
    ),
    ("POST", "/v3/profiles", {"name": "A", "inherit_tcr_brand": True, "brand": brand()}, {"brand"}),
    ("POST", "/v3/profiles", {"name": "A", "brand": {"contact": {}}}, {"brand.contact.name"}),
    (
        "POST",
        "/v3/profiles",
        {
            "name": "A",
            "brand": brand(contact={"phone": "0123"}, compliance={"vertical": "x", "brandRelationship": "y"}),
        },
        {"brand.contact.phone", "brand.compliance.vertical", "brand.compliance.brandRelationship"},
    ),
    (
        "POST",
        "/v3/profiles",
        {"name": "A", "brand": brand(business={"entityType": "x", "taxIdType": "y"})},
        {"brand.business.entityType", "brand.business.taxIdType"},
    ),
    ("PATCH", f"/v3/profiles/{SEEDED}", {"short_name": "!"}, {"short_name"}),
    ("PATCH", f"/v3/profiles/{SEEDED}", {"billing_model": "profile"}, {"billing_contact"}),
    ("DELETE", f"/v3/profiles/{SEEDED}", {"sandbox": "yes"}, {"sandbox"}),
    ("POST", f"/v3/profiles/{SEEDED}/complete", {"web_hook_url": "https://example.com"}, {"webHookUrl"}),
    ("POST", f"/v3/profiles/{SEEDED}/complete", {"webHookUrl": "example.com"}, {"webHookUrl"}),
    ("POST", f"/v3/profiles/{SEEDED}/complete", {"webHookUrl": "http://[::1"}, {"webHookUrl"}),
    ("POST", f"/v3/profiles/{SEEDED}/complete", {"webHookUrl": "http://xn--/"}, {"webHookUrl"}),
    ("POST", CAMPAIGNS, {}, {"campaign"}),
    ("POST", CAMPAIGNS, campaign(name=""), {"campaign.name"}),
    ("POST", CAMPAIGNS, campaign(type="app"), {"campaign.type"}),
    ("POST", CAMPAIGNS, campaign(volume="many"), {"campaign.volume"}),
    ("POST", CAMPAIGNS, campaign(useCases=[]), {"campaign.useCases"}),
    (
        "POST",
        CAMPAIGNS,
        campaign(useCases=[{"messagingUseCaseUs": "MARKETING", "sampleMessages": ["Hi"]}, {"sampleMessages": []}]),
        {"campaign.useCases[1].messagingUseCaseUs"},
    ),
    (
        "POST",
        CAMPAIGNS,
        campaign(useCases=[{"messagingUseCaseUs": "x", "sampleMessages": []}]),
        {"campaign.useCases[0].messagingUseCaseUs", "campaign.useCases[0].sampleMessages"},
    ),
    (
        "POST",
        CAMPAIGNS,
        campaign(useCases=[{"messagingUseCaseUs": "MIXED", "sampleMessages": ["Hi", "x" * 1025]}]),
        {"campaign.useCases[0].sampleMessages[1]"},
    ),
    ("POST", "/v3/templates", {}, {"definition"}),
    ("POST", "/v3/templates", {"definition": {}}, {"definition.body"}),
    ("POST", "/v3/templates", {"definition": {"body": {}}}, {"definition.body"}),
    ("POST", "/v3/templates", {"category": "Marketing", **template()}, {"category"}),
    ("POST", "/v3/templates", {"language": "English", **template()}, {"language"}),
    ("POST", "/v3/templates", template("x" * 1025), {"definition.body.multiChannel.template"}),
    ("POST", "/v3/templates", template("Hi {{0:variable}}"), {"definition.body.multiChannel.template"}),
    (
        "POST",
        "/v3/templates",
        template("Hi {{0:variable}}", variables=[{"name": "1st"}]),
        {"definition.body.multiChannel.variables[0].name"},
    ),
    (
        "POST",
        "/v3/templates",
        template(header={"template": "h" * 61}, footer={"template": "f" * 61}),
        {"definition.header.template", "definition.footer.template"},
    ),
    ("POST", "/v3/templates", template(header={"type": "TEXT", "template": "h"}), {"definition.header.type"}),
    (
        "POST",
        "/v3/templates",
        template(buttons=[{"type": "URL"}, {"type": "url", "props": {"text": "b" * 26}}]),
        {"definition.buttons[1].type", "definition.buttons[1].props.text"},
    ),
    (
        "POST",
        "/v3/templates",
        {"category": "UTILITY", **template(authenticationConfig={"codeExpirationMinutes": 91})},
        {"definition.authenticationConfig", "definition.authenticationConfig.codeExpirationMinutes"},
    ),
    ("PUT", f"/v3/templates/{TEMPLATE}", {"name": ""}, {"name"}),
    ("PUT", f"/v3/templates/{TEMPLATE}", {"name": "sent_welcome"}, {"name"}),
    ("PUT", f"/v3/templates/{TEMPLATE}", template(authenticationConfig={}), {"definition.authenticationConfig"}),
    ("GET", "/v3/templates?page_size=0", None, {"page_size"}),
    ("GET", "/v3/templates?page_size=101", None, {"page_size"}),
    ("GET", "/v3/templates?page=0&page_size=x", None, {"page", "page_size"}),
    ("GET", "/v3/templates?status=approved&category=x", None, {"status", "category"}),
]


@pytest.mark.parametrize(("method", "path", "body", "members"), BAD_BODIES)
async def test_details_name_what_is_wrong(
    fake_sent: FakeSent, wire: Wire, method: str, path: str, body: object, members: set[str]
) -> None:
    """A request that breaks a rule is VALIDATION_001 with exactly the members at fault, and changes nothing."""
    counts = [len(kind) for kind in (fake_sent.profiles, fake_sent.templates, fake_sent.campaigns)]
    response = await wire(fake_sent, method, path, body)
    assert (response.status, response.code) == (400, "VALIDATION_001")
    assert set(response.json["error"]["details"]) == members
    assert counts == [len(kind) for kind in (fake_sent.profiles, fake_sent.templates, fake_sent.campaigns)]


GOOD_BODIES = [
    ("POST", "/v3/profiles", {"name": "A", "short_name": "Mkt 2", "unknown": {"member": 1}}),
    ("POST", "/v3/profiles", {"name": "A", "billing_model": "organization"}),
    ("POST", "/v3/profiles", {"name": "A", "brand": brand(business={"entityType": "NON_PROFIT"})}),
    ("PATCH", f"/v3/profiles/{SEEDED}", {}),
    ("PATCH", f"/v3/profiles/{SEEDED}", {"payment_details": CARD}),
    ("PATCH", f"/v3/profiles/{SEEDED}", {"billing_model": "profile_and_organization", "billing_contact": CONTACT}),
    ("POST", CAMPAIGNS, campaign(volume="1999", helpMessage=None)),
    ("POST", "/v3/templates", template(header={"type": "image", "template": "h" * 61}, footer={"template": "Bye"})),
    ("POST", "/v3/templates", template(authenticationConfig={"codeExpirationMinutes": 90})),
    ("POST", "/v3/templates", {"definition": {"body": {"sms": {"template": "?"}, "mms": {"template": "Hi"}}}}),
    ("POST", "/v3/templates", template("Hi {{0:variable}}!", variables=[{}])),
    ("POST", "/v3/templates", template(buttons=[{"id": 1, "type": "QUICK_REPLY", "props": {"text": "Yes"}}])),
    ("GET", "/v3/templates?is_welcome_playground=true&page_size=100", None),
]


@pytest.mark.parametrize(("method", "path", "body"), GOOD_BODIES)
async def test_what_is_accepted(fake_sent: FakeSent, wire: Wire, method: str, path: str, body: object) -> None:
    """Unknown members, nulls and values within the rules are accepted."""
    assert (await wire(fake_sent, method, path, body)).status in (200, 201)


async def test_documented_messages(fake_sent: FakeSent, wire: Wire) -> None:
    """Known texts of the API are used."""
    missing = await wire(fake_sent, "POST", "/v3/templates", {})
    assert missing.json["error"]["message"] == "Template definition is required"
    category = await wire(fake_sent, "PUT", f"/v3/templates/{TEMPLATE}", {"category": "x"})
    assert category.json["error"]["message"] == "Category must be one of: MARKETING, UTILITY, AUTHENTICATION"
    size = await wire(fake_sent, "GET", "/v3/templates?page_size=0")
    assert size.json["error"]["message"] == "Request validation failed"


@pytest.mark.parametrize("content", [b"", b"{", b'{"name": "\xff"}', b"<html>", b"[" * 100_000])
async def test_a_body_that_is_not_json(fake_sent: FakeSent, wire: Wire, content: bytes) -> None:
    """The whole body is refused."""
    response = await wire(fake_sent, "POST", "/v3/profiles", content=content)
    assert (response.status, response.code) == (400, "VALIDATION_001")
    assert response.json["error"]["details"] == {"body": ["The request body must be a JSON object"]}


async def test_a_delete_needs_no_body(fake_sent: FakeSent, wire: Wire) -> None:
    """An empty body counts as an empty object."""
    assert (await wire(fake_sent, "DELETE", f"/v3/templates/{TEMPLATE}")).status == 204


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/v3/templates/nope", "Invalid template ID format."),
        ("PUT", "/v3/templates/nope", "Invalid template ID format."),
        ("DELETE", "/v3/templates/nope", "Invalid template ID format."),
        ("DELETE", f"{CAMPAIGNS}/nope", "Invalid profile or campaign ID format"),
        ("DELETE", f"/v3/profiles/nope/campaigns/{NOWHERE}", "Invalid profile or campaign ID format"),
    ],
)
async def test_ids_that_are_no_uuids(fake_sent: FakeSent, wire: Wire, method: str, path: str, message: str) -> None:
    """Template and campaign routes refuse them with the documented text, without details."""
    response = await wire(fake_sent, method, path, {})
    assert (response.status, response.code) == (400, "VALIDATION_001")
    assert (response.json["error"]["message"], response.json["error"]["details"]) == (message, None)


async def test_profile_ids_have_no_form(fake_sent: FakeSent, wire: Wire) -> None:
    """A profile id that is no UUID is not found."""
    response = await wire(fake_sent, "GET", "/v3/profiles/nope")
    assert (response.status, response.code) == (404, "RESOURCE_014")


async def test_a_page_of_profiles_that_is_no_number(wire: Wire) -> None:
    """``page`` is checked when profiles are paged, and ignored otherwise."""
    async with FakeSent(profile_page_size=2) as fake:
        response = await wire(fake, "GET", "/v3/profiles?page=x")
        assert response.json["error"]["details"] == {"page": ["page must be 1 or greater"]}
    async with FakeSent() as fake:
        assert (await wire(fake, "GET", "/v3/profiles?page=x")).status == 200


async def test_values_of_a_card_are_not_repeated(fake_sent: FakeSent, wire: Wire) -> None:
    """A refusal names the members of a card, never what was in them."""
    card = {"card_number": "4111-secret", "expiry": "99/99", "cvc": "98765", "zip_code": "1"}
    response = await wire(fake_sent, "POST", "/v3/profiles", {"name": "A", "payment_details": card})
    assert response.status == 400
    assert b"secret" not in response.content
    assert b"98765" not in response.content
