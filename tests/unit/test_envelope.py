"""The result of successful responses, and of those that differ from the description but can be read."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC
from typing import Any

import msgspec
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from sent_async import Operation, SentDecodeError
from sent_async.envelope import SentResponse, decode
from sent_async.models import ApiMeta, Profile, ProfileCompletion, ProfileStatus
from sent_async.operations import (
    ALL,
    COMPLETE_PROFILE,
    DELETE_PROFILE,
    LIST_CAMPAIGNS,
    LIST_PROFILES,
    LIST_TEMPLATES,
    RETRIEVE_PROFILE,
)
from sent_async.structs import ResponseModel
from tests.support.clocks import FakeClock
from tests.support.payloads import META, envelope, payload, profile

CLOCK = FakeClock()


def may_be_empty(response: Any) -> bool:
    """Whether an object without members is a response of this type, as for an action that responds without data."""
    try:
        msgspec.convert({}, response)
    except msgspec.ValidationError:
        return False
    return True


WITHOUT_DATA = [operation for operation in ALL if operation.response is None]
WITH_DATA = [
    operation
    for operation in ALL
    if operation.response is not None and (operation.method == "GET" or not may_be_empty(operation.response))
]


def read(operation: Operation[Any], body: bytes, status: int = 200, **headers: str) -> Any:
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return decode(operation, status, named, body, CLOCK)[0]


def test_data_and_meta() -> None:
    """A full envelope gives the typed data and its meta."""
    data, meta = decode(LIST_PROFILES, 200, {}, payload("profiles-list-200.seed"), CLOCK)
    assert data.profiles[0].name == "Marketing Team"
    assert data.pagination is None
    assert meta is not None and (meta.request_id, meta.version) == ("req_7X9zKp2jDw", "v3")
    assert meta.timestamp is not None and meta.timestamp.tzinfo == UTC


@pytest.mark.parametrize("status", [200, 201, 202, 203, 206, 226, 299])
def test_any_2xx_is_success(status: int) -> None:
    """A 2xx is a success, whichever status the description has."""
    assert isinstance(read(RETRIEVE_PROFILE, envelope(profile()), status), Profile)


@pytest.mark.parametrize("operation", WITHOUT_DATA, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    "body", [b"", b"  \n", b"null", b"{}", b'{"success":true}', envelope(None), envelope({"deleted": True})]
)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_no_data_is_needed_where_none_is_promised(operation: Operation[None], body: bytes, status: int) -> None:
    """An operation without data gives ``None`` for every empty form of success."""
    assert read(operation, body, status) is None


@pytest.mark.parametrize("operation", WITH_DATA, ids=lambda operation: operation.name)
@pytest.mark.parametrize("body", [b"", b" ", b"null", b"{}", b'{"success":true}', b'{"success":true,"data":null}'])
def test_data_is_needed_where_it_is_promised(operation: Operation[Any], body: bytes) -> None:
    """An operation with data refuses a response that has none."""
    with pytest.raises(SentDecodeError) as caught:
        read(operation, body)
    assert caught.value.status == 200


@pytest.mark.parametrize("status", [200, 202, 204])
@pytest.mark.parametrize("body", [b"", b" ", b"null", b"{}", b'{"success":true}', envelope(None), envelope({})])
def test_the_response_of_an_action_may_have_no_data(status: int, body: bytes) -> None:
    """``complete`` succeeds with 204 or without data, and the state is not known then."""
    assert read(COMPLETE_PROFILE, body, status) == ProfileCompletion(status=None, message=None)


class AllOptional(ResponseModel, frozen=True, kw_only=True):
    """A page that has no required member."""

    items: list[str] | None = None


@pytest.mark.parametrize("body", [b"", b"null", b'{"success":true,"data":null}'])
def test_a_read_needs_data_even_of_a_type_without_required_members(body: bytes) -> None:
    """An empty response to GET must not pass for an empty list."""
    with pytest.raises(SentDecodeError):
        read(Operation("things", "GET", "/v3/things", response=AllOptional), body)


@pytest.mark.parametrize("body", [b"", b"null", b'{"success":true}', b'{"success":true,"data":null}'])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_data_may_be_null_where_the_type_allows_it(method: str, body: bytes) -> None:
    """An operation made by hand may say that there need not be any data."""
    optional: Any = AllOptional | None
    assert read(Operation("thing", method, "/v3/thing", response=optional), body) is None


def test_missing_data_is_named() -> None:
    """The error says which member is missing, and of which operation."""
    with pytest.raises(SentDecodeError) as caught:
        read(RETRIEVE_PROFILE, b'{"success":true}', X_Request_Id="req_1")
    assert (caught.value.path, caught.value.request_id) == ("$.data", "req_1")
    assert str(caught.value) == "200: the envelope has no data - at $.data (request_id=req_1)"


@pytest.mark.parametrize("leave_out", ["success", "error", "meta"])
def test_missing_envelope_members(leave_out: str) -> None:
    """Of the envelope only data is needed."""
    members = {"success": b"true", "error": b"null", "meta": b"null"}
    del members[leave_out]
    rest = b",".join(b'"%s":%s' % (name.encode(), value) for name, value in members.items())
    body = b'{"data":{"message":"under way"},' + rest + b"}"
    assert read(COMPLETE_PROFILE, body, 202).message == "under way"


def test_an_error_beside_success() -> None:
    """An ``error`` next to ``success: true`` is ignored."""
    body = envelope({"message": "done"}, error={"code": "VALIDATION_001", "message": "sample", "details": None})
    assert read(COMPLETE_PROFILE, body).message == "done"


def test_unknown_members_are_ignored() -> None:
    """New members do no harm anywhere."""
    body = envelope(profile(colour="red", brand=None), trace={"a": [1]}, meta={**META, "region": "eu"})
    assert read(RETRIEVE_PROFILE, body).brand is None


def test_an_unknown_enum_value_decodes() -> None:
    """An unknown value equals its string; a known one is a member."""
    assert read(RETRIEVE_PROFILE, envelope(profile(status="hibernating"))).status == "hibernating"
    assert read(RETRIEVE_PROFILE, envelope(profile(status="approved"))).status is ProfileStatus.APPROVED


def test_a_bare_list_as_data() -> None:
    """Campaigns come as a list, and camelCase members get their Python names."""
    (campaign,) = read(LIST_CAMPAIGNS, payload("campaigns-list-200.docs"))
    assert campaign.submitted_to_tcr is False
    assert campaign.use_cases[0].messaging_use_case_us == "ACCOUNT_NOTIFICATION"
    assert read(LIST_CAMPAIGNS, envelope([])) == []


def test_an_empty_page() -> None:
    """An empty list is data."""
    assert read(LIST_TEMPLATES, envelope({"templates": []})).templates == []


def test_a_hand_built_operation_with_plain_types() -> None:
    """The response type may be anything msgspec knows."""
    assert read(Operation("me", "GET", "/v3/me", response=dict[str, Any]), envelope({"a": [1]})) == {"a": [1]}
    assert read(Operation("count", "GET", "/v3/count", response=int), envelope(7)) == 7
    assert read(Operation("flag", "GET", "/v3/flag", response=bool), envelope(False)) is False


def received(**members: Any) -> SentResponse[Profile]:
    """A response as it comes off the wire, with aiohttp's read-only headers."""
    data, meta = decode(RETRIEVE_PROFILE, 200, {}, envelope(profile()), CLOCK)
    headers = CIMultiDictProxy(CIMultiDict({"X-Request-Id": "req_h", "Idempotent-Replayed": "true"}))
    return SentResponse(data=data, status=200, headers=headers, meta=meta, attempts=2, elapsed=0.5, **members)


