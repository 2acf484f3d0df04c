"""Thousands of writes against a server that fails at random. No write is lost, done twice or stuck.

``python -m checks.soak --writes 10000`` prints a table. Where the vendor's package is installed, its column too.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec

from sent_async import NotFoundError, SentClient, SentError, batch
from sent_async.models import CampaignData, CampaignUseCaseData, TemplateBody, TemplateBodyContent, TemplateDefinition
from sent_async.testing import CutBody, Drop, Fail, FakeSent, Fault, RawAnswer, RecordedRequest, StallBody
from tests.support.clocks import NoPause

STATUSES = (408, 425, 429, 500, 502, 503, 504)
TIMEOUT = 0.5
"""Seconds an attempt may take; a stalled one takes all of it."""

Write = Callable[[str | None], Awaitable[str]]
"""One write, made with this idempotency key or a new one; returns the id of what it made."""


class Report(msgspec.Struct):
    """The result of the writes of one kind. ``made`` is counted at the server."""

    kind: str
    calls: int
    requests: int = 0
    faults: int = 0
    failed_first: int = 0
    """Calls that raised, and were repeated with the error's idempotency key."""
    made: int = 0
    duplicates: int = 0
    lost: int = 0
    """Calls that returned something the server does not have."""
    stuck: int = 0
    """Calls that did not end, or tasks they left behind."""


def chaos(seed: int, counted: Counter[str], rate: float = 0.3) -> Callable[[RecordedRequest], Fault | None]:
    """A fault of any kind for three requests in ten."""
    dice = random.Random(seed)

    def choose(_: RecordedRequest) -> Fault | None:
        if dice.random() >= rate:
            return None
        counted["faults"] += 1
        drawn = dice.random()
        if drawn < 0.01:
            return StallBody()
        if drawn < 0.3:
            return Drop(after_commit=dice.random() < 0.5)
        if drawn < 0.4:
            return CutBody()
        if drawn < 0.5:
            return RawAnswer(status=502, body=b"<html>Bad gateway</html>", headers={"Content-Type": "text/html"})
        return Fail(status=dice.choice(STATUSES), after_commit=dice.random() < 0.5)

    return choose


async def until_done(write: Write) -> tuple[str, bool]:
    """Call as recommended: after an error, call again with the idempotency key of the error."""
    key: str | None = None
    for again in range(50):
        try:
            return await write(key), again > 0
        except SentError as error:
            key = error.idempotency_key
            assert key is not None, "every failed write names its key"
    raise AssertionError("50 calls in a row failed")


async def creates(kind: str, calls: int, seed: int) -> Report:
    """``calls`` creations of one kind, 50 at a time, each under its own name."""
    report = Report(kind, calls)
    async with FakeSent() as fake:
        owner = next(iter(fake.profiles))
        counted: Counter[str] = Counter()
        fake.fault(chaos(seed, counted))
        before = {*fake.profiles, *fake.campaigns, *fake.templates}
        async with fake.client(timeout=TIMEOUT, max_retries=3, pacing=False, clock=NoPause()) as sent:
            write = _writer(kind, sent, owner)

            async def call(number: int) -> tuple[str, bool]:
                return await until_done(lambda key: write(f"{kind} {number}", key))

            results = await batch(call, range(calls), concurrency=50)
        returned = [result.unwrap()[0] for result in results]
        stored = {"profile": fake.profiles, "campaign": fake.campaigns, "template": fake.templates}[kind]
        made = [item for item in stored if item not in before]
        report.requests, report.faults = len(fake.requests), counted["faults"]
        report.failed_first = sum(result.unwrap()[1] for result in results)
        report.made = len(made)
        report.duplicates = len(made) - len(set(returned))
        report.lost = len(set(returned) - set(made))
        fake.clear_faults()
    report.stuck = len(asyncio.all_tasks()) - 1
    return report


