# Provisional: the text that codegen makes from openapi/events.yaml, to be replaced by its own run.
# ruff: noqa

from __future__ import annotations

from msgspec import field
from sent_async.open_enum import StrEnum
from sent_async.structs import ResponseModel, Secret, SecretMap, SecretResponse, Timestamp


class ChannelEventStatus(StrEnum):
    """
    States of a channel in a country. Open set.
    """

    PENDING_REVIEW = "PENDING_REVIEW"
    ACTION_NEEDED = "ACTION_NEEDED"
    PROVISIONING = "PROVISIONING"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class ContactEventSource(StrEnum):
    """
    What made a contact change. Open set.
    """

    INBOUND_KEYWORD = "INBOUND_KEYWORD"
    PROVIDER_SIGNAL = "PROVIDER_SIGNAL"


class EventName(StrEnum):
    """
    Names of events. A family without names of its own stands with the name of the family. Open set: it has grown twice. `message.processed` is inferred from the status.
    """

    MESSAGE_QUEUED = "message.queued"
    MESSAGE_PROCESSED = "message.processed"
    MESSAGE_ROUTED = "message.routed"
    MESSAGE_SENT = "message.sent"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_READ = "message.read"
    MESSAGE_FAILED = "message.failed"
    MESSAGE_SCHEDULED = "message.scheduled"
    MESSAGE_FILTERED = "message.filtered"
    MESSAGE_BLOCKED = "message.blocked"
    MESSAGE_CANCELLED = "message.cancelled"
    MESSAGE_RECEIVED = "message.received"
    TEMPLATES = "templates"
    CONTACT_OPT_IN = "contact.opt_in"
    CONTACT_OPT_OUT = "contact.opt_out"
    CONTACT_HELP = "contact.help"
    CONTACT_CUSTOM_KEYWORD = "contact.custom_keyword"
    CHANNEL_SUBMITTED = "channel.submitted"
    CHANNEL_ACTIVATED = "channel.activated"
    LINK_CLICKED = "link.clicked"
    LINK_DOWNLOADED = "link.downloaded"
    LINK_EXPIRED = "link.expired"
    LINK_REVOKED = "link.revoked"
    CALL_INITIATED = "call.initiated"
    CALL_ANSWERED = "call.answered"
    CALL_COMPLETED = "call.completed"
    CALL_FAILED = "call.failed"
    CALL_RECORDING_READY = "call.recording_ready"


class LinkKind(StrEnum):
    """
    What a short link leads to. Open set.
    """

    URL = "url"
    FILE = "file"


class LinkTrafficClass(StrEnum):
    """
    Who is thought to have opened a link. Open set.
    """

    LIKELY_HUMAN = "likely_human"
    PROVIDER = "provider"
    BOT = "bot"
    UNKNOWN = "unknown"


class MessageStatus(StrEnum):
    """
    States of a message. FILTERED means stopped by a policy, BLOCKED by the account, its templates or the lack of an open conversation. FAILED is not always final: the same message may be tried on another channel. Open set.
    """

    QUEUED = "QUEUED"
    PROCESSED = "PROCESSED"
    SCHEDULED = "SCHEDULED"
    ROUTED = "ROUTED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    RECEIVED = "RECEIVED"
    FAILED = "FAILED"
    FILTERED = "FILTERED"
    BLOCKED = "BLOCKED"
    CANCELLED = "CANCELLED"


class TemplateEventStatus(StrEnum):
    """
    What happened to a template. Open set.
    """

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    CATEGORY_UPDATED = "CATEGORY_UPDATED"


class CallPayload(SecretResponse, frozen=True, kw_only=True):
    """The state of one call."""

    call_id: str
    """Id of the call."""

    account_id: str | None = None
    """Id of the account."""

    channel: str | None = None
    """`voice`."""

    number: Secret | None = None
    """Your number in the call."""

    updated_at: Timestamp | None = None
    """When the state changed."""

    duration_seconds: int | None = None
    """Length of the call; with `call.completed` only."""

    price: float | None = None
    """Price of the call; with `call.completed` only."""

    reason: str | None = None
    """Why it failed; with `call.failed` only."""

    recording_id: str | None = None
    """Id of the recording; with `call.recording_ready` only."""


