"""Error responses in every form that has been seen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from sent_async import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ErrorCode,
    NotFoundError,
    Operation,
    PermissionDeniedError,
    RateLimitError,
    SentAPIError,
    SentDecodeError,
    ServerError,
    UnprocessableEntityError,
)
from sent_async.envelope import decode
from sent_async.operations import ALL, DELETE_PROFILE, ERROR_STATUS, LIST_PROFILES, RETRIEVE_PROFILE
from tests.support.clocks import FakeClock
from tests.support.payloads import payload, problem

CLOCK = FakeClock()

HTML = b"<html><head><title>502 Bad Gateway</title></head></html>"
CLASSES = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    **dict.fromkeys(range(500, 600), ServerError),
}


def refused(status: int, body: bytes, **headers: str) -> SentAPIError:
    """The error for a response. It is the same for an operation with data and for one without."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    errors = []
    operations: list[Operation[Any]] = [LIST_PROFILES, DELETE_PROFILE]
    for operation in operations:
        with pytest.raises(SentAPIError) as caught:
            decode(operation, status, named, body, CLOCK)
        errors.append(caught.value)
    assert (type(errors[0]), str(errors[0])) == (type(errors[1]), str(errors[1]))
    return errors[0]


@pytest.mark.parametrize("status", [*range(300, 310), *range(400, 452), *range(500, 600), 600, 999])
@pytest.mark.parametrize("body", [b"", HTML, problem("RESOURCE_005")], ids=["empty", "html", "envelope"])
def test_the_class_is_that_of_the_status(status: int, body: bytes) -> None:
    """The status decides, not the body. A status without a class of its own is a plain ``SentAPIError``."""
    error = refused(status, body)
    assert type(error) is CLASSES.get(status, SentAPIError)
    assert error.status == status


def test_everything_on_the_error() -> None:
    """The error has code, message, details, documentation link, request id and headers."""
    details = {"page_size": ["must be 1 to 100"], "definition": ["is missing", "is odd"]}
    body = problem("VALIDATION_001", "Invalid.", details=details, doc_url="https://docs.sent.dm/errors")
    error = refused(400, body, X_Request_Id="req_h", Retry_After="2")
    assert error.code is ErrorCode.VALIDATION_FAILED
    assert (error.message, error.details) == ("Invalid.", details)
    assert (error.doc_url, error.request_id) == ("https://docs.sent.dm/errors", "req_h")
    assert (error.retry_after, error.headers["retry-after"], error.replayed) == (2.0, "2", False)


def test_str_of_the_customers_404() -> None:
    """The text begins with status and code, so that people find it in logs."""
    error = refused(404, payload("profiles-list-404.seed"))
    assert str(error) == "404 RESOURCE_005: Organization not found (request_id=req_7X9zKp2jDw)"


@pytest.mark.parametrize("status", [401, 403])
def test_an_empty_401_and_403(status: int) -> None:
    """An empty body gives the right class."""
    error = refused(status, b"")
    assert type(error) is CLASSES[status]
    assert (error.code, error.message, error.details, error.request_id) == (None, "", {}, None)


PROXY = "no answer of the API's (text/html); a proxy may have answered"
UNTYPED = PROXY.replace("text/html", "no content type")
KEY = "the key is missing, unknown or revoked; check SENT_DM_API_KEY"


