"""The test kit: its life, its state, its fixtures, and its cost for programs that do not use it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

import sent_async.testing
from sent_async import SentClient, operations
from sent_async.models import DestinationCountry
from sent_async.operation import Operation
from sent_async.testing import FakeSent
from sent_async.testing.handlers import HANDLERS
from sent_async.testing.plugin import _async_fixture
from sent_async.testing.samples import sample
from sent_async.testing.store import Key
from tests.support.fake_data import SEEDED, TEMPLATE

ROOT = Path(sent_async.__file__).parents[1]


async def test_the_life_of_a_fake() -> None:
    """It has a URL while it runs, can be started again, is started once at a time, and closed twice."""
    fake = FakeSent()
    assert repr(fake) == "<FakeSent not started>"
    with pytest.raises(RuntimeError, match="not running"):
        _ = fake.url
    for _ in range(2):
        await fake.start()
        assert fake.url == f"http://127.0.0.1:{fake.port}"
        assert repr(fake) == f"<FakeSent {fake.url}>"
        with pytest.raises(RuntimeError, match="already"):
            await fake.start()
        async with fake.client() as sent:
            assert await sent.profiles.list()
        await fake.close()
        await fake.close()
    fake.drop_connections()
    assert len(fake.requests) == 2
    assert fake.port == 0


async def test_a_port_that_is_taken(fake_sent: FakeSent) -> None:
    """The error is an ``OSError``, and the second server can be closed."""
    second = FakeSent(port=fake_sent.port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.close()


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "127.0.0.1"), ("localhost", "localhost")])
async def test_hosts(host: str, shown: str) -> None:
    """The URL is one that a client on this machine can use."""
    async with FakeSent(host=host) as fake, fake.client() as sent:
        assert fake.url == f"http://{shown}:{fake.port}"
        assert await sent.profiles.list()


async def test_an_ipv6_host() -> None:
    """Its URL has brackets."""
    fake = FakeSent(host="::1")
    try:
        await fake.start()
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert fake.url == f"http://[::1]:{fake.port}"
    await fake.close()


def test_impossible_options() -> None:
    """Impossible options are refused when they are given."""
    with pytest.raises(ValueError, match="api_key"):
        FakeSent("")
    with pytest.raises(ValueError, match="profile_page_size"):
        FakeSent(profile_page_size=0)


async def test_an_empty_fake() -> None:
    """``seed=False`` starts with nothing."""
    async with FakeSent(seed=False) as fake, fake.client() as sent:
        assert not await sent.profiles.list()
        assert not await sent.templates.list()
        assert (len(fake.profiles), len(fake.templates), len(fake.campaigns)) == (0, 0, 0)


async def test_a_client_of_the_fake(fake_sent: FakeSent) -> None:
    """``client`` accepts every option, the key included."""
    async with fake_sent.client(api_key=fake_sent.add_key("sk_other"), profile_id=SEEDED) as sent:
        await sent.profiles.list()
    headers = fake_sent.requests[0].headers
    assert (headers["x-api-key"], headers["x-profile-id"]) == ("sk_other", SEEDED)


async def test_added_resources_take_any_member(fake_sent: FakeSent) -> None:
    """Values may be plain, models or datetimes. A value of a wrong type is refused."""
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    profile = fake_sent.add_profile(id="p1", name="Other", created_at=moment)
    assert (profile.id, profile.name, profile.created_at, profile.status) == ("p1", "Other", moment, "approved")
    country = DestinationCountry(id="US", is_main=True)
    compliance = {"is_tcr_application": True, "destination_countries": [country]}
    wire = {"id": "b1", "submitted_to_tcr": False, "is_inherited": False, "created_at": "2026-01-02T00:00:00Z"}
    branded = fake_sent.add_profile(brand={**wire, "compliance": compliance})
    assert branded.brand is not None
    assert branded.brand.compliance is not None
    assert branded.brand.compliance.destination_countries == [country]
    campaign = fake_sent.add_campaign(branded.id, message_flow="Sign up")
    assert (campaign.brand_id, campaign.message_flow) == ("b1", "Sign up")
    assert fake_sent.add_campaign("p1").brand_id is None
    assert fake_sent.add_template(status="DRAFT").is_published is False
    assert fake_sent.add_template(profile_id="p1", is_published=False).customer_id == "p1"
    assert fake_sent.definition(TEMPLATE) is None
    with pytest.raises(TypeError, match="'colour'"):
        fake_sent.add_profile(colour="red")
    with pytest.raises(ValueError, match="datetime"):
        fake_sent.add_template(created_at="yesterday")
    with pytest.raises(KeyError):
        fake_sent.add_key(profile_id="nope")
    with pytest.raises(KeyError):
        fake_sent.add_template(profile_id="nope")


async def test_views_of_what_is_stored(fake_sent: FakeSent) -> None:
    """They are mappings from id to model, in order, with a short repr."""
    assert list(fake_sent.templates) == [TEMPLATE]
    assert fake_sent.templates[TEMPLATE].name == "Welcome Message"
    assert repr(fake_sent.templates) == "<1 of Template>"
    with pytest.raises(KeyError):
        _ = fake_sent.profiles["nope"]
    assert repr(Key(value="sk_secret")) == "Key(profile_id=None, admin=True)"


async def test_reset(fake_sent: FakeSent, sent: SentClient) -> None:
    """The state is that of the start, and the server goes on."""
    fake_sent.add_profile()
    fake_sent.fail_next()
    fake_sent.rate_limit("standard", limit=1)
    fake_sent.reset()
    assert (await sent.profiles.create(name="Sales", idempotency_key="k1")).id
    assert [request.operation for request in fake_sent.requests] == ["createProfile"]
    fake_sent.reset()
    assert list(fake_sent.profiles) == [SEEDED]
    assert fake_sent.requests == []
    assert await sent.profiles.create(name="Other", idempotency_key="k1")


async def test_a_seed_of_its_own() -> None:
    """``reset`` restores it. A seed that cannot be stored is refused when the server is made."""
    async with FakeSent(seed={"profiles": [{"id": "p1", "name": "Bonn"}], "campaigns": [{"profile_id": "p1"}]}) as fake:
        [campaign] = fake.campaigns.values()
        assert campaign.id
        fake.add_profile()
        fake.reset()
        assert [profile.name for profile in fake.profiles.values()] == ["Bonn"]
        assert len(fake.templates) == 0
    with pytest.raises(ValueError, match=r"seed\.profiles\[0\]: .*`\$\.id`"):
        FakeSent(seed={"profiles": [{"id": []}]})


async def test_reset_before_the_start() -> None:
    """The state is that of the start, and the server can be started."""
    fake = FakeSent()
    fake.add_profile()
    fake.reset()
    async with fake, fake.client() as sent:
        assert [profile.id async for profile in sent.profiles.list()] == [SEEDED]


async def test_time_moves_forward(fake_sent: FakeSent, sent: SentClient) -> None:
    """``advance`` changes time stamps, and refuses a negative number."""
    first = await sent.profiles.create(name="Sales")
    fake_sent.advance(3600)
    second = await sent.profiles.create(name="Sales")
    assert 3600 <= (second.created_at - first.created_at).total_seconds() < 3700
    with pytest.raises(ValueError, match="forward"):
        fake_sent.advance(-1)


async def test_documents_are_accepted(fake_sent: FakeSent) -> None:
    """A multipart form is accepted."""
    async with fake_sent.client() as sent:
        created = await sent.sender_profiles.create(name="Sales", short_name="SALES", documents={"letter": b"%PDF"})
    assert created.id
    assert b"%PDF" in fake_sent.requests[-1].body


UNSIMULATED = [operation for operation in operations.ALL if operation.name not in HANDLERS]


@pytest.mark.parametrize("operation", UNSIMULATED, ids=lambda operation: operation.name)
async def test_an_operation_that_is_not_simulated_responds_by_its_schema(
    fake_sent: FakeSent, operation: Operation[object]
) -> None:
    """The response is an example of the schema, with a header that says so."""
    async with fake_sent.client() as sent:
        parameters = dict.fromkeys([*operation.path_parameters, *operation.query_parameters], "x")
        body = None if operation.body is None else msgspec.Raw(msgspec.json.encode(sample(operation.body)))
        response = await sent.send(operation, body=body, **parameters)
    assert response.headers["X-Fake-Sent"] == "by-schema"
    assert (response.data is None) == (operation.response is None)


PROMISED: list[Any] = [operation.response for operation in operations.ALL if operation.response is not None]


@pytest.mark.parametrize("kind", PROMISED, ids=str)
def test_an_example_of_a_schema_decodes(kind: Any) -> None:
    """This holds for the response of every operation."""
    msgspec.convert(sample(kind), kind)


def test_nothing_is_loaded_before_it_is_used() -> None:
    """``import sent_async`` does not load the kit, and the plugin does not load the server."""
    code = """
