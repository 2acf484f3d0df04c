"""The text of ``sent_async/operations.py``: one constant per operation, and the error catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codegen.fragment.endpoints import Endpoint, Parameter
from codegen.generate.models import docstring
from codegen.openapi.nodes import Node

PATH: Final = "sent_async/operations.py"

_ALL: Final = '"""Every operation, in the order of the API description."""'
_ERROR_STATUS: Final = '"""HTTP status of each error code of the catalogue."""'
_PREFIX_STATUS: Final = '"""HTTP status of an error code that the catalogue does not have, by its prefix."""'


def operations_text(document: Node, endpoints: Sequence[Endpoint]) -> str:
    """The module's source, not yet formatted. Constants stand in document order."""
    used = {endpoint.body for endpoint in endpoints if endpoint.body}
    used |= {name for endpoint in endpoints if endpoint.data for name in endpoint.data.classes}
    codes: Node = document.get("components", {}).get("schemas", {}).get("ErrorCode", {})
    constants = [endpoint.constant for endpoint in endpoints]
    parts = [
        '"""What the API offers: one value per operation, for ``SentClient.send``."""',
        "from __future__ import annotations",
        "from typing import Any, cast",
        f"from sent_async.models import {', '.join(sorted(used))}" if used else "",
        "from sent_async.operation import Operation",
        f"__all__ = {sorted([*constants, 'ALL', 'ERROR_STATUS', 'PREFIX_STATUS'])!r}",
        *(_constant(endpoint) for endpoint in endpoints),
        f"ALL: tuple[Operation[Any], ...] = ({''.join(f'{name}, ' for name in constants)})\n{_ALL}",
        f"ERROR_STATUS: dict[str, int] = {codes.get('x-http-status', {})!r}\n{_ERROR_STATUS}",
        f"PREFIX_STATUS: dict[str, int] = {codes.get('x-prefix-http-status', {})!r}\n{_PREFIX_STATUS}",
    ]
    return "\n\n".join(parts)


def _constant(endpoint: Endpoint) -> str:
    response = endpoint.data.type if endpoint.data else "None"
    given = f'cast("type[Any]", {response})' if endpoint.data and endpoint.data.is_union else response
    arguments = [repr(endpoint.name), repr(endpoint.method), repr(endpoint.path), f"response={given}"]
    if endpoint.path_parameters:
        arguments.append(f"path_parameters={_names(endpoint.path_parameters)!r}")
    if endpoint.query_parameters:
        arguments.append(f"query_parameters={_names(endpoint.query_parameters)!r}")
    if lists := tuple(parameter.name for parameter in endpoint.query_parameters if parameter.is_list):
        arguments.append(f"query_lists={lists!r}")
    if endpoint.body:
        arguments.append(f"body={endpoint.body}")
    tier, idempotency = endpoint.node["x-rate-tier"], endpoint.node["x-idempotency"]
    arguments += [f"rate_tier={tier!r}", f"idempotency={idempotency!r}"]
    call = "".join(f"{argument}, " for argument in arguments)
    return f"{endpoint.constant}: Operation[{response}] = Operation({call})\n{docstring(endpoint.summary)}"


def _names(parameters: Sequence[Parameter]) -> dict[str, str]:
    """Python name to wire name."""
    return {parameter.name: parameter.wire for parameter in parameters}
