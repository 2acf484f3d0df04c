"""The client of Redis, and names for what is stored there."""

from __future__ import annotations

from hashlib import blake2b

from ..errors import SentConfigError

try:
    from redis.asyncio import Redis
except ModuleNotFoundError as error:
    raise ImportError("sent_async.redis needs the extra: pip install 'sent-async[redis]'") from error


def connect(url_or_client: str | Redis) -> tuple[Redis, bool]:
    """The client, and whether it is ours to close.

    Raises:
        SentConfigError: The URL is not one of Redis.
    """
    if not isinstance(url_or_client, str):
        return url_or_client, False
    try:
        client: Redis = Redis.from_url(url_or_client)  # pyright: ignore[reportUnknownMemberType] - its options have no types
        return client, True
    except ValueError:
        raise SentConfigError("not a Redis URL: redis://, rediss:// or unix:// is needed") from None


def digest(kind: str, *values: str) -> str:
    """A name that does not tell what it was made of, such as a key or an id."""
    return blake2b("\0".join(values).encode(), digest_size=16, person=kind.encode()).hexdigest()
