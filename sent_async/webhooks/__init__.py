"""Receive webhooks: verify them, decode them and handle each event once.

``import sent_async`` does not import it. ``sent.webhooks``, a resource of the client, manages the endpoints that Sent
posts to.
"""

from ..models.enums import MessageStatus
from ..models.events import EventName, ProfileCompletionCallback
from .events import (
    CallEvent,
    ChannelEvent,
    ContactEvent,
    Event,
    LinkEvent,
    MessageReceivedEvent,
    MessageStatusEvent,
    TemplateEvent,
    UnknownEvent,
    parse_profile_completion,
)
from .receiver import WebhookReceiver, WebhookSignatureError
from .seen import LeasedSeen, MemorySeen, Seen, SQLiteSeen
from .tracker import MessageState, MessageTracker

__all__ = [
    "CallEvent",
    "ChannelEvent",
    "ContactEvent",
    "Event",
    "EventName",
    "LeasedSeen",
    "LinkEvent",
    "MemorySeen",
    "MessageReceivedEvent",
    "MessageState",
    "MessageStatus",
    "MessageStatusEvent",
    "MessageTracker",
    "ProfileCompletionCallback",
    "SQLiteSeen",
    "Seen",
    "TemplateEvent",
    "UnknownEvent",
    "WebhookReceiver",
    "WebhookSignatureError",
    "parse_profile_completion",
]
