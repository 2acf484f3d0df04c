"""The initial objects of a fake: the profile and the template of the API's documents, or those that a test lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from .server import FakeSent

ORGANIZATION_ID: Final = "550e8400-e29b-41d4-a716-446655440000"
ORGANIZATION_EMAIL: Final = "team@acme.com"
ACCOUNT_NUMBER: Final = "+15551234567"
"""The number that sends and receives messages. It is invented."""
PROFILE_ID: Final = "660e8400-e29b-41d4-a716-446655440001"
USER_ID: Final = "770e8400-e29b-41d4-a716-446655440002"
TEMPLATE_ID: Final = "7ba7b820-9dad-11d1-80b4-00c04fd430c8"

BRAND: Final[dict[str, Any]] = {
    "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    "tcr_brand_id": None,
    "status": None,
    "identity_status": None,
    "universal_ein": None,
    "csp_id": None,
    "submitted_to_tcr": False,
    "submitted_at": None,
    "is_inherited": False,
    "created_at": "2025-12-31T15:21:52.1660895+00:00",
    "updated_at": None,
    "contact": {
        "name": "John Smith",
        "business_name": "Acme Corp",
        "role": None,
        "phone": None,
        "email": "john@acmecorp.com",
        "phone_country_code": None,
    },
    "business": {
        "legal_name": "Acme Corporation LLC",
        "tax_id": None,
        "tax_id_type": None,
        "entity_type": None,
        "street": None,
        "city": None,
        "state": None,
        "postal_code": None,
        "country": "US",
        "url": None,
        "country_of_registration": None,
    },
    "compliance": {
        "vertical": "PROFESSIONAL",
        "brand_relationship": "SMALL_ACCOUNT",
        "primary_use_case": None,
        "expected_messaging_volume": None,
        "is_tcr_application": True,
        "phone_number_prefix": None,
        "destination_countries": [],
        "notes": None,
    },
}

ORGANIZATION_BRAND: Final[dict[str, Any]] = {
    **BRAND,
    "id": "a1b2c3d4-e5f6-7890-abcd-ef1234567891",
    "is_inherited": True,
}
"""The brand of a profile with ``inherit_tcr_brand``."""

PROFILE: Final[dict[str, Any]] = {
    "id": PROFILE_ID,
    "organization_id": ORGANIZATION_ID,
    "name": "Marketing Team",
    "email": ORGANIZATION_EMAIL,
    "icon": "https://example.com/marketing-icon.png",
    "description": "Marketing department sender profile",
    "short_name": "MKT",
    "status": "approved",
    "created_at": "2025-12-31T15:21:52.1660874+00:00",
    "updated_at": "2026-03-26T15:21:52.1660888+00:00",
    "allow_contact_sharing": True,
    "allow_template_sharing": False,
    "inherit_contacts": True,
    "inherit_templates": False,
    "inherit_tcr_brand": False,
    "inherit_tcr_campaign": False,
    "billing_model": "profile",
    "sending_phone_number_profile_id": None,
    "sending_whatsapp_number_profile_id": None,
    "sending_phone_number": None,
    "whatsapp_phone_number": None,
    "allow_number_change_during_onboarding": None,
    "waba_id": None,
    "billing_contact": None,
    "brand": BRAND,
}

TEMPLATE: Final[dict[str, Any]] = {
    "id": TEMPLATE_ID,
    "name": "Welcome Message",
    "category": "MARKETING",
    "language": "en_US",
    "status": "APPROVED",
    "channels": ["sms", "whatsapp"],
    "variables": ["name", "company"],
    "created_at": "2026-03-01T15:21:52.0607307+00:00",
    "updated_at": "2026-03-16T15:21:52.0607324+00:00",
    "is_published": True,
}

USER: Final[dict[str, Any]] = {
    "id": USER_ID,
    "customer_id": ORGANIZATION_ID,
    "email": ORGANIZATION_EMAIL,
    "name": "John Smith",
    "role": "admin",
    "status": "active",
    "invited_at": None,
    "last_login_at": None,
    "created_at": "2025-12-31T15:21:52.1660895+00:00",
    "updated_at": None,
}
"""The user of the first API key. It is invented."""

Items = list[dict[str, Any]]


class Seed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The initial objects of a fake, as the API writes them, and keys. Owners come before what they own."""

    profiles: Items = []
    templates: Items = []
    campaigns: Items = []
    contacts: Items = []
    sender_profiles: Items = []
    users: Items = []
    webhooks: Items = []
    numbers: Items = []
    keys: Items = []


def load(fake: FakeSent, objects: Mapping[str, Any]) -> None:
    """Store each object with an ``add_...`` method of the fake.

    Raises:
        ValueError: An object cannot be stored. The message has its place.
    """
    try:
        seed = msgspec.convert(objects, Seed)
    except msgspec.ValidationError as error:
        raise ValueError(f"seed: {error}") from None
    for resource in Seed.__struct_fields__:
        for index, item in enumerate(getattr(seed, resource)):
            try:
                if isinstance(name := item.get("id"), str) and name in getattr(fake, resource, ()):
                    raise ValueError(f"the id {name!r} is taken")
                getattr(fake, f"add_{resource.removesuffix('s')}")(**item)
            except KeyError as error:
                raise ValueError(f"seed.{resource}[{index}]: nothing is stored under {error.args[0]!r}") from None
            except (TypeError, ValueError) as error:
                raise ValueError(f"seed.{resource}[{index}]: {error}") from None
