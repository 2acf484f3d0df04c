"""A new operation in a copy of the fragment: everything that it is afterwards, with no line of Python written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.__main__ import main
from tests.support.things import copy_ours, edit, refer

OPERATION = """
  /v3/templates/{id}/archive:
    post:
      operationId: archiveTemplate
      x-resource: templates
      x-method: archive
      tags: [templates]
      summary: Archive a template
      description: Takes a template out of use.
      x-rate-tier: standard
      x-idempotency: automatic
      parameters:
        - $ref: '#/components/parameters/TemplateId'
        - {name: reason, in: query, required: true, description: Why., schema: {type: array, items: {type: string}}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/TemplateArchive'}
      responses:
        '200':
          description: The template.
          content:
            application/json:
              schema:
                allOf:
                  - $ref: 'common.yaml#/components/schemas/Envelope'
                  - properties:
                      data: {$ref: '#/components/schemas/Template'}
        '404': {description: No such template.}
components:"""
SCHEMA = """
  schemas:
    TemplateArchive:
      description: How a template is archived.
      type: object
      required: [until]
      properties:
        until: {type: string, format: date-time, description: When it may be deleted.}
        notifyUsers: {type: boolean, description: Whether users get a mail.}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, with the operation in its fragment and the code generated."""
    folders = ("openapi", "sent_async", "codegen", "tests/support", "tests/contract", "tests/payloads")
    root = copy_ours(tmp_path_factory.mktemp("project"), *folders, "pyproject.toml", "tests/conftest.py")
    edit(root, "templates.yaml", "\ncomponents:", OPERATION)
    edit(root, "templates.yaml", "\n  schemas:\n", SCHEMA)
    refer(root, "templates.yaml", "/v3/templates/{id}/archive")
    assert main(["--root", str(root), "generate"]) == 0
    return root


def run(root: Path, *arguments: str) -> tuple[int, str]:
    """A Python program that finds the copy of the package before ours; its exit status and what it prints."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def test_it_is_documented(root: Path) -> None:
    """``help()`` shows the signature, and a line for each argument, for the result and for the error of its own."""
    code, text = run(root, "-c", "from sent_async.resources.templates import Templates; help(Templates.archive)")
    assert code == 0
    lines = [line.strip() for line in text.splitlines()]
    signature = "".join(lines[2 : lines.index("Archive a template.")])  # over several lines from Python 3.13 on
    for part in (
        "template_id: 'str'",
        "reason: 'Sequence[str]'",
        "**fields: 'Unpack[TemplateArchiveFields]'",
        "-> 'Template'",
    ):
        assert part in signature
    for line in (
        "Archive a template.",
        "Takes a template out of use.",
        "reason: Why.",
        "until: When it may be deleted.",
        "notify_users: Whether users get a mail.",
        "``Template``.",
        "NotFoundError: No such template.",
    ):
        assert line in lines


def test_it_is_typed(root: Path) -> None:
    """A type checker knows what the method takes and gives: exactly the wrong lines are errors."""
    uses = """
from datetime import datetime
from typing import assert_type
from sent_async import SentClient
from sent_async.models import Template

async def use(sent: SentClient, day: datetime) -> None:
    assert_type(await sent.templates.archive("an-id", reason=["old"], until=day, notify_users=True), Template)
    await sent.templates.archive("an-id", reason=["old"], until=day, idempotency_key="key")
    await sent.templates.archive("an-id", until=day)  # wrong: call-arg
    await sent.templates.archive("an-id", reason=["old"])  # wrong: call-arg
    await sent.templates.archive("an-id", reason=[1], until=day)  # wrong: list-item
    await sent.templates.archive("an-id", reason=["old"], until="tomorrow")  # wrong: arg-type
    await sent.templates.archive("an-id", reason=["old"], until=day, notifyUsers=True)  # wrong: call-arg
    await sent.templates.archive(1, reason=["old"], until=day)  # wrong: arg-type
"""
    (root / "uses.py").write_text(uses, encoding="utf-8")
    _, text = run(root, "-m", "mypy", "--config-file=", "--strict", "uses.py")
    found = re.findall(r"^uses\.py:(\d+): error: .*\[([\w-]+)\]$", text, re.MULTILINE)
    expected = re.findall(r"# wrong: ([\w-]+)", uses)
    numbers = [str(number) for number, line in enumerate(uses.splitlines(), 1) if "# wrong" in line]
    assert found == list(zip(numbers, expected, strict=True)), text


def test_it_is_served(root: Path) -> None:
    """``FakeSent`` checks the request and responds by the schema."""
    program = """
import asyncio
from datetime import UTC, datetime
from sent_async.testing import FakeSent

async def main():
    async with FakeSent() as fake, fake.client() as sent:
        day = datetime(2027, 1, 1, tzinfo=UTC)
        template = await sent.templates.archive("an-id", reason=["old", "unused"], until=day, notify_users=True)
        assert type(template).__name__ == "Template" and template.id
        (request,) = fake.requests
        assert request.operation == "archiveTemplate" and request.query.getall("reason") == ["old", "unused"]
        assert request.json == {"until": "2027-01-01T00:00:00Z", "notifyUsers": True}, request.json
        assert request.headers["Idempotency-Key"]

asyncio.run(main())
"""
    assert run(root, "-c", program) == (0, "")


def test_the_contract_tests_call_it(root: Path) -> None:
    """They find the method by themselves, and it keeps the contract: request, result, help, fake server."""
    command = ["-m", "pytest", "-v", "-p", "no:cacheprovider", "tests/contract/test_methods.py"]
    code, text = run(root, *command, "-k", "templates.archive or every_operation")
    assert code == 0, text
    for test in (
        "test_the_request",
        "test_the_result",
        "test_help_names_every_argument",
        "test_the_fake_knows_every_method",
    ):
        assert f"{test}[templates.archive" in text
    assert "test_every_operation_has_one_method PASSED" in text
