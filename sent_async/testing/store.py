"""The state of the fake: resources in the API's own JSON form, and the API keys.

A stored object is replaced, never changed in place. So a sandbox request can use a draft, which is cheap to make.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import datetime
from functools import cache
from typing import Any, Final, Generic, TypeVar, cast

import msgspec

from ..choice import read_choice
from ..models import TemplateDefinition
from ..structs import ResponseModel
from . import seed
from .messaging.records import ContactRecord, MessageOutcome, MessageRecord

JSON = dict[str, Any]
T = TypeVar("T", bound=ResponseModel)
K = TypeVar("K")
V = TypeVar("V")


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """An API key of the organization, or of one profile."""

    value: str
    profile_id: str | None = None
    admin: bool = True

    def __repr__(self) -> str:
        return f"Key(profile_id={self.profile_id!r}, admin={self.admin})"


class Record(msgspec.Struct, frozen=True):
    """A template, campaign or user with its owner: the id of a profile, or ``None`` for the organization."""

    owner: str | None
    wire: JSON
    definition: TemplateDefinition | None = None


class Endpoint(msgspec.Struct, frozen=True):
    """A webhook endpoint with its secret and its owner."""

    owner: str | None
    wire: JSON
    sender_profile: JSON | None = None
    """The events of profiles that an endpoint of the organization subscribes to."""


class VoiceNumber(msgspec.Struct, frozen=True):
    """A number for phone calls with its owner, and the secret that signs its callbacks."""

    owner: str | None
    wire: JSON
    callback_id: str
    secret: str


class Store:
    """Everything that a request can read or change, in the order of creation."""

    def __init__(self, *, seeded: bool, organization: bool) -> None:
        self.organization = organization
        self.keys: MutableMapping[str, Key] = {}
        self.profiles: MutableMapping[str, JSON] = {}
        self.templates: MutableMapping[str, Record] = {}
        self.campaigns: MutableMapping[str, Record] = {}
        self.messages: MutableMapping[str, MessageRecord] = {}
        self.contacts: MutableMapping[str, ContactRecord] = {}
        self.contact_ids: MutableMapping[tuple[str | None, str], str] = {}
        """By owner and number."""
        self.conversations: MutableMapping[str, str] = {}
        """By the id of the conversation: the id of its contact."""
        self.held: MutableMapping[str, str] = {}
        """By message id: when a scheduled message is due."""
        self.outcomes: MutableMapping[str, MessageOutcome] = {}
        """By number: the final status of messages to it."""
        self.numbers: MutableMapping[str, str | None] = {}
        """Other numbers to send from, each with its profile; ``None`` for the organization."""
        self.web_hooks: MutableMapping[str, str] = {}
        """By profile id: the URL for the callback after its completion."""
        self.undeletable: MutableMapping[str, str] = {}
        """By profile id: the error code that refuses its deletion."""
        self.webhooks: MutableMapping[str, Endpoint] = {}
        self.users: MutableMapping[str, Record] = {seed.USER_ID: Record(None, seed.USER)}
        self.sender_profiles: MutableMapping[str, JSON] = {}
        self.sms_markets: MutableMapping[tuple[str | None, str, str], JSON] = {}
        """By owner, country and kind of sender."""
        self.whatsapp: MutableMapping[str | None, JSON] = {}
        """By owner."""
        self.rcs_agents: MutableMapping[str | None, JSON] = {}
        """By owner."""
        self.voice_numbers: MutableMapping[str, VoiceNumber] = {}
        self.lookups: MutableMapping[str, JSON] = {}
        """Lookup results by number."""
        if seeded:
            self.profiles[seed.PROFILE_ID] = seed.PROFILE
            self.templates[seed.TEMPLATE_ID] = Record(None, seed.TEMPLATE)

    def has_profile(self, profile_id: str) -> bool:
        """Whether there is a profile or a sender profile with this id."""
        return profile_id in self.profiles or profile_id in self.sender_profiles

    def draft(self) -> Store:
        """A draft of this store for sandbox requests. Changes in the draft do not change this store."""
        draft = Store(seeded=False, organization=self.organization)
        for name, value in vars(self).items():
            if isinstance(value, MutableMapping):
                setattr(draft, name, Draft(cast("Any", value)))
        return draft


class Draft(MutableMapping[K, V]):
    """A mapping whose changes do not reach the original. Making one takes constant time."""

    def __init__(self, stored: Mapping[K, V]) -> None:
        self._stored = stored
        self._changed: dict[K, V] = {}
        self._deleted: set[K] = set()

    def __getitem__(self, key: K) -> V:
        if key in self._deleted:
            raise KeyError(key)
        return self._changed[key] if key in self._changed else self._stored[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._changed[key] = value
        self._deleted.discard(key)

    def __delitem__(self, key: K) -> None:
        _ = self[key]
        self._changed.pop(key, None)
        self._deleted.add(key)

    def __iter__(self) -> Iterator[K]:
        yield from (key for key in self._stored if key not in self._deleted)
        yield from (key for key in self._changed if key not in self._stored)

    def __len__(self) -> int:
        added = sum(key not in self._stored for key in self._changed)
        return len(self._stored) + added - sum(key in self._stored for key in self._deleted)


class View(Mapping[str, T], Generic[T, V]):
    """Stored objects by id, as models of the SDK. Each model is made when it is read, from the current state.

    A loop visits the ids that existed when it began.
    """

    def __init__(self, kind: type[T], rows: Mapping[str, V], read: Callable[[V], JSON]) -> None:
        self._kind = kind
        self._rows = rows
        self._read = read

    def __getitem__(self, key: str) -> T:
        return msgspec.convert(self._read(self._rows[key]), self._kind, dec_hook=read_choice)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._rows))

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<{len(self._rows)} of {self._kind.__name__}>"


def shown_profile(profile: JSON) -> JSON:
    """A profile as responses show it, with the organization's brand if it inherits that."""
    return {**profile, "brand": seed.ORGANIZATION_BRAND} if profile["inherit_tcr_brand"] else profile


