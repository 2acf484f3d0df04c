"""Values that are of one of several classes: from ``oneOf`` in the fragment to the typed value."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.openapi.sources import FRAGMENT
from tests.support.sample import run
from tests.support.things import DOCUMENTS, copy_ours, edit, refer

PROGRAM = """
import asyncio
from datetime import datetime, UTC
from typing import Any
from pydantic import TypeAdapter
from sent_async import SentConfigError
from sent_async.models import Delivered, Goods, Letter, LimitOfTime, LimitOfTries, Parcel, ParcelCreate, Sent
from sent_async.testing import FakeSent

SENT = {"kind": "sent", "at": "2026-11-28T10:00:00"}  # as .NET writes it, without an offset
NEW = {"kind": "lost", "door": "back"}


async def main() -> None:
    async with FakeSent() as fake, fake.client() as sent:
        sample = await sent.parcels.retrieve("id")
        assert sample.steps and isinstance(sample.steps[0], Sent) and sample.steps[0].kind == "sent", sample

        steps = [SENT, {"kind": "delivered", "door": "front", "then": SENT}, NEW, {"kind": "delivered"}, {}]
        data = {"id": "1", "steps": steps, "content": {"pages": 2, "weight": 3}}
        fake.answer_next(200, {"success": True, "data": data})
        parcel = await sent.parcels.retrieve("1")
        first, second, *others = parcel.steps or []
        assert first == Sent(kind="sent", at=datetime(2026, 11, 28, 10, tzinfo=UTC))
        assert second == Delivered(kind="delivered", door="front", then=first)
        assert others == [NEW, {"kind": "delivered"}, {}], others
        assert parcel.content == Letter(pages=2, weight=3)
        assert TypeAdapter(Parcel).validate_json(parcel.to_json()) == parcel
        assert "anyOf" in str(TypeAdapter(Parcel).json_schema()["properties"]["content"])

        for data, expected in (
            ({"weight": 3, "value": "gold"}, Goods(weight=3, value="gold")),
            ({"weight": "?"}, {"weight": "?"}),
            ({"colour": "red"}, {"colour": "red"}),
        ):
            fake.answer_next(200, {"success": True, "data": data})
            content = await sent.parcels.retrieve_content("1")
            assert content == expected, content
            assert "gold" not in repr(content)

        await sent.parcels.create(until=LimitOfTries(tries=3))
        assert fake.requests[-1].json == {"until": {"tries": 3}}
        try:
            await sent.parcels.create(until=LimitOfTime(at=datetime(2026, 11, 28)))
        except SentConfigError as error:
            assert "time zone" in str(error)
        else:
            raise AssertionError("a datetime without a time zone was sent")
        assert ParcelCreate.from_json('{"until": {"tries": 3}}') == ParcelCreate(until=LimitOfTries(tries=3))


asyncio.run(main())
"""


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with one more resource, which has choices."""
    root = copy_ours(tmp_path_factory.mktemp("project"), "openapi", "sent_async")
    shutil.copyfile(DOCUMENTS / "parcels.yaml", root / "openapi/parcels.yaml")
    edit(root, Path(FRAGMENT).name, "x-resources:\n", "x-resources:\n  parcels: Parcels.\n")
    refer(root, "parcels.yaml", "/v3/parcels/{id}", "/v3/parcels/{id}/content", "/v3/parcels")
    assert run(root, "generate") == 0
    assert run(root, "check") == 0
    return root


def test_choices_are_read_and_sent(parcels: Path) -> None:
    """The class is named by a member, or found by the members. An unknown kind does not make a response fail."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=parcels, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_choices_are_unions_for_type_checkers(parcels: Path) -> None:
    """A received choice may be a dict, since its kind may be unknown. A sent one is of a known class."""
    text = (parcels / "sent_async/models/unions.py").read_text(encoding="utf-8")
    assert "    Step: TypeAlias = responses.Sent | responses.Delivered | dict[str, Any]\n" in text
    assert '    """A step, told apart by its kind."""\n' in text
    assert "    Limit: TypeAlias = requests.LimitOfTime | requests.LimitOfTries\n" in text
