"""The main features of this client in a few seconds: many calls at once, one write for two requests, waiting for a rate
limit, an event that is handled once, and an error that says what to do.

It runs against the embedded server. When SENT_DM_API_KEY is set it runs against the real API, and then it only reads,
apart from one template that it creates with ``sandbox=True``: nothing is stored.
"""

from __future__ import annotations

import asyncio
import os
import time

from aiohttp import web

from sent_async import NotFoundError, SentClient, SentError
from sent_async.models import TemplateDefinition
from sent_async.testing import FakeSent
from sent_async.webhooks import Event, MessageStatusEvent, WebhookReceiver


async def many_at_once(sent: SentClient) -> None:
    print("\nMany profiles at once")
    ids = [profile.id async for profile in sent.profiles.list()]
    started = time.perf_counter()
    results = await sent.profiles.retrieve_many(ids, concurrency=50)
    print(f"  {len(results)} fetched one by one, 50 at a time, in {time.perf_counter() - started:.2f} s")
    for result in results[:2]:
        profile = result.unwrap()
        brand = profile.brand.contact.name if profile.brand and profile.brand.contact else "no brand"
        print(f"  {profile.name}: {profile.status} since {profile.created_at:%Y-%m-%d}, {brand}")


async def a_sandbox_write(sent: SentClient) -> None:
    print("\nA template, checked in the sandbox")
    definition = TemplateDefinition.text("Hello {{0:variable}}, our spring sale starts today!", "first_name")
    template = await sent.templates.create(definition=definition, category="MARKETING", language="en_US", sandbox=True)
    print(f"  {template.name}: {template.status}, and nothing was stored")


async def an_error(sent: SentClient) -> None:
    print("\nAn error")
    try:
        await sent.profiles.retrieve("00000000-0000-4000-8000-000000000000")
    except NotFoundError as error:
        print(f"  {type(error).__name__}: {error}")


async def one_write_for_two_requests(sent: SentClient, fake: FakeSent) -> None:
    print("\nThe connection breaks after a profile was created, before the response")
    before = len(fake.profiles)
    fake.drop_next(1, after_commit=True)
    profile = await sent.profiles.create(name="Sales", short_name="SALES", inherit_tcr_brand=True)
    first, second = fake.requests[-2:]
    print(f"  2 requests with one idempotency key: {first.idempotency_key == second.idempotency_key}")
    print(f"  {len(fake.profiles) - before} profile was created: {profile.name}")


async def a_limit_that_is_waited_for(fake: FakeSent) -> None:
    print("\nA rate limit of 10 requests a second, and 25 requests at once")
    fake.rate_limit("standard", limit=10, window=1)
    fake.clear()
    async with fake.client() as sent:  # a new client, which has to learn the limit
        started = time.perf_counter()
        results = await sent.profiles.retrieve_many(list(fake.profiles)[:25])
    refused = sum(request.status == 429 for request in fake.requests)
    succeeded = sum(result.ok for result in results)
    print(f"  {succeeded} succeeded in {time.perf_counter() - started:.1f} s, {refused} were refused")
    fake.rate_limit("standard", limit=10_000)


async def an_event_that_is_handled_once(sent: SentClient, fake: FakeSent) -> None:
    print("\nA message is followed by webhook, and the first event is delivered twice")
    posts, handled, delivered = 0, 0, asyncio.Event()

    async def on_event(event: Event) -> None:
        nonlocal handled
        handled += 1
        print(f"  {event.name}")
        if isinstance(event, MessageStatusEvent) and event.payload.message_status == "DELIVERED":
            delivered.set()

    async def receive(request: web.Request) -> web.StreamResponse:
        nonlocal posts
        posts += 1
        return await handler(request)  # checks the signature

    app = web.Application()
    app.router.add_post("/sent", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/sent"
    endpoint = await sent.webhooks.create(display_name="Demo", endpoint_url=url, event_types=["message"])
    handler = WebhookReceiver(endpoint.signing_secret).aiohttp_handler(on_event)

    fake.webhooks.duplicate_next()
    await sent.messages.send(to=["+14155551234"], text="Your table is ready.", channel=["sms"])
    await delivered.wait()
    await runner.cleanup()
    print(f"  {posts} posts with a valid signature, {handled} events handled")


async def main() -> None:
    if os.environ.get("SENT_DM_API_KEY"):
        async with SentClient(deadline=60) as sent:
            print("Talking to the real API")
            await many_at_once(sent)
            await a_sandbox_write(sent)
            await an_error(sent)
        return
    async with FakeSent() as fake, fake.client() as sent:
        print("Talking to the embedded server")
        for number in range(1, 200):
            fake.add_profile(name=f"Branch {number}", short_name=f"BR{number}")
        await many_at_once(sent)
        await one_write_for_two_requests(sent, fake)
        await a_limit_that_is_waited_for(fake)
        fake.receive_message("+14155551234", "Is my table ready?")  # who has written may get free text
        await an_event_that_is_handled_once(sent, fake)
        await an_error(sent)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except SentError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
