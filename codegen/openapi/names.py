"""Names of the wire as names in Python."""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword
from typing import Final

from codegen.openapi.nodes import Node, SpecError

_TAKEN: Final = (
    # Every method or every model has one of its own.
    *("self", "idempotency_key", "to_dict", "to_json", "from_json"),
    *("bool", "bytes", "dict", "field", "float", "int", "list", "str"),  # what generated annotations mention
)
_NAMESPACES: Final = (
    *("POCOs", "Contracts", "Models", "DTOs", "Dtos"),
    *("Responses", "Requests", "CustomerAPIv3", "Common"),
)


def snake(name: str) -> str:
    """A name in camelCase in snake_case: ``profileId`` is ``profile_id``."""
    words = re.sub(r"([A-Z]+)([A-Z][a-z])|([a-z0-9])([A-Z])", r"\1\3_\2\4", name)
    return re.sub(r"\W", "_", words).lower()


def camel(wire: str) -> str:
    """A name as a part of a class name: ``from_number`` and ``fromNumber`` are ``FromNumber``."""
    return "".join(word[:1].upper() + word[1:] for word in snake(wire).split("_"))


def python_name(wire: str) -> str:
    """The name of a member or a parameter in Python: in snake case, with an underscore after a name that is taken."""
    name = snake(wire).lstrip("_")
    if not name.isidentifier() and not iskeyword(name):
        name = f"field_{name}"
    return f"{name}_" if iskeyword(name) or name in _TAKEN else name


def parameter_name(parameter: Node) -> str:
    """The keyword of a parameter in Python."""
    return str(parameter.get("x-python-name", python_name(parameter["name"])))


def check_unique(place: str, named: Iterable[tuple[str, str]]) -> None:
    """Refuse two things with one name.

    Args:
        place: Where they are, for the message.
        named: What each is, and its name in Python.
    """
    taken: dict[str, str] = {}
    for what, name in named:
        if name in taken:
            raise SpecError(place, f"{taken[name]} and {what} are both {name!r} in Python; rename one (x-python-name)")
        taken[name] = what


def singular(name: str) -> str:
    """The name of one item of a list; words that only look like a plural (``sms``, ``rcs``, ``status``) stay."""
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    return name[:-1] if re.search(r"[^acimsu]s$", name) and len(name) > 3 else name


def without_namespace(name: str) -> str:
    """The end of a name of the vendor's, such as ``SentDmServicesCommonContractsPOCOsTemplateDefinition``."""
    if name.startswith("SentDm"):
        for prefix in _NAMESPACES:
            if name.rpartition(prefix)[2][:1].isupper():
                name = name.rpartition(prefix)[2]
    return name
