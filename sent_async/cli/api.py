"""``sent-async api``: any endpoint."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any, cast
from urllib.parse import parse_qsl, quote

import typer

from .. import Operation, SentAPIError, SentClient
from .arguments import IdempotencyKey, completes, pairs, read_json
from .output import clean, write, write_json
from .session import run

_IN_A_PATH = "/%:@!$&'()*+,;=~"


def api(
    context: typer.Context,
    method: Annotated[
        str, typer.Argument(metavar="METHOD", autocompletion=completes("GET", "POST", "PUT", "PATCH", "DELETE"))
    ],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Such as /v3/me.")],
    data: Annotated[
        str | None, typer.Option("-d", "--data", metavar="JSON|@FILE|-", help="The body; - reads it from stdin.")
    ] = None,
    query: Annotated[
        list[str] | None, typer.Option("-q", "--query", metavar="NAME=VALUE", help="A parameter of the query.")
    ] = None,
    include: Annotated[bool, typer.Option("-i", "--include", help="Print status and headers first.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Call any endpoint.

    Prints the data of the response as JSON. It has the key, the retries and the errors of all other commands.
    """
    path, _, in_path = path.partition("?")
    if "{" in path:
        raise typer.BadParameter("put an id in the place of what stands in {}")
    parameters = [*parse_qsl(in_path, keep_blank_values=True), *pairs(query or ())]
    anything: type[object] = cast("Any", Any)  # not a dict: it may be a list
    operation = Operation(
        "api",
        method,
        "/" + quote(path.lstrip("/"), safe=_IN_A_PATH),
        response=anything,
        query_parameters={f"parameter{number}": name for number, (name, _) in enumerate(parameters)},
    )
    values = {f"parameter{number}": value for number, (_, value) in enumerate(parameters)}
    body = None if data is None else read_json(data)

    async def work(sent: SentClient) -> None:
        try:
            response = await sent.send(operation, body=body, idempotency_key=idempotency_key, **values)
        except SentAPIError as error:
            if include:
                _write_head(error.status, error.headers)
            raise
        if include:
            _write_head(response.status, response.headers)
        if response.data is not None:
            write_json(response.data, pretty=sys.stdout.isatty())

    run(context, work)


def _write_head(status: int, headers: Mapping[str, str]) -> None:
    write(clean(f"HTTP {status}"))
    for name, value in headers.items():
        write(clean(f"{name}: {value}"))
    write("")
