"""The text of ``sent_async/operations.py``: one constant per operation, and the error catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codegen.document import Node, OperationRow, snake
from codegen.models import docstring

PATH: Final = "sent_async/operations.py"

_ALL: Final = '"""Every operation, in the order of the API description."""'
_ERROR_STATUS: Final = '"""HTTP status of each error code of the catalogue."""'


def operations_text(document: Node, operations: Sequence[OperationRow], header: str) -> str:
    """The module's source, not yet formatted. Constants stand in document order."""
    used = {name for row in operations for name in (row.body, row.data) if name}
    constants = [snake(row.name).upper() for row in operations]
    models = f"from sent_async.models import {', '.join(sorted(used))}\n" if used else ""
    imports = f"from typing import Any\n\n{models}from sent_async.operation import Operation"
    parts = [
        '"""What the API offers: one value per operation, for ``SentClient.send``."""',
        "from __future__ import annotations",
        imports,
        f"__all__ = {sorted([*constants, 'ALL', 'ERROR_STATUS'])!r}",
        *(_constant(row) for row in operations),
        f"ALL: tuple[Operation[Any], ...] = ({''.join(f'{name}, ' for name in constants)})\n{_ALL}",
        f"ERROR_STATUS: dict[str, int] = {error_status(document)!r}\n{_ERROR_STATUS}",
    ]
    return header + "\n" + "\n\n".join(parts) + "\n"


def error_status(document: Node) -> dict[str, int]:
    """Error code to HTTP status, from ``ErrorCode``'s ``x-http-status``, in the enum's order."""
    codes = document.get("components", {}).get("schemas", {}).get("ErrorCode", {})
    statuses: dict[str, int] = codes.get("x-http-status", {})
    return {code: statuses[code] for code in codes.get("enum", ()) if code in statuses}


def _constant(row: OperationRow) -> str:
    response = f"list[{row.data}]" if row.data_is_list else str(row.data)
    arguments = [repr(row.name), repr(row.method), repr(row.path), f"response={response}"]
    if row.path_parameters:
        arguments.append(f"path_parameters={row.path_parameters!r}")
    if row.query_parameters:
        arguments.append(f"query_parameters={row.query_parameters!r}")
    if row.body:
        arguments.append(f"body={row.body}")
    arguments += [
        f"rate_tier={row.rate_tier!r}",
        f"idempotency={row.idempotency!r}",
    ]
    call = "".join(f"{argument}, " for argument in arguments)
    text = f"Deprecated. {row.summary}" if row.deprecated else row.summary
    name = snake(row.name).upper()
    return f"{name}: Operation[{response}] = Operation({call})\n{docstring(text.strip())}"
