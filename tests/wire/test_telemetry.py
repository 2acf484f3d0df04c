"""Spans and metrics of a client, as OpenTelemetry's own SDK exports them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

import pytest
from opentelemetry import baggage
from opentelemetry.context import attach, detach
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from sent_async import Attempt, NotFoundError, Operation, SentClient, SentError, SentTimeoutError, operations
from sent_async.models import PaymentDetails
from sent_async.telemetry import with_telemetry
from tests.support.clocks import FakeClock, SimulatedClock
from tests.support.faults import FAULTS
from tests.support.limited import Limited, ServeLimited, fetch
from tests.support.payloads import envelope, problem, profile
from tests.support.raw_servers import Behaviour, RawServer, close_after_reading, stalled_head
from tests.support.servers import API_KEY, PROFILE_RESPONSE, MakeClient, Server, make_response
from tests.support.waiting import until

ID = "660e8400-e29b-41d4-a716-446655440000"


class Telemetry:
    """The SDK with exporters in memory."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meters = MeterProvider([self._reader], shutdown_on_exit=False)

    def watch(self, sent: SentClient) -> SentClient:
        return with_telemetry(sent, tracer_provider=self.tracers, meter_provider=self.meters)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    @property
    def span(self) -> ReadableSpan:
        [only] = self.spans
        return only

    def points(self, metric: str) -> list[HistogramDataPoint]:
        data = self._reader.get_metrics_data()
        assert data is not None  # there is none before the first instrument
        found = [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for one in scope.metrics
            if one.name == metric
            for point in one.data.data_points
        ]
        return [point for point in found if isinstance(point, HistogramDataPoint)]


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


def attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def events(span: ReadableSpan) -> list[tuple[str, dict[str, Any]]]:
    """Without the durations of attempts, which differ from run to run."""
    return [
        (event.name, {key: value for key, value in (event.attributes or {}).items() if key != "sent.attempt.duration"})
        for event in span.events
    ]


async def test_a_call_is_a_span(client: MakeClient, server: Server, telemetry: Telemetry) -> None:
    """Of kind CLIENT, with what the HTTP conventions require, and no id in its name or its URL."""
    sent = telemetry.watch(client())
    got = await sent.send(operations.RETRIEVE_PROFILE, profile_id=ID)
    span = telemetry.span
    port = int(server.url.rpartition(":")[2])
    assert span.name == "GET /v3/profiles/{profileId}"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert attributes(span) == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": port,
        "url.template": "/v3/profiles/{profileId}",
        "url.full": f"{server.url}/v3/profiles/{{profileId}}",
        "http.response.status_code": 200,
        "sent.operation": "retrieveProfile",
        "sent.attempts": 1,
        "sent.request_id": got.request_id,
    }
    event = {"sent.attempt.number": 1, "http.response.status_code": 200, "sent.request_id": got.request_id}
    assert events(span) == [("sent.attempt", event)]
    [point] = telemetry.points("http.client.request.duration")
    assert point.count == 1
    assert point.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": port,
        "url.template": "/v3/profiles/{profileId}",
        "http.response.status_code": 200,
    }
    assert telemetry.points("sent.client.wait.duration") == []


async def test_a_retry_is_an_attempt_a_wait_and_an_attempt(
    client: MakeClient, server: Server, telemetry: Telemetry
) -> None:
    """On one span. The metric counts both requests."""
    server.responses = [make_response(problem("SERVICE_001"), 503), PROFILE_RESPONSE]
    await telemetry.watch(client()).profiles.retrieve(ID)
    span = telemetry.span
    assert [name for name, _ in events(span)] == ["sent.attempt", "sent.wait", "sent.attempt"]
    (_, first), (_, wait), (_, second) = events(span)
    assert (first["http.response.status_code"], first["error.type"]) == (503, "503")
    assert wait["sent.wait.reason"] == "retry" and wait["sent.wait.duration"] > 0
    assert (second["sent.attempt.number"], second["http.response.status_code"]) == (2, 200)
    found = attributes(span)
    assert (found["sent.attempts"], found["http.request.resend_count"]) == (2, 1)
    assert found["http.response.status_code"] == 200 and "error.type" not in found
    assert span.status.status_code is StatusCode.UNSET
    statuses = {
        point.attributes["http.response.status_code"]
        for point in telemetry.points("http.client.request.duration")
        if point.attributes
    }
    assert statuses == {200, 503}
    [waited] = telemetry.points("sent.client.wait.duration")
    assert waited.sum == wait["sent.wait.duration"]


