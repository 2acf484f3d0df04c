"""The fragment's schemas, rewritten in the form from which the generator makes the Structs that we want.

The generator reads the same schema differently from what a client needs: an optional response member should read
``None``, a request member that is not given must stay apart from null, and what is sent and what is received belong in
two modules. So each component gets a module by its use (``enums.X``, ``requests.X``, ``responses.X``), and each member
is written for its direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from codegen.fragment.endpoints import Endpoint, argument_text, value_name
from codegen.fragment.rules import form_schemas
from codegen.openapi.nodes import SCHEMAS, Node, SpecError, component, is_envelope, schema_closure
from codegen.openapi.shapes import Shape, class_shape, shape

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
_OF_ENUMS: Final = ("type", "enum", "x-enum-varnames", "x-enum-descriptions", "x-response-values")
_NULL: Final = {"type": "null"}


def normalise(document: Node, endpoints: Sequence[Endpoint]) -> Node:
    """An OpenAPI document with the components only, named by module and written by direction."""
    return _Writer(document, assign_modules(document, endpoints)).written()


def normalise_events(document: Node, others: Node) -> Node:
    """The same for what is posted to webhook endpoints. It is received, and stands in a module of its own.

    An enumeration that is among ``others`` too, the schemas of the API, is one class for both.
    """
    schemas: Node = document["components"]["schemas"]
    used = schema_closure(document, (name for name in schemas if name not in others))
    modules = {name: "events" for name in schemas if name in used and not is_envelope(name)}
    modules |= {name: "enums" for name in modules if "enum" in schemas[name] and name in others}
    modules |= {name: "unions" for name in modules if class_shape(name, document).kind == "union"}
    return _Writer(document, modules).written()


def assign_modules(document: Node, endpoints: Sequence[Endpoint]) -> dict[str, str]:
    """Component name to the module it is written in. Envelopes have none: they are never classes."""
    schemas: Node = document.get("components", {}).get("schemas", {})
    unnamed = {name for name in schemas if is_envelope(name)}.union(form_schemas(document))
    sent = schema_closure(document, (endpoint.body for endpoint in endpoints if endpoint.body))
    data = {name for endpoint in endpoints if endpoint.data for name in endpoint.data.classes}
    received = schema_closure(document, {*data, *filter(is_envelope, schemas)})
    modules: dict[str, str] = {}
    for name in (name for name in schemas if name not in unnamed):
        if "enum" in schemas[name]:
            modules[name] = "enums"
        elif name in sent and name in received:
            # One class cannot be both frozen with None and open with UNSET.
            raise SpecError(SCHEMAS + name, "is sent and received; make it two components")
        elif name not in sent | received:
            raise SpecError(SCHEMAS + name, "no request and no response uses it")
        elif class_shape(name, document).kind == "union":
            modules[name] = "unions"
        else:
            modules[name] = "requests" if name in sent else "responses"
    return modules


@dataclass(frozen=True)
class _Writer:
    document: Node
    modules: dict[str, str]

    def written(self) -> Node:
        """The whole document."""
        schemas = {
            f"{module}.{name}": self._component(name, module)
            for name, module in self.modules.items()
            if module != "unions"
        }
        return {
            "openapi": self.document["openapi"],
            "info": {"title": self.document["info"]["title"], "version": self.document["info"]["version"]},
            "paths": {},
            "components": {"schemas": schemas},
            "x-unions": {name: self._union(name) for name, module in self.modules.items() if module == "unions"},
        }

    def _union(self, name: str) -> Node:
        """The classes of a union, and the values of the member that says which of them a value is of."""
        found = class_shape(name, self.document)
        discriminator: Node = found.schema.get("discriminator", {})
        classes = {name: f"{self.modules[name]}.{name}" for name in map(component, found.branches) if name}
        mapping: Node = discriminator.get("mapping", {name: name for name in classes if discriminator})
        return {
            "classes": list(classes.values()),
            "member": discriminator.get("propertyName", ""),
            "kinds": {value: classes[ref.removeprefix(SCHEMAS)] for value, ref in mapping.items()},
            **_description(found.text),
        }

    def _component(self, name: str, module: str) -> Node:
        schema: Node = self.document["components"]["schemas"][name]
        if "enum" in schema:
            return {key: schema[key] for key in _OF_ENUMS if key in schema} | _description(schema)
        found = class_shape(name, self.document)
        properties, required = found.schema["properties"], found.schema["required"]
        return {
            "type": "object",
            **{key: schema[key] for key in ("x-python-base",) if key in schema},
            **_description(schema),
            "required": [key for key in properties if key in required],
            "properties": {
                key: self._member(f"{SCHEMAS}{name}/properties/{key}", value, module == "requests", key in required)
                for key, value in properties.items()
            },
        }

    def _member(self, place: str, schema: Node, sent: bool, required: bool) -> Node:
        found = shape(schema, self.document, place)
        if sent:
            # Absent, null and a value stay three things. No defaults: the server has its own.
            text = {**schema, "description": argument_text(self.document, schema)}
            return self._either(found, sent=True) | _description(text)
        if required:
            return self._either(found, sent=False) | _description(schema)
        # Absent and null both read ``None``. The 3.0 keyword is the one spelling that the generator turns into that.
        return self._value(found, sent=False) | {"nullable": True} | _description(schema)

    def _either(self, found: Shape, *, sent: bool) -> Node:
        """A value, or null where the fragment allows it."""
        written = self._value(found, sent=sent)
        # Not a type array: beside one, the generator drops ``x-python-type``.
        return {"anyOf": [written, _NULL]} if found.nullable else written

    def _value(self, found: Shape, *, sent: bool) -> Node:
        """A value that is not null: a class or an enum, a list, a map or a scalar."""
        if found.kind == "class":
            module = self.modules[found.name]
            if module == "unions":
                return {"type": "object", "x-python-type": f"sent_async.models.unions.{found.name}"}
            if sent and module == "enums":
                path = f"sent_async.models.enums.{value_name(found.name)}"
                return {"type": "string", "x-python-type": path, "x-enum": found.name}
            return {"$ref": f"{SCHEMAS}{module}.{found.name}"}
        written: Node = {key: found.schema[key] for key in ("type", "format") if key in found.schema}
        if written.get("format") in ("binary", "byte"):
            del written["format"]  # in JSON it is text, whatever it encodes
        inner = shape(found.inner, self.document, "") if found.inner else None
        if found.kind == "list" and inner:
            written |= {"type": "array", "items": self._either(inner, sent=sent)}
        elif found.kind == "map":
            written |= {"type": "object", "additionalProperties": self._either(inner, sent=sent) if inner else True}
        python_type = _python_type(found, sent=sent)
        return written | ({"x-python-type": python_type} if python_type else {})


def _python_type(found: Shape, *, sent: bool) -> str | None:
    """The type that the generator would not choose by itself."""
    form = found.schema.get("format")
    if form == "password" or found.extra.get("x-secret") or found.extra.get("x-sensitive"):
        return SECRET_MAP if found.kind == "map" else SECRET
    if form in _TIMES:
        return _TIMES[form]
    # Covariant and read-only: a list of one kind of button is a Sequence of buttons.
    return {"list": "Sequence", "map": "Mapping"}.get(found.kind) if sent else None


def _description(said: Node) -> Node:
    """The description, which also says what the generator would not: that a thing is deprecated."""
    text = str(said.get("description", "")).strip()
    if said.get("deprecated"):
        text = f"Deprecated. {text}".strip()
    return {"description": text} if text else {}
