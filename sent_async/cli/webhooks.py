"""``sent-async webhooks``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .. import SentClient
from .arguments import AsJSON, Id, IdempotencyKey, Sandbox, completes
from .listen import listen
from .output import say, write_one
from .session import ExitCode, run
from .table import show_list

if TYPE_CHECKING:
    from ..models.fields import WebhookCreateFields

app = typer.Typer(help="Webhook endpoints, and what they receive.", no_args_is_help=True, rich_markup_mode=None)
app.command("listen")(listen)

COLUMNS = ("id", "display_name", "is_active", "endpoint_url", "event_types", "consecutive_failures")


@app.command("list")
def list_webhooks(context: typer.Context, as_json: AsJSON = False) -> None:
    """List webhook endpoints."""
    show_list(context, lambda sent: sent.webhooks.list(), COLUMNS, as_json=as_json)


@app.command("create")
def create_webhook(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where Sent posts the events.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="A name for people.")],
    event: Annotated[
        list[str],
        typer.Option(
            metavar="EVENT",
            help="A family of events, such as message, or one event, such as message.delivered; "
            "may be given several times.",
            autocompletion=completes("message", "templates", "contact", "channel", "link", "call"),
        ),
    ],
    retries: Annotated[
        int | None, typer.Option(metavar="N", help="How often a failed delivery is repeated, 1 to 5.")
    ] = None,
    timeout: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Seconds that your service has to respond, 5 to 120.")
    ] = None,
    sandbox: Sandbox = False,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJSON = False,
) -> None:
    """Create a webhook endpoint.

    Shows it with its signing secret, which goes to stdout and nowhere else. Keep it: Sent shows it only now.
    """
    families, filters = _subscription(event)
    fields: WebhookCreateFields = {"display_name": name, "endpoint_url": url, "event_types": families}
    if filters:
        fields["event_filters"] = filters
    if retries is not None:
        fields["retry_count"] = retries
    if timeout is not None:
        fields["timeout_seconds"] = timeout
    if sandbox:
        fields["sandbox"] = True

    async def work(sent: SentClient) -> None:
        write_one(await sent.webhooks.create(**fields, idempotency_key=idempotency_key), as_json=as_json)
        say("keep the signing_secret now; later it can only be replaced. Receivers read SENT_WEBHOOK_SECRET")

    run(context, work)


@app.command("test")
def deliver_sample(
    context: typer.Context,
    webhook_id: Id,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="The event to send, such as message.delivered.")],
    as_json: AsJSON = False,
) -> None:
    """Have a sample event delivered once. The exit code is 1 when the delivery failed."""

    async def work(sent: SentClient) -> ExitCode:
        verdict = await sent.webhooks.test(webhook_id, event_type=event)
        write_one(verdict, as_json=as_json)
        return ExitCode.OK if verdict.success else ExitCode.FAILED

    run(context, work)


def _subscription(events: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The event families, and the single events of families that are not subscribed as a whole."""
    families = list(dict.fromkeys(event.partition(".")[0] for event in events))
    filters: dict[str, list[str]] = {}
    for event in events:
        family, _, suffix = event.partition(".")
        if suffix and family not in events:
            filters.setdefault(family, []).append(suffix)
    return families, filters
