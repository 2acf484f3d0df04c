"""The guide's table of calls, compared with the vendor's package as it is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import sent_dm

from sent_async import SentAPIError, SentClient
from sent_async.models import (
    CallParticipantTarget,
    CampaignData,
    CampaignUseCaseData,
    TemplateBody,
    TemplateBodyContent,
    TemplateDefinition,
)
from sent_async.testing import FakeSent, RecordedRequest

PAGE = Path(__file__).parents[2] / "docs/guide/coming-from-sentdm.md"
CALLS = PAGE.read_text(encoding="utf-8").partition("## Calls")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| `(client\..+?)` \| `(sent\..+?)` \|$", CALLS, re.MULTILINE)

NAMES: dict[str, Any] = {
    "id": "00000000-0000-4000-8000-000000000001",
    "profile_id": "00000000-0000-4000-8000-000000000002",
    "campaign_id": "00000000-0000-4000-8000-000000000003",
    "call_id": "00000000-0000-4000-8000-000000000004",
    "participant_id": "00000000-0000-4000-8000-000000000005",
    "phone": "+14155551234",
    "text": "Your table is ready.",
    "name": "Sales",
    "email": "jo@example.com",
    "role": "developer",
    "url": "https://example.com/hook",
    "event_type": "message.sent",
}
DICTS = {
    "definition": {"body": {"multi_channel": {"type": "text", "template": "Sale!"}}},
    "campaign": {
        "name": "News",
        "description": "News of the shop",
        "type": "App",
        "use_cases": [{"messaging_use_case_us": "MARKETING", "sample_messages": ["Sale!"]}],
    },
    "to": {"kind": "number", "value": "+14155551234"},
}
MODELS = {
    "definition": TemplateDefinition(
        body=TemplateBody(multi_channel=TemplateBodyContent(type="text", template="Sale!"))
    ),
    "campaign": CampaignData(
        name="News",
        description="News of the shop",
        type="App",
        use_cases=[CampaignUseCaseData(messaging_use_case_us="MARKETING", sample_messages=["Sale!"])],
    ),
    "to": CallParticipantTarget(kind="number", value="+14155551234"),
}


def methods(resource: object, path: str) -> Iterator[str]:
    """The methods of the vendor's client, as they are called."""
    for name in dir(type(resource)):
        if name.startswith(("_", "with_")):
            continue
        value = getattr(resource, name)
        if type(value).__name__.endswith("Resource"):
            yield from methods(value, f"{path}.{name}")
        elif callable(value) and type(resource).__name__.endswith("Resource"):
            yield f"{path}.{name}"


async def sent_by(call: str, fake: FakeSent, **client: Any) -> RecordedRequest:
    """The request that a call of the table makes. What the server makes of it does not matter here."""
    bodies = MODELS if "sent" in client else DICTS
    text = re.sub(r"(\w+)=(?:\w+\(\.\.\.\)|\{\.\.\.\})", r'\1=bodies["\1"]', call)
    before = len(fake.requests)
    with suppress(SentAPIError, sent_dm.APIStatusError):
        await eval(text, {**NAMES, "bodies": bodies, **client})
    [request] = fake.requests[before:]
    return request


def test_every_method_of_the_vendor_has_a_row() -> None:
    """Also a method that a new release brings."""
    rows = {re.sub(r"\(.*", "", theirs) for theirs, _ in ROWS}
    assert rows == set(methods(sent_dm.AsyncSent(api_key="none"), "client"))


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the vendor marks methods that it deprecates
@pytest.mark.parametrize(("theirs", "ours"), ROWS, ids=[ours.partition("(")[0] for _, ours in ROWS])
async def test_both_calls_of_a_row_make_the_same_request(
    theirs: str, ours: str, sent: SentClient, fake_sent: FakeSent
) -> None:
    """The same method, path and body; queries and the empty body of a DELETE may differ."""
    async with sent_dm.AsyncSent(api_key=fake_sent.api_key, base_url=fake_sent.url, max_retries=0) as client:
        expected = await sent_by(theirs, fake_sent, client=client)
    request = await sent_by(ours, fake_sent, sent=sent)
    assert (request.method, unquote(request.path)) == (expected.method, unquote(expected.path))
    if expected.body:
        assert request.json == expected.json
