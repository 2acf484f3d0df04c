"""``sent-async webhooks listen``: a receiver for a terminal."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
import typer

from .. import SentConfigError
from ..structs import Model
from .arguments import AsJSON
from .output import clean, say, write, write_json
from .session import Ending, run_without_client

if TYPE_CHECKING:
    from ..webhooks import Event


def listen(
    context: typer.Context,
    secret: Annotated[
        str,
        typer.Option(
            envvar="SENT_WEBHOOK_SECRET",
            metavar="WHSEC",
            help="The endpoint's signing secret. Better in the variable: other users of a machine can read arguments.",
        ),
    ],
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", help="Port to listen on; 0 is a free one.", min=0, max=65535)
    ] = 4011,
    show_content: Annotated[
        bool, typer.Option("--show-content", help="Show phone numbers and texts too, instead of ***.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Receive webhooks on this computer.

    Prints each verified event on a line. What is not signed with the secret is refused. Ctrl-C ends it.

    Sent must be able to reach it, so give Sent the address of a tunnel to this port.
    """

    async def work() -> Ending:
        from aiohttp import web

        from ..webhooks import WebhookReceiver

        in_url = f"[{host}]" if ":" in host else host
        receiver = WebhookReceiver(secret.split())
        reader_gone: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

        async def on_event(event: Event) -> None:
            try:
                _write(event, show_content=show_content, as_json=as_json)
            except BrokenPipeError as error:
                with suppress(asyncio.InvalidStateError):  # the result is set already
                    reader_gone.set_exception(error)

        application = web.Application()
        application.router.add_route("*", "/{path:.*}", receiver.aiohttp_handler(on_event))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise SentConfigError(f"cannot listen on {in_url}:{port}: {error.strerror or error}") from None
            say(f"listening on http://{in_url}:{runner.addresses[0][1]}/; Ctrl-C ends it")
            return await reader_gone
        finally:
            await runner.cleanup()

    run_without_client(context, work)


def _write(event: Event, *, show_content: bool, as_json: bool) -> None:
    plain = _plain(event, show_content)
    if as_json:
        write_json(plain)
        return
    payload = plain["payload"]
    told = cast("dict[str, object]", payload if isinstance(payload, dict) else {"payload": payload})
    members = " ".join(f"{name}={_value(value)}" for name, value in told.items())
    write(clean(f"{plain.get('timestamp', '-')} {event.name} {members}"))


def _plain(value: object, show_content: bool) -> Any:
    """The members that have a value, by the API's names. What a model's ``repr`` masks is masked here too."""
    if isinstance(value, Model):
        struct: Any = value
        wire = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
        return {
            wire[name]: _plain(getattr(value, name) if show_content else masked, show_content)
            for name, masked in value.__rich_repr__()
        }
    if isinstance(value, list):
        return [_plain(item, show_content) for item in cast("list[object]", value)]
    return msgspec.to_builtins(value)


def _value(value: object) -> str:
    """One word as plain text, anything else as JSON."""
    if isinstance(value, str) and value and not any(character.isspace() or character == '"' for character in value):
        return value
    return msgspec.json.encode(value).decode()