@pytest.mark.parametrize(
    "travel", [lambda r: pickle.loads(pickle.dumps(r)), copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"]
)
def test_a_response_can_be_pickled_and_copied(travel: Callable[[SentResponse[Profile]], SentResponse[Profile]]) -> None:
    """It is the same afterwards."""
    again = travel(received())
    assert again == received()
    assert (again.request_id, again.replayed, again.headers["x-request-id"]) == ("req_h", True, "req_h")


@pytest.mark.parametrize(
    ("headers", "meta", "request_id"),
    [
        ({"X-Request-Id": "req_h"}, ApiMeta(request_id="req_m"), "req_h"),
        ({}, ApiMeta(request_id="req_m"), "req_m"),
        ({}, ApiMeta(), None),
        ({}, None, None),
    ],
)
def test_the_request_id_of_a_response(headers: dict[str, str], meta: ApiMeta | None, request_id: str | None) -> None:
    """It is in the header, or else in the body."""
    assert SentResponse(data=None, status=200, headers=headers, meta=meta).request_id == request_id


@pytest.mark.parametrize(("value", "replayed"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_a_replayed_response(value: str, replayed: bool) -> None:
    """The server marks a replayed response."""
    headers = {"Idempotent-Replayed": value}
    assert SentResponse(data=None, status=200, headers=headers).replayed is replayed
    assert SentResponse(data=None, status=200, headers={}).replayed is False


def test_a_web_page_in_response_to_a_delete_is_not_read_as_success_false() -> None:
    """Any 2xx counts where no data is promised, even with a body that is no JSON."""
    assert read(DELETE_PROFILE, b"<html>ok</html>") is None


@pytest.mark.parametrize(
    "beside",
    [
        {"error": {}},
        {"error": "none"},
        {"meta": {"request_id": "r", "timestamp": "yesterday"}},
        {"meta": {"response_time_ms": 1.5}},
        {"error": {}, "meta": []},
    ],
)
def test_a_malformed_error_or_meta_does_not_hide_the_data(beside: dict[str, object]) -> None:
    """The data is returned without them."""
    body = msgspec.json.encode({"success": True, "data": {"message": "under way"}, **beside})
    data, meta = decode(COMPLETE_PROFILE, 202, {}, body, CLOCK)
    assert (data.message, meta) == ("under way", None)
