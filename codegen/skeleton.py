"""A method for an operation that has none yet, ready to be pasted into its resource."""

from __future__ import annotations

import re

from codegen.document import Node, OperationRow, snake
from codegen.models import docstring


def skeleton(row: OperationRow, document: Node) -> str:
    """Where to paste, what to import, and the method."""
    place = resource(row, document)
    names = [f"{row.body}Fields"] if row.body else []
    models = sorted({name for name in (row.body, row.data) if name})
    lines = [f"# {row.name}: {row.method} {row.path}", f"# into sent_async/resources/{place}.py, which needs:"]
    if models:
        lines.append(f"#   from ..models import {', '.join(models)}")
    lines += [f"#   from ..models.fields import {name}" for name in names]
    if row.data_is_list:
        lines.append("#   import builtins")
    lines += [f"    {line}".rstrip() for line in _method(row).splitlines()]
    return "\n".join(lines) + "\n"


def resource(row: OperationRow, document: Node) -> str:
    """Name of the resource module: the operation's tag, or the second part of its path."""
    tags: list[str] = document["paths"][row.path][row.method.lower()].get("tags", [])
    parts = [part for part in row.path.split("/") if part and "{" not in part and not re.fullmatch(r"v\d+", part)]
    return snake(tags[0]) if tags else snake((parts or ["client"])[0])


def method_name(row: OperationRow) -> str:
    """``archiveProfile`` is ``archive``."""
    return snake(row.name).partition("_")[0]


def _method(row: OperationRow) -> str:
    ids = [f"{name}: str" for name in row.path_parameters]
    keywords = [f"{name}: str | int | bool | None = None" for name in row.query_parameters]
    if row.idempotency != "none":
        keywords.append("idempotency_key: str | None = None")
    fields = [f"**fields: Unpack[{row.body}Fields]"] if row.body else []
    arguments = ["self", *ids, *(["*"] if keywords else []), *keywords, *fields]
    passed = [
        f"operations.{snake(row.name).upper()}",
        *(f"{n}={n}" for n in (*row.path_parameters, *row.query_parameters)),
    ]
    passed += ["body=body"] if row.body else []
    passed += ["idempotency_key=idempotency_key"] if row.idempotency != "none" else []
    gives = f"builtins.list[{row.data}]" if row.data_is_list else str(row.data)
    call = f"await self._client.send({', '.join(passed)})"
    lines = [f"async def {method_name(row)}(", *(f"    {argument}," for argument in arguments), f") -> {gives}:"]
    lines.append(f"    {docstring(row.summary.rstrip('.') + '.')}")
    if row.body:
        lines.append(f"    body = {row.body}(**fields)")
    if row.data is None:
        lines.append(f"    {call}")
    else:
        lines += [f"    response = {call}", "    return response.data"]
    return "\n".join(lines)