async def test_an_error_of_the_api(client: MakeClient, server: Server, telemetry: Telemetry) -> None:
    """The span has the status, the code and the request id, and no text."""
    server.responses = [make_response(problem("RESOURCE_001", "private-text"), 404, X_Request_Id="req_1")]
    with pytest.raises(NotFoundError):
        await telemetry.watch(client()).profiles.retrieve(ID)
    found = attributes(telemetry.span)
    assert (found["error.type"], found["http.response.status_code"]) == ("404", 404)
    assert (found["sent.error_code"], found["sent.request_id"]) == ("RESOURCE_001", "req_1")
    assert telemetry.span.status.status_code is StatusCode.ERROR
    assert telemetry.span.status.description is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (envelope({}), "sent_async.errors.SentDecodeError"),
        (problem("RESOURCE_001"), "sent_async.errors.NotFoundError"),
    ],
)
async def test_an_error_with_a_good_status(
    client: MakeClient, server: Server, telemetry: Telemetry, body: bytes, kind: str
) -> None:
    """``error.type`` is the class, since the status does not say that the call failed."""
    server.responses = [make_response(body)]
    with pytest.raises(SentError):
        await telemetry.watch(client()).profiles.retrieve(ID)
    assert attributes(telemetry.span)["error.type"] == kind
    assert attributes(telemetry.span)["http.response.status_code"] == 200
    assert events(telemetry.span)[0][1]["error.type"] == kind


async def test_a_call_that_cannot_be_made(client: MakeClient, telemetry: Telemetry) -> None:
    """It is a failed span without attempts, whatever the error is."""
    sent = telemetry.watch(client())
    with pytest.raises(SentError):
        await sent.profiles.retrieve("")
    with pytest.raises(TypeError):
        await sent.send(operations.RETRIEVE_PROFILE)
    config, mistake = telemetry.spans
    assert attributes(config)["error.type"] == "sent_async.errors.SentConfigError"
    assert attributes(mistake)["error.type"] == "builtins.TypeError"
    assert events(config) == events(mistake) == []


async def test_a_replayed_response(client: MakeClient, server: Server, telemetry: Telemetry) -> None:
    """The span says that the response was replayed."""
    server.responses = [make_response(envelope(profile()), 201, Idempotent_Replayed="true")]
    await telemetry.watch(client()).profiles.create(name="Sales")
    assert attributes(telemetry.span)["sent.replayed"] is True


async def test_waits_for_a_limit_and_for_a_slot(
    serve_limited: ServeLimited, simulated_clock: SimulatedClock, telemetry: Telemetry
) -> None:
    """Both are events of the span, and in the metric, each by its reason."""
    server = await serve_limited(Limited(clock=simulated_clock))
    server.before_response = lambda: simulated_clock.sleep(0.001)
    async with SentClient(API_KEY, base_url=server.url, limit=2, clock=simulated_clock) as client:
        assert await server.run(fetch(telemetry.watch(client), 30)) == 0
    waits = [
        event["sent.wait.reason"] for span in telemetry.spans for name, event in events(span) if name == "sent.wait"
    ]
    assert {"slot", "rate_limit"} == set(waits)
    counts = {
        str(point.attributes["sent.wait.reason"]): point.count
        for point in telemetry.points("sent.client.wait.duration")
        if point.attributes
    }
    assert counts == {reason: waits.count(reason) for reason in set(waits)}
    assert sum(point.count for point in telemetry.points("http.client.request.duration")) == server.seen == 30


async def test_a_limit_that_frees_too_late_is_no_request(
    client: MakeClient, server: Server, telemetry: Telemetry
) -> None:
    """The call fails before anything is sent, so the span has no attempt and the metric no request."""
    server.responses = [make_response(problem("BUSINESS_002"), 429, Retry_After="50")]
    paced = telemetry.watch(client(pacing=True, max_retries=0))
    with pytest.raises(SentError):
        await paced.profiles.retrieve(ID)
    with pytest.raises(SentTimeoutError):
        await paced.with_options(deadline=5).profiles.retrieve(ID)
    first, second = telemetry.spans
    assert [name for name, _ in events(first)] == ["sent.attempt"]
    assert events(second) == []
    assert attributes(second)["error.type"] == "sent_async.errors.SentTimeoutError"
    [point] = telemetry.points("http.client.request.duration")
    assert point.count == len(server.requests) == 1


async def test_an_attempt_that_the_deadline_ends(client: MakeClient, clock: FakeClock, telemetry: Telemetry) -> None:
    """It is an event and a request of the metric like any other."""
    async with RawServer(stalled_head, clock=clock) as raw:
        with pytest.raises(SentTimeoutError):
            await telemetry.watch(client(base_url=raw.url, deadline=20)).profiles.retrieve(ID)
    [(name, event)] = events(telemetry.span)
    assert (name, event["error.type"]) == ("sent.attempt", "sent_async.errors.SentTimeoutError")
    [point] = telemetry.points("http.client.request.duration")
    assert point.count == 1


