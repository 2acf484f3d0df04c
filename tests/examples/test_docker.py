"""The files in docker/, as far as they run without Docker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp.test_utils import TestServer

from examples.webhooks_aiohttp import create_app
from tests.support.fake_process import started

DOCKER = Path(__file__).parents[2] / "docker"


async def test_the_service_and_the_fake_of_the_compose_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the arguments, the seed and the environment that stand there, the service hears what happens in the fake."""
    [line] = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if line.startswith("ENTRYPOINT ")]
    python, option, module, *arguments = json.loads(line.removeprefix("ENTRYPOINT "))
    assert (python, option, module) == ("python", "-m", "sent_async.testing")
    services: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    monkeypatch.setenv("SENT_WEBHOOK_SECRET", services["service"]["environment"]["SENT_WEBHOOK_SECRET"])

    async with TestServer(create_app(str(tmp_path / "events.sqlite"))) as service:
        seed = tmp_path / "seed.json"
        here = str(service.make_url("/"))
        seed.write_text((DOCKER / "seed.json").read_text().replace("http://service:8080/", here))
        command = [str(seed) if part == "/seed.json" else part for part in services["fake-sent"]["command"]]
        async with started(*arguments, *command) as (_, url, sent), aiohttp.ClientSession() as http:
            sent_message = await sent.messages.send(to=["+14155551234"], text="Your order is ready")
            message_id = sent_message.recipients[0].message_id
            received = b'{"from_number": "+14155551234", "text": "Hello"}'
            for path, body in (("messages/receive", received), ("time/advance", b'{"seconds": 60}'), ("settle", b"")):
                async with http.post(f"{url}/_fake/{path}", data=body) as response:
                    assert response.status < 300, await response.text()
            async with http.get(service.make_url(f"/messages/{message_id}")) as response:
                assert await response.json() == {"id": message_id, "status": "DELIVERED"}
    assert "came in" in capsys.readouterr().out
