"""What the fake remembers: resources in the API's own JSON form, and the keys that may touch them.

A stored object is replaced, never changed in place. That makes a snapshot cheap, and sandbox requests run on one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from ..models import TemplateDefinition
from ..structs import ResponseModel
from . import seed

JSON = dict[str, Any]
T = TypeVar("T", bound=ResponseModel)


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key: of the organization, or confined to one profile."""

    value: str
    profile_id: str | None = None
    admin: bool = True

    def __repr__(self) -> str:
        return f"Key(profile_id={self.profile_id!r}, admin={self.admin})"


class Record(msgspec.Struct, frozen=True):
    """A template or campaign with its owner: the id of a profile, or ``None`` for the organization."""

    owner: str | None
    wire: JSON
    definition: TemplateDefinition | None = None


class Store:
    """Everything that a request can read or change. In the order of creation."""

    def __init__(self, *, seeded: bool, organization: bool) -> None:
        self.organization = organization
        self.keys: dict[str, Key] = {}
        self.profiles: dict[str, JSON] = {}
        self.templates: dict[str, Record] = {}
        self.campaigns: dict[str, Record] = {}
        self.web_hooks: dict[str, str] = {}
        """By profile id: where to report that its completion has ended."""
        self.undeletable: dict[str, str] = {}
        """By profile id: the error code that refuses its deletion."""
        if seeded:
            self.profiles[seed.PROFILE_ID] = seed.PROFILE
            self.templates[seed.TEMPLATE_ID] = Record(None, seed.TEMPLATE)

    def snapshot(self) -> Store:
        """A copy to try things out on."""
        copy = Store(seeded=False, organization=self.organization)
        copy.keys = self.keys
        copy.profiles = dict(self.profiles)
        copy.templates = dict(self.templates)
        copy.campaigns = dict(self.campaigns)
        copy.web_hooks = dict(self.web_hooks)
        copy.undeletable = self.undeletable
        return copy


class View(Mapping[str, T]):
    """Stored objects by id, as the SDK's own models. Counting is free; an object is converted when it is asked for."""

    def __init__(self, kind: type[T], rows: Mapping[str, JSON]) -> None:
        self._kind = kind
        self._rows = rows

    def __getitem__(self, key: str) -> T:
        return msgspec.convert(self._rows[key], self._kind)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<{len(self._rows)} of {self._kind.__name__}>"


def shown(profile: JSON) -> JSON:
    """A profile as it is read: with the organization's brand when it inherits one."""
    return {**profile, "brand": seed.ORGANIZATION_BRAND} if profile["inherit_tcr_brand"] else profile


def new_id() -> str:
    return str(uuid.uuid4())


def new_profile(now: str) -> JSON:
    """A profile as a create without options leaves it, except for its name."""
    return {
        **dict.fromkeys(seed.PROFILE),
        "id": new_id(),
        "organization_id": seed.ORGANIZATION_ID,
        "email": seed.ORGANIZATION_EMAIL,
        "status": "incomplete",
        "created_at": now,
        "allow_contact_sharing": False,
        "allow_template_sharing": False,
        "inherit_contacts": True,
        "inherit_templates": True,
        "inherit_tcr_brand": False,
        "inherit_tcr_campaign": False,
        "billing_model": "profile",
    }


def new_template(owner: str | None, now: str) -> JSON:
    return {
        "id": new_id(),
        "customer_id": owner or seed.ORGANIZATION_ID,
        "name": "Welcome Message",
        "category": "MARKETING",
        "language": "en_US",
        "status": "DRAFT",
        "channels": ["sms", "whatsapp"],
        "variables": ["name", "company"],
        "created_at": now,
        "updated_at": None,
        "is_published": False,
    }


def new_campaign(brand_id: str | None, now: str) -> JSON:
    return {
        "useCases": [],
        "tcrSyncError": None,
        "type": "App",
        "customerId": seed.ORGANIZATION_ID,
        "name": "Customer Notifications",
        "description": "Appointment reminders and account notifications",
        "submittedToTCR": False,
        "submittedAt": None,
        "billedDate": None,
        "cost": None,
        "volume": None,
        "tcrCampaignId": None,
        "status": None,
        "brandId": brand_id,
        "messageFlow": None,
        "privacyPolicyLink": None,
        "termsAndConditionsLink": None,
        "optinMessage": None,
        "optoutMessage": None,
        "helpMessage": None,
        "optinKeywords": None,
        "optoutKeywords": None,
        "helpKeywords": None,
        "dcaElectionsComplete": None,
        "dcaElectionsCompletedAt": None,
        "hasSubmissionTransaction": False,
        "id": new_id(),
        "createdAt": now,
        "updatedAt": None,
    }


def with_overrides(kind: type[ResponseModel], wire: JSON, overrides: Mapping[str, object]) -> JSON:
    """A stored object with members given by their Python names, values as plain JSON, models or datetimes.

    Raises ``TypeError`` for a member the model does not have, and ``ValueError`` for a value that does not fit it.
    """
    names = {field.name: field.encode_name for field in msgspec.structs.fields(kind)}
    if unknown := sorted(overrides.keys() - names.keys()):
        raise TypeError(f"{kind.__name__} has no member {unknown[0]!r}; it has {', '.join(sorted(names))}")
    changed = {**wire, **{names[name]: _plain(value) for name, value in overrides.items()}}
    try:
        msgspec.convert(changed, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    return changed


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else msgspec.to_builtins(value)
