"""``sent-async templates``."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import SentClient, operations
from ..models import Template, TemplateCategory, TemplateCreate, TemplateStatus, TemplateUpdate
from .arguments import AsJSON, Id, IdempotencyKey, Sandbox, completes, read_body
from .session import confirm, run, show
from .table import show_list

app = typer.Typer(help="Message templates.", no_args_is_help=True, rich_markup_mode=None)

COLUMNS = ("id", "name", "status", "category", "language", "channels", "created_at")

File = Annotated[
    str, typer.Argument(metavar="FILE", help="The request body as .json or .toml; - reads JSON from stdin.")
]


@app.command("list")
def list_templates(
    context: typer.Context,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS", help="APPROVED, PENDING, REJECTED, ...", autocompletion=completes(*TemplateStatus)
        ),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(
            metavar="CATEGORY",
            help="MARKETING, UTILITY or AUTHENTICATION.",
            autocompletion=completes(*TemplateCategory),
        ),
    ] = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Text to look for.")] = None,
    as_json: AsJSON = False,
) -> None:
    """List templates, page after page."""
    in_state = TemplateStatus(status) if status else None
    of_category = TemplateCategory(category) if category else None
    show_list(
        context,
        lambda sent: sent.templates.list(status=in_state, category=of_category, search=search),
        COLUMNS,
        as_json=as_json,
    )


@app.command("get")
def get_template(context: typer.Context, template_id: Id, as_json: AsJSON = False) -> None:
    """Show one template. The API does not give its definition back."""
    show(context, lambda sent: sent.templates.retrieve(template_id), as_json=as_json)


@app.command("create")
def create_template(
    context: typer.Context,
    file: File,
    sandbox: Sandbox = False,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJSON = False,
) -> None:
    """Create a template from a file.

    The file holds the request body in the API's own form: definition, category, language, submit_for_review.
    """
    body = read_body(file, TemplateCreate, sandbox=sandbox)

    async def create(sent: SentClient) -> Template:
        return (await sent.send(operations.CREATE_TEMPLATE, body=body, idempotency_key=idempotency_key)).data

    show(context, create, as_json=as_json)


@app.command("update")
def update_template(
    context: typer.Context,
    template_id: Id,
    file: File,
    sandbox: Sandbox = False,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJSON = False,
) -> None:
    """Update a template from a file. What the file leaves out stays as it is."""
    body = read_body(file, TemplateUpdate, sandbox=sandbox)

    async def update(sent: SentClient) -> Template:
        response = await sent.send(
            operations.UPDATE_TEMPLATE, template_id=template_id, body=body, idempotency_key=idempotency_key
        )
        return response.data

    show(context, update, as_json=as_json)


@app.command("delete")
def delete_template(
    context: typer.Context,
    template_id: Id,
    from_meta: Annotated[bool, typer.Option("--from-meta", help="Delete it at WhatsApp (Meta) too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a template."""
    confirm(f"Delete template {template_id}?", yes=yes)

    async def work(sent: SentClient) -> None:
        await sent.templates.delete(template_id, delete_from_meta=from_meta)
        typer.echo(f"deleted {template_id}")

    run(context, work)