@pytest.mark.parametrize(
    ("status", "body", "headers", "text"),
    [
        (401, b"", {"X_Request_Id": "req_1"}, f"401 (request_id=req_1): {KEY}"),
        (401, b"", {}, f"401: {KEY}"),
        (401, b" \n", {}, f"401: {KEY}"),
        (
            401,
            problem("AUTH_002", "Invalid API key"),
            {},
            "401 AUTH_002: Invalid API key (request_id=req_7X9zKp2jDw); check SENT_DM_API_KEY",
        ),
        (
            200,
            problem("AUTH_001", "Not authenticated"),
            {},
            "200 AUTH_001: Not authenticated (request_id=req_7X9zKp2jDw); check SENT_DM_API_KEY",
        ),
        (
            401,
            HTML,
            {"Content_Type": "text/html"},
            f"401: {PROXY}; check SENT_DM_API_KEY",
        ),
        (
            403,
            b"",
            {},
            "403: the key may not do this; check its role, and that a profile_id is used with an organization key",
        ),
        (404, b"", {}, "404: there is no such resource; check the id and the base_url"),
        (
            404,
            HTML,
            {"Content_Type": "text/html"},
            f"404: {PROXY}",
        ),
        (429, b"", {}, "429: the rate limit is spent; call again later"),
        (302, b"", {}, "302: a redirect, which is not followed; check the base_url"),
        (500, b"", {}, "500: the server failed and gave no reason; call again later"),
        (
            502,
            HTML,
            {"Content_Type": "text/html"},
            f"502: {PROXY}",
        ),
        (
            502,
            HTML,
            {"Content_Type": "text/html; charset=utf-8", "X_Request_Id": "r"},
            f"502 (request_id=r): {PROXY}",
        ),
        (502, HTML, {}, f"502: {UNTYPED}"),
        (
            502,
            HTML,
            {"Content_Type": "a secret"},
            f"502: {UNTYPED}",
        ),
        (418, b"", {}, "418: the response gives no reason"),
        (200, b'{"success":false}', {}, "200: success is false and the response gives no reason"),
        (404, problem("RESOURCE_014", ""), {}, "404 RESOURCE_014 (request_id=req_7X9zKp2jDw)"),
        (404, b'{"error":{"message":"Gone."}}', {}, "404: Gone."),
    ],
)
def test_str_says_what_to_do_next(status: int, body: bytes, headers: dict[str, str], text: str) -> None:
    """One line has the reason, or says that there is none and where to look. It does not repeat a foreign page."""
    error = refused(status, body, **headers)
    assert str(error) == text
    assert not hasattr(error, "__notes__")


def test_str_has_the_details() -> None:
    """The details are in the same line, in the API's own words."""
    details = {"page_size": ["must be between 1 and 100"], "definition": ["is missing", "is\nodd"]}
    error = refused(400, problem("VALIDATION_001", "Request validation failed", details=details))
    assert str(error) == (
        "400 VALIDATION_001: Request validation failed (request_id=req_7X9zKp2jDw)"
        "; page_size: must be between 1 and 100; definition: is missing, is odd"
    )


@pytest.mark.parametrize("status", [200, 201, 202, 299])
@pytest.mark.parametrize("code", ERROR_STATUS)
def test_success_false_has_the_class_of_its_code(status: int, code: str) -> None:
    """The catalogue decides the class, and the error keeps its own status."""
    error = refused(status, problem(code))
    assert type(error) is CLASSES[ERROR_STATUS[code]]
    assert (error.status, error.code) == (status, code)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AUTH_001", AuthenticationError),
        ("AUTH_002", AuthenticationError),
        ("AUTH_099", PermissionDeniedError),
        ("VALIDATION_099", BadRequestError),
        ("RESOURCE_099", NotFoundError),
        ("RESOURCE_007", ConflictError),
        ("CONFLICT_099", ConflictError),
        ("BUSINESS_099", UnprocessableEntityError),
        ("BUSINESS_002", RateLimitError),
        ("INTERNAL_099", ServerError),
        ("SERVICE_099", ServerError),
        ("WEATHER_001", SentAPIError),
        ("RESOURCES_001", SentAPIError),
        ("resource_001", SentAPIError),
        ("", SentAPIError),
        (None, SentAPIError),
    ],
)
def test_success_false_with_an_uncatalogued_code(code: str | None, kind: type[SentAPIError]) -> None:
    """The prefix of the code decides, or the class is ``SentAPIError``."""
    assert type(refused(200, problem(code))) is kind


