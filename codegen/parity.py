"""Whether the hand-written methods and the operations are the same set, found out by calling them.

Every method of every resource is called, with an argument for everything that it takes, against a server on this
machine that answers by the fragment. What arrived there is compared with the fragment: nothing of ours is trusted.
"""

from __future__ import annotations

import asyncio
import enum
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from codegen import sample
from codegen.document import SCHEMAS, Node, OperationRow, is_list, is_node, split_null
from codegen.loopback import Loopback, Received, serve

KEY = "parity-key"


@dataclass
class Parity:
    """What does not agree. ``missing`` are the operations without a method."""

    methods: dict[str, str] = field(default_factory=dict[str, str])
    """Method to the operation that it calls."""
    problems: list[str] = field(default_factory=list[str])
    missing: list[OperationRow] = field(default_factory=list[OperationRow])

    @property
    def agrees(self) -> bool:
        """Whether there is nothing left to do by hand."""
        return not self.problems and not self.missing


def check_parity(root: Path, document: Node) -> Parity:
    """Call every method of the package below ``root``."""
    sys.path.insert(0, str(root))
    try:
        return asyncio.run(_check(document))
    finally:
        sys.path.remove(str(root))


async def _check(document: Node) -> Parity:
    from sent_async import SentClient

    parity = Parity()
    async with serve(document) as loopback:
        async with SentClient("parity", base_url=loopback.url, max_retries=0, pacing=False, trust_env=False) as sent:
            for name, method in resource_methods(sent):
                await _check_method(name, method, loopback, parity)
    for _, row in loopback.rows:
        callers = [name for name, operation in parity.methods.items() if operation == row.name]
        if not callers:
            parity.missing.append(row)
        elif len(callers) > 1:
            parity.problems.append(f"{row.name} has {len(callers)} methods: {', '.join(callers)}")
    return parity


def resource_methods(holder: object, prefix: str = "") -> list[tuple[str, Callable[..., Any]]]:
    """Every public method of the resources of a client that makes one call, with its dotted name."""
    found: list[tuple[str, Callable[..., Any]]] = []
    members: Node = vars(holder)
    for name, value in members.items():
        if name.startswith("_") or not type(value).__module__.startswith("sent_async.resources."):
            continue
        here = f"{prefix}{name}."
        for key, function in inspect.getmembers(cast("Any", type(value)), inspect.isfunction):
            returned = hints_of(function).get("return") if not key.startswith("_") else None
            # A batch is many calls of another method.
            if not key.startswith("_") and getattr(typing.get_origin(returned), "__name__", "") != "Batch":
                found.append((f"{here}{key}", getattr(value, key)))
        found += resource_methods(value, here)
    return found


async def _check_method(name: str, method: Callable[..., Any], loopback: Loopback, parity: Parity) -> None:
    loopback.requests.clear()
    arguments = sample_arguments(method)
    result: Any = None
    problems: list[str] = []
    try:
        called: Any = method(**arguments)
        if hasattr(called, "__aiter__"):
            async for item in called:
                result = [*(result or []), item]
        else:
            result = await called
    except Exception as error:  # noqa: BLE001 (whatever it is, it is this method's problem)
        problems.append(f"raised {type(error).__name__}: {error}")
    received = list(loopback.requests)
    row = loopback.find(received[0].method, received[0].path) if received else None
    if row is None:
        called_place = f"{received[0].method} {received[0].path}, which is no operation" if received else "nothing"
        parity.problems.append(f"{name} called {called_place}")
        return
    parity.methods[name] = row.name
    said = "" if problems else _answer_problem(row, method, result, loopback.schemas)
    problems += [*_request_problems(row, received, arguments, loopback.schemas), *([said] if said else [])]
    parity.problems += [f"{name} ({row.name}): {problem}" for problem in problems]


