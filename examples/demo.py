"""The main job: profiles fetched side by side, templates listed, one created, changed and deleted, a typed error.

Runs against the embedded server, or against the real API when SENT_DM_API_KEY is set; then nothing is written there,
because every write goes with ``sandbox=True``.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sent_async import NotFoundError, SentClient, SentError
from sent_async.models import TemplateBody, TemplateBodyContent, TemplateDefinition, TemplateVariable


@asynccontextmanager
async def connect() -> AsyncGenerator[tuple[SentClient, bool]]:
    """A client, and whether it talks to the real API."""
    if os.environ.get("SENT_DM_API_KEY"):
        async with SentClient(deadline=60) as sent:
            yield sent, True
        return
    from sent_async.testing import FakeSent

    async with FakeSent() as fake, fake.client() as sent:
        for number in range(1, 200):
            fake.add_profile(name=f"Branch {number}", short_name=f"BR{number}")
        yield sent, False


def definition(text: str) -> TemplateDefinition:
    variable = TemplateVariable(id=0, name="name", type="variable")
    return TemplateDefinition(
        body=TemplateBody(multi_channel=TemplateBodyContent(type="text", template=text, variables=[variable]))
    )


async def profiles(sent: SentClient) -> None:
    print("\nProfiles")
    found = [profile.id async for profile in sent.profiles.list()]
    started = time.perf_counter()
    results = await sent.profiles.retrieve_many(found, concurrency=50)
    seconds = time.perf_counter() - started
    print(f"  {len(results)} fetched one by one, 50 at a time, in {seconds:.2f} s")
    for result in results[:3]:
        profile = result.unwrap()
        brand = profile.brand.contact.name if profile.brand and profile.brand.contact else "no brand"
        print(f"  {profile.name:<16} {profile.status:<10} since {profile.created_at:%Y-%m-%d}  {brand}")
    if len(results) > 3:
        print(f"  … and {len(results) - 3} more")


async def templates(sent: SentClient, *, sandbox: bool) -> None:
    print("\nTemplates" + (" (sandbox: nothing is stored)" if sandbox else ""))
    async for template in sent.templates.list(status="APPROVED"):
        print(f"  {template.name:<24} {template.category:<10} {', '.join(template.channels or [])}")

    template = await sent.templates.create(
        definition=definition("Hello {{0:variable}}, our spring sale starts today. Come and see us!"),
        category="MARKETING",
        language="en_US",
        sandbox=sandbox,
    )
    print(f"  created  {template.name:<24} {template.status}")
    if not sandbox:
        template = await sent.templates.update(template.id, name="Spring sale")
        print(f"  renamed  {template.name}")
        await sent.templates.delete(template.id)
        print("  deleted")


async def an_error(sent: SentClient) -> None:
    print("\nAn error")
    try:
        await sent.profiles.retrieve("00000000-0000-0000-0000-000000000000")
    except NotFoundError as error:
        print(f"  {type(error).__name__}: {error}")
        print(f"  code {error.code}, status {error.status}, request id {error.request_id}, attempts {error.attempts}")


async def main() -> None:
    async with connect() as (sent, real):
        print(f"Talking to {'the real API' if real else 'the embedded server'}")
        await profiles(sent)
        await templates(sent, sandbox=real)
        await an_error(sent)
        print("\nRate limits as the answers describe them")
        for tier, limit in sent.rate_limits.items():
            print(f"  {tier}: {limit.remaining} of {limit.limit} left")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except SentError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
