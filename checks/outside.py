"""The fake server as strangers see it: Schemathesis with our fragment, then the vendor's own package.

Run by ``nox -s outside``; neither is a dependency of the tests.
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

from codegen.fragment import bundle

# The server refuses more than a schema can say: ids of the wrong form, unmet prerequisites, empty names.
# It accepts more too: the list of profiles ignores `page` until it is told to page.
BEYOND_THE_SCHEMA = "positive_data_acceptance,negative_data_rejection"


@contextmanager
def standalone() -> Iterator[tuple[str, str]]:
    """``python -m sent_async.testing`` on a free port: its URL and key, read off the line it prints."""
    command = [sys.executable, "-m", "sent_async.testing", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = dict(word.split("=", 1) for word in server.stdout.readline().split())
        try:
            yield said["SENT_BASE_URL"], said["SENT_DM_API_KEY"]
        finally:
            server.terminate()


def schemathesis(url: str, key: str) -> None:
    """Hundreds of requests out of the fragment; every response must be one that it documents.

    Only of what the server simulates: what it answers by its schema is not validated.
    """
    document = Path(tempfile.mkdtemp(), "sent-v3.json")
    document.write_text(json.dumps(bundle(Path("openapi/sent-v3.yaml"))), encoding="utf-8")
    command = ["st", "run", str(document), "--url", url, "-H", f"x-api-key: {key}"]
    command += ["--phases", "examples,fuzzing", "--max-examples", "50", "--seed", "1", "--continue-on-failure"]
    command += ["--include-path-regex", "^/v3/(profiles|templates)"]
    subprocess.run([*command, "--exclude-checks", BEYOND_THE_SCHEMA], check=True)


async def vendor(url: str, key: str) -> None:
    """List, create, retrieve, update, page through and delete with ``sentdm``."""
    import sent_dm

    async with sent_dm.AsyncSent(api_key=key, base_url=url) as client:
        created = [
            await client.templates.create(definition={"body": {"multi_channel": {"template": f"Sale number {number}"}}})
            for number in range(5)
        ]
        ids = {answer.data.id for answer in created}
        listed = {template.id async for template in client.templates.list(page=1, page_size=2)}
        assert ids <= listed, "paging misses templates"
        first = created[0].data.id
        await client.templates.update(first, name="Renamed")
        assert (await client.templates.retrieve(first)).data.name == "Renamed"
        for template_id in ids:
            await client.templates.delete(template_id)
        try:
            await client.templates.retrieve(first)
            raise AssertionError("a deleted template is still there")
        except sent_dm.NotFoundError as error:
            assert error.body["error"]["code"] == "RESOURCE_002"

        profile = (await client.profiles.create(name="Sales", short_name="SALES", inherit_tcr_brand=True)).data
        assert profile.id in {one.id for one in (await client.profiles.list()).data.profiles}
        await client.profiles.update(profile.id, description="Field sales")
        assert (await client.profiles.retrieve(profile.id)).data.description == "Field sales"
        await client.profiles.complete(profile.id, web_hook_url="http://127.0.0.1:9/done")
        await client.profiles.delete(profile.id)
    print("the vendor's package: created, listed, paged, updated, retrieved, completed and deleted")


def main() -> None:
    with standalone() as (url, key):
        schemathesis(url, key)
    with standalone() as (url, key):
        asyncio.run(vendor(url, key))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore::DeprecationWarning")  # the vendor marks its profile methods
    main()
