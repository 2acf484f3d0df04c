"""The tree of errors: one root, plain values, pickling, and texts."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest
from multidict import CIMultiDict

import sent_async
from sent_async import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ErrorCode,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SentAPIError,
    SentConfigError,
    SentConnectionError,
    SentDecodeError,
    SentError,
    SentTimeoutError,
    ServerError,
    UnprocessableEntityError,
    errors,
)

API_ERRORS = [
    SentAPIError,
    BadRequestError,
    AuthenticationError,
    PermissionDeniedError,
    NotFoundError,
    ConflictError,
    UnprocessableEntityError,
    RateLimitError,
    ServerError,
]


def api_error(kind: type[SentAPIError]) -> SentAPIError:
    error = kind(
        "No.",
        status=404,
        code=ErrorCode("RESOURCE_005"),
        details={"name": ["is odd"]},
        doc_url="https://docs.sent.dm",
        request_id="req_1",
        retry_after=2.5,
        hint="check it",
        headers=CIMultiDict({"Idempotent-Replayed": "true"}),
    )
    error.attempts = 3
    error.idempotency_key = "key_1"
    error.add_note("A note.")
    return error


EXAMPLES: list[SentError] = [
    SentError("any"),
    SentConfigError("bad option"),
    SentConnectionError("reset", maybe_sent=True),
    SentTimeoutError("slow", maybe_sent=False),
    SentDecodeError("odd", status=200, request_id="req_1", path="$.data"),
    *map(api_error, API_ERRORS),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("how", ["pickle", "copy", "deepcopy"])
def test_errors_can_be_pickled_and_copied(error: SentError, how: str) -> None:
    """An error keeps its class, text, attributes and notes."""
    again = {"pickle": lambda e: pickle.loads(pickle.dumps(e)), "copy": copy.copy, "deepcopy": copy.deepcopy}[how](
        error
    )
    assert type(again) is type(error)
    assert (str(again), repr(again), again.args) == (str(error), repr(error), error.args)
    assert vars(again) == vars(error)
    for name in ("request_id", "attempts", "idempotency_key"):
        assert getattr(again, name) == getattr(error, name)


def test_a_pickled_code_is_still_a_member() -> None:
    """The error code keeps its type, and the headers ignore case."""
    again = pickle.loads(pickle.dumps(api_error(NotFoundError)))
    assert again.code is ErrorCode.ORGANIZATION_NOT_FOUND
    assert again.headers["idempotent-replayed"] == "true" and again.replayed


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            SentAPIError("Organization not found", status=404, code="RESOURCE_005", request_id="req_7X9zKp2jDw"),
            "404 RESOURCE_005: Organization not found (request_id=req_7X9zKp2jDw)",
        ),
        (SentAPIError("Not found", status=404, request_id="r"), "404: Not found (request_id=r)"),
        (SentAPIError("", status=404, code="RESOURCE_005", request_id="r"), "404 RESOURCE_005 (request_id=r)"),
        (SentAPIError("Not found", status=404, code="RESOURCE_005"), "404 RESOURCE_005: Not found"),
        (SentAPIError("Not found", status=404), "404: Not found"),
        (SentAPIError(status=401, request_id="r"), "401 (request_id=r)"),
        (SentAPIError(status=401, request_id="r", hint="Check it"), "401 (request_id=r): Check it"),
        (SentAPIError("No", status=401, request_id="r", hint="check it"), "401: No (request_id=r); check it"),
        (SentAPIError("No", status=400, details={"a": ["x", "y"], "b": ["z"]}), "400: No; a: x, y; b: z"),
        (SentAPIError(status=400, details={"a": ["x"]}), "400; a: x"),
        (SentAPIError(status=401), "401"),
        (SentDecodeError("odd - at $.data", status=200, request_id="r"), "200: odd - at $.data (request_id=r)"),
        (SentDecodeError("odd", status=200), "200: odd"),
        (SentConnectionError("reset", maybe_sent=True), "reset"),
        (SentConfigError("no key"), "no key"),
    ],
)
def test_str(error: SentError, text: str) -> None:
    """The texts have exactly these forms. What is missing is left out with its punctuation."""
    assert str(error) == text


def test_the_tree() -> None:
    """Each class is caught by these classes, builtins included."""
    assert all(kind.__base__ is SentAPIError for kind in API_ERRORS[1:])
    assert SentAPIError.__bases__ == (SentError,)
    assert SentConfigError.__bases__ == (SentError, ValueError)
    assert SentTimeoutError.__bases__ == (SentConnectionError, TimeoutError)
    assert SentConnectionError.__bases__ == SentDecodeError.__bases__ == (SentError,)
    assert SentError.__bases__ == (Exception,)


def test_no_error_shadows_a_builtin() -> None:
    """``from sent_async import *`` replaces no builtin."""
    import builtins

    assert not [name for name in sent_async.__all__ if hasattr(builtins, name)]


def test_every_error_is_public_and_rooted() -> None:
    """Every exception of the module is a ``SentError`` and can be imported from the package."""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, BaseException)]
    assert len(kinds) == 14
    assert all(issubclass(kind, SentError) and getattr(sent_async, kind.__name__) is kind for kind in kinds)


def test_defaults() -> None:
    """An error made by hand needs few arguments."""
    error = NotFoundError("gone", status=404)
    assert (error.code, error.details, error.doc_url, error.request_id) == (None, {}, None, None)
    assert (error.retry_after, error.headers, error.attempts, error.idempotency_key) == (None, {}, 0, None)
    assert error.replayed is False