class ChannelCompliance(SecretResponse, frozen=True, kw_only=True):
    """What was submitted for a country."""

    brand: SecretMap | None = None
    """Facts about the brand. The members depend on the country."""

    campaign: SecretMap | None = None
    """Facts about the campaign. The members depend on the country."""

    documents: list[ChannelDocument] | None = None
    """Files that were handed in."""


class ChannelDocument(ResponseModel, frozen=True, kw_only=True):
    """A file that was handed in for a country."""

    key: str | None = None
    """Which requirement it meets."""

    file_name: str | None = None
    """Name of the file."""

    document_id: str | None = None
    """Id of the stored file."""


class ChannelPayload(SecretResponse, frozen=True, kw_only=True):
    """The state of a channel in a country."""

    country: str
    """Two-letter country code."""

    account_id: str | None = None
    """Id of the account."""

    channel: str | None = None
    """`sms`, `whatsapp` or `rcs`."""

    number_type: str | None = None
    """Kind of number, such as `TEN_DLC`."""

    sender_value: Secret | None = None
    """The number or name that messages come from, once it is known."""

    status: ChannelEventStatus | None = None
    """The new state."""

    reason_code: str | None = None
    """Code of what is wrong."""

    reason: str | None = None
    """The same in words."""

    compliance: ChannelCompliance | None = None
    """What was submitted for the country."""

    updated_at: Timestamp | None = None
    """When the state changed."""


class ContactPayload(SecretResponse, frozen=True, kw_only=True):
    """What a contact decided or asked for."""

    opt_out: bool
    """Whether the contact is opted out now. Unchanged by `contact.help` and `contact.custom_keyword`."""

    source: ContactEventSource
    """What made the change."""

    account_id: str | None = None
    """Id of the account."""

    contact_id: str | None = None
    """Id of the contact."""

    channel: str | None = None
    """The channel it came by."""

    from_: Secret | None = field(name="from", default=None)
    """Number of the contact."""

    to: Secret | None = None
    """Your number."""

    agent_id: str | None = None
    """Id of the agent that was written to."""

    message_id: str | None = None
    """Id of the message with the keyword."""

    template_id: str | None = None
    """Id of the template that was replied to."""

    text: Secret | None = None
    """What the contact wrote."""


class LinkPayload(ResponseModel, frozen=True, kw_only=True):
    """What happened to a short link in a message."""

    record_id: str
    """Id of the link, eight characters."""

    link_kind: LinkKind | None = None
    """What the link leads to."""

    customer_id: str | None = None
    """Id of the account that owns the link."""

    sender_profile_id: str | None = None
    """Id of the sender profile."""

    message_id: str | None = None
    """Id of the message with the link."""

    occurred_at: Timestamp | None = None
    """When it happened."""

    channel: str | None = None
    """Channel of the message."""

    access_country: str | None = None
    """Country that the link was opened from."""

    access_outcome: str | None = None
    """How the access ended."""

    browser: str | None = None
    """Browser, as far as it was recognised."""

    device: str | None = None
    """Kind of device."""

    traffic_class: LinkTrafficClass | None = None
    """Who is thought to have opened it."""

    request_method: str | None = None
    """HTTP method of the access."""

    status_code: int | None = None
    """HTTP status of the access."""

    bytes_served: int | None = None
    """How many bytes were served."""

    referrer_host: str | None = None
    """Host of the page that led there."""

    reference_key: str | None = None
    """Your own key for the link."""


