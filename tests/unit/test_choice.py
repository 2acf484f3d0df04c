"""Values that are of one of several classes. tests/codegen/generate/test_choices.py has the way from the fragment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from sent_async import SentConfigError
from sent_async.choice import choice, read_choice
from sent_async.models import BrandContact, Campaign, MessageSend, TemplateVariable
from sent_async.structs import RequestModel, ResponseModel, check_request
from sent_async.testing.samples import sample

MARKED: Any = choice(
    "Marked", ["responses.Campaign", "responses.BrandContact"], "type", {"CAMPAIGN": "responses.Campaign"}
)
SHAPED: Any = choice("Shaped", ["responses.Campaign", "responses.BrandContact"])
GIVEN: Any = choice("Given", ["requests.MessageSend", "requests.TemplateVariable"])
Held: Any = msgspec.defstruct("Held", [("value", SHAPED)], bases=(ResponseModel,), frozen=True, kw_only=True)
Asked: Any = msgspec.defstruct("Asked", [("value", GIVEN)], bases=(RequestModel,), kw_only=True)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "type", "name", "email", "kind"]), inner),
)


def read(plain: Any, kind: Any = SHAPED) -> Any:
    """A value as a decoder reads it."""
    return msgspec.json.Decoder(kind, dec_hook=read_choice).decode(msgspec.json.encode(plain))


def test_the_member_names_the_class() -> None:
    """The class is the one of the mapping. A value that the mapping does not have leaves a dict."""
    assert isinstance(read({"id": "1", "type": "CAMPAIGN"}, MARKED), Campaign)
    assert read({"id": "1", "type": "NEW"}, MARKED) == {"id": "1", "type": "NEW"}
    assert isinstance(read({"email": "a@example.com"}, MARKED), BrandContact)  # without it, by the members


def test_the_members_show_the_class() -> None:
    """Without a discriminator the class is the one that has most of the members."""
    assert read({"name": "Jo", "email": "jo@example.com"}) == BrandContact(name="Jo", email="jo@example.com")
    stamp = {"id": "1", "createdAt": "2026-11-28T10:00:00"}
    assert read(stamp).created_at == datetime(2026, 11, 28, 10, tzinfo=UTC)


@pytest.mark.parametrize("kind", [MARKED, SHAPED])
@given(plain=JSON)
def test_nothing_makes_a_response_fail(kind: Any, plain: Any) -> None:
    """Any JSON is read: as one of the classes, or as it is."""
    value = read(plain, kind)
    assert isinstance(value, (Campaign, BrandContact)) or value == plain


def test_a_choice_in_a_request_is_checked() -> None:
    """A request inside a choice is checked like any other."""
    check_request(Asked(value=MessageSend(to=["+14155551234"])))
    with pytest.raises(SentConfigError, match="must be a list"):
        check_request(Asked(value=MessageSend(to="+14155551234")))
    body = Asked.from_json('{"value": {"id": 0, "name": "first_name", "type": "variable"}}')
    assert isinstance(body.value, TemplateVariable)


def test_pydantic_knows_the_classes() -> None:
    """The JSON schema shows each class, and JSON is read and written."""
    adapter = TypeAdapter(Held)
    held = Held(value=BrandContact(name="Jo"))
    assert adapter.validate_json(adapter.dump_json(held)) == held
    assert len(adapter.json_schema()["properties"]["value"]["anyOf"]) == 3


def test_the_sample_is_of_the_first_class() -> None:
    """FakeSent makes an example that reads as the first class."""
    assert isinstance(read(sample(MARKED), MARKED), Campaign)
    assert isinstance(read(sample(SHAPED)), Campaign)
