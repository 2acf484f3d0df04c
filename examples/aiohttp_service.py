"""An aiohttp.web service with one ``SentClient`` for its whole life, opened and closed by ``cleanup_ctx``.

SENT_DM_API_KEY=... python examples/aiohttp_service.py
curl localhost:8080/profiles/660e8400-e29b-41d4-a716-446655440001
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from sent_async import NotFoundError, RateLimitError, SentClient, SentError

SENT = web.AppKey("sent", SentClient)

routes = web.RouteTableDef()


@routes.get("/profiles/{profile_id}")
async def profile(request: web.Request) -> web.Response:
    """A profile with only the members that our callers need."""
    found = await request.app[SENT].profiles.retrieve(request.match_info["profile_id"])
    return web.json_response({"id": found.id, "name": found.name, "status": found.status})


@routes.get("/profiles")
async def profiles(request: web.Request) -> web.Response:
    """All profiles as the API describes them: its Structs encode to its JSON."""
    found = [profile async for profile in request.app[SENT].profiles.list()]
    return web.Response(body=msgspec.json.encode(found), content_type="application/json")


@web.middleware
async def sent_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors of the Sent API into responses to our callers."""
    try:
        return await handler(request)
    except NotFoundError:
        return web.json_response({"error": "no such thing"}, status=404)
    except RateLimitError as error:
        headers = {"Retry-After": str(round(error.retry_after or 1))}
        return web.json_response({"error": "busy, try again"}, status=503, headers=headers)
    except SentError as error:
        request.app.logger.warning("Sent: %s", error)
        return web.json_response({"error": "messaging is unavailable"}, status=502)


async def sent_client(app: web.Application) -> AsyncIterator[None]:
    """Open the client before the first request, and close it after the last."""
    async with SentClient(deadline=10) as sent:
        app[SENT] = sent
        yield


def create_app() -> web.Application:
    app = web.Application(middlewares=[sent_errors])
    app.add_routes(routes)
    app.cleanup_ctx.append(sent_client)
    return app


if __name__ == "__main__":
    web.run_app(create_app(), port=8080)
