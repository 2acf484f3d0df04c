"""Handled webhook events in Redis."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Final, Self

from ..errors import SentConfigError
from ..webhooks.seen import DAY
from .connection import connect, digest

if TYPE_CHECKING:
    from redis.asyncio import Redis

_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisSeen:
    """The handled webhook events in Redis: for ``seen=`` of a service on several hosts.

    A claim is a lease, as in ``SQLiteSeen``. Redis stores digests of the ids. While it cannot be reached, an event is
    refused with a 500, and Sent delivers it again.

    Args:
        url_or_client: ``redis://``, ``rediss://`` or ``unix://``; or a ``redis.asyncio.Redis``, which is never closed.
        name: The name of the service. Services with different names each handle every event.
        lease: Seconds after which an unfinished claim ends, because its process must have died. It must be longer than
            ``on_event`` ever takes, and shorter than the minute after which Sent delivers again.
        ttl: Seconds for which a handled event is remembered.

    Raises:
        SentConfigError: The URL is not a Redis URL, or a time is not positive.
    """

    def __init__(self, url_or_client: str | Redis, *, name: str = "", lease: float = 45.0, ttl: float = DAY) -> None:
        if not lease > 0 or not ttl > 0:
            raise SentConfigError("lease and ttl must be positive")
        self._client, self._owned = connect(url_or_client)
        self._name = name
        self._lease = math.ceil(lease * 1000)
        self._ttl = math.ceil(ttl * 1000)
        self._owner = secrets.token_hex(8)
        self._release = self._client.register_script(_RELEASE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def claim(self, id: str, /) -> bool:
        """See ``Seen.claim``."""
        return bool(await self._client.set(self._key(id), self._owner, nx=True, px=self._lease))

    async def release(self, id: str, /) -> None:
        """See ``Seen.release``. A claim that another process has taken over stays."""
        await self._release([self._key(id)], [self._owner])

    async def finish(self, id: str, /) -> None:
        """See ``LeasedSeen.finish``."""
        await self._client.set(self._key(id), "finished", px=self._ttl)

    async def is_finished(self, id: str, /) -> bool:
        """See ``LeasedSeen.is_finished``."""
        return await self._client.get(self._key(id)) in (b"finished", "finished")

    async def close(self) -> None:
        """Close the connections, unless a client was passed in."""
        if self._owned:
            await self._client.aclose()

    def _key(self, id: str) -> str:
        return f"sent:seen:{digest('seen', self._name, id)}"
