"""The generated code of the real fragment: encode, decode, mask, type."""

from __future__ import annotations

import ast
import inspect
from typing import Any, cast, get_type_hints

import msgspec
import pytest

from codegen.generate.models import docstring
from sent_async import models, operations
from sent_async.models import (
    BillingModel,
    DestinationCountryData,
    PaymentDetails,
    Profile,
    ProfileCreate,
    ProfileUpdate,
    TemplateCategory,
    TemplateUpdate,
    WhatsAppBusinessAccount,
    fields,
    requests,
    responses,
)
from sent_async.structs import RequestModel, ResponseModel

PROFILE = {
    "id": "770e8400-e29b-41d4-a716-446655440002",
    "created_at": "2026-03-31T15:21:52.1661009+00:00",
    "name": "Sales",
}

KEYWORDS = [name for name in vars(fields) if name.endswith("Fields")]


def classes(module: Any, base: type) -> list[type[Any]]:
    """The generated classes of a module."""
    found = [value for _, value in inspect.getmembers(module, inspect.isclass)]
    return [c for c in found if issubclass(c, base) and c.__module__ == module.__name__]


def profile(**members: object) -> Profile:
    """A profile decoded from JSON: what is required, and these members."""
    required: dict[str, object] = {"bool": False, "str": "x", "Timestamp": PROFILE["created_at"]}
    body: dict[str, object] = {
        field.encode_name: required.get(str(Profile.__annotations__[field.name]), "x")
        for field in msgspec.structs.fields(Profile)
        if field.required
    }
    return msgspec.json.decode(msgspec.json.encode(body | PROFILE | members), type=Profile)


@pytest.mark.parametrize(
    ("request_body", "expected"),
    [
        (ProfileUpdate(), b"{}"),
        (ProfileUpdate(description=None), b'{"description":null}'),
        (ProfileUpdate(description="x"), b'{"description":"x"}'),
        (TemplateUpdate(category=TemplateCategory.MARKETING), b'{"category":"MARKETING"}'),
        (TemplateUpdate(category="MARKETING"), b'{"category":"MARKETING"}'),
        (DestinationCountryData(id="US", is_main=True), b'{"id":"US","isMain":true}'),
    ],
)
def test_three_states(request_body: RequestModel, expected: bytes) -> None:
    """Absent is not sent, None is null, a value is itself; the wire has the API's own names."""
    assert msgspec.json.encode(request_body) == expected


def test_misspelt_keyword() -> None:
    """A member that does not exist is a ``TypeError``."""
    with pytest.raises(TypeError, match="descripton"):
        cast("Any", ProfileUpdate)(descripton="x")


def test_unknown_enum_value_decodes() -> None:
    """An unknown value is equal to its string; a known one is a member."""
    read = profile(billing_model="by_the_moon")
    assert read.billing_model == "by_the_moon"
    assert isinstance(read.billing_model, BillingModel)
    assert profile(billing_model="profile").billing_model is BillingModel.PROFILE


def test_absent_null_and_unknown_members() -> None:
    """Optional members are ``None`` when they are absent or null, and unknown members are ignored."""
    read = profile(icon=None, brand_new={"a": 1})
    assert (read.icon, read.description) == (None, None)


def test_stamps_are_aware() -> None:
    """A date-time has an offset, whatever the number of its fractional digits."""
    assert profile().created_at.utcoffset() is not None


def test_responses_are_frozen() -> None:
    """Every response class is declared as frozen, so that type checkers know."""
    found = classes(responses, ResponseModel)
    assert found
    tree = ast.parse(inspect.getsource(responses))
    keywords = {
        node.name: {keyword.arg for keyword in node.keywords} for node in tree.body if isinstance(node, ast.ClassDef)
    }
    assert all({"frozen", "kw_only"} <= keywords[c.__name__] for c in found)
    assert not any(c.__struct_config__.frozen for c in classes(requests, RequestModel))


def test_secrets_are_masked() -> None:
    """Card data and tokens are not in the repr of a model, nor of what contains it."""
    card = PaymentDetails(card_number="4111111111111", expiry="12/99", cvc="987", zip_code="55555")
    account = WhatsAppBusinessAccount(waba_id="1", access_token="token-value")
    held = ProfileCreate(name="Sales", payment_details=card, whatsapp_business_account=account)
    for shown in (repr(card), repr(account), repr(held), str(held), f"{[held]}"):
        assert not any(secret in shown for secret in ("4111111111111", "987", "token-value"))
    assert msgspec.json.decode(msgspec.json.encode(card))["card_number"] == "4111111111111"


@pytest.mark.parametrize("name", KEYWORDS)
def test_keyword_arguments_are_the_members(name: str) -> None:
    """The TypedDict of a body has the body's members, required where the Struct requires them."""
    keywords = getattr(fields, name)
    struct = getattr(requests, name.removesuffix("Fields"))
    members = {field.name: field.required for field in msgspec.structs.fields(struct)}
    assert {key: key in keywords.__required_keys__ for key in keywords.__annotations__} == members
    assert get_type_hints(keywords).keys() == members.keys()


def test_every_body_has_keyword_arguments() -> None:
    """Each operation with a body has its TypedDict, and there is none besides."""
    bodies = {f"{o.body.__name__}Fields" for o in operations.ALL if o.body is not None}
    assert bodies == set(KEYWORDS)


def test_exports() -> None:
    """The package exports every generated class in order; the operations do the same."""
    assert models.__all__ == sorted(models.__all__)
    assert {c.__name__ for c in classes(responses, ResponseModel)} <= set(models.__all__)
    assert operations.__all__ == sorted(operations.__all__)
    assert {o.name for o in operations.ALL} >= {"listProfiles", "deleteTemplate"}


def test_every_error_code_has_a_status() -> None:
    """The catalogue gives the HTTP status of each code."""
    assert set(operations.ERROR_STATUS) == {code.value for code in models.ErrorCode}
    assert operations.ERROR_STATUS["RESOURCE_005"] == 404


@pytest.mark.parametrize("text", ['ends "so"', 'a """ inside', "back\\slash", "plain"])
def test_docstring_keeps_its_text(text: str) -> None:
    """Any description becomes a docstring with the same text."""
    assert ast.literal_eval(docstring(text)) == text