def new_id() -> str:
    return str(uuid.uuid4())


def new_profile(now: str) -> JSON:
    """The profile after a create without options, except for its name."""
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


def new_user(owner: str | None, now: str) -> JSON:
    return {
        "id": new_id(),
        "customer_id": owner or seed.ORGANIZATION_ID,
        "email": "jo@example.com",
        "name": "Jo Doe",
        "role": "developer",
        "status": "active",
        "invited_at": None,
        "last_login_at": None,
        "created_at": now,
        "updated_at": None,
    }


def new_sender_profile(now: str) -> JSON:
    return {
        "id": new_id(),
        "organization_id": seed.ORGANIZATION_ID,
        "name": "Example Retail",
        "short_name": "Example",
        "description": None,
        "billing": None,
        "compliance": None,
        "notifications": "ORGANIZATION_AND_SENDER_PROFILE",
        "created_at": now,
    }


WEBHOOK_DEFAULTS: Final[JSON] = {"event_filters": None, "retry_count": 3, "timeout_seconds": 30}
"""The server's defaults for settings that are left out."""


def new_webhook(owner: str | None, now: str) -> Endpoint:
    """An endpoint with the server's defaults and a new secret."""
    wire: JSON = {
        "id": new_id(),
        "customer_id": owner or seed.ORGANIZATION_ID,
        "display_name": "Events",
        "endpoint_url": "https://example.com/webhooks",
        "signing_secret": new_webhook_secret(),
        "is_active": True,
        "event_types": [],
        **WEBHOOK_DEFAULTS,
        "last_delivery_attempt_at": None,
        "last_successful_delivery_at": None,
        "consecutive_failures": 0,
        "created_at": now,
        "updated_at": None,
    }
    return Endpoint(owner, wire)


def new_webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


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
    """A stored object with other values for some members, by their Python names or by their names in the API.

    Values are JSON, models or datetimes. Raises ``TypeError`` for a member that the model does not have, and
    ``ValueError`` for a value that does not fit its member.
    """
    names = _wire_names(kind)
    if unknown := sorted(overrides.keys() - names.keys()):
        raise TypeError(f"{kind.__name__} has no member {unknown[0]!r}; it has {', '.join(sorted(names))}")
    changed = {**wire, **{names[name]: _plain(value) for name, value in overrides.items()}}
    try:
        msgspec.convert(changed, kind, dec_hook=read_choice)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    return changed


@cache
def _wire_names(kind: type[ResponseModel]) -> dict[str, str]:
    fields = msgspec.structs.fields(kind)
    return {name: field.encode_name for field in fields for name in (field.name, field.encode_name)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else msgspec.to_builtins(value)
