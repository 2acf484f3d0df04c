"""Brands. A request has camelCase members, and a response has snake_case members."""

from __future__ import annotations

import msgspec

from ...models import BrandData, EntityType, TaxIdType, TcrBrandRelationship, TcrVertical
from ..store import JSON, new_id
from ..validation import Problems, all_members, given_members


def check_brand(brand: BrandData, problems: Problems) -> None:
    """Check the rules for a brand. Problems have the member names of the request."""
    contact, compliance = brand.contact, brand.compliance
    problems.expect_text(contact.name, "brand.contact.name")
    problems.expect_phone(contact.phone, "brand.contact.phone")
    problems.expect_one_of(compliance.vertical, TcrVertical, "brand.compliance.vertical")
    problems.expect_one_of(compliance.brand_relationship, TcrBrandRelationship, "brand.compliance.brandRelationship")
    if brand.business:
        problems.expect_one_of(brand.business.entity_type, EntityType, "brand.business.entityType")
        problems.expect_one_of(brand.business.tax_id_type, TaxIdType, "brand.business.taxIdType")


def stored_brand(brand: BrandData, before: JSON | None, now: str) -> JSON:
    """The brand as responses show it: a new one, or ``before`` with other content."""
    identity: JSON = before or {
        "id": new_id(),
        "tcr_brand_id": None,
        "status": None,
        "identity_status": None,
        "universal_ein": None,
        "csp_id": None,
        "submitted_to_tcr": False,
        "submitted_at": None,
        "is_inherited": False,
        "created_at": now,
        "updated_at": None,
        "business": None,
    }
    compliance = given_members(brand.compliance)
    return {
        **identity,
        "updated_at": now if before else None,
        "contact": all_members(brand.contact),
        "business": all_members(brand.business) if brand.business else identity["business"],
        "compliance": {
            **all_members(brand.compliance),
            "is_tcr_application": compliance.get("is_tcr_application", False),
            # The member of a country entry is camelCase in responses too.
            "destination_countries": msgspec.to_builtins(compliance.get("destination_countries", [])),
        },
    }
