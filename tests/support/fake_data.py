"""What a FakeSent has at its start, and values for what tests create in it."""

from __future__ import annotations

import msgspec

from sent_async.models import (
    BrandComplianceData,
    BrandContactData,
    BrandData,
    CampaignData,
    CampaignUseCaseData,
    DestinationCountryData,
    TemplateCreate,
    TemplateDefinition,
)

from .payloads import payload

SEEDED = "660e8400-e29b-41d4-a716-446655440001"
NOWHERE = "00000000-0000-4000-8000-000000000000"
"""An id under which nothing is stored."""
TEMPLATE = "7ba7b820-9dad-11d1-80b4-00c04fd430c8"


def definition() -> TemplateDefinition:
    request = payload("templates-create-request.docs")
    return msgspec.json.decode(request, type=TemplateCreate).definition


def brand() -> BrandData:
    return BrandData(
        contact=BrandContactData(name="John Smith", business_name="Acme Corp", phone="+12025551234"),
        compliance=BrandComplianceData(
            vertical="PROFESSIONAL",
            brand_relationship="SMALL_ACCOUNT",
            destination_countries=[DestinationCountryData(id="US", is_main=True)],
        ),
    )


def campaign(name: str = "Customer Notifications") -> CampaignData:
    use_case = CampaignUseCaseData(
        messaging_use_case_us="ACCOUNT_NOTIFICATION", sample_messages=["Your order is here."]
    )
    return CampaignData(name=name, description="Account notifications", type="App", use_cases=[use_case])
