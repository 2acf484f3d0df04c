"""Recorded and reconstructed bodies, served byte for byte, become the right types and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sent_async import BadRequestError, ErrorCode, NotFoundError, Operation, SentAPIError, ServerError, operations
from sent_async.envelope import decode
from sent_async.models import BillingModel, Profile, ProfileStatus
from tests.support.clocks import FakeClock
from tests.support.fragment import DESCRIBED
from tests.support.payloads import PAYLOADS, payload
from tests.support.servers import MakeClient, Server, make_response

BY_NAME = {operation.name: operation for operation in operations.ALL}
OPERATIONS: dict[str, Operation[Any]] = {
    f"{node['x-resource'].rpartition('profiles.')[2].replace('.', '_')}-{node['x-method']}": BY_NAME[name]
    for name, (_, _, node) in DESCRIBED.operations.items()
}
"""By the first part of a payload's file name: the resource and the method."""

CLASSES = {400: BadRequestError, 404: NotFoundError, 500: ServerError}
RESPONSES = sorted(path.stem for path in PAYLOADS.glob("*.json") if "-request." not in path.name)


def split(name: str) -> tuple[Operation[Any], int]:
    """The operation and the status in a file name."""
    prefix, status = name.split(".")[0].rsplit("-", 1)
    return OPERATIONS["profiles-list" if prefix == "error-generic" else prefix], 201 if status == "2xx" else int(status)


@pytest.mark.parametrize("name", RESPONSES)
async def test_a_recorded_response(client: MakeClient, server: Server, name: str) -> None:
    """A success decodes to its type, an error to the class of its status with code, words and request id."""
    operation, status = split(name)
    server.responses = [make_response(payload(name), status)]
    parameters = dict.fromkeys(operation.path_parameters, "x")
    recorded = json.loads(payload(name))
    call = client(max_retries=0).send(operation, **parameters)
    if status < 300:
        response = await call
        assert (response.data is not None) == (operation.response is not None) and response.status == status
        assert response.request_id == recorded.get("meta", {}).get("request_id")
        return
    with pytest.raises(SentAPIError) as caught:
        await call
    assert type(caught.value) is CLASSES[status]
    assert caught.value.code == recorded["error"]["code"] and isinstance(caught.value.code, ErrorCode)
    assert caught.value.message == recorded["error"]["message"]
    assert caught.value.doc_url == recorded["error"]["doc_url"]
    assert caught.value.request_id == recorded["meta"]["request_id"]


SUCCESSES = [name for name in RESPONSES if split(name)[1] < 300 and "data" in json.loads(payload(name))]
IDENTIFYING = {"id", "message_id", "number", "token"}
"""Members that say which thing it is, or are the thing, as the token is."""


def members(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where each member of each object stands."""
    for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if isinstance(node, dict):
            yield (*path, key)
        yield from members(inner, (*path, key))


def may_be_required(path: tuple[str | int, ...], data: Any) -> bool:
    """Only a list itself, and of the things in it what identifies them; of a profile all that the customer showed."""
    of_a_list = isinstance(data, dict) and len(path) == 1 and isinstance(data[path[0]], list)
    index = max((place for place, part in enumerate(path) if isinstance(part, int)), default=-1)
    own = index <= 1 and len(path) == index + 2
    shown = json.loads(payload("profiles-list-200.seed"))["data"]["profiles"][0]
    of_a_profile = path[0] == "profiles" and path[-1] in shown
    return of_a_list or (own and (path[-1] in IDENTIFYING or of_a_profile))


@pytest.mark.parametrize("name", SUCCESSES)
def test_one_missing_member_never_costs_a_response(name: str) -> None:
    """Each recorded body is read with any one of its nested members left out."""
    operation, status = split(name)
    whole = json.loads(payload(name))
    if isinstance(whole["data"], dict | list):
        expected = decode(operation, status, {}, payload(name), FakeClock())[0]
        for path in members(whole["data"]):
            lacking = json.loads(payload(name))
            inside = lacking["data"]
            for part in path[:-1]:
                inside = inside[part]
            del inside[path[-1]]
            if not may_be_required(path, whole["data"]):
                found = decode(operation, status, {}, json.dumps(lacking).encode(), FakeClock())[0]
                assert type(found) is type(expected), path


async def test_the_customers_200(client: MakeClient, server: Server) -> None:
    """The customer's own page becomes a typed profile with its brand."""
    server.responses = [make_response(payload("profiles-list-200.seed"))]
    (profile,) = [profile async for profile in client().profiles.list()]
    assert isinstance(profile, Profile)
    assert profile.id == "660e8400-e29b-41d4-a716-446655440001"
    assert (profile.name, profile.short_name, profile.email) == ("Marketing Team", "MKT", "team@acme.com")
    assert profile.status is ProfileStatus.APPROVED and profile.billing_model is BillingModel.PROFILE
    assert profile.created_at == datetime(2025, 12, 31, 15, 21, 52, 166087, UTC)
    assert (profile.allow_contact_sharing, profile.inherit_tcr_brand) == (True, False)
    assert profile.sending_phone_number is None and profile.billing_contact is None
    brand = profile.brand
    assert brand is not None and brand.id == "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
    assert brand.contact is not None and brand.business is not None and brand.compliance is not None
    recorded = json.loads(payload("profiles-list-200.seed"))["data"]["profiles"][0]["brand"]
    assert brand.contact.name == recorded["contact"]["name"]
    assert brand.business.legal_name == recorded["business"]["legal_name"]
    assert brand.compliance.vertical == recorded["compliance"]["vertical"]
    assert brand.compliance.destination_countries == []


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (404, NotFoundError, "404 RESOURCE_005: Organization not found (request_id=req_7X9zKp2jDw)"),
        (
            500,
            ServerError,
            (
                "500 INTERNAL_001: Failed to retrieve profiles. Please contact support with request ID: req_7X9zKp2jDw"
                " (request_id=req_7X9zKp2jDw)"
            ),
        ),
    ],
)
async def test_the_customers_errors(
    client: MakeClient, server: Server, status: int, kind: type[SentAPIError], text: str
) -> None:
    """The customer's two error bodies become the two right errors."""
    server.responses = [make_response(payload(f"profiles-list-{status}.seed"), status)]
    with pytest.raises(kind) as caught:
        await client().profiles.list()
    assert str(caught.value) == text
    assert caught.value.details == {}


REQUESTS = sorted(path.stem for path in PAYLOADS.glob("*-request.*.json"))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_recorded_request(name: str) -> None:
    """The generated types can express the documented request bodies, member for member."""
    kind = OPERATIONS[name.partition("-request")[0]].body
    assert kind is not None
    body = msgspec.json.decode(payload(name), type=kind)
    assert json.loads(msgspec.json.encode(body)) == json.loads(payload(name))
