"""The Redis client, and the names of the stored values."""

from __future__ import annotations

from hashlib import blake2b

from ..errors import SentConfigError

try:
    from redis.asyncio import Redis
except ModuleNotFoundError as error:
    raise ImportError("sent_async.redis needs the extra: pip install 'sent-async[redis]'") from error


def connect(url_or_client: str | Redis) -> tuple[Redis, bool]:
    """Make a client for a URL, or take the given client.

    Returns:
        The client, and whether this made it. If so, the caller closes it.

    Raises:
        SentConfigError: The URL is not a Redis URL.
    """
    if not isinstance(url_or_client, str):
        return url_or_client, False
    try:
        client: Redis = Redis.from_url(url_or_client)  # pyright: ignore[reportUnknownMemberType] - its options have no types
        return client, True
    except ValueError:
        raise SentConfigError("not a Redis URL: redis://, rediss:// or unix:// is needed") from None


def digest(kind: str, *values: str) -> str:
    """A name made from a key or an id, which cannot be read from it."""
    return blake2b("\0".join(values).encode(), digest_size=16, person=kind.encode()).hexdigest()
