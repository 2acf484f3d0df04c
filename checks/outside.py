"""The fake server under outside clients: Schemathesis with our fragment, then the vendor's own packages.

Run by ``nox -s outside``, which needs Node.js for the vendor's TypeScript package.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import sent_dm

from checks import vendor_python
from codegen.openapi.reading import bundle

# The server refuses more than a schema can express: ids of the wrong form, unmet prerequisites, empty names.
# It also accepts more: the list of profiles ignores `page` unless paging is on.
BEYOND_THE_SCHEMA = "positive_data_acceptance,negative_data_rejection"

SIMULATED = "^/v3/(?!voice/)"
"""Paths whose requests are validated. Responses made from a schema alone come without validation."""

TYPESCRIPT = "@sentdm/sentdm@0.32.0"


class Fake:
    """A server of its own, and the control API that a test in any language has."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key

    async def control(self, path: str, *, method: str = "POST", **members: Any) -> Any:
        async with aiohttp.ClientSession() as session:
            async with session.request(method, f"{self.url}/_fake{path}", json=members) as response:
                assert response.ok, await response.text()
                return await response.json() if response.status != 204 else None


@contextmanager
def standalone() -> Iterator[Fake]:
    """``python -m sent_async.testing`` on a free port, found by the line it prints."""
    command = [sys.executable, "-m", "sent_async.testing", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        settings = dict(word.split("=", 1) for word in server.stdout.readline().split())
        try:
            yield Fake(settings["SENT_BASE_URL"], settings["SENT_DM_API_KEY"])
        finally:
            server.terminate()


async def known_ids(fake: Fake) -> str:
    """Settings of Schemathesis with ids of what is stored, which it could not guess."""
    message = await fake.control("/messages/receive", from_number="+14155550100", text="Hello")
    contact = message["contact_id"]
    conversation = await fake.control(f"/contacts/{contact}/conversation-id", method="GET")
    webhook = await fake.control("/webhooks", endpoint_url="http://127.0.0.1:9/")
    user = await fake.control("/users", email="jo@example.com")
    profile = await fake.control("/sender-profiles", name="Retail")
    async with sent_dm.AsyncSent(api_key=fake.key, base_url=fake.url) as client:
        await client.channels.voice.create(number="+12125550100", callback_url="http://127.0.0.1:9/")
        await client.post("/v3/channels/sms", body={"country": "US", "number_type": "TEN_DLC"}, cast_to=object)
    return f"""
[[operations]]
include-path-regex = "^/v3/webhooks/"
exclude-method = "DELETE"
parameters = {{ "path.id" = "{webhook["id"]}" }}

[[operations]]
include-path-regex = "^/v3/users/"
exclude-method = "DELETE"
parameters = {{ "path.userId" = "{user["id"]}" }}

[[operations]]
include-path-regex = "^/v3/sender-profiles/"
exclude-method = "DELETE"
parameters = {{ "path.id" = "{profile["id"]}" }}

[[operations]]
include-path-regex = "^/v3/numbers/"
parameters = {{ "path.phoneNumber" = "+14155550100" }}

[[operations]]
include-path-regex = "^/v3/channels/voice/"
parameters = {{ "path.number" = "+12125550100" }}

[[operations]]
include-path-regex = "^/v3/channels/sms/"
parameters = {{ "path.country" = "US", "path.type" = "TEN_DLC" }}

[[operations]]
include-path-regex = "^/v3/messages/"
parameters = {{ "path.id" = "{message["id"]}" }}

[[operations]]
include-path-regex = "^/v3/contacts/"
exclude-method = "DELETE"
parameters = {{ "path.id" = "{contact}", "path.contactId" = "{contact}" }}

[[operations]]
include-path-regex = "^/v3/conversations/"
parameters = {{ "path.id" = "{conversation}" }}

# 501 is what the API documents for channels whose requirements it does not declare yet.
[[operations]]
include-path-regex = "^/v3/compliance/"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", 501]
"""


def schemathesis(fake: Fake) -> None:
    """Hundreds of requests made from the fragment. Each response must be one that it documents."""
    folder = Path(tempfile.mkdtemp())
    document, settings = folder / "sent-v3.json", folder / "schemathesis.toml"
    document.write_text(json.dumps(bundle(Path("openapi/sent-v3.yaml"))), encoding="utf-8")
    settings.write_text(asyncio.run(known_ids(fake)), encoding="utf-8")
    command = ["st", "--config-file", str(settings), "run", str(document)]
    command += ["--url", fake.url, "-H", f"x-api-key: {fake.key}"]
    command += ["--phases", "examples,fuzzing", "--max-examples", "50", "--seed", "1", "--continue-on-failure"]
    command += ["--include-path-regex", SIMULATED]
    subprocess.run([*command, "--exclude-checks", BEYOND_THE_SCHEMA], check=True)


async def python(fake: Fake) -> None:
    """Each resource with ``sentdm``."""
    async with sent_dm.AsyncSent(api_key=fake.key, base_url=fake.url) as client:
        for resource in vendor_python.RESOURCES:
            await resource(client, fake.control)
            print(f"the vendor's Python package: {resource.__name__}")


def typescript(fake: Fake) -> None:
    """Each resource with ``@sentdm/sentdm``, the latest version that is published."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, TYPESCRIPT], check=True)
        program = ["node", "checks/vendor_typescript.js", fake.url, fake.key]
        subprocess.run(program, check=True, env={**os.environ, "NODE_PATH": str(Path(folder, "node_modules"))})


def main() -> None:
    with standalone() as fake:
        asyncio.run(python(fake))
    with standalone() as fake:
        typescript(fake)
    with standalone() as fake:
        schemathesis(fake)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore::DeprecationWarning")  # the vendor marks its profile methods
    main()
