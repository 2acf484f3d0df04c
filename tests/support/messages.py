"""Messages of the fake, as tests send and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sent_async import SentClient
from sent_async.models import Message

JO = "+14155550100"


def statuses(message: Message) -> list[str]:
    """The statuses of a message so far."""
    return [str(event.status) for event in message.events or ()]


async def send(sent: SentClient, to: str = JO, **members: Any) -> str:
    """Send one message. Returns its id."""
    members = members or {"text": "Your table is ready"}
    return (await sent.messages.send(to=[to], **members)).recipients[0].message_id


def ahead(**members: int) -> datetime:
    return datetime.now(UTC) + timedelta(**members)
