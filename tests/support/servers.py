"""A server that gives scripted responses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web

from sent_async import SentClient

from .payloads import envelope, profile

API_KEY = "sk_test_k3y_that_must_not_show"
ScriptedResponse: TypeAlias = tuple[int, bytes, Mapping[str, str]]
MakeClient: TypeAlias = Callable[..., SentClient]


def make_response(body: bytes, status: int = 200, **headers: str) -> ScriptedResponse:
    """An entry of ``server.responses``; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, body, {"Content-Type": "application/json", **named}


PROFILE_RESPONSE = make_response(envelope(profile()))


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    path_qs: str
    headers: Mapping[str, str]
    body: bytes


class Server:
    """Sends the scripted responses one by one, the last one again and again, and keeps the requests."""

    def __init__(self) -> None:
        self.responses: list[ScriptedResponse] = [PROFILE_RESPONSE]
        self.requests: list[Received] = []
        self.url = ""

    @property
    def last(self) -> Received:
        return self.requests[-1]

    async def handle(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        self.requests.append(Received(request.method, request.raw_path, request.headers.copy(), body))
        status, content, headers = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        return web.Response(status=status, body=content, headers=headers)
