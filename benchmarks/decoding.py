"""Bytes to profiles, and a template to bytes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sent_async import operations
from sent_async.models import (
    TemplateBody,
    TemplateBodyContent,
    TemplateButton,
    TemplateButtonProps,
    TemplateButtonTypeValue,
    TemplateCreate,
    TemplateDefinition,
    TemplateFooter,
    TemplateHeader,
    TemplateVariable,
    TemplateVariableProps,
)
from sent_async.request import _encode as encode_body

from . import payloads, shared, structs
from .shared import OURS, SENTDM, Row, row

HAND_WRITTEN = "hand-written Structs"
OPTIONS: Any = {"category": "MARKETING", "language": "en_US", "submit_for_review": True, "sandbox": False}


def decode(quick: bool) -> list[Row]:
    """One profile, a hundred, a thousand, as documented and drifted."""
    rows: list[Row] = []
    for drifted in (False, True):
        for count in (1, 100, 1000):
            one = count == 1
            body = payloads.one(drifted=drifted) if one else payloads.many(count, drifted=drifted)
            operation: Any = operations.RETRIEVE_PROFILE if one else operations.LIST_PROFILES
            ours, plain = operation.decode, structs.decoder(one=one).decode
            calls = {OURS: _on(ours, body), HAND_WRITTEN: _on(plain, body)}
            rounds = 9 if quick else 21
            found = shared.interleaved(calls, rounds, 0.02 if count < 1000 else 0.06)
            vendor = shared.interleaved({SENTDM: vendor_decode(body, one=one)}, 3, 0.05)
            figures = {name: shared.median(times) * 1e6 for name, times in {**found, **vendor}.items()}
            what = f"decode {count:,} {'profile' if one else 'profiles'}{', drifted' if drifted else ''}"
            value = shared.ratio(found[OURS], found[HAND_WRITTEN])
            rows.append(row(what, "µs", figures, value, "≤", 1.10, HAND_WRITTEN))
    return rows


def _on(call: Callable[[bytes], object], body: bytes) -> Callable[[], object]:
    return lambda: call(body)


def vendor_decode(body: bytes, *, one: bool) -> Callable[[], object]:
    """How the vendor's SDK decodes a body."""
    httpx, types = shared.peer("httpx"), shared.peer("sent_dm.types")
    kind: Any = types.APIResponseOfProfileDetail if one else types.ProfileListResponse
    response: Any = shared.peer("sent_dm._response").AsyncAPIResponse(
        raw=httpx.Response(
            200,
            content=body,
            headers={"Content-Type": "application/json"},
            request=httpx.Request("GET", "http://127.0.0.1/"),
        ),
        cast_to=kind,
        client=shared.peer("sent_dm").AsyncSent(api_key="key", base_url="http://127.0.0.1"),
        stream=False,
        stream_cls=None,
        options=shared.peer("sent_dm._models").FinalRequestOptions.construct(method="get", url="/"),
    )
    parse: Callable[[], object] = response._parse
    return parse


def encode(quick: bool) -> list[Row]:
    """A create-template body, from the keywords to the bytes."""
    vendor = _vendor_encode(_as_dict(_definition()))
    if json.loads(vendor()) != json.loads(_template()):
        raise RuntimeError("the two bodies differ")
    found = shared.interleaved({OURS: _template, SENTDM: vendor}, 9 if quick else 41, 0.02)
    figures = {name: shared.median(times) * 1e6 for name, times in found.items()}
    return [
        row("encode a create-template body", "µs", figures, shared.ratio(found[SENTDM], found[OURS]), "≥", 100, SENTDM)
    ]


def _template() -> bytes:
    body = TemplateCreate(definition=_definition(), **OPTIONS)
    return encode_body(operations.CREATE_TEMPLATE, body)


def _definition() -> TemplateDefinition:
    def variable(number: int, name: str) -> TemplateVariable:
        props = TemplateVariableProps(variable_type="text", sample=f"sample {name}", url="", media_type="")
        return TemplateVariable(id=number, name=name, type="variable", props=props)

    def button(number: int, kind: TemplateButtonTypeValue, text: str, url: str) -> TemplateButton:
        props = TemplateButtonProps(
            active_for=0,
            country_code="",
            offer_code="",
            phone_number="",
            quick_reply_type="custom",
            text=text,
            url=url,
            url_type="static",
            variables=[],
        )
        return TemplateButton(id=number, type=kind, props=props)

    return TemplateDefinition(
        header=TemplateHeader(type="text", template="Hello {{0:first_name}}", variables=[variable(0, "first_name")]),
        body=TemplateBody(
            multi_channel=TemplateBodyContent(
                type="text",
                template="Hello {{0:first_name}}! Welcome to {{1:company}}. We are glad to have you on board.",
                variables=[variable(0, "first_name"), variable(1, "company")],
            )
        ),
        footer=TemplateFooter(type="text", template="Reply STOP to opt out"),
        buttons=[button(0, "URL", "Open the shop", "https://example.com"), button(1, "QUICK_REPLY", "Talk to us", "")],
        definition_version="1.0",
    )


def _as_dict(value: Any) -> Any:
    """Structs as the dicts, by their Python names, that the vendor's SDK takes."""
    if isinstance(value, msgspec.Struct):
        members = {field.name: getattr(value, field.name) for field in msgspec.structs.fields(value)}
        return {name: _as_dict(member) for name, member in members.items() if member is not msgspec.UNSET}
    return [_as_dict(item) for item in value] if isinstance(value, list) else value


def _vendor_encode(definition: Mapping[str, Any]) -> Callable[[], bytes]:
    """How the vendor's SDK encodes the keywords of ``templates.create``."""
    transform = shared.peer("sent_dm._utils").async_maybe_transform
    dumps = shared.peer("sent_dm._utils._json").openapi_dumps
    parameters = shared.peer("sent_dm.types.template_create_params").TemplateCreateParams
    warnings.simplefilter("ignore", DeprecationWarning)

    def encode() -> bytes:
        waiting = transform({"definition": definition, **OPTIONS}, parameters)
        try:
            waiting.send(None)
        except StopIteration as done:
            return bytes(dumps(done.value))
        raise RuntimeError("it waited")

    return encode
