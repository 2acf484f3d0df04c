"""A fake Sent API for tests, in the same process or as a separate server.

::

    from sent_async.testing import FakeSent

    async with FakeSent() as fake, fake.client() as sent:
        ...

With pytest, the fixtures ``fake_sent`` and ``sent`` need no import. For programs in other languages,
``python -m sent_async.testing`` serves the fake API. ``import sent_async`` does not import this package.
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

_MODULES = {
    "Callback": "callbacks",
    "Delivery": "deliveries",
    "FakeSent": "server",
    "Limit": "limits",
    "RecordedRequest": "recording",
}


def __getattr__(name: str) -> object:
    # pytest imports this package to load the plugin in it, also in projects that never start a server.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'faults')}"), name)
