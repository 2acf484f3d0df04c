"""The commands' common root: what holds for all of them."""

from __future__ import annotations

from typing import Annotated

import typer

from .._version import __version__
from . import profiles, templates

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(profiles.app, name="profiles")
app.add_typer(templates.app, name="templates")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sent-async {__version__}")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 done, 1 the API said no, 2 the command cannot be run as given, 3 no usable answer, "
    "130 interrupted. The key comes from SENT_DM_API_KEY, or is asked for in a terminal; SENT_BASE_URL names "
    "another server."
)
def main(
    context: typer.Context,
    profile_id: Annotated[str | None, typer.Option(metavar="ID", help="Act for this profile.")] = None,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Look at and change what is behind the Sent API: profiles and templates."""
    context.obj = profile_id
