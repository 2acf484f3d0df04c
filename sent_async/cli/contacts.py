"""``sent-async contacts``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..models import PreferredChannel
from .arguments import AsJSON, Id, completes
from .session import show
from .table import show_list

app = typer.Typer(help="Contacts, and whether they want messages.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = ("id", "phone_number", "opt_out", "default_channel", "available_channels", "created_at")


@app.command("list")
def list_contacts(
    context: typer.Context,
    search: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Text to look for in the national form of the number.")
    ] = None,
    channel: Annotated[
        str | None,
        typer.Option(metavar="CHANNEL", help="sms or whatsapp.", autocompletion=completes(*PreferredChannel)),
    ] = None,
    phone: Annotated[str | None, typer.Option(metavar="NUMBER", help="The phone number, such as +14155551234.")] = None,
    as_json: AsJSON = False,
) -> None:
    """List contacts, page after page."""
    preferred = PreferredChannel(channel) if channel else None
    show_list(
        context,
        lambda sent: sent.contacts.list(search=search, channel=preferred, phone=phone),
        COLUMNS,
        as_json=as_json,
    )


@app.command("get")
def get_contact(context: typer.Context, contact_id: Id, as_json: AsJSON = False) -> None:
    """Show one contact."""
    show(context, lambda sent: sent.contacts.retrieve(contact_id), as_json=as_json)


@app.command("opt-out")
def opt_out(context: typer.Context, contact_id: Id, as_json: AsJSON = False) -> None:
    """Send this contact nothing more, on any channel."""
    _set_opt_out(context, contact_id, True, as_json)


@app.command("opt-in")
def opt_in(context: typer.Context, contact_id: Id, as_json: AsJSON = False) -> None:
    """Send to this contact again. Only with the contact's consent."""
    _set_opt_out(context, contact_id, False, as_json)


def _set_opt_out(context: typer.Context, contact_id: Id, value: bool, as_json: bool) -> None:
    show(context, lambda sent: sent.contacts.update(contact_id, opt_out=value), as_json=as_json)
