"""The list, create, retrieve, update and delete of profiles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ...models import BillingModel, ErrorCode, PaymentDetails, ProfileCreate, ProfileUpdate
from ..context import Context
from ..paging import paged
from ..responses import Refusal, Reply
from ..store import JSON, new_profile, shown_profile
from ..validation import Problems, all_members, given_members, whole_number
from .brands import check_brand, stored_brand

_COPIED: Final = (
    "name",
    "short_name",
    "description",
    "icon",
    "billing_model",
    "inherit_contacts",
    "inherit_templates",
    "inherit_tcr_brand",
    "inherit_tcr_campaign",
    "allow_contact_sharing",
    "allow_template_sharing",
    "allow_number_change_during_onboarding",
    "sending_phone_number",
    "whatsapp_phone_number",
    "sending_phone_number_profile_id",
    "sending_whatsapp_number_profile_id",
)


def list_profiles(context: Context) -> Reply:
    _must_have_organization(context)
    rows = (shown_profile(row) for key, row in context.store.profiles.items() if context.caller.may_see(key))
    size = context.settings.profile_page_size
    if size is None:
        return Reply(200, {"profiles": list(rows)})
    problems = Problems()
    page = whole_number(context.query, "page", 1, problems)
    problems.refuse_if_any()
    profiles, pagination = paged(rows, page, size)
    return Reply(200, {"profiles": profiles, "pagination": pagination})


def create_profile(context: Context) -> Reply:
    context.caller.must_be_organization()
    context.caller.must_be_admin()
    _must_have_organization(context)
    body: ProfileCreate = context.body
    _check(body, {})
    profile = {**new_profile(context.now), **_changes(body, None, context.now)}
    if body.whatsapp_business_account:
        profile["waba_id"] = body.whatsapp_business_account.waba_id
    context.store.profiles[profile["id"]] = profile
    return Reply(201, shown_profile(profile))


def retrieve_profile(context: Context) -> Reply:
    return Reply(200, shown_profile(context.profile()))


def update_profile(context: Context) -> Reply:
    context.caller.must_be_admin()
    before = context.profile()
    body: ProfileUpdate = context.body
    _check(body, before)
    profile = {**before, **_changes(body, before["brand"], context.now), "updated_at": context.now}
    context.store.profiles[profile["id"]] = profile
    return Reply(200, shown_profile(profile))


def delete_profile(context: Context) -> Reply:
    context.caller.must_be_admin()
    profile_id = context.profile()["id"]
    if code := context.store.undeletable.get(profile_id):
        raise Refusal(code)
    del context.store.profiles[profile_id]
    for records in (context.store.campaigns, context.store.templates):
        for key in [key for key, record in records.items() if record.owner == profile_id]:
            del records[key]
    return Reply(204)


def _must_have_organization(context: Context) -> None:
    if not context.store.organization:
        raise Refusal(ErrorCode.ORGANIZATION_NOT_FOUND)


def _check(body: ProfileCreate | ProfileUpdate, before: Mapping[str, Any]) -> None:
    """Raise ``Refusal`` with every invalid member. ``before`` is the profile to change, or empty for a new one."""
    problems = Problems()
    problems.expect_text(body.name, "name")
    problems.expect_short_name(body.short_name, "short_name")
    problems.expect_text(body.description, "description", most=5000)
    _check_billing(body, before, problems)
    if body.brand:
        check_brand(body.brand, problems)
        inherits = given_members(body).get("inherit_tcr_brand", before.get("inherit_tcr_brand", False))
        problems.expect(not inherits, "brand", "Not allowed while inherit_tcr_brand is true")
        own = before.get("brand")
        submitted = own is not None and own["submitted_to_tcr"]
        problems.expect(not submitted, "brand", "Cannot change after it was submitted to TCR")
    problems.refuse_if_any()


def _check_billing(body: ProfileCreate | ProfileUpdate, before: Mapping[str, Any], problems: Problems) -> None:
    problems.expect_one_of(body.billing_model, BillingModel, "billing_model")
    model = given_members(body).get("billing_model", before.get("billing_model"))
    # Only a model in the request needs a contact. Otherwise no profile could be created without one.
    if body.billing_model in (BillingModel.PROFILE, BillingModel.PROFILE_AND_ORGANIZATION):
        has_contact = bool(body.billing_contact) or before.get("billing_contact") is not None
        problems.expect(has_contact, "billing_contact", f"Required by billing_model {body.billing_model}")
    if body.billing_contact:
        problems.expect_text(body.billing_contact.name, "billing_contact.name")
        problems.expect("@" in body.billing_contact.email, "billing_contact.email", "Must be a mail address")
    if body.payment_details:
        refused = model == BillingModel.ORGANIZATION
        problems.expect(not refused, "payment_details", "Not allowed with billing_model organization")
        _check_card(body.payment_details, problems)


def _check_card(card: PaymentDetails, problems: Problems) -> None:
    """Check a card. The messages do not contain its values."""
    for name, pattern, rule in (
        ("card_number", r"[0-9]{13,19}", "Must be 13 to 19 digits"),
        ("expiry", r"(0[1-9]|1[0-2])/[0-9]{2}", "Must be MM/YY"),
        ("cvc", r"[0-9]{3,4}", "Must be 3 or 4 digits"),
    ):
        problems.expect(bool(re.fullmatch(pattern, getattr(card, name))), f"payment_details.{name}", rule)
    problems.expect_text(card.zip_code, "payment_details.zip_code")


def _changes(body: ProfileCreate | ProfileUpdate, brand: JSON | None, now: str) -> JSON:
    """The members of a stored profile that a request changes. Card data and access tokens are not stored."""
    values = given_members(body)
    changes: JSON = {name: values[name] for name in _COPIED if name in values}
    if body.billing_contact:
        changes["billing_contact"] = all_members(body.billing_contact)
    if body.brand:
        changes["brand"] = stored_brand(body.brand, brand, now)
    return changes
