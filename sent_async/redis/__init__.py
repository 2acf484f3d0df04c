"""Rate limits and handled webhook events that several processes share in Redis. Needs the extra ``sent-async[redis]``.

``import sent_async`` does not import it.
"""

from .pacer import RedisPacer
from .seen import RedisSeen

__all__ = ["RedisPacer", "RedisSeen"]
