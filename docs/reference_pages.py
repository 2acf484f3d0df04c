"""Pages that follow from the code: one for each resource of the API, the error codes, operations and decisions.

A hook of mkdocs. The fragment in ``openapi/`` has a file for each resource, which says what belongs on its page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from sent_async import ErrorCode, Operation, models, operations
from sent_async.models import events

OPENAPI = Path(__file__).parents[1] / "openapi"
GUIDES = {
    "messages": "[Sending messages](../guide/sending.md) and [Following messages](../guide/following-messages.md)",
    "contacts": "[Contacts and consent](../guide/contacts-and-consent.md)",
    "profiles": "[Profiles and templates](../guide/profiles-and-templates.md)",
    "sender_profiles": "[Profiles and templates](../guide/profiles-and-templates.md#sender-profiles)",
    "templates": "[Profiles and templates](../guide/profiles-and-templates.md)",
    "webhooks": "[Webhooks](../guide/webhooks.md)",
}
BESIDE = {"messages": ["sent_async.following.wait_for_message"]}
"""What belongs to a resource and is written by hand."""
KINDS = {"responses": "Responses", "requests": "Requests", "unions": "Choices", "events": "Payloads"}

Schemas = Mapping[str, Mapping[str, Any]]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those that are files in docs/."""
    resources = list(yaml.safe_load((OPENAPI / "sent-v3.yaml").read_text(encoding="utf-8"))["x-resources"])
    schemas: dict[str, dict[str, Any]] = {}
    for path in sorted(OPENAPI.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        found = re.search(r"^ +x-resource: (\w+)", text, re.MULTILINE)
        components = yaml.safe_load(text).get("components", {})
        schemas.setdefault(found[1] if found else path.stem, {}).update(components.get("schemas", {}))
    pages = {name: resource_page(name, resources, schemas[name]) for name in resources if "." not in name}
    pages["error_codes"] = error_codes(schemas["common"].pop("ErrorCode"))
    shared = "`Secret` is a `str` that no `repr` shows, `Timestamp` a `datetime` with a time zone."
    pages["shared_models"] = page("Shared models", [shared], schemas["common"])
    pages["event_payloads"] = page("Event payloads", ["What webhook events carry."], schemas["events"])
    pages["operations"] = operation_table()
    shown = {name for found in schemas.values() for name in found} | {"ErrorCode"}
    if lost := {name for name in models.__all__ if name.removesuffix("Value") not in shown}:
        raise PluginError(f"on no page of the reference: {', '.join(sorted(lost))}")
    for name, text in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    files.append(File.generated(config, "decisions/index.md", content=decisions()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Add a link to the list of decisions to each of them, because the menu has only the list."""
    return f"{markdown}\n\n[All decisions](index.md)\n" if page.file.src_uri.startswith("decisions/0") else markdown


def resource_page(resource: str, resources: list[str], schemas: Schemas) -> str:
    """The methods of a resource and of what is nested in it, then its models."""
    parts = [f"In the guide: {GUIDES[resource]}."] if resource in GUIDES else []
    for name in resources:
        if name.split(".")[0] == resource:
            path = f"sent_async.resources.{resource}"
            title = "".join(word.capitalize() for word in re.split(r"[._]", name))
            cls: type = getattr(import_module(path), title)
            methods = [key for key in vars(cls) if not key.startswith("_")]
            options = f"heading: sent.{name}, toc_label: sent.{name}, merge_init_into_class: false, members: {methods}"
            parts.append(f"::: {path}.{title}\n    options: {{ {options} }}")
    parts += [f"::: {path}" for path in BESIDE.get(resource, ())]
    return page(resource.replace("_", " ").capitalize(), parts, schemas)


def page(title: str, parts: list[str], schemas: Schemas) -> str:
    """What was written, then the classes of the schemas: models by their use, enumerations last."""
    sections: dict[str, list[str]] = {**{kind: [] for kind in KINDS.values()}, "Values": []}
    for name, schema in sorted(schemas.items()):
        cls = getattr(models, name, None) or getattr(events, name, None)
        if cls is None:
            continue  # an envelope, or a form: they have no class
        if "enum" in schema:
            sections["Values"].append(values(cls, schema))
        else:
            kind = cls.__module__.rpartition(".")[2]
            options = "{ heading_level: 3, show_bases: false, members: false, merge_init_into_class: false }"
            sections[KINDS[kind]].append(f"::: {cls.__module__}.{name}\n    options: {options}")
    for section, found in sections.items():
        parts = [*parts, f"## {section}", *found] if found else parts
    return "\n\n".join([f"# {title}", *parts]) + "\n"


def values(cls: Any, schema: Mapping[str, Any]) -> str:
    """An enumeration as a table."""
    texts = schema.get("x-enum-descriptions")
    head = ["Name", "Value", *(["Meaning"] if texts else [])]
    rows = [[f"`{name}`", f"`{member}`"] for name, member in cls.__members__.items()]
    for row, text in zip(rows, texts or (), strict=bool(texts)):
        row.append(text)
    anchor = f"{cls.__module__}.{cls.__qualname__}"
    parts = [f"### {cls.__name__} {{ #{anchor} }}", schema.get("description", ""), table(head, rows)]
    if (argument := f"{cls.__name__}Value") in models.__all__:
        # Signatures name the type of the argument, and link to this anchor.
        parts.append(f"[](){{ #{anchor}Value }}Arguments take a value as text, or a member: `{argument}`.")
    return "\n\n".join(parts)


def error_codes(schema: Mapping[str, Any]) -> str:
    """The catalogue, with the status and the meaning of each code."""
    rows = [
        [f"<code>{code.name.replace('_', '_<wbr>')}</code>", f"`{code}`", str(operations.ERROR_STATUS[code]), text]
        for code, text in zip(ErrorCode, schema["x-enum-descriptions"], strict=True)
    ]
    return f"""# Error codes {{ #sent_async.models.enums.ErrorCode }}

Members of `sent_async.ErrorCode`. A `SentAPIError` has the code as `error.code`, a message that was not sent as
`reason_code`. What to do about an error: [Errors](../guide/errors.md) in the guide.

{schema["description"]}

{table(["Name", "Code", "Status", "Meaning"], rows)}
"""


def operation_table() -> str:
    """What ``SentClient.send`` takes."""
    rows = [
        [f"`{name}`", f"`{operation.method} {operation.path}`", operation.rate_tier]
        for name, operation in vars(operations).items()
        if isinstance(operation, Operation)
    ]
    return f"""# Operations

Members of `sent_async.operations`, for `SentClient.send`. Each typed method sends one of them.

{table(["Name", "Endpoint", "Rate limit"], rows)}
"""


def decisions() -> str:
    """The list of the decisions, by their titles."""
    lines = ["# Decisions", "", "Choices that somebody will question, each with its reasons.", ""]
    for path in sorted((OPENAPI.parent / "docs/decisions").glob("*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        number, _, text = title.partition(". ")
        lines.append(f"{number}. [{text}]({path.name})")
    return "\n".join(lines)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
