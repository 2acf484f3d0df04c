"""Secrets, message texts and phone numbers are in no repr and no table of a model, and in no error about one."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from sent_async import Page, SentError, operations
from sent_async.envelope import decode
from sent_async.models import events, requests, responses
from sent_async.operation import Operation
from sent_async.structs import Model, Secret, SecretMap
from sent_async.webhooks import events as webhook_events
from tests.support.clocks import FakeClock

HIDDEN = "h1dden-value"

MUST_BE_SECRET = {
    "CallParticipant": ["value"],
    "CallParticipantTarget": ["value"],
    "CallParty": ["value"],
    "CallPayload": ["number"],
    "CallRecording": ["download_url"],
    "Contact": ["phone_number", "format_e164", "format_international", "format_national", "format_rfc"],
    "ContactCreate": ["phone_number"],
    "ContactPayload": ["from_", "to", "text"],
    "CreatedVoiceNumber": ["callback_secret"],
    "Message": ["phone", "phone_international"],
    "MessageBody": ["header", "content", "footer", "subject"],
    "MessageButton": ["value", "text", "postback_data"],
    "MessageMedia": ["url"],
    "MessageReceivedPayload": ["text", "inbound_number", "outbound_number", "from_", "to"],
    "MessageRecipient": ["to", "body"],
    "MessageSend": ["to", "text", "subject", "media_urls"],
    "MessageStatusPayload": ["body", "inbound_number", "outbound_number"],
    "MessageTemplate": ["parameters"],
    "NumberLookup": ["phone_number"],
    "PaymentDetails": ["card_number", "cvc", "expiry"],
    "ReceivedMedia": ["url"],
    "ResentRecipient": ["to", "body"],
    "SenderProfile": ["api_key"],
    "UnknownEvent": ["payload"],
    "VoiceSecret": ["callback_secret"],
    "VoiceToken": ["token"],
    "Webhook": ["signing_secret"],
    "WebhookEvent": ["event_data"],
    "WebhookSecret": ["signing_secret"],
    "WhatsAppBusinessAccount": ["access_token"],
}
"""By class. Written down here, so that a mark that gets lost in the description of the API is noticed."""

MODELS: dict[str, Any] = {
    kind.__name__: kind
    for module in (requests, responses, events, webhook_events)
    for kind in vars(module).values()
    if isinstance(kind, type)
    and issubclass(kind, Model)
    and kind.__module__ == module.__name__
    and kind.__name__[0] != "_"
}


def hidden(hint: Any) -> bool:
    return hint in (Secret, SecretMap) or any(hidden(part) for part in get_args(hint))


def value(hint: Any, *, shown: str, above: tuple[type, ...] = ()) -> Any:
    """A value for a type, with everything that must not be shown in it."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint == Secret:
        return HIDDEN
    if hint == SecretMap:
        return {"key": HIDDEN}
    if origin in (list, Sequence):
        return [value(parts[0], shown=shown, above=above)]
    if origin in (dict, Mapping):
        return {"key": value(parts[1], shown=shown, above=above)}
    if hint is Any:
        return shown
    if isinstance(hint, type) and issubclass(hint, Model):
        return None if hint in above else make(hint, shown=shown, above=above)
    if hint is datetime or (parts and parts[0] is datetime):
        return datetime(2026, 3, 1, tzinfo=UTC)
    if parts:
        return value(parts[0], shown=shown, above=above)
    return hint(shown) if issubclass(hint, str) else hint(1)


def make(kind: Any, *, shown: str = "shown", above: tuple[type, ...] = ()) -> Any:
    """A model with a value for every member, at every depth."""
    hints = get_type_hints(kind, include_extras=True)
    inside = (*above, kind)
    return kind(**{name: value(hints[name], shown=shown, above=inside) for name in kind.__struct_fields__})


@pytest.mark.parametrize("name", sorted(MODELS))
def test_no_model_shows_hidden_members(name: str) -> None:
    """They are in no text or table of a model, of a page or of a dict with it. They are sent and stored."""
    model = make(MODELS[name])
    for holder in (model, Page([model]), {"key": [model]}):
        assert HIDDEN not in repr(holder) + str(holder) + f"{holder!r:>500}"
    assert HIDDEN not in model._repr_html_() + Page([model])._repr_html_() + repr(list(model.__rich_repr__()))
    assert (HIDDEN in model.to_json()) == (HIDDEN in str(model.to_dict()))
    secret = [key for key, hint in get_type_hints(MODELS[name], include_extras=True).items() if hidden(hint)]
    assert not secret or HIDDEN in model.to_json()


@pytest.mark.parametrize("name", sorted(MUST_BE_SECRET))
def test_these_members_are_hidden(name: str) -> None:
    """These members must be hidden."""
    hints = get_type_hints(MODELS[name], include_extras=True)
    assert [member for member in MUST_BE_SECRET[name] if not hidden(hints[member])] == []


def test_no_name_of_a_credential_is_shown() -> None:
    """A member with the name of a credential is hidden in every class."""
    names = {
        "signing_secret",
        "callback_secret",
        "api_key",
        "access_token",
        "token",
        "download_url",
        "card_number",
        "cvc",
    }
    found = [
        f"{kind.__name__}.{name}"
        for kind in MODELS.values()
        for name, hint in get_type_hints(kind, include_extras=True).items()
        if name in names and not hidden(hint)
    ]
    assert found == []


def broken(data: Any) -> Iterator[Any]:
    """The data of a response with each of its scalars, one after the other, of a type that fits nothing."""
    odd = [[[[0]]]]
    if isinstance(data, dict):
        for key, inner in data.items():
            for spoilt in broken(inner):
                yield {**data, key: spoilt}
    elif isinstance(data, list):
        for spoilt in broken(data[0]):
            yield [spoilt]
    else:
        yield odd


def texts(error: BaseException | None) -> str:
    """All that an error and what is chained to it can show, without the lines of this file."""
    found = []
    while error is not None:
        found += [str(error), repr(error), repr(error.args), repr(vars(error))]
        found += traceback.format_exception_only(error)
        error = error.__cause__ or error.__context__
    return "\n".join(found)


@pytest.mark.parametrize("operation", [one for one in operations.ALL if one.response], ids=lambda one: one.name)
def test_no_error_quotes_a_response(operation: Operation[Any]) -> None:
    """The error of a response that does not fit its type has no value of it."""
    data = json.loads(msgspec.json.encode(value(operation.response, shown=HIDDEN)))
    failures = 0
    for spoilt in broken(data):
        for status in (200, 400):
            try:
                decode(operation, status, {}, json.dumps({"success": True, "data": spoilt}).encode(), FakeClock())
            except SentError as error:
                failures += 1
                assert HIDDEN not in texts(error)
    assert failures
