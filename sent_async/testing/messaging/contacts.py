"""The contacts of an account."""

from __future__ import annotations

import uuid
from typing import Final

from ..clock import stamp
from ..context import World
from ..phones import Phone
from ..seed import ORGANIZATION_ID
from ..store import Store, new_id
from .records import ContactRecord

CHANNELS: Final = ("sms", "whatsapp")
"""The available channels of a contact."""


def contact_of(store: Store, owner: str | None, number: str) -> ContactRecord | None:
    """Find the contact with a number."""
    contact_id = store.contact_ids.get((owner, number))
    return store.contacts[contact_id] if contact_id is not None else None


def new_contact(owner: str | None, phone: Phone, now: str) -> ContactRecord:
    """Make a contact with SMS and WhatsApp, with SMS as the default."""
    wire = {
        "id": new_id(),
        "customer_id": owner or ORGANIZATION_ID,
        "phone_number": phone.e164,
        "format_e164": phone.e164,
        "format_international": phone.international,
        "format_national": phone.national,
        "format_rfc": phone.rfc,
        "country_code": phone.country_code,
        "region_code": phone.region_code,
        "available_channels": ",".join(CHANNELS),
        "default_channel": CHANNELS[0],
        "opt_out": False,
        "is_inherited": False,
        "created_at": now,
        "updated_at": None,
    }
    return ContactRecord(owner=owner, wire=wire)


def store_contact(store: Store, record: ContactRecord) -> ContactRecord:
    """Store a contact, so that it can be found by its id, its number and its conversation."""
    contact_id = record.wire["id"]
    store.contacts[contact_id] = record
    store.contact_ids[record.owner, record.wire["phone_number"]] = contact_id
    store.conversations[conversation_of(record)] = contact_id
    return record


def delete_contact(store: Store, record: ContactRecord) -> None:
    """Delete a contact."""
    del store.contacts[record.wire["id"]]
    del store.contact_ids[record.owner, record.wire["phone_number"]]
    del store.conversations[conversation_of(record)]


def find_or_add(world: World, owner: str | None, phone: Phone) -> ContactRecord:
    """Find the contact with a number, or add one."""
    contact = contact_of(world.store, owner, phone.e164)
    return contact or store_contact(world.store, new_contact(owner, phone, stamp(world.time())))


def conversation_of(record: ContactRecord) -> str:
    """The id of the conversation: a UUID made from two ids. Sent does the same, but does not publish how."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{record.wire['customer_id']}/{record.wire['id']}"))
