"""Every generated method, called with every argument, against a server that knows nothing but the fragment.

What is generated is compared with what the fragment says by a second reading of the fragment, so that a mistake of the
generator cannot hide behind itself.
"""

from __future__ import annotations

import collections.abc
import inspect
import json
import re
import typing
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

from sent_async import SentAPIError, SentClient, multipart, operations
from sent_async.models import enums, fields, responses
from sent_async.open_enum import StrEnum
from sent_async.resources import Resources
from sent_async.structs import RequestModel
from sent_async.testing import FakeSent
from tests.support.by_document import Server, serve
from tests.support.fragment import DESCRIBED

OPERATIONS = DESCRIBED.operations


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serve(DESCRIBED) as by_fragment:
        yield by_fragment


def methods(holder: object, names: collections.abc.Iterable[str], prefix: str = "") -> dict[str, Callable[..., Any]]:
    """Every public method of the resources below, by its dotted name."""
    found: dict[str, Callable[..., Any]] = {}
    for name in names:
        resource = getattr(holder, name)
        if type(resource).__module__.startswith("sent_async.resources."):
            here = f"{prefix}{name}."
            public = inspect.getmembers(resource, inspect.ismethod)
            found |= {f"{here}{key}": method for key, method in public if not key.startswith("_")}
            found |= methods(resource, vars(resource), here)
    return found


def methods_of(sent: SentClient) -> dict[str, Callable[..., Any]]:
    return methods(sent, [name for name, value in vars(Resources).items() if isinstance(value, cached_property)])


EVERY = sorted(methods_of(SentClient("key")))
CALLS = [name for name in EVERY if not name.endswith("_many")]


def hints_of(method: Callable[..., Any]) -> dict[str, Any]:
    """The types of a method, those included that its module imports for type checkers alone."""
    names = [vars(module) for module in (collections.abc, typing, multipart, enums, responses, fields)]
    everything = {key: value for module in names for key, value in module.items()}
    return typing.get_type_hints(method, localns=everything | {"datetime": datetime, "SentClient": SentClient})


def argument(hint: Any, name: str, above: tuple[type, ...] = ()) -> Any:
    """A value for an annotation. Of a Struct every member is given."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Required, typing.NotRequired):
        return argument(parts[0], name, above)
    if origin is collections.abc.Sequence:
        return [argument(parts[0], name, above)]
    if origin is collections.abc.Mapping or origin is dict or hint is Any:
        return {"key": "value"} if hint is Any else {"key": argument(parts[1], name, above)}
    if parts:  # a union: its first member is the value, what follows are None and UNSET
        return argument(parts[0], name, above)
    if hint is datetime:
        return datetime(2026, 3, 31, tzinfo=UTC)
    if issubclass(hint, StrEnum):
        return next(iter(hint))
    if issubclass(hint, RequestModel):
        types = typing.get_type_hints(hint)
        inside = (*above, hint)
        return hint(**{key: argument(types[key], key, inside) for key in types if not mentions(types[key], inside)})
    return {str: f"{name} é/1", int: 2, float: 1.5, bool: True}[hint]


def mentions(hint: Any, classes: tuple[type, ...]) -> bool:
    return hint in classes or any(mentions(part, classes) for part in typing.get_args(hint))


def arguments(method: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
    """Ids by position, everything else by keyword. Documents are left to ``tests/wire/test_documents.py``."""
    hints = hints_of(method)
    ids: list[Any] = []
    keywords: dict[str, Any] = {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            members = typing.get_type_hints(typing.get_args(hints[name])[0], include_extras=True)
            keywords |= {key: argument(hint, key) for key, hint in members.items()}
        elif parameter.kind is parameter.KEYWORD_ONLY and name not in ("idempotency_key", "documents", "page"):
            keywords[name] = argument(hints[name], name)
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            ids.append(argument(hints[name], name))
    if "idempotency_key" in hints:
        keywords["idempotency_key"] = "a-key"
    return ids, keywords


def missing_members(body: Any, schema: dict[str, Any], place: str, above: tuple[int, ...] = ()) -> list[str]:
    """Members of the schema that a body does not have, all the way down."""
    schema = DESCRIBED.resolve(next((part for part in schema.get("anyOf", ()) if part.get("type") != "null"), schema))
    if isinstance(body, list):
        return missing_members(body[0], schema["items"], f"{place}[]", above)
    if "properties" not in schema or id(schema) in above:
        return []
    found: list[str] = []
    for key, member in schema["properties"].items():
        inside = (*above, id(schema))
        if key in body:
            found += missing_members(body[key], member, f"{place}.{key}", inside)
        elif id(DESCRIBED.resolve(member.get("items", member))) not in inside:
            found.append(f"{place}.{key}")
    return found


def plain(value: Any) -> Any:
    """A result as the JSON that it was, without what reads None."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if item is not None}
    return [plain(item) for item in value] if isinstance(value, list) else value