class MessageReceivedPayload(SecretResponse, frozen=True, kw_only=True):
    """A message from a contact."""

    message_id: str
    """Id of the received message."""

    inbound_number: Secret | None = None
    """Number of the contact."""

    outbound_number: Secret | None = None
    """Your number."""

    from_: Secret | None = field(name="from", default=None)
    """Number of the contact, in the form used until May 2026."""

    to: Secret | None = None
    """Your number, in the form used until May 2026."""

    provider: str | None = None
    """Who delivered the message, in the form used until May 2026."""

    received_at: Timestamp | None = None
    """When the message arrived."""

    updated_at: Timestamp | None = None
    """The same moment as `received_at`."""

    account_id: str | None = None
    """Id of the account that received the message."""

    channel: str | None = None
    """`sms`, `whatsapp`, `rcs` or `mms`."""

    text: Secret | None = None
    """What the contact wrote, or null."""

    media: list[ReceivedMedia] | None = None
    """Files that came with it."""

    referral: SecretMap | None = None
    """The advertisement that the contact came from, as Meta describes it."""


class MessageStatusPayload(SecretResponse, frozen=True, kw_only=True):
    """The status of one message."""

    message_id: str
    """Id of the message, as `messages.send` returned it."""

    message_status: MessageStatus
    """The new status."""

    updated_at: Timestamp | None = None
    """When the status changed. This orders the events of a message."""

    account_id: str | None = None
    """Id of the account that sent the message."""

    channel: str | None = None
    """`sms`, `whatsapp`, `rcs` or `mms`; `sent` before routing, `auto` when it ended before routing."""

    outbound_number: Secret | None = None
    """The recipient. Until May 2026 it was the sender, and `inbound_number` was there too."""

    inbound_number: Secret | None = None
    """The recipient, in the form used until May 2026."""

    body: Secret | None = None
    """Text of the message, at most 3072 characters."""

    template_id: str | None = None
    """Id of the template, or null for free text."""

    template_name: str | None = None
    """Name of the template."""

    agent_id: str | None = None
    """Id of the agent that sent the message."""

    reason_code: str | None = None
    """Error code of a message that failed, was filtered or blocked."""

    reason: str | None = None
    """The same in words."""

    schedule_reason: str | None = None
    """Why a message is held; with `message.scheduled` only."""

    scheduled_at: Timestamp | None = None
    """When a held message is due; with `message.scheduled` and `message.cancelled`."""


class ProfileCompletionCallback(ResponseModel, frozen=True, kw_only=True):
    """How the onboarding of a profile ended. Not signed, as far as documented."""

    profile_id: str = field(name="profileId")
    """Id of the profile."""

    success: bool | None = None
    """Whether the profile can send now."""

    status: str | None = None
    """The end state in a word, in varying case."""

    timestamp: Timestamp | None = None
    """When it ended."""


class ReceivedMedia(SecretResponse, frozen=True, kw_only=True):
    """A file that came with a received message."""

    url: Secret | None = None
    """Where to fetch the file. It needs no credentials, and expires."""

    mime_type: str | None = None
    """Type of the content."""

    size_bytes: int | None = None
    """Length of the file in bytes."""

    hash_sha256: str | None = None
    """SHA-256 of the content."""


class TemplatePayload(ResponseModel, frozen=True, kw_only=True):
    """The state of one template, or of one channel of it."""

    status: TemplateEventStatus
    """What happened."""

    whatsapp_template_id: str | None = None
    """Id at WhatsApp; empty before approval."""

    account_id: str | None = None
    """Id of the account that owns the template."""

    template_id: str | None = None
    """Id of the template."""

    template_name: str | None = None
    """Name of the template."""

    category: str | None = None
    """Category of the template."""

    language: str | None = None
    """Language of the template, such as `en_US`."""

    channel: str | None = None
    """The channel that is meant. Absent when it is the whole template."""

    reason: str | None = None
    """Why, in words."""

    auto_reply_action: str | None = None
    """What the template does as an automatic reply."""
