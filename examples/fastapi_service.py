"""A FastAPI service: the client lives as long as the app (``lifespan``), handlers get it as a dependency.

pip install fastapi uvicorn
SENT_DM_API_KEY=... uvicorn --app-dir examples fastapi_service:app
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from sent_async import BadRequestError, NotFoundError, SentClient, SentError
from sent_async.models import Profile, TemplateDefinition


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with SentClient(deadline=10) as sent:
        app.state.sent = sent
        yield


def sent_client(request: Request) -> SentClient:
    client: SentClient = request.app.state.sent
    return client


Sent = Annotated[SentClient, Depends(sent_client)]
app = FastAPI(lifespan=lifespan)


class Announcement(BaseModel):
    text: str
    order: str
    """Our own id of the request. As the idempotency key it makes a repeated request harmless."""


class Draft(BaseModel):
    id: str
    status: str | None


@app.post("/announcements", status_code=201)
async def announce(announcement: Announcement, sent: Sent) -> Draft:
    template = await sent.templates.create(
        definition=TemplateDefinition.text(announcement.text),
        category="MARKETING",
        idempotency_key=f"announcement-{announcement.order}",
    )
    return Draft(id=template.id, status=template.status)


@app.get("/announcements/{template_id}")
async def status(template_id: str, sent: Sent) -> Draft:
    template = await sent.templates.retrieve(template_id)
    return Draft(id=template.id, status=template.status)


@app.get("/profiles")
async def profiles(sent: Sent) -> list[Profile]:
    """All profiles as objects of the package. Their members are in the OpenAPI page of this service."""
    return [profile async for profile in sent.profiles.list()]


@app.exception_handler(SentError)
async def sent_error(_: Request, error: Exception) -> JSONResponse:
    """Pass on errors that our callers can fix. All others are our own failure."""
    match error:
        case BadRequestError():
            return JSONResponse({"error": error.message, "details": dict(error.details)}, status_code=422)
        case NotFoundError():
            return JSONResponse({"error": error.message}, status_code=404)
        case _:
            return JSONResponse({"error": "messaging is unavailable"}, status_code=502)
