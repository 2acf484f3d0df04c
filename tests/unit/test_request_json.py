"""Bodies from JSON in the API's own form, and templates from a text."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sent_async import SentConfigError, operations
from sent_async.models import TemplateCreate, TemplateDefinition, TemplateMmsContent, requests
from sent_async.structs import RequestModel
from sent_async.testing import FakeSent
from tests.support.payloads import payload

BODIES: list[Any] = [
    kind for kind in vars(requests).values() if isinstance(kind, type) and issubclass(kind, RequestModel)
]


def test_the_documented_request() -> None:
    """It reads as the API writes it, in camelCase and with nulls, and becomes the same JSON again."""
    text = payload("templates-create-request.docs")
    body = TemplateCreate.from_json(text)
    content = body.definition.body.multi_channel
    assert content and content.variables and content.variables[1].name == "company"
    assert json.loads(body.to_json()) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "TemplateDefinition: Input data was truncated"),
        ("{]", "TemplateDefinition: JSON is malformed: object keys must be strings (byte 1)"),
        (b"\xff", "TemplateDefinition: JSON is malformed: invalid character (byte 0)"),
        ("\ud800", "TemplateDefinition: "),
        ("[" * 100_000, "TemplateDefinition: "),
        ("[]", "TemplateDefinition: Expected `object`, got `array`"),
        ("{}", "TemplateDefinition: Object missing required field `body`"),
        ('{"body": {"sms": {"template": 1}}}', "Expected `str`, got `int` - at `$.body.sms.template`"),
        ('{"body": {"sm": {}}}', "TemplateDefinition: the API has no such member - at `$.body.sm`"),
        ('{"body": {"multi_channel": {}}}', "the API has no such member - at `$.body.multi_channel`"),
        (
            '{"body": {"mms": {"template": "a", "media": [{"url": "u"}, {"uri": "private"}]}}}',
            "the API has no such member - at `$.body.mms.media[1].uri`",
        ),
    ],
)
def test_what_does_not_fit(text: str | bytes, problem: str) -> None:
    """The error names the place, and nothing is dropped silently."""
    with pytest.raises(SentConfigError) as caught:
        TemplateDefinition.from_json(text)
    assert problem in str(caught.value)
    assert "private" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_every_body_reads_json(kind: Any) -> None:
    """An unknown member is refused by each of them, and the empty body is one or lacks a member."""
    with pytest.raises(SentConfigError, match=kind.__name__):
        kind.from_json('{"no_such_member": 1}')
    with contextlib.suppress(SentConfigError):
        assert kind.from_json("{}").to_json() == "{}"


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["body", "sms", "mms", "media", "template", "x"]), inner)
        ),
    )
)
def test_any_json(value: Any) -> None:
    """Any JSON is a body with the same content, or a ``SentConfigError``."""
    for kind in (TemplateDefinition, TemplateMmsContent):
        with contextlib.suppress(SentConfigError):
            assert json.loads(kind.from_json(json.dumps(value)).to_json()) == value


def test_a_plain_text() -> None:
    """The text on all channels, and each variable with the number of its placeholder."""
    made = TemplateDefinition.text(
        "Hello {{0:variable}}, bye {{1:variable}}", "first_name", "day", samples={"day": "Monday"}
    )
    assert json.loads(made.to_json()) == {
        "body": {
            "multiChannel": {
                "template": "Hello {{0:variable}}, bye {{1:variable}}",
                "variables": [
                    {
                        "id": 0,
                        "name": "first_name",
                        "type": "variable",
                        "props": {"variableType": "text", "sample": "first_name"},
                    },
                    {"id": 1, "name": "day", "type": "variable", "props": {"variableType": "text", "sample": "Monday"}},
                ],
            }
        }
    }
    assert type(made) is TemplateDefinition
    content = TemplateDefinition.text("Hello").body.multi_channel
    assert content and content.variables == []


@pytest.mark.parametrize(
    ("template", "variables", "problem"),
    [
        ("Hello", ["name"], "template: none; variables given: name;"),
        ("Hello {{0:variable}}", [], "template: 0; variables given: none; .* give a name for each"),
        ("Hello {{1:variable}}", ["name"], "template: 1; variables given: name; number .* from 0 "),
        ("Hello {{0:variable}} {{2:variable}}", ["a", "b"], "template: 0, 2; variables given: a, b;"),
        ("Hello {{0}}", ["name"], r"\{\{0\}\} is not of the form"),
        ("Hello {{0:link}}", ["name"], r"\{\{0:link\}\} is not of the form"),
        ("Hello {{00:variable}}", ["name"], "is not of the form"),
        ("Hello {{0:variable}}", ["first name"], "'first name' is not a letter followed by"),
        ("Hello {{0:variable}}", ["1st"], "'1st' is not a letter followed by"),
        ("{{0:variable}} {{1:variable}}", ["a", "a"], "two variables have the same name"),
    ],
)
def test_a_text_and_variables_that_do_not_fit(template: str, variables: list[str], problem: str) -> None:
    """The error says which placeholder or variable is wrong."""
    with pytest.raises(SentConfigError, match=problem):
        TemplateDefinition.text(template, *variables)


def test_a_sample_of_no_variable() -> None:
    """A sample with another name than those of the variables is refused."""
    with pytest.raises(SentConfigError, match="'day', which is not a variable"):
        TemplateDefinition.text("Hello {{0:variable}}", "name", samples={"day": "Monday"})


async def test_both_ways_to_a_template() -> None:
    """A text and a JSON file, from one client to the server."""
    text = payload("templates-create-request.docs")
    async with FakeSent() as fake, fake.client() as sent:
        plain = await sent.templates.create(
            definition=TemplateDefinition.text("Hello {{0:variable}}, see you soon", "first_name"), category="MARKETING"
        )
        definition = msgspec.json.encode(msgspec.json.decode(text)["definition"])
        read = await sent.templates.create(definition=TemplateDefinition.from_json(definition), category="MARKETING")
        whole = await sent.send(operations.CREATE_TEMPLATE, body=TemplateCreate.from_json(text))
    assert plain.variables == ["first_name"]
    assert read.variables == whole.data.variables == ["name", "company"]