async def deletes(calls: int, seed: int) -> Report:
    """Deletions. A retried one may get a 404 because it succeeded before. Then ``attempts`` is above 1."""
    report = Report("delete", calls)
    async with FakeSent(seed=False) as fake:
        ids = [fake.add_template(name=f"template {number}").id for number in range(calls)]
        counted: Counter[str] = Counter()
        fake.fault(chaos(seed, counted))
        async with fake.client(timeout=TIMEOUT, max_retries=3, pacing=False, clock=NoPause()) as sent:

            async def call(template_id: str) -> bool:
                for again in range(50):
                    try:
                        await sent.templates.delete(template_id)
                    except NotFoundError as error:
                        assert again or error.attempts > 1, "gone at the first attempt, but nobody else deletes"
                    except SentError:
                        continue
                    return again > 0
                raise AssertionError("50 calls in a row failed")

            results = await batch(call, ids, concurrency=50)
        report.requests, report.faults = len(fake.requests), counted["faults"]
        report.failed_first = sum(result.unwrap() for result in results)
        report.made = calls - len(fake.templates)
        report.lost = len(fake.templates)
    report.stuck = len(asyncio.all_tasks()) - 1
    return report


def _writer(kind: str, sent: SentClient, owner: str) -> Callable[[str, str | None], Awaitable[str]]:
    definition = TemplateDefinition(
        body=TemplateBody(multi_channel=TemplateBodyContent(type="text", template="Our spring sale starts today."))
    )
    use_case = CampaignUseCaseData(messaging_use_case_us="MARKETING", sample_messages=["Our sale starts today."])

    async def profile(name: str, key: str | None) -> str:
        return (await sent.profiles.create(name=name, inherit_tcr_brand=True, idempotency_key=key)).id

    async def campaign(name: str, key: str | None) -> str:
        data = CampaignData(name=name, description="Sales", type="App", use_cases=[use_case])
        return (await sent.profiles.campaigns.create(owner, campaign=data, idempotency_key=key)).id

    async def template(name: str, key: str | None) -> str:
        return (await sent.templates.create(definition=definition, category="MARKETING", idempotency_key=key)).id

    return {"profile": profile, "campaign": campaign, "template": template}[kind]


async def vendor(calls: int, retries: int, seed: int) -> tuple[int, int, int]:
    """The vendor's package against connections reset after the work: calls that returned, that raised, and made."""
    import sent_dm

    dice = random.Random(seed)
    async with FakeSent(seed=False) as fake:
        fake.fault(lambda _: Drop(after_commit=True) if dice.random() < 0.3 else None)
        client = sent_dm.AsyncSent(api_key=fake.api_key, base_url=fake.url, max_retries=retries)
        returned = raised = 0
        for number in range(calls):
            try:
                await client.profiles.create(name=f"profile {number}", inherit_tcr_brand=True)
                returned += 1
            except sent_dm.SentError:
                raised += 1
        await client.close()
        return returned, raised, len(fake.profiles)


async def ours(calls: int, retries: int, seed: int) -> tuple[int, int, int]:
    """The same for this package, without calling again by hand."""
    dice = random.Random(seed)
    async with FakeSent(seed=False) as fake:
        fake.fault(lambda _: Drop(after_commit=True) if dice.random() < 0.3 else None)
        async with fake.client(max_retries=retries, clock=NoPause()) as sent:

            async def call(number: int) -> str:
                return (await sent.profiles.create(name=f"profile {number}", inherit_tcr_brand=True)).id

            results = await batch(call, range(calls), concurrency=1)
        returned = sum(result.ok for result in results)
        return returned, calls - returned, len(fake.profiles)


async def run(writes: int, seed: int) -> list[Report]:
    share = writes // 4
    kinds = ("profile", "campaign", "template")
    reports = [await creates(kind, share, seed + place) for place, kind in enumerate(kinds)]
    return [*reports, await deletes(writes - 3 * share, seed + 3)]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.writes:,} writes, a fault in 30 % of the requests, seed {options.seed}\n")
    print("| write | calls | requests | faults | called again by hand | done | twice | lost | stuck |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    reports = await run(options.writes, options.seed)
    for report in reports:
        print("|", " | ".join(str(value) for value in msgspec.structs.astuple(report)), "|")
    print("\n200 creates, the connection reset after the work in 30 % of the requests\n")
    print("| client | retries | returned | raised | made at the server |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for retries in (0, 2):
        print(f"| sent-async | {retries} |", " | ".join(map(str, await ours(200, retries, options.seed))), "|")
        if importlib.util.find_spec("sent_dm"):
            print(f"| sentdm | {retries} |", " | ".join(map(str, await vendor(200, retries, options.seed))), "|")
    if any(report.duplicates or report.lost or report.stuck or report.made != report.calls for report in reports):
        raise SystemExit("a promise is broken")


if __name__ == "__main__":
    asyncio.run(main())
