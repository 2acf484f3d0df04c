"""A span for each call, with one child for each HTTP exchange: aiohttp's own hooks on a session the client borrows.

    pip install opentelemetry-sdk
    SENT_DM_API_KEY=... python examples/opentelemetry_tracing.py

``opentelemetry-instrumentation-aiohttp-client`` offers a ready ``TraceConfig``; here is what it does, in one page, so
that no header or address with ids gets into a span. Trace context travels to the API in ``traceparent``.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from sent_async import Attempt, SentClient

TRACER = trace.get_tracer("sent-async-example")


async def on_start(_: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestStartParams) -> None:
    context.span = TRACER.start_span(f"HTTP {params.method}", kind=SpanKind.CLIENT)
    context.span.set_attributes({"http.request.method": params.method, "server.address": params.url.host or ""})
    propagate.inject(params.headers, trace.set_span_in_context(context.span))


async def on_end(_: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
    context.span.set_attribute("http.response.status_code", params.response.status)
    if params.response.status >= 400:
        context.span.set_status(Status(StatusCode.ERROR))
    context.span.end()


async def on_exception(_: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
    # The name only: aiohttp's exceptions can carry the request's headers, and with them the key.
    context.span.set_status(Status(StatusCode.ERROR, type(params.exception).__name__))
    context.span.end()


def trace_config() -> aiohttp.TraceConfig:
    config = aiohttp.TraceConfig()
    config.on_request_start.append(on_start)
    config.on_request_end.append(on_end)
    config.on_request_exception.append(on_exception)
    return config


def on_attempt(attempt: Attempt) -> None:
    """What only the client knows, as events of the span around the call."""
    known: dict[str, str | float | None] = {
        "sent.path": attempt.path,
        "sent.attempt": attempt.number,
        "sent.request_id": attempt.request_id,
        "sent.retry_in": attempt.retry_in,
        "error.type": type(attempt.error).__name__ if attempt.error is not None else None,
    }
    attributes: dict[str, str | float] = {name: value for name, value in known.items() if value is not None}
    trace.get_current_span().add_event("sent.attempt", attributes)


async def main(exporter: SpanExporter) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    async with aiohttp.ClientSession(trace_configs=[trace_config()]) as session:
        async with SentClient(session=session, on_attempt=on_attempt) as sent:
            with TRACER.start_as_current_span("list profiles"):
                profiles = await sent.profiles.list()
                print(f"{len(profiles)} profiles")
    provider.shutdown()


if __name__ == "__main__":
    asyncio.run(main(ConsoleSpanExporter()))