async def test_a_cancelled_call_ends_its_span(client: MakeClient, telemetry: Telemetry) -> None:
    """The span ends without the status of an error."""
    async with RawServer(stalled_head) as raw:
        call = asyncio.ensure_future(telemetry.watch(client(base_url=raw.url)).profiles.retrieve(ID))
        await until(lambda: raw.requests)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert telemetry.span.status.status_code is StatusCode.UNSET


async def test_spans_are_children_of_the_callers_span(client: MakeClient, telemetry: Telemetry) -> None:
    """Calls at the same time have a span each, with their own attempts."""
    sent = telemetry.watch(client())
    with telemetry.tracers.get_tracer("test").start_as_current_span("job") as job:
        await asyncio.gather(*(sent.profiles.retrieve(ID) for _ in range(5)))
    *calls, last = telemetry.spans
    assert last.name == "job"
    assert {call.parent.span_id for call in calls if call.parent} == {job.get_span_context().span_id}
    assert [len(call.events) for call in calls] == [1] * 5


async def test_no_trace_context_is_sent(client: MakeClient, server: Server, telemetry: Telemetry) -> None:
    """No trace header and no baggage is sent to Sent."""
    context = baggage.set_baggage("customer", "private")
    token = attach(context)
    try:
        await telemetry.watch(client()).profiles.retrieve(ID)
    finally:
        detach(token)
    assert not {"traceparent", "tracestate", "baggage"} & {name.lower() for name in server.last.headers}


async def test_views_and_hooks_keep_working(client: MakeClient, server: Server, telemetry: Telemetry) -> None:
    """A view of the view has telemetry, the client does not, and the client's hook is called for each attempt."""
    heard: list[Attempt] = []
    plain = client(on_attempt=heard.append)
    view = telemetry.watch(plain).with_options(profile_id="p1", max_retries=0)
    await view.profiles.retrieve(ID)
    await plain.profiles.retrieve(ID)
    assert len(telemetry.spans) == 1
    assert len(heard) == 2
    assert server.requests[0].headers["x-profile-id"] == "p1"
    await view.close()
    await plain.profiles.retrieve(ID)


async def test_the_global_providers_are_the_default(client: MakeClient) -> None:
    """Without a configured SDK they do nothing, and the call works."""
    assert (await with_telemetry(client()).profiles.retrieve(ID)).name == "Marketing Team"


SECRETS = (API_KEY, "4111111111111111", "737373", "private-text", "private-header", "private-id", "14155551234")


@pytest.mark.parametrize("fault", [None, *FAULTS], ids=lambda fault: getattr(fault, "__name__", "none"))
async def test_nothing_sensitive(
    client: MakeClient, clock: FakeClock, server: Server, telemetry: Telemetry, fault: Behaviour | None
) -> None:
    """Spans and metrics have no key, header, body, query, id or text of an error."""
    async with RawServer(fault or close_after_reading, clock=clock) as raw:
        made = client(base_url=raw.url if fault else server.url, headers={"X-Own": "private-header"})
        sent = telemetry.watch(made)
        server.responses = [
            PROFILE_RESPONSE,
            make_response(problem("VALIDATION_001", "private-text", details={"x": ["private-text"]}), 400),
        ]
        card = PaymentDetails(card_number="4111111111111111", expiry="12/39", cvc="737373", zip_code="94103")
        calls: list[Coroutine[Any, Any, object]] = [
            sent.profiles.create(name="private-text", payment_details=card),
            sent.profiles.retrieve("private-id"),
            sent.numbers.lookup("+14155551234"),
            sent.messages.send(to=["+14155551234"], text="private-text"),
            sent.send(Operation("own", "GET", "/v3/own", response=None, query_parameters={"q": "q"}), q="private-text"),
        ]
        for call in calls:
            with contextlib.suppress(SentError):
                await call
    shown = [span.to_json() for span in telemetry.spans]
    shown += [repr(telemetry.points(name)) for name in ("http.client.request.duration", "sent.client.wait.duration")]
    assert len(shown) == 7
    assert not [(secret, text) for text in shown for secret in SECRETS if secret in text]


def test_without_the_extra() -> None:
    """The import says what to install, and the package itself does not need it."""
    code = "import sys; sys.modules['opentelemetry'] = None; import sent_async; import sent_async.telemetry"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'sent-async[telemetry]'" in done.stderr


def test_it_is_not_imported_with_the_package() -> None:
    """``import sent_async`` does not import opentelemetry."""
    code = "import sys, sent_async; sys.exit('opentelemetry' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
