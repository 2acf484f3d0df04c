"""The fragment's schemas said again, in the form that gives the Structs we want.

The generator reads the same schema differently from what a client needs: an optional response
member should read ``None``, a request member not given must stay apart from null, and what is sent
and what is received belong in two modules. So each component gets a module by its use
(``enums.X``, ``requests.X``, ``responses.X``) and each member is rewritten for its direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codegen.fragment.endpoints import Endpoint
from codegen.fragment.rules import form_schemas
from codegen.openapi.nodes import (
    LIMITS,
    SCHEMAS,
    Node,
    SpecError,
    is_envelope,
    is_node,
    schema_closure,
    schema_names,
    split_null,
)

TIMESTAMP: Final = "sent_async.structs.Timestamp"
# By format. Names of our own, because a member may well be called ``date``.
_TIMES: Final = {
    "date-time": TIMESTAMP,
    "date": "sent_async.structs.Date",
    "time": "sent_async.structs.Time",
    "duration": "sent_async.structs.Duration",
}
SECRET: Final = "sent_async.structs.Secret"  # noqa: S105 (a type)
SECRET_MAP: Final = "sent_async.structs.SecretMap"  # noqa: S105 (a type)


def normalise(document: Node, endpoints: Sequence[Endpoint]) -> Node:
    """An OpenAPI document with the components only, named by module and written by direction."""
    return _written(document, assign_modules(document, endpoints))


def normalise_events(document: Node, others: Node) -> Node:
    """The same for what is posted to webhook endpoints. It is received, and stands in a module of its own.

    An enumeration that is among ``others`` too, the schemas of the API, is one class for both.
    """
    schemas: Node = document["components"]["schemas"]
    used = schema_closure(document, (name for name in schemas if name not in others))
    return _written(
        document,
        {
            name: "enums" if "enum" in schema and name in others else "events"
            for name, schema in schemas.items()
            if name in used and not is_envelope(name)
        },
    )


def _written(document: Node, modules: dict[str, str]) -> Node:
    schemas: Node = document.get("components", {}).get("schemas", {})
    written: Node = {}
    for name, module in modules.items():
        if "enum" in schemas[name]:
            written[f"{module}.{name}"] = enum_schema(schemas[name])
        else:
            written[f"{module}.{name}"] = object_schema(schemas[name], module, name, modules)
    return {
        "openapi": document["openapi"],
        "info": {"title": document["info"]["title"], "version": document["info"]["version"]},
        "paths": {},
        "components": {"schemas": written},
    }


def assign_modules(document: Node, endpoints: Sequence[Endpoint]) -> dict[str, str]:
    """Component name to the module it is written in. Envelopes have none: they are never classes."""
    schemas: Node = document.get("components", {}).get("schemas", {})
    envelopes = {name for name in schemas if is_envelope(name)}
    sent = schema_closure(document, (endpoint.body for endpoint in endpoints if endpoint.body))
    received = schema_closure(document, (name for one in endpoints if one.data for name in one.data.classes))
    received |= schema_closure(document, (name for one in envelopes for name in schema_names(schemas[one])))
    forms = form_schemas(document)
    modules: dict[str, str] = {}
    for name, schema in schemas.items():
        if "enum" in schema:
            modules[name] = "enums"
        elif name in envelopes or name in forms:
            continue
        elif name in sent and name in received:
            # One class cannot be both frozen with None and open with UNSET.
            raise SpecError(SCHEMAS + name, "is sent and received; make it two components")
        elif name in sent or name in received:
            modules[name] = "requests" if name in sent else "responses"
        else:
            raise SpecError(SCHEMAS + name, "no request and no response uses it")
    return modules


def enum_schema(schema: Node) -> Node:
    """A string enum as it is, without its extensions but for the names and the texts of its members."""
    kept = ("type", "enum", "x-enum-varnames", "x-enum-descriptions")
    return {key: schema[key] for key in kept if key in schema} | _description(schema)


def object_schema(schema: Node, module: str, name: str, modules: dict[str, str]) -> Node:
    """An object with every member rewritten for its direction."""
    required = schema.get("required", [])
    member = request_member if module == "requests" else response_member
    base = {"x-python-base": schema["x-python-base"]} if "x-python-base" in schema else {}
    return {
        "type": "object",
        **base,
        **_description(schema),
        "required": [key for key in schema["properties"] if key in required],
        "properties": {
            key: member(f"{SCHEMAS}{name}/properties/{key}", value, key in required, modules)
            for key, value in schema["properties"].items()
        },
    }


def response_member(place: str, schema: Node, required: bool, modules: dict[str, str]) -> Node:
    """Optional: absent and null both read ``None``. Required: as it is, without a default."""
    value, _ = split_null(place, schema)
    if required:
        return _either(place, schema, modules, sent=False) | _description(schema)
    # ``nullable`` is the 3.0 keyword, and the one spelling that the generator turns into ``= None``.
    return _value(place, value, modules, sent=False) | {"nullable": True} | _description(schema)


def request_member(place: str, schema: Node, _required: bool, modules: dict[str, str]) -> Node:
    """Absent, null and a value stay three things. No defaults: the server has its own."""
    described = _description(schema)
    enums = sorted(name for name in schema_names(schema) if modules[name] == "enums")
    if enums:
        text = f"{described.get('description', '')} One of `{'`, `'.join(enums)}`."
        described = {"description": text.strip()}
    return _either(place, schema, modules, sent=True) | described


def is_secret(schema: Node) -> bool:
    """Whether a member must not be shown: a credential, a message text, a phone number."""
    return schema.get("format") == "password" or bool(schema.get("x-secret") or schema.get("x-sensitive"))


def _either(place: str, schema: Node, modules: dict[str, str], *, sent: bool) -> Node:
    """A value, or null where the fragment allows it."""
    value, nullable = split_null(place, schema)
    written = _value(place, value, modules, sent=sent)
    # Not a type array: beside one, the generator drops ``x-python-type``.
    return {"anyOf": [written, {"type": "null"}]} if nullable else written


def _value(place: str, value: Node, modules: dict[str, str], *, sent: bool) -> Node:
    """A value that is not null: a reference, a list, a map or a scalar."""
    if isinstance(ref := value.get("$ref"), str):
        name = ref.removeprefix(SCHEMAS)
        # A caller may write "MARKETING" as well as the member, so what is sent is any string.
        sent_enum = sent and modules[name] == "enums"
        return {"type": "string"} if sent_enum else {"$ref": f"{SCHEMAS}{modules[name]}.{name}"}
    written: Node = {key: value[key] for key in ("type", "format", *LIMITS) if key in value}
    if written.get("format") in ("binary", "byte"):
        del written["format"]  # in JSON it is text, whatever it encodes
    if value["type"] == "array":
        written["items"] = _either(f"{place}/items", value["items"], modules, sent=sent)
    elif value["type"] == "object":
        inner = value["additionalProperties"]
        written["additionalProperties"] = _either(f"{place}/*", inner, modules, sent=sent) if is_node(inner) else inner
    python_type = _python_type(value, sent=sent)
    return written | ({"x-python-type": python_type} if python_type else {})


def _python_type(value: Node, *, sent: bool) -> str | None:
    """The type that the generator would not choose by itself."""
    if is_secret(value):
        return SECRET_MAP if value.get("type") == "object" else SECRET
    if value.get("format") in _TIMES:
        return _TIMES[value["format"]]
    # Covariant and read-only: a list of one kind of button is a Sequence of buttons.
    return {"array": "Sequence", "object": "Mapping"}.get(str(value["type"])) if sent else None


def _description(schema: Node) -> Node:
    """The description, which also says what the generator would not: that a thing is deprecated."""
    text = str(schema.get("description", "")).strip()
    if schema.get("deprecated"):
        text = f"Deprecated. {text}".strip()
    return {"description": text} if text else {}