@pytest.mark.parametrize("body", [b'{"success":false}', b'{"success":false,"data":[],"error":7,"meta":[]}'])
def test_success_false_needs_nothing_else(body: bytes) -> None:
    """It is an error even when the rest of the envelope cannot be read."""
    error = refused(200, body)
    assert type(error) is SentAPIError


def test_an_error_without_success_is_a_failure() -> None:
    """A 2xx that has an error object and does not claim success is an error."""
    assert refused(200, b'{"error":{"code":"RESOURCE_014","message":"Profile not found"}}').code == "RESOURCE_014"


@pytest.mark.parametrize(
    ("error", "code", "message", "details"),
    [
        ("Not found", None, "", {}),
        (["Not found"], None, "", {}),
        (None, None, "", {}),
        ({}, None, "", {}),
        ({"code": 5, "message": {"en": "x"}}, None, "", {}),
        ({"code": "", "message": ""}, None, "", {}),
        ({"code": "RESOURCE_5000", "message": "New."}, "RESOURCE_5000", "New.", {}),
        ({"details": "bad"}, None, "", {}),
        ({"details": ["bad"]}, None, "", {}),
        ({"details": {"name": "bad"}}, None, "", {"name": ["bad"]}),
        ({"details": {"name": ["bad", 7], "x": None, "y": {"z": 1}}}, None, "", None),
        ({"doc_url": 7}, None, "", {}),
    ],
)
def test_odd_error_bodies(error: object, code: str | None, message: str, details: dict[str, list[str]] | None) -> None:
    """What can be read is used, the rest is absent. Details are always lists of strings."""
    failure = refused(404, json.dumps({"success": False, "error": error}).encode())
    assert type(failure) is NotFoundError
    assert (failure.code, failure.message, failure.doc_url) == (code, message, None)
    if details is not None:
        assert failure.details == details
    assert all(isinstance(text, str) for texts in failure.details.values() for text in texts)


@pytest.mark.parametrize("body", [b"[]", b'"no"', b"7", b"null", b"{", b"\xff\xfe", b"[" * 5000, b'{"error":' * 3000])
def test_error_bodies_that_are_no_envelope(body: bytes) -> None:
    """The error has the class of its status."""
    assert str(refused(503, body)) == f"503: {UNTYPED}"


@given(st.integers(300, 599), st.binary(max_size=200))
def test_any_bytes_with_a_bad_status(status: int, body: bytes) -> None:
    """The error has the class of its status, whatever the bytes are."""
    with pytest.raises(SentAPIError) as caught:
        decode(RETRIEVE_PROFILE, status, {}, body, CLOCK)
    assert type(caught.value) is CLASSES.get(status, SentAPIError)


def test_html_on_200() -> None:
    """A page instead of JSON is a decode error that names the content type and not the page."""
    with pytest.raises(SentDecodeError) as caught:
        decode(LIST_PROFILES, 200, CIMultiDict({"Content-Type": "text/html", "X-Request-Id": "req_1"}), HTML, CLOCK)
    assert str(caught.value) == "200: the body is not JSON (text/html) (request_id=req_1)"
    assert caught.value.path is None


def test_every_catalogued_code_is_a_member() -> None:
    """Codes have readable names, and every status of the catalogue has its class."""
    assert ErrorCode.ORGANIZATION_NOT_FOUND.value == "RESOURCE_005"
    assert set(ERROR_STATUS) == {code.value for code in ErrorCode}
    assert set(ERROR_STATUS.values()) <= set(CLASSES)


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
def test_success_false_beats_a_wrong_shape(operation: Operation[Any]) -> None:
    """The API's error is raised even when the data would not fit the type."""
    body = b'{"success":false,"data":{"id":7,"profiles":7,"templates":7},"error":{"code":"RESOURCE_014","message":"x"}}'
    with pytest.raises(NotFoundError):
        decode(operation, 200, {}, body, CLOCK)