def items_of(data: Any) -> list[Any]:
    """The items of a page: the data itself, or its one list."""
    if isinstance(data, list):
        return data
    lists = [value for value in data.values() if isinstance(value, list)]
    return lists[0] if lists else []


async def call(sent: SentClient, name: str) -> tuple[Any, list[Any], dict[str, Any]]:
    method = methods_of(sent)[name]
    ids, keywords = arguments(method)
    called = method(*ids, **keywords)
    return ([item async for item in called] if hasattr(called, "__aiter__") else await called), ids, keywords


def test_every_operation_has_one_method() -> None:
    """Every operation of the fragment can be called by exactly one method."""
    named = [f"{operation['x-resource']}.{operation['x-method']}" for _, _, operation in OPERATIONS.values()]
    assert sorted(named) == sorted(CALLS)


@pytest.mark.parametrize("name", CALLS)
async def test_the_request(server: Server, name: str) -> None:
    """The request has each parameter and member at its place, and nothing else."""
    async with SentClient("key", base_url=server.url, pacing=False) as sent:
        _, ids, _ = await call(sent, name)
    operation_id, request, content = server.requests[0]
    _, template, operation = OPERATIONS[operation_id]
    assert name == f"{operation['x-resource']}.{operation['x-method']}"
    filled = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", template), request.rel_url.raw_path)
    assert filled is not None and [unquote(value) for value in filled.groups()] == ids
    known = {parameter["name"] for parameter in DESCRIBED.parameters(operation_id, "query")}
    assert {key for _, one, _ in server.requests for key in one.query} == known
    assert (request.headers.get("Idempotency-Key") == "a-key") == (operation["x-idempotency"] != "none")
    schema = DESCRIBED.body_schema(operation_id)
    if schema is None:
        assert content in (b"", b"{}")
        return
    body = json.loads(content)
    assert missing_members(body, schema, "body") == []
    assert DESCRIBED.problems(schema, body) == []


@pytest.mark.parametrize("full", [True, False], ids=["every member", "required members"])
@pytest.mark.parametrize("name", CALLS)
async def test_the_result(server: Server, name: str, full: bool) -> None:
    """The result has every member that the server sent, in the class of the signature."""
    server.full = full
    async with SentClient("key", base_url=server.url, pacing=False) as sent:
        result, _, _ = await call(sent, name)
        returns: Any = hints_of(methods_of(sent)[name])["return"]
    if not server.sent:
        assert result is None and returns is type(None)
    elif isinstance(result, list):
        assert plain(msgspec.to_builtins(result)) == [item for data in server.sent for item in items_of(data)]
        item = typing.get_args(returns)[0]
        assert all(type(one) is (typing.get_origin(item) or item) for one in result)
    else:
        assert plain(msgspec.to_builtins(result)) == server.sent[0]
        assert type(result) is (typing.get_origin(returns) or returns)


@pytest.mark.parametrize("name", CALLS)
def test_help_names_every_argument(name: str) -> None:
    """``help()`` has a line for each argument and for the result."""
    method = methods_of(SentClient("key"))[name]
    text = inspect.getdoc(method) or ""
    ids, keywords = arguments(method)
    positional = list(inspect.signature(method).parameters)[: len(ids)]
    assert [key for key in (*positional, *keywords) if not re.search(rf"^    {key}: \S", text, re.MULTILINE)] == []
    assert ("Returns:" in text) == (hints_of(method)["return"] is not type(None))
    assert "Raises:" in text


def test_many_beside_each_retrieve() -> None:
    """A method that reads by one id has another one that reads many."""
    sent = methods_of(SentClient("key"))
    reads = [
        name for name in CALLS if name.endswith(".retrieve") and len(inspect.signature(sent[name]).parameters) == 1
    ]
    assert sorted(f"{name}_many" for name in reads) == sorted(set(EVERY) - set(CALLS))


@pytest.mark.parametrize("name", sorted(set(EVERY) - set(CALLS)))
async def test_many(server: Server, name: str) -> None:
    """Each id is requested separately, and the results have the order of the ids."""
    async with SentClient("key", base_url=server.url, pacing=False) as sent:
        results = await methods_of(sent)[name](["a", "b", "c"])
    assert [result.key for result in results] == ["a", "b", "c"] and all(result.ok for result in results)
    assert sorted(request.path.rpartition("/")[2] for _, request, _ in server.requests) == ["a", "b", "c"]


@pytest.mark.parametrize("name", CALLS)
async def test_the_fake_knows_every_method(name: str, fake_sent: FakeSent, sent: SentClient) -> None:
    """The fake server must respond to each method with what decodes, or with an error that says what is wrong."""
    method = methods_of(sent)[name]
    ids, keywords = arguments(method)
    try:
        await method(*ids, **keywords)
    except SentAPIError as error:
        assert 400 <= error.status < 500 and error.code and error.message
    (request,) = fake_sent.requests
    assert request.operation in {operation.name for operation in operations.ALL}
