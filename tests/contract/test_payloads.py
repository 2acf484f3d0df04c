"""Recorded and reconstructed bodies, served byte for byte: the types and errors they must become."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from codegen.fragment import load, read_endpoints
from codegen.generate.output import FRAGMENT
from sent_async import (
    BadRequestError,
    ErrorCode,
    NotFoundError,
    Operation,
    SentAPIError,
    ServerError,
    operations,
)
from sent_async.models import BillingModel, Profile, ProfileStatus

from ..conftest import PAYLOADS, MakeClient, Server, answer, payload

BY_NAME = {operation.name: operation for operation in operations.ALL}
OPERATIONS: dict[str, Operation[Any]] = {
    f"{endpoint.resource.rpartition('profiles.')[2].replace('.', '_')}-{endpoint.call}": BY_NAME[endpoint.name]
    for endpoint in read_endpoints(load(Path(__file__).parents[2] / FRAGMENT))
}
"""By the first part of a payload's file name: the resource and the method."""

CLASSES = {400: BadRequestError, 404: NotFoundError, 500: ServerError}
ANSWERS = sorted(path.stem for path in PAYLOADS.glob("*.json") if "-request." not in path.name)


def split(name: str) -> tuple[Operation[Any], int]:
    """The operation and the status that a file name tells of."""
    prefix, status = name.split(".")[0].rsplit("-", 1)
    return OPERATIONS["profiles-list" if prefix == "error-generic" else prefix], 201 if status == "2xx" else int(status)


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_recorded_answer(client: MakeClient, server: Server, name: str) -> None:
    """A success decodes to its type, an error to the class of its status with code, words and request id."""
    operation, status = split(name)
    server.answers = [answer(payload(name), status)]
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


async def test_the_customers_200(client: MakeClient, server: Server) -> None:
    """The customer's own page comes out as a typed profile with its brand."""
    server.answers = [answer(payload("profiles-list-200.seed"))]
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
    """The customer's two error bodies come out as the two right errors."""
    server.answers = [answer(payload(f"profiles-list-{status}.seed"), status)]
    with pytest.raises(kind) as caught:
        await client().profiles.list()
    assert str(caught.value) == text
    assert caught.value.details == {}


REQUESTS = sorted(path.stem for path in PAYLOADS.glob("*-request.*.json"))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_recorded_request(name: str) -> None:
    """The documented request bodies can be said with the generated types, member for member."""
    kind = OPERATIONS[name.partition("-request")[0]].body
    assert kind is not None
    body = msgspec.json.decode(payload(name), type=kind)
    assert json.loads(msgspec.json.encode(body)) == json.loads(payload(name))
