"""Webhooks from the fake server to a receiver: no event lost in a crash, no wrong state, no unexpected error.

``python -m checks.webhooks`` prints a table and takes about a minute. Smaller runs of the same are in the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from sent_async import SentError, batch
from sent_async.models.events import EventName
from sent_async.testing import Delivery, Drop, Fail, FakeSent, Fault, RecordedRequest
from sent_async.testing.events import Emitted, example_payload, split_name
from sent_async.webhooks import Event, MessageTracker, WebhookReceiver
from tests.support.clocks import NoPause
from tests.support.deliveries import SECRET, aiohttp_server, listening, signed, uvicorn_server

ROOT = Path(__file__).parents[1]
KINDS = ("aiohttp", "asgi")
DAY = 86_400


class Crash(msgspec.Struct):
    """The result of deliveries to a process that was killed during the work."""

    events: int
    deliveries: int
    handled: int
    """Events whose handling finished."""
    twice: int
    """Events whose handling finished more than once."""
    interrupted: int
    """Events whose handling began more often than it ended."""
    delivered: int
    """Events that the fake counts as delivered."""


class Followed(msgspec.Struct):
    """The states of messages in a tracker, compared with their real states."""

    messages: int
    deliveries: int
    lost: int
    """Deliveries that were never made."""
    reconciled: int
    """Messages that the tracker had to ask about."""
    wrong: int
    """Messages whose state in the tracker differs from the fake, or is missing."""
    statuses: dict[str, int]


async def crash(kind: str, events: int, seed: int) -> Crash:
    """Deliver each event, two thirds of them twice, in any order, to a process that kills itself half-way.

    Its socket stays open, as under a supervisor, so what is delivered meanwhile waits for the process that follows.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, listening() as socket:
        log = Path(folder, "log.txt")

        async def serve(crash_at: int, ahead: int) -> asyncio.subprocess.Process:
            arguments = (kind, Path(folder, "seen.sqlite"), log, crash_at, ahead, socket.fileno())
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.programs.receive_webhooks", *map(str, arguments)),
                cwd=ROOT,
                pass_fds=[socket.fileno()],
                stdout=asyncio.subprocess.DEVNULL,
            )

        first = await serve(events // 2, 0)
        async with FakeSent() as fake:
            url = f"http://127.0.0.1:{socket.getsockname()[1]}/hook"
            fake.add_webhook(endpoint_url=url, signing_secret=SECRET, retry_count=5)
            fake.webhooks.hold()
            made = [delivery for _ in range(events) for delivery in fake.emit("message.sent")]
            again = chance.sample(made, events * 2 // 3)
            fake.webhooks.release(lambda held: chance.sample(held + again, events + len(again)))
            assert await first.wait() == -9
            second = await serve(0, 60)
            await fake.settle()
            fake.advance(DAY)
            await fake.settle()
            second.terminate()
            await second.wait()
        lines = Counter((await asyncio.to_thread(log.read_text)).split("\n")[:-1])
    ended = {line.removeprefix("end "): count for line, count in lines.items() if line.startswith("end ")}
    return Crash(
        events=events,
        deliveries=events + len(again),
        handled=len(ended.keys() & {delivery.event_id for delivery in made}),
        twice=sum(count > 1 for count in ended.values()),
        interrupted=sum(count > ended.get(line[6:], 0) for line, count in lines.items() if line.startswith("begin ")),
        delivered=sum(delivery.status == "DELIVERED" for delivery in made),
    )


async def follow(kind: str, recipients: int, seed: int) -> Followed:
    """Send messages under faults, deliver their events in any order, twice or never, and compare the states.

    The receiver fails now and then. The tracker asks about what it missed.
    """
    chance = random.Random(seed)
    failed = set[str]()

    async def on_event(event: Event) -> None:
        if chance.random() < 0.1 and event.id not in failed:
            failed.add(event.id)
            raise ConnectionError("the database is away")
        await tracker.record(event)

    def weather(request: RecordedRequest) -> Fault | None:
        if request.operation is None or chance.random() > 0.2:
            return None
        return chance.choice((Drop(after_commit=True), Drop(), Fail(status=503), Fail(after_commit=True)))

    def disorder(held: list[Delivery]) -> list[Delivery]:
        kept = [delivery for delivery in held if chance.random() > 0.05]
        lost.append(len(held) - len(kept))
        return chance.sample(kept + kept[::10], len(kept) + len(kept[::10]))

    lost: list[int] = []
    numbers = [f"+1415{5_000_000 + number}" for number in range(recipients)]
    async with (
        MessageTracker() as tracker,
        _serving(kind, WebhookReceiver(SECRET), on_event) as url,
        FakeSent() as fake,
        fake.client(clock=NoPause(), max_retries=20) as sent,
    ):
        fake.add_webhook(endpoint_url=url, signing_secret=SECRET, retry_count=5)
        for start, status in enumerate(("FAILED", "BLOCKED", "FILTERED", "SENT")):
            for number in numbers[start::10]:
                fake.set_outcome(number, status)
        fake.fault(weather)

        async def send(group: list[str]) -> None:
            message = await sent.messages.send(to=group, text="The sale begins", channel=["sms"])
            await tracker.expect(str(one.message_id) for one in message.recipients)

        groups = [numbers[start : start + 20] for start in range(0, recipients, 20)]
        fake.webhooks.hold()
        for result in await batch(send, groups):
            result.unwrap()
        fake.advance(60)
        fake.webhooks.release(disorder)
        await fake.settle()
        fake.advance(DAY)
        await fake.settle()
        asked = await tracker.reconcile(sent.messages.list_activities, after=0)
        states = {message_id: await tracker.state(message_id) for message_id in fake.messages}
        wrong = [
            message
            for message in fake.messages.values()
            if (state := states[message.id]) is None or state.status != message.status
        ]
        assert all(result.ok for result in asked)
        return Followed(
            messages=len(fake.messages),
            deliveries=len(fake.webhooks.deliveries),
            lost=sum(lost),
            reconciled=len(asked),
            wrong=len(wrong),
            statuses=dict(Counter(str(message.status) for message in fake.messages.values())),
        )


@asynccontextmanager
async def _serving(kind: str, receiver: WebhookReceiver, on_event: Callable[[Event], Any]) -> AsyncIterator[str]:
    if kind == "asgi":
        async with uvicorn_server(receiver.asgi_app(on_event)) as url:
            yield url
    else:
        async with aiohttp_server(receiver.aiohttp_handler(on_event)) as url:
            yield url


def noise(count: int, seed: int) -> Counter[str]:
    """What a receiver makes of so many deliveries: events, some of them changed or damaged, and noise.

    Half of the headers are right, so that the decoder is tested too. Anything but an event or a ``SentError`` is
    raised.
    """
    chance = random.Random(seed)
    receiver = WebhookReceiver(SECRET)
    texts = ["", "v1,", "v1,AAAA", "1767225600", "\udcff", "v1,é v1", "1", "9" * 30, "٣", "\x00"]
    made = Counter[str]()
    for _ in range(count):
        body = _body(chance)
        headers = signed(body)
        if chance.random() < 0.5:
            headers[chance.choice(list(headers))] = chance.choice(texts)
        try:
            made[type(receiver.unwrap(body, headers)).__name__] += 1
        except SentError as error:
            made[getattr(error, "reason", type(error).__name__)] += 1
            str(error)
    return made


def _body(chance: random.Random) -> bytes:
    if chance.random() < 0.2:
        return chance.randbytes(20)
    field, event = split_name(name := chance.choice(list(EventName)).value)
    emitted = Emitted(field=field, event=event, payload=example_payload(name, None, 0.0), owner=None, at=0.0)
    body: Any = msgspec.json.decode(emitted.body())
    for _ in range(chance.randrange(4)):
        place = chance.choice((body, body.get("payload"), body.get("payload")))
        if isinstance(place, dict) and place:
            member = chance.choice(list(place))
            value = place.pop(member)
            if chance.random() < 0.8:
                place[chance.choice((member, "sub_type", "value", "x"))] = chance.choice((value, _value(chance)))
    raw = json.dumps(body).encode()
    if chance.random() < 0.1:
        middle = chance.randrange(len(raw) + 1)
        raw = raw[:middle] + chance.randbytes(2) + raw[middle:]
    return raw


def _value(chance: random.Random, depth: int = 0) -> Any:
    if depth < 3 and chance.random() < 0.3:
        return [_value(chance, depth + 1) for _ in range(chance.randrange(3))]
    if depth < 3 and chance.random() < 0.3:
        return {chance.choice(("field", "event", "id")): _value(chance, depth + 1) for _ in range(chance.randrange(3))}
    values: list[Any] = [None, True, -1, 0.5, "", "DELIVERED", "message", "2026-01-01T00:00:00", "\ud7ff", 10**30]
    return chance.choice(values)


EVENTS = {
    *("CallEvent", "ChannelEvent", "ContactEvent", "LinkEvent", "MessageReceivedEvent", "MessageStatusEvent"),
    *("TemplateEvent", "UnknownEvent"),
}
REFUSALS = {"SentDecodeError", "missing_header", "bad_timestamp", "stale", "bad_signature"}


async def check(events: int, recipients: int, bodies: int, seed: int) -> bool:
    """Run all checks. Returns whether all results are as required."""
    kept = True
    print("| | events | deliveries | handled | twice | interrupted |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind in KINDS:
        run = await crash(kind, events, seed)
        print(f"| {kind}, killed | {run.events} | {run.deliveries} | {run.handled} | {run.twice} | {run.interrupted} |")
        kept &= (run.handled, run.delivered, run.twice) == (run.events, run.events, 0)
    print("\n| | messages | deliveries | lost | asked about | wrong |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind in KINDS:
        followed = await follow(kind, recipients, seed)
        numbers = (followed.messages, followed.deliveries, followed.lost, followed.reconciled, followed.wrong)
        print(f"| {kind}, followed | {' | '.join(map(str, numbers))} |")
        kept &= set(followed.statuses) == {"DELIVERED", "FAILED", "BLOCKED", "FILTERED", "SENT"}
        kept &= (followed.messages, followed.wrong) == (recipients, 0)
    made = noise(bodies, seed)
    print(f"\n{bodies:,} bodies and headers: {', '.join(f'{name} {count:,}' for name, count in made.most_common())}")
    return kept and made.keys() >= EVENTS | REFUSALS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m checks.webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=600, help="two thirds of them are delivered twice")
    parser.add_argument("--recipients", type=int, default=1000)
    parser.add_argument("--bodies", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    logging.getLogger("sent_async.webhooks").setLevel(logging.CRITICAL)  # the receiver fails on purpose
    if not asyncio.run(check(options.events, options.recipients, options.bodies, options.seed)):
        sys.exit("a promise was not kept")


if __name__ == "__main__":
    main()
