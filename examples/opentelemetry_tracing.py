"""Spans and metrics of a service, printed to the console.

    pip install 'sent-async[telemetry]' opentelemetry-sdk
    SENT_DM_API_KEY=... python examples/opentelemetry_tracing.py

A service has its own exporters instead, such as that of ``opentelemetry-exporter-otlp``.
"""

from __future__ import annotations

import asyncio

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

from sent_async import SentClient
from sent_async.telemetry import with_telemetry


async def main() -> None:
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(ConsoleMetricExporter())]))
    async with SentClient() as client:
        sent = with_telemetry(client)
        with trace.get_tracer("my-service").start_as_current_span("list profiles"):
            profiles = await sent.profiles.list()
            print(f"{len(profiles)} profiles")


if __name__ == "__main__":
    asyncio.run(main())
