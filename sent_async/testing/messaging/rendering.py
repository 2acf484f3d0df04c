"""The content of a message: free text, or a template with values for its variables."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import UnsetType

from ...models import (
    TemplateBodyContent,
    TemplateButton,
    TemplateDefinition,
    TemplateHeaderType,
    TemplateMmsContent,
    TemplateVariable,
)

Variables = Sequence[TemplateVariable] | None | UnsetType

PLACEHOLDER: Final = re.compile(r"\{\{([0-9]{1,6}):[a-z]+\}\}")


class TemplateText(msgspec.Struct, frozen=True, kw_only=True):
    """A template at the time when a message was made from it."""

    id: str
    name: str
    category: str
    variables: Sequence[str]
    definition: TemplateDefinition | None


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The requested content, before the channel is known."""

    text: str | None = None
    template: TemplateText | None = None
    parameters: Mapping[str, str] = {}
    media_urls: Sequence[str] = ()
    subject: str | None = None

    @property
    def missing(self) -> list[str]:
        """The variables that have no value."""
        return [name for name in self.template.variables if name not in self.parameters] if self.template else []

    def body(self, channel: str) -> dict[str, Any]:
        """The ``message_body`` on a channel. SMS has only the text."""
        template = self.template
        definition = template.definition if template else None
        body: dict[str, Any] = {
            "header": None,
            "headerMedia": None,
            "content": self._content(channel),
            "footer": None,
            "buttons": None,
            "subject": None,
            "media": None,
        }
        if channel == "mms":
            content = definition.body.mms or None if definition else None
            body["subject"] = self.subject or (content.subject or None if content else None)
            urls = self.media_urls or [item.url or "" for item in (content.media or () if content else ())]
            body["media"] = [_media(url) for url in urls if url]
        elif channel != "sms" and definition:
            body.update(self._around_text(definition))
        return body

    def _content(self, channel: str) -> str | None:
        if self.template is None:
            return self.text
        definition = self.template.definition
        if definition is None:
            # The test stored this template without a text.
            values = ", ".join(f"{name}: {self.parameters.get(name, '?')}" for name in self.template.variables)
            return f"{self.template.name} ({values})" if values else self.template.name
        content = content_for(definition, channel)
        return self._filled(content.template, content.variables) if content else None

    def _around_text(self, definition: TemplateDefinition) -> dict[str, Any]:
        """The content around the text: header, footer and buttons."""
        around: dict[str, Any] = {}
        image = self.parameters.get("header_image")
        if header := definition.header:
            if not header.type or header.type == TemplateHeaderType.TEXT:
                around["header"] = self._filled(header.template, header.variables)
            else:
                around["headerMedia"] = {"type": header.type, "url": image or header.template}
        elif image:
            around["headerMedia"] = {"type": "image", "url": image}
        if footer := definition.footer:
            around["footer"] = self._filled(footer.template, footer.variables)
        if definition.buttons:
            around["buttons"] = [self._button(button) for button in definition.buttons]
        return around

    def _button(self, button: TemplateButton) -> dict[str, Any]:
        props = button.props or None
        url = self._filled(props.url, props.variables) if props and isinstance(props.url, str) else None
        text = props.text or None if props else None
        value = url or (props.phone_number or props.offer_code or text if props else None)
        return {"type": button.type or None, "value": value, "text": text, "postbackData": None}

    def _filled(self, text: str, variables: Variables) -> str:
        """The text with the values in place of the placeholders. A placeholder without a value stays."""
        names = {variable.id or 0: variable.name for variable in variables or ()}

        def value(placeholder: re.Match[str]) -> str:
            name = names.get(int(placeholder[1]))
            return self.parameters.get(name, placeholder[0]) if isinstance(name, str) else placeholder[0]

        return PLACEHOLDER.sub(value, text)


def content_for(definition: TemplateDefinition, channel: str) -> TemplateBodyContent | TemplateMmsContent | None:
    """The content for a channel: its own, otherwise that for all channels, otherwise that of any channel."""
    body = definition.body
    own = {"sms": body.sms, "whatsapp": body.whatsapp, "rcs": body.rcs, "mms": body.mms}
    choices = (own.get(channel), body.multi_channel, *own.values())
    return next((content for content in choices if content), None)


def has_media(definition: TemplateDefinition | None) -> bool:
    """Whether an MMS of this template has attachments."""
    content = definition.body.mms if definition else None
    return bool(content and content.media)


def _media(url: str) -> dict[str, Any]:
    mime_type, _ = mimetypes.guess_type(url)
    kind = mime_type.partition("/")[0] if mime_type else None
    return {"url": url, "mediaType": kind, "mimeType": mime_type, "sizeBytes": None, "sourceHashSha256": None}
