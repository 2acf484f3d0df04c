"""The rules for a template's definition, and the values that the server derives from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import UnsetType

from ...models import (
    TemplateBodyContent,
    TemplateButtonType,
    TemplateCategory,
    TemplateDefinition,
    TemplateHeaderType,
    TemplateMmsContent,
    TemplateVariable,
)
from ..messaging.rendering import PLACEHOLDER
from ..validation import Problems

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LONGEST: Final = {"multiChannel": 1024, "sms": 1024, "whatsapp": 1024, "rcs": 3072, "mms": 3072}

Variables = Sequence[TemplateVariable] | None | UnsetType


def check_definition(definition: TemplateDefinition, category: str, problems: Problems) -> None:
    """Check the rules that every version of the API has. Newer advice about wording is not enforced."""
    contents = dict(_contents(definition))
    problems.expect(bool(contents), "definition.body", "Content for at least one channel is required")
    for name, content in contents.items():
        _check_text(f"definition.body.{name}", content.template, content.variables, _LONGEST[name], problems)
    if header := definition.header:
        problems.expect_one_of(header.type, TemplateHeaderType, "definition.header.type")
        if not header.type or header.type == TemplateHeaderType.TEXT:
            _check_text("definition.header", header.template, header.variables, 60, problems)
    if footer := definition.footer:
        _check_text("definition.footer", footer.template, footer.variables, 60, problems)
    for number, button in enumerate(definition.buttons or ()):
        path = f"definition.buttons[{number}]"
        problems.expect_one_of(button.type, TemplateButtonType, f"{path}.type")
        if button.props:
            problems.expect_text(button.props.text, f"{path}.props.text", most=25)
    _check_authentication(definition, category, problems)


def channels_of(definition: TemplateDefinition) -> list[str]:
    """The channels of a template, in the API's order."""
    names = {name for name, _ in _contents(definition)}
    if "multiChannel" in names:
        names |= {"sms", "whatsapp"}
    return [channel for channel in ("sms", "whatsapp", "rcs", "mms") if channel in names]


def variables_of(definition: TemplateDefinition) -> list[str]:
    """The names of all variables, each once, in the order of their first use."""
    parts = [definition.header, *(content for _, content in _contents(definition)), definition.footer]
    names = [variable.name for part in parts if part for variable in part.variables or ()]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def derived_name(definition: TemplateDefinition) -> str:
    """The name of a template that has none: the first words of its text."""
    text = next((content.template for _, content in _contents(definition)), "")
    words = re.findall(r"[^\W_]+", PLACEHOLDER.sub(" ", text))
    return " ".join(words[:4])[:60] or "Untitled"


def detected_category(definition: TemplateDefinition) -> str:
    one_time_code = definition.authentication_config
    return str(TemplateCategory.AUTHENTICATION if one_time_code else TemplateCategory.MARKETING)


def _contents(definition: TemplateDefinition) -> Iterator[tuple[str, TemplateBodyContent | TemplateMmsContent]]:
    body = definition.body
    named = {
        "multiChannel": body.multi_channel,
        "sms": body.sms,
        "whatsapp": body.whatsapp,
        "rcs": body.rcs,
        "mms": body.mms,
    }
    for name, content in named.items():
        if content:
            yield name, content


def _check_text(path: str, text: str, variables: Variables, most: int, problems: Problems) -> None:
    problems.expect_text(text, f"{path}.template", most=most)
    known: set[int] = set()
    for number, variable in enumerate(variables or ()):
        known.add(variable.id if isinstance(variable.id, int) else 0)
        if isinstance(variable.name, str):
            rule = "Must begin with a letter and hold letters, digits and underscores only"
            problems.expect(bool(_NAME.fullmatch(variable.name)), f"{path}.variables[{number}].name", rule)
    for index in sorted({int(index) for index in PLACEHOLDER.findall(text)} - known):
        problems.add(f"{path}.template", f"Placeholder {index} has no variable with that id")


def _check_authentication(definition: TemplateDefinition, category: str, problems: Problems) -> None:
    config = definition.authentication_config
    if not config:
        return
    path = "definition.authenticationConfig"
    problems.expect(category == TemplateCategory.AUTHENTICATION, path, "Only for the category AUTHENTICATION")
    minutes = config.code_expiration_minutes
    if isinstance(minutes, int):
        problems.expect(1 <= minutes <= 90, f"{path}.codeExpirationMinutes", "Must be between 1 and 90")
