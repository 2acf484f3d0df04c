"""A fake Sent API to test against, in this process or as a server of its own.

::

    from sent_async.testing import FakeSent

    async with FakeSent() as fake, fake.client() as sent:
        ...

With pytest, the fixtures ``fake_sent`` and ``sent`` are there without an import. For other languages,
``python -m sent_async.testing`` serves it. Nothing here is loaded by ``import sent_async``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .callbacks import Callback
    from .deliveries import Delivery
    from .faults import CutBody, Delay, Drop, Fail, Fault, RawAnswer, StallBody
    from .limits import Limit
    from .recording import RecordedRequest
    from .server import FakeSent

__all__ = [
    "Callback",
    "CutBody",
    "Delay",
    "Delivery",
    "Drop",
    "Fail",
    "FakeSent",
    "Fault",
    "Limit",
    "RawAnswer",
    "RecordedRequest",
    "StallBody",
]

_HOMES = {
    "Callback": "callbacks",
    "Delivery": "deliveries",
    "FakeSent": "server",
    "Limit": "limits",
    "RecordedRequest": "recording",
}


def __getattr__(name: str) -> object:
    # pytest imports this package to reach the plugin inside it, in projects that may never start a server.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'faults')}"), name)