import sys, sent_async
print([name for name in sys.modules if name.startswith('sent_async.testing')])
import sent_async.testing.plugin
print('sent_async.testing.server' in sys.modules, 'aiohttp.web' in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "False False"]


def test_public_names() -> None:
    """Each exists, and another name is an ``AttributeError``."""
    for name in sent_async.testing.__all__:
        assert getattr(sent_async.testing, name) is not None
    with pytest.raises(AttributeError, match="'FakeHttp'"):
        _ = sent_async.testing.FakeHttp


def test_the_fixtures_without_pytest_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """With anyio they work as ordinary fixtures."""
    monkeypatch.setitem(sys.modules, "pytest_asyncio", None)

    async def fixture() -> None: ...

    decorated = _async_fixture(fixture)
    assert type(decorated) is type(pytest.fixture(fixture))


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_the_fixtures_in_a_project(tmp_path: Path, mode: str) -> None:
    """They work in both modes of pytest-asyncio, with a new server for each test, and options of a module or test."""
    (tmp_path / "conftest.py").write_text(
        "from sent_async.testing.plugin import fake_sent, fake_sent_options, sent, sent_options\n"
    )
    (tmp_path / "test_service.py").write_text(
        "import pytest\n"
        "@pytest.mark.asyncio\n"
        "@pytest.mark.parametrize('run', [1, 2])\n"
        "async def test_it(fake_sent, sent, run):\n"
        "    await sent.profiles.create(name='Sales')\n"
        "    assert len(fake_sent.profiles) == 2\n"
    )
    (tmp_path / "test_options.py").write_text(
        "import pytest\n"
        "@pytest.fixture\n"
        "def fake_sent_options():\n"
        "    return {'seed': False}\n"
        "@pytest.mark.asyncio\n"
        "@pytest.mark.parametrize('sent_options', [{'max_retries': 0}])\n"
        "async def test_it(fake_sent, sent):\n"
        "    fake_sent.fail_next(code='SERVICE_001')\n"
        "    with pytest.raises(Exception, match='SERVICE_001'):\n"
        "        await sent.profiles.list()\n"
        "    assert not await sent.profiles.list()\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-o",
        f"asyncio_mode={mode}",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        "-p",
        "no:cacheprovider",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [*command, str(tmp_path)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 passed" in run.stdout
