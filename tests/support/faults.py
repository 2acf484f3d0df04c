"""Each way a connection can fail, and a call of each method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sent_async import SentClient

from .raw_servers import (
    Behaviour,
    chunks_cut_off,
    close_after_reading,
    half_a_body,
    half_a_head,
    no_http,
    reset_after_reading,
    reset_before_reading,
    stalled_body,
    stalled_head,
)

CALLS: dict[str, Callable[[SentClient], Awaitable[Any]]] = {
    "GET": lambda sent: sent.profiles.retrieve("p"),
    "POST": lambda sent: sent.profiles.create(name="n"),
    "PATCH": lambda sent: sent.profiles.update("p", name="n"),
    "PUT": lambda sent: sent.templates.update("t", name="n"),
    "DELETE": lambda sent: sent.profiles.delete("p"),
}
STALLS = [stalled_head, stalled_body]
FAULTS: list[Behaviour] = [
    reset_before_reading,
    reset_after_reading,
    close_after_reading,
    half_a_head,
    half_a_body,
    chunks_cut_off,
    no_http,
    *STALLS,
]