def _request_problems(row: OperationRow, received: list[Received], arguments: Node, schemas: Node) -> list[str]:
    problems: list[str] = []
    path = row.path
    for python, wire in row.path_parameters.items():
        path = path.replace(f"{{{wire}}}", str(arguments.get(python, f"<no argument {python}>")))
    first = received[0]
    if first.path != path:
        problems.append(f"path {first.path}, expected {path}")
    query = {wire for request in received for wire in request.query}
    problems += _differences("query parameter", query, set(row.query_parameters.values()))
    if row.body is not None:
        problems += _body_problems(first.body, {"$ref": SCHEMAS + row.body}, schemas, "body")
    elif first.body is not None:
        problems.append("sends a body, and the operation has none")
    keyed = first.headers.get("Idempotency-Key") == KEY
    if keyed != (row.idempotency != "none"):
        problems.append(
            "does not pass idempotency_key on" if not keyed else "sends a key that the operation does not take"
        )
    return problems


def _body_problems(body: object, schema: Node, schemas: Node, place: str) -> list[str]:
    """Members that are missing on the wire, or unknown there, all the way down."""
    core, _ = split_null(place, schema)
    if isinstance(ref := core.get("$ref"), str):
        members: Node | None = schemas[ref.removeprefix(SCHEMAS)].get("properties")
        if members is None:
            return []
        if not is_node(body):
            return [f"{place} is no object"]
        problems = _differences(f"{place} member", set(body), set(members))
        for key in members.keys() & body.keys():
            problems += _body_problems(body[key], members[key], schemas, f"{place}.{key}")
        return problems
    if core.get("type") == "array" and is_list(body):
        return [problem for item in body for problem in _body_problems(item, core["items"], schemas, f"{place}[]")]
    return []


def _differences(what: str, got: set[str], wanted: set[str]) -> list[str]:
    return [
        *(f"{what} {name!r} cannot be given" for name in sorted(wanted - got)),
        *(f"{what} {name!r} is not in the description" for name in sorted(got - wanted)),
    ]


def _answer_problem(row: OperationRow, method: Callable[..., Any], result: Any, schemas: Node) -> str:
    """Whether what came back, and what the method says comes back, is what the operation gives."""
    hint: Any = hints_of(method)["return"]
    said: Any = (typing.get_args(hint) or (hint,))[0]
    got: Any = result[0] if is_list(result) and result else result
    wanted = (sample.item_class(row, schemas) if is_list(result) else row.data) or "NoneType"
    if {type(got).__name__, said.__name__} == {wanted}:
        return ""
    return f"gives {type(got).__name__} and says that it gives {said.__name__}; expected {wanted}"


def hints_of(method: Callable[..., Any]) -> Node:
    """The types of a method. What its module imports for type checkers alone is found in the models."""
    from sent_async import SentClient, models
    from sent_async.models import fields

    return typing.get_type_hints(method, localns={**vars(models), **vars(fields), "SentClient": SentClient})


def sample_arguments(method: Callable[..., Any]) -> Node:
    """An argument for everything that a method takes."""
    hints = hints_of(method)
    arguments: Node = {}
    for name, parameter in inspect.signature(method).parameters.items():
        hint = hints[name]
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            fields = typing.get_type_hints(typing.get_args(hint)[0])
            arguments |= {key: sample_argument(kind) for key, kind in fields.items()}
        elif name == "idempotency_key":
            arguments[name] = KEY
        else:
            arguments[name] = f"the-{name}" if hint is str else sample_argument(hint)
    return arguments


def sample_argument(hint: Any) -> Any:
    """A value of a type that a request can have, with every member."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return sample_argument(next(kind for kind in inner if kind is not type(None) and kind.__name__ != "UnsetType"))
    if origin in (Sequence, list):
        return [sample_argument(inner[0])]
    if origin in (Mapping, dict):
        return {"key": sample_argument(inner[1])}
    if hasattr(hint, "__struct_fields__"):
        fields = typing.get_type_hints(hint)
        return hint(**{name: sample_argument(kind) for name, kind in fields.items()})
    if issubclass(hint, enum.Enum):
        return next(iter(hint))
    plain: dict[Any, Any] = {str: "text", bool: True, int: 1, float: 1.5, datetime: datetime(2026, 3, 31, tzinfo=UTC)}
    return plain[hint]
