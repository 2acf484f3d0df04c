"""``sent-async templates``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sent_async.testing import FakeSent
from tests.support.processes import Cli

BODY = {
    "definition": {"body": {"multiChannel": {"type": "text", "template": "Our spring sale starts today!"}}},
    "category": "MARKETING",
}
TOML = """
category = "UTILITY"
[definition.body.multiChannel]
template = "Hello {{0:variable}}, your order is ready."
variables = [{ id = 0, name = "name", type = "variable" }]
"""


@pytest.fixture
def changes() -> dict[str, str]:
    """What a test wants to be different in the file."""
    return {}


@pytest.fixture
def spring(tmp_path: Path, changes: dict[str, str]) -> Path:
    """A template in a file."""
    file = tmp_path / "spring.json"
    file.write_text(json.dumps({**BODY, **changes}))
    return file


async def test_list_with_filters(fake_sent: FakeSent, cli: Cli) -> None:
    """Filters go to the API; channels read as one cell."""
    fake_sent.add_template(name="Old", status="REJECTED")
    ended = await cli("templates", "list", "--status", "APPROVED", "--category", "MARKETING", "--search", "welcome")
    assert "Welcome Message" in ended.out
    assert "sms, whatsapp" in ended.out
    assert "Old" not in ended.out


async def test_get(fake_sent: FakeSent, cli: Cli) -> None:
    """By id, for people and for pipes."""
    [template_id] = fake_sent.templates
    assert "Welcome Message" in (await cli("templates", "get", template_id)).out
    assert json.loads((await cli("templates", "get", template_id, "--json")).out)["id"] == template_id


async def test_create(fake_sent: FakeSent, cli: Cli, spring: Path) -> None:
    """The file becomes a new template."""
    ended = await cli("templates", "create", str(spring), "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["id"] in fake_sent.templates


async def test_update_reads_toml(fake_sent: FakeSent, cli: Cli, tmp_path: Path) -> None:
    """The template changes."""
    [template_id] = fake_sent.templates
    file = tmp_path / "order.toml"
    file.write_text('name = "Order ready"\n' + TOML)
    ended = await cli("templates", "update", template_id, str(file))
    assert ended.code == 0
    assert fake_sent.templates[template_id].name == "Order ready"
    assert fake_sent.templates[template_id].variables == ["name"]


async def test_create_into_the_sandbox_stores_nothing(fake_sent: FakeSent, cli: Cli, spring: Path) -> None:
    """The check is real, the template is not."""
    ended = await cli("templates", "create", str(spring), "--sandbox")
    assert (ended.code, len(fake_sent.templates)) == (0, 1)


@pytest.mark.parametrize("changes", [{"language": "English"}])
async def test_create_names_what_the_api_refuses(cli: Cli, spring: Path) -> None:
    """The members with what is wrong with them."""
    ended = await cli("templates", "create", str(spring))
    assert ended.code == 1
    assert "; language: Must be a language tag" in ended.err


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.yaml", "", "neither .json nor .toml"),
        ("a.json", "{", "truncated"),
        ("a.json", "{}", "definition"),
        ("a.toml", "= 1", "Invalid"),
        ("a.json", json.dumps({**BODY, "catgory": "MARKETING"}), "the API has no such member - at `$.catgory`"),
        ("a.toml", TOML.replace("type =", "kind ="), "$.definition.body.multiChannel.variables[0].kind"),
    ],
)
async def test_create_refuses_a_file_it_cannot_use(
    fake_sent: FakeSent, cli: Cli, tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    """A misspelt member, which would be dropped without a word, among others. Nothing is sent."""
    file = tmp_path / name
    file.write_text(content)
    ended = await cli("templates", "create", str(file))
    assert ended.code == 2
    assert complaint in ended.err
    assert fake_sent.requests == []


async def test_create_repeated_with_its_key_happens_once(fake_sent: FakeSent, cli: Cli, spring: Path) -> None:
    """After a lost response the error names the idempotency key for the next try."""
    fake_sent.drop_next(3, after_commit=True)
    ended = await cli("templates", "create", str(spring))
    assert ended.code == 3
    key = ended.err.split("--idempotency-key ")[1].split(",")[0]
    assert (await cli("templates", "create", str(spring), "--idempotency-key", key)).code == 0
    assert len(fake_sent.templates) == 2


async def test_delete(fake_sent: FakeSent, cli: Cli) -> None:
    """Not without a yes, where nobody can be asked."""
    [template_id] = fake_sent.templates
    refused = await cli("templates", "delete", template_id)
    assert (refused.code, len(fake_sent.templates)) == (2, 1)
    ended = await cli("templates", "delete", template_id, "--from-meta", "--yes")
    assert (ended.code, ended.out) == (0, f"deleted {template_id}\n")
    assert fake_sent.requests[-1].json == {"delete_from_meta": True}
