"""The text of a message: parts of a template by channel, and variables."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sent_async.models import TemplateDefinition
from sent_async.testing.messaging.rendering import PLACEHOLDER, Content, TemplateText, has_media

PARTS: dict[str, Any] = {
    "header": {"type": "text", "template": "For {{0:variable}}", "variables": [{"id": 0, "name": "who"}]},
    "body": {
        "multiChannel": {"template": "Hi {{1:variable}}!", "variables": [{"id": 1, "name": "name"}]},
        "rcs": {"template": "Rich", "variables": None},
        "mms": {"template": "Look", "subject": "News", "media": [{"url": "https://example.com/a.png"}, {}]},
    },
    "footer": {"template": "Acme"},
    "buttons": [
        {
            "id": 1,
            "type": "URL",
            "props": {
                "text": "Open",
                "url": "https://example.com/{{0:variable}}",
                "variables": [{"id": 0, "name": "order"}],
            },
        },
        {"id": 2, "type": "PHONE_NUMBER", "props": {"text": "Call", "phoneNumber": "+14155550100"}},
        {"id": 3, "type": "COPY_CODE", "props": {"text": "Copy", "offerCode": "SPRING"}},
        {"id": 4, "type": "QUICK_REPLY", "props": {"text": "Yes"}},
        {"id": 5},
    ],
}


def content(parts: dict[str, Any] | None = None, **parameters: str) -> Content:
    definition = msgspec.convert(parts or PARTS, TemplateDefinition)
    template = TemplateText(id="t", name="order", category="UTILITY", variables=["who", "name"], definition=definition)
    return Content(template=template, parameters=parameters)


def test_sms_has_the_text_alone() -> None:
    """An SMS has no header, footer or buttons."""
    body = content(who="all", name="Jo").body("sms")
    assert body.pop("content") == "Hi Jo!"
    assert set(body.values()) == {None}


def test_whatsapp_has_every_part() -> None:
    """It has the values, those in buttons too."""
    body = content(who="all", name="Jo", order="7").body("whatsapp")
    assert (body["header"], body["content"], body["footer"]) == ("For all", "Hi Jo!", "Acme")
    assert [(button["type"], button["value"], button["text"]) for button in body["buttons"]] == [
        ("URL", "https://example.com/7", "Open"),
        ("PHONE_NUMBER", "+14155550100", "Call"),
        ("COPY_CODE", "SPRING", "Copy"),
        ("QUICK_REPLY", "Yes", "Yes"),
        (None, None, None),
    ]


def test_a_channel_may_have_a_text_of_its_own() -> None:
    """It is used in place of the one for all channels."""
    assert content().body("rcs")["content"] == "Rich"


def test_an_mms_of_a_template() -> None:
    """It has the files of the template, unless others are given."""
    template = content()
    body = template.body("mms")
    assert (body["content"], body["subject"], body["footer"]) == ("Look", "News", None)
    assert [one["url"] for one in body["media"]] == ["https://example.com/a.png"]
    other = msgspec.structs.replace(template, media_urls=["https://example.com/b.gif"], subject="Mine").body("mms")
    assert (other["subject"], [one["mimeType"] for one in other["media"]]) == ("Mine", ["image/gif"])
    assert template.template is not None
    assert has_media(template.template.definition)


def test_media_in_a_header() -> None:
    """It is the picture of the header or the one that is given, which needs no header."""
    body = {"whatsapp": {"template": "Hi"}}
    pictured = {"header": {"type": "image", "template": "https://example.com/a.png"}, "body": body}
    assert content(pictured).body("whatsapp")["headerMedia"] == {"type": "image", "url": "https://example.com/a.png"}
    given_image = "https://example.com/b.png"
    assert content({"body": body}).body("whatsapp")["headerMedia"] is None
    for parts in (pictured, {"body": body}):
        shown = content(parts, header_image=given_image).body("whatsapp")
        assert (shown["header"], shown["headerMedia"]) == (None, {"type": "image", "url": given_image})


def test_a_text_for_another_channel_is_better_than_none() -> None:
    """A definition without any text has none."""
    assert content({"body": {"whatsapp": {"template": "Hi"}}}).body("sms")["content"] == "Hi"
    empty = content({"body": {}})
    assert empty.body("sms")["content"] is None
    assert empty.body("mms")["media"] == []


def test_a_template_without_a_definition() -> None:
    """The text is its name and its values."""
    template = TemplateText(id="t", name="order", category="UTILITY", variables=["who", "name"], definition=None)
    named = Content(template=template, parameters={"who": "all"})
    assert (named.body("sms")["content"], named.missing) == ("order (who: all, name: ?)", ["name"])
    bare = msgspec.structs.replace(template, variables=[])
    assert Content(template=bare).body("whatsapp")["content"] == "order"
    assert not has_media(None)
    assert Content(text="Hi").missing == []


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
PLAIN = st.text(max_size=20).filter(lambda text: "{{" not in text and "}}" not in text)


@given(
    pieces=st.lists(st.tuples(PLAIN, st.integers(0, 5)), max_size=8),
    names=st.lists(NAMES, min_size=6, max_size=6, unique=True),
    values=st.lists(st.text(max_size=20), min_size=6, max_size=6),
    last=PLAIN,
)
def test_any_text_is_filled_in(pieces: list[tuple[str, int]], names: list[str], values: list[str], last: str) -> None:
    """Each placeholder becomes its value, and everything else stays."""
    text = "".join(f"{plain}{{{{{number}:variable}}}}" for plain, number in pieces) + last
    expected = "".join(plain + values[number] for plain, number in pieces) + last
    variables = [{"id": number, "name": name} for number, name in enumerate(names)]
    parts = {"body": {"multiChannel": {"template": text, "variables": variables}}}
    assert content(parts, **dict(zip(names, values, strict=True))).body("sms")["content"] == expected


@given(text=st.text(max_size=60))
def test_a_text_without_variables_stays(text: str) -> None:
    """Placeholders without a variable stay."""
    for written in (text, f"{text}{{{{0:variable}}}}"):
        assert content({"body": {"sms": {"template": written}}}).body("sms")["content"] == written


def test_a_variable_without_a_name_is_left_open() -> None:
    """Its placeholder stays."""
    nameless: dict[str, Any] = {}
    parts = {"body": {"sms": {"template": "Hi {{0:variable}}", "variables": [nameless]}}}
    assert PLACEHOLDER.search(str(content(parts).body("sms")["content"]))
