"""The batch job and the deployment."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

from checks import killed_job
from sent_async.testing import FakeSent, Fault, RecordedRequest
from tests.support.processes import Run, Start

TEXT = {"definition": {"body": {"multiChannel": {"type": "text", "template": "Our spring sale starts today!"}}}}


def lines(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.read_text().splitlines()]


async def test_batch_job_goes_on_after_ctrl_c(fake_sent: FakeSent, start: Start, run: Run, tmp_path: Path) -> None:
    """Every id ends up in the file once, in its order, and the second run repeats at most what was in flight."""
    ids = [fake_sent.add_profile(name=f"Branch {number}").id for number in range(2000)]
    source, output = tmp_path / "ids.txt", tmp_path / "profiles.jsonl"
    source.write_text("\n".join(ids))
    underway = asyncio.Event()

    def watch(_: RecordedRequest) -> Fault | None:
        if len(fake_sent.requests) > 200:
            underway.set()
        return None

    fake_sent.fault(watch)
    process = await start("batch_job.py", source, output)
    await underway.wait()
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert process.returncode == 130
    assert b"run it again to go on" in err
    assert not output.exists()

    first = len(fake_sent.requests)
    fake_sent.clear()
    assert (await run("batch_job.py", source, output))[0] == 0
    assert len(ids) - first <= len(fake_sent.requests) <= len(ids) - first + 50
    assert [entry["id"] for entry in lines(output)] == ids
    assert all(entry["profile"]["id"] == entry["id"] for entry in lines(output))


async def test_batch_job_notes_unknown_ids_and_leaves_failures(fake_sent: FakeSent, run: Run, tmp_path: Path) -> None:
    """That an id is not there is a result; a refusal is not, and is tried again by the next run."""
    [profile_id] = fake_sent.profiles
    source, output = tmp_path / "ids.txt", tmp_path / "profiles.jsonl"
    source.write_text(f"{profile_id}\n\n00000000-0000-4000-8000-000000000000\n")
    fake_sent.fail_next(2, status=403)
    assert (await run("batch_job.py", source, output))[0] == 1
    assert output.read_text() == ""
    assert (await run("batch_job.py", source, output))[0] == 0
    assert [entry["profile"] is None for entry in lines(output)] == [False, True]


async def test_a_job_that_is_killed_sends_each_message_once() -> None:
    """With faults, and killed while it does not know what is done: nobody is left out, and nobody gets two."""
    outcome = await killed_job.run(150)
    assert (outcome.right, outcome.messages) == (150, 150)
    assert 50 <= outcome.sent_when_killed < 150
    assert outcome.runs > 1
    assert outcome.faults > 0


async def test_messages_that_were_refused_are_told_and_tried_again(
    fake_sent: FakeSent, run: Run, tmp_path: Path
) -> None:
    """A run says which; the next one sends those and no others."""
    people = tmp_path / "people.csv"
    people.write_text("id,phone,text\n1,+14155550100,Hi\n2,+14155550200,Hello\n")
    fake_sent.fail_next(code="BUSINESS_014")
    code, printed = await run("send_messages.py", people)
    assert code == 1
    assert "1 of 2 messages are with Sent" in printed
    assert "403 BUSINESS_014" in printed
    fake_sent.clear()
    code, printed = await run("send_messages.py", people)
    assert code == 0
    assert "2 of 2 messages are with Sent" in printed
    assert (len(fake_sent.requests), len(fake_sent.messages)) == (1, 2)


async def test_deployment_creates_updates_and_leaves_alone(fake_sent: FakeSent, run: Run, tmp_path: Path) -> None:
    """By content, with a readable diff, and back to an earlier text as well."""
    file = tmp_path / "spring-sale.json"
    (tmp_path / "order.toml").write_text('[definition.body.multiChannel]\ntemplate = "Your order is ready."\n')
    (tmp_path / "README.md").write_text("not a template")
    file.write_text(json.dumps(TEXT))
    code, printed = await run("deploy_templates.py", tmp_path, "--dry-run")
    assert (code, len(fake_sent.templates)) == (0, 1)
    assert "checked  spring-sale" in printed
    assert '+        "template": "Our spring sale starts today!"' in printed

    assert (await run("deploy_templates.py", tmp_path))[0] == 0
    created = {template.name: template.id for template in fake_sent.templates.values()}
    assert created.keys() == {"Welcome Message", "order", "spring-sale"}

    for text in ("Our summer sale starts today!", "Our spring sale starts today!", "Our summer sale starts today!"):
        file.write_text(json.dumps(TEXT).replace("Our spring sale starts today!", text))
        code, printed = await run("deploy_templates.py", tmp_path)
        assert (code, len(fake_sent.templates)) == (0, 3)
        assert "updated  spring-sale" in printed
        assert "same     order" in printed
        definition = fake_sent.definition(created["spring-sale"])
        assert definition
        assert definition.body.multi_channel
        assert definition.body.multi_channel.template == text

    fake_sent.clear()
    assert (await run("deploy_templates.py", tmp_path))[0] == 0
    assert fake_sent.requests == []


async def test_deployment_repeated_without_its_notes_creates_nothing_twice(
    fake_sent: FakeSent, run: Run, tmp_path: Path
) -> None:
    """The key comes from the content: a second pipeline gets the response to the first."""
    (tmp_path / "spring-sale.json").write_text(json.dumps(TEXT))
    for _ in range(2):
        assert (await run("deploy_templates.py", tmp_path))[0] == 0
        (tmp_path / "deployed.json").unlink()
    assert len(fake_sent.templates) == 2


async def test_deployment_reports_what_fails_and_goes_on(fake_sent: FakeSent, run: Run, tmp_path: Path) -> None:
    """A template in review fails by itself; a misspelt member stops before anything is sent."""
    (tmp_path / "a.json").write_text(json.dumps(TEXT))
    (tmp_path / "b.json").write_text(json.dumps({**TEXT, "category": "SALES"}))
    (tmp_path / "c.json").write_text(json.dumps(TEXT))
    code, printed = await run("deploy_templates.py", tmp_path)
    assert code == 1
    assert "failed   b: 400 VALIDATION_001" in printed
    assert "created  c" in printed
    fake_sent.clear()
    (tmp_path / "d.json").write_text(json.dumps({**TEXT, "catgory": "MARKETING"}))
    code, printed = await run("deploy_templates.py", tmp_path)
    assert code == 1
    assert "the API has no such member - at `$.catgory`" in printed
    assert fake_sent.requests == []
