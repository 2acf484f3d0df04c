"""Unexpected bodies: the result is a value or a ``SentError``, never another exception."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sent_async import Operation, SentDecodeError, SentError
from sent_async.envelope import decode
from sent_async.operations import ALL, LIST_PROFILES, RETRIEVE_PROFILE
from tests.support.clocks import FakeClock
from tests.support.payloads import envelope, payload

CLOCK = FakeClock()

operations = st.sampled_from(ALL)
statuses = st.sampled_from([200, 201, 202, 204, 302, 400, 401, 404, 429, 500, 502])
surrogates = st.text(alphabet=st.characters(), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2026-03-31T15:21:52"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
RECORDED: dict[str, Any] = {
    name: json.loads(payload(name))
    for name in (
        "profiles-list-200.seed",
        "campaigns-list-200.docs",
        "templates-list-200.docs",
        "profiles-complete-200.docs",
        "profiles-list-404.seed",
    )
}
quick = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def outcome(operation: Operation[Any], status: int, body: bytes) -> object:
    """The value or the error. Anything else raised fails the test by itself."""
    try:
        data, _ = decode(operation, status, {}, body, CLOCK)
    except SentError as error:
        return f"{error} {error!r}"
    return data


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A recorded body with a few members left out, added, renamed or replaced, anywhere."""
    root = json.loads(json.dumps(RECORDED[draw(st.sampled_from(sorted(RECORDED)))]))
    for _ in range(draw(st.integers(1, 4))):
        node: Any = root
        while True:
            children = [
                v for v in (node.values() if isinstance(node, dict) else node) if isinstance(v, dict | list) and v
            ]
            if not children or draw(st.integers(0, 3)) == 0:
                break
            node = draw(st.sampled_from(children))
        if not node:
            continue
        key = draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        match draw(st.sampled_from(["remove", "null", "replace", "add"])):
            case "remove":
                del node[key]
            case "null":
                node[key] = None
            case "replace":
                node[key] = draw(json_values)
            case _ if isinstance(node, dict):
                node[draw(st.text(max_size=8))] = draw(json_values)
            case _:
                node.append(draw(json_values))
    return json.dumps(root).encode()


@quick
@given(operations, statuses, damaged())
def test_damaged_envelopes(operation: Operation[Any], status: int, body: bytes) -> None:
    """A real body with a change in it gives a value or a ``SentError``."""
    outcome(operation, status, body)


@quick
@given(operations, json_values)
def test_anything_as_data(operation: Operation[Any], data: object) -> None:
    """Any JSON value as data gives a value or a ``SentError``."""
    outcome(operation, 200, envelope(data))


@quick
@given(operations, statuses, st.binary(max_size=300))
def test_random_bytes(operation: Operation[Any], status: int, body: bytes) -> None:
    """Random bytes give a value or a ``SentError``."""
    outcome(operation, status, body)


@quick
@given(operations, statuses, st.data())
def test_flipped_bytes(operation: Operation[Any], status: int, data: st.DataObject) -> None:
    """A real body that is cut and has a changed byte gives a value or a ``SentError``."""
    body = bytearray(payload(data.draw(st.sampled_from(sorted(RECORDED)))))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    outcome(operation, status, bytes(body[: cut or None]))


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    "body",
    [
        b'{"success":true,"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"success":true,"data":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}",
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"success":true,"data":{}}',
        b'{"success":true,"data":' + b"9" * 10_000 + b"}",
        b'{"success":true,"data":-' + b"9" * 10_000 + b".5e99999}",
        b'{"success":true,"data":{"profiles":[],"templates":[],"pagination":{"page":1e999}}}',
        b'{"success":true,"data":{"profiles":[],"templates":[],"pagination":{"page":' + b"1" * 5000 + b"}}}",
        b'{"success":true,"success":false,"data":{"message":"a","message":7},"data":null}',
        b'{"success":false,"success":true,"data":{"message":"a"}}',
        b'{"success":true,"data":{"message":"\xff\xfe"}}',
        b'{"success":true,"data":{"message":"\\ud800"}}',
        b'{"success":true,"data":{"message":"\\u0000"}}',
        b'\xef\xbb\xbf{"success":true,"data":{"message":"with a byte order mark"}}',
        '{"success":true}'.encode("utf-16"),
        b'{"success":true,"data":NaN}',
        b'{"success":true,"data":{}} trailing',
        b'{"success":true,"error":{"code":"\xc3\x28"}}',
        b'{"success":false,"error":{"code":"\\ud800","message":"\\udfff","details":{"\\ud800":["\\ud800"]}}}',
    ],
    ids=lambda body: repr(body[:24]) + str(len(body)),
)
def test_difficult_bodies(operation: Operation[Any], body: bytes) -> None:
    """Deep nesting, huge numbers, repeated keys and broken text give a value or a ``SentError``."""
    outcome(operation, 200, body)
    outcome(operation, 500, body)


def test_the_search_for_the_place_ends_at_the_first_bad_item() -> None:
    """This holds in a long list, too."""
    good = RECORDED["profiles-list-200.seed"]["data"]["profiles"][0]
    body = msgspec.json.encode({"success": True, "data": {"profiles": [good] * 500 + [{**good, "id": 7}] * 500}})
    with pytest.raises(SentDecodeError) as caught:
        decode(LIST_PROFILES, 200, {}, body, CLOCK)
    assert caught.value.path == "$.data.profiles[500].id"


@given(surrogates)
def test_any_text_is_read_as_it_was_sent(name: str) -> None:
    """A valid envelope may hold any text."""
    data = {**RECORDED["profiles-list-200.seed"]["data"]["profiles"][0], "name": name}
    try:
        body = json.dumps({"success": True, "data": data}, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert decode(RETRIEVE_PROFILE, 200, {}, body, CLOCK)[0].name == name
