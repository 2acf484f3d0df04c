"""The root command, and the options of all commands."""

from __future__ import annotations

from typing import Annotated

import typer

from .._version import __version__
from . import api, contacts, messages, profiles, templates, webhooks
from .arguments import AsJSON
from .output import show_log
from .session import show

# Plain help: the boxes that rich draws take as long to load as everything else together.
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(messages.app, name="messages")
app.add_typer(contacts.app, name="contacts")
app.add_typer(templates.app, name="templates")
app.add_typer(profiles.app, name="profiles")
app.add_typer(webhooks.app, name="webhooks")
app.command("api")(api.api)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sent-async {__version__}")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done, 1 the API refused, or a message or delivery failed, 2 the command cannot be run as "
    "given, 3 no usable response, 130 interrupted. The key comes from SENT_DM_API_KEY, or is asked for in a terminal; "
    "SENT_BASE_URL names another server."
)
def main(
    context: typer.Context,
    profile_id: Annotated[str | None, typer.Option(metavar="ID", help="Act for this profile.")] = None,
    verbose: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            count=True,
            show_default=False,
            help="Show retries and waits for a limit on stderr; -vv shows every attempt.",
        ),
    ] = 0,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Use the Sent API: messages, contacts, templates, profiles and webhooks."""
    context.obj = profile_id
    show_log(verbose)


@app.command("me")
def me(context: typer.Context, as_json: AsJSON = False) -> None:
    """Show the account that the key belongs to. A way to check a key."""
    show(context, lambda sent: sent.me.retrieve(), as_json=as_json)
