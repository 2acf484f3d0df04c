"""One JSON line for each attempt, with the request id that Sent's support asks for and with an id of your own.

Only listed fields are logged: no header, query, body or id of a path.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import time

import msgspec

from sent_async import Attempt, SentClient, SentError

order: contextvars.ContextVar[str | None] = contextvars.ContextVar("order", default=None)


def log_attempt(attempt: Attempt) -> None:
    """Log the searchable fields. Called right after the attempt, in the task that made the call."""
    line = {
        "time": time.time(),
        "event": "sent.attempt",
        "order": order.get(),
        "method": attempt.method,
        "path": attempt.path,
        "attempt": attempt.number,
        "status": attempt.status,
        "seconds": round(attempt.seconds, 4),
        "request_id": attempt.request_id,
        "error": str(attempt.error) if attempt.error is not None else None,
        "retry_in": attempt.retry_in,
    }
    sys.stderr.write(msgspec.json.encode(line).decode() + "\n")


async def main() -> None:
    async with SentClient(on_attempt=log_attempt) as sent:
        for number in (1001, 1002):
            order.set(f"order-{number}")
            try:
                async for profile in sent.profiles.list():
                    print(profile.name)
            except SentError as error:
                print(f"{order.get()}: {error}")


if __name__ == "__main__":
    asyncio.run(main())
