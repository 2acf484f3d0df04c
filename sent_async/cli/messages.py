"""``sent-async messages``."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from .. import SentClient, wait_for_message
from ..models import MessageChannel, MessageStatus, MessageTemplate
from .arguments import AsJSON, Id, IdempotencyKey, Sandbox, completes, pairs, read
from .output import write_json, write_one
from .session import ExitCode, run, show
from .table import Table

if TYPE_CHECKING:
    from ..models.fields import MessageSendFields

app = typer.Typer(help="Messages: send, follow and cancel them.", no_args_is_help=True, rich_markup_mode=None)

_LOST = (MessageStatus.FAILED, MessageStatus.FILTERED, MessageStatus.BLOCKED, MessageStatus.CANCELLED)


@app.command("send")
def send_message(
    context: typer.Context,
    to: Annotated[list[str], typer.Argument(metavar="TO", help="Phone numbers, such as +14155551234.")],
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="Free text to send; - reads it from stdin.")] = None,
    template: Annotated[str | None, typer.Option(metavar="NAME|ID", help="The template to send.")] = None,
    parameters: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A variable of the template.")
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL",
            help="sms, whatsapp, rcs or mms; without it Sent chooses. "
            "Several are a broadcast: each is a message of its own, and billed.",
            autocompletion=completes("sms", "whatsapp", "rcs", "mms"),
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When to send, such as 2026-12-01T10:00:00+02:00.")
    ] = None,
    sandbox: Sandbox = False,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJSON = False,
) -> None:
    """Send a template or a free text.

    Shows the id of each message. A message that is queued is not delivered yet: 'messages wait' follows it.
    """
    fields: MessageSendFields = {"to": to}
    if (text is None) == (template is None):
        raise typer.BadParameter("give either --text or --template")
    if text is not None:
        if parameters:
            raise typer.BadParameter("a free text has no parameters; use --template")
        fields["text"] = text if text != "-" else read("-").decode(errors="replace")
    if template is not None:
        fields["template"] = _template(template, dict(pairs(parameters or ())))
    if channel:
        fields["channel"] = [MessageChannel(name) for name in channel]
    if at is not None:
        fields["scheduled_at"] = _moment(at)
    if sandbox:
        fields["sandbox"] = True

    async def work(sent: SentClient) -> None:
        sent_message = await sent.messages.send(**fields, idempotency_key=idempotency_key)
        if as_json:
            write_json(sent_message)
        else:
            table = Table(("message_id", "to", "channel"))
            table.write(sent_message.recipients)
            table.end()

    run(context, work)


@app.command("get")
def get_message(context: typer.Context, message_id: Id, as_json: AsJSON = False) -> None:
    """Show a message, its status and its events."""
    show(context, lambda sent: sent.messages.retrieve(message_id), as_json=as_json)


@app.command("wait")
def wait(
    context: typer.Context,
    message_id: Id,
    until: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS",
            help="The status to wait for; may be given several times. [default: DELIVERED]",
            autocompletion=completes(*MessageStatus),
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Seconds to wait at most.")] = 300,
    as_json: AsJSON = False,
) -> None:
    """Wait until a message is delivered.

    Shows the message. The exit code is 1 when it is lost, and 3 after the timeout.
    """
    wanted = until or [MessageStatus.DELIVERED.value]

    async def work(sent: SentClient) -> ExitCode:
        message = await wait_for_message(sent, message_id, until=wanted, timeout=timeout)
        write_one(message, as_json=as_json)
        return ExitCode.FAILED if message.status in _LOST and message.status not in wanted else ExitCode.OK

    run(context, work)


@app.command("cancel")
def cancel_message(context: typer.Context, message_id: Id, as_json: AsJSON = False) -> None:
    """Cancel a scheduled message, and show it."""
    show(context, lambda sent: sent.messages.cancel(message_id), as_json=as_json)


def _template(name_or_id: str, parameters: dict[str, str]) -> MessageTemplate:
    template = MessageTemplate(parameters=parameters) if parameters else MessageTemplate()
    try:
        template.id = str(uuid.UUID(name_or_id))
    except ValueError:
        template.name = name_or_id
    return template


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-12-01T10:00:00+02:00") from None
    if moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset; add one, such as +02:00, or Z for UTC")
    return moment
