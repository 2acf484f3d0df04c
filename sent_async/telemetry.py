"""OpenTelemetry spans and metrics for a client. Needs the extra ``sent-async[telemetry]``.

``import sent_async`` does not import it.
"""

from __future__ import annotations

from typing import Final, TypeVar, cast

from yarl import URL

from ._version import __version__
from .call import Attempt
from .client import SentClient
from .envelope import SentResponse
from .errors import SentAPIError, SentError, SentTimeoutError
from .operation import Operation

try:
    from opentelemetry import metrics, trace
except ModuleNotFoundError as error:
    raise ImportError("sent_async.telemetry needs the extra: pip install 'sent-async[telemetry]'") from error

T = TypeVar("T")

_NAME: Final = "sent_async"
# In seconds, as the conventions require for durations of HTTP requests.
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
# A wait for a rate limit can take minutes.
_WAIT_BUCKETS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

Attributes = dict[str, str | int | float | bool]


def with_telemetry(
    sent: SentClient,
    *,
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
) -> SentClient:
    """Make a view of a client, on the same connections, whose calls record spans and metrics::

        async with SentClient() as client:
            sent = with_telemetry(client)
            profile = await sent.profiles.retrieve(profile_id)

    Each call is a span of kind ``CLIENT``, named like ``GET /v3/profiles/{profileId}``, with the attributes of the HTTP
    conventions. It has an event ``sent.attempt`` for each attempt, and an event ``sent.wait`` for each wait: before a
    retry, for the rate limit, or for a free slot (``SentClient(limit=...)``).

    The metrics are ``http.client.request.duration`` for each attempt, and ``sent.client.wait.duration`` for each wait.
    If a rate limit frees too late, nothing is sent, and this does not count as an attempt.

    No span or metric contains a key, a header, a body, a query, an id from a path or the text of an error. No trace
    context is sent to the API. Views that ``with_options`` makes of this view have telemetry too.

    Args:
        sent: The client. Close it as before.
        tracer_provider: Makes the spans. Default: the global provider.
        meter_provider: Makes the metrics. Default: the global provider.

    Returns:
        A view, like those of ``SentClient.with_options``.
    """
    return _ClientWithTelemetry(
        sent,
        trace.get_tracer(_NAME, __version__, tracer_provider),
        metrics.get_meter(_NAME, __version__, meter_provider),
    )


class _ClientWithTelemetry(SentClient):
    def __init__(self, sent: SentClient, tracer: trace.Tracer, meter: metrics.Meter) -> None:
        vars(self).update(vars(sent.with_options()))
        url = URL(str(self._base_url))
        self._tracer = tracer
        self._server: Attributes = {"server.address": url.host or "", "server.port": cast("int", url.port)}
        self._request_duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BUCKETS,
        )
        self._wait_duration = meter.create_histogram(
            "sent.client.wait.duration",
            unit="s",
            description="Duration of waits before a request is sent.",
            explicit_bucket_boundaries_advisory=_WAIT_BUCKETS,
        )
        self._hook = self._on_attempt
        self._on_attempt = self._record

    async def send(
        self,
        operation: Operation[T],
        *,
        body: object = None,
        idempotency_key: str | None = None,
        **parameters: object,
    ) -> SentResponse[T]:
        attributes: Attributes = {
            **self._server,
            "http.request.method": operation.method,
            "url.template": operation.path,
            # The conventions ask for the URL. The template is used, because a path may contain ids and phone numbers.
            "url.full": f"{self._base_url}{operation.path}",
            "sent.operation": operation.name,
        }
        with self._tracer.start_as_current_span(
            f"{operation.method} {operation.path}",
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                response = await super().send(operation, body=body, idempotency_key=idempotency_key, **parameters)
            except Exception as error:
                span.set_status(trace.StatusCode.ERROR)
                span.set_attributes(_outcome(getattr(error, "status", None), error))
                if isinstance(error, SentError):
                    span.set_attributes(_call_attributes(error.attempts, error.request_id))
                if isinstance(error, SentAPIError) and error.code:
                    span.set_attribute("sent.error_code", str(error.code))
                raise
            span.set_attributes(_outcome(response.status, None))
            span.set_attributes(_call_attributes(response.attempts, response.request_id))
            if response.replayed:
                span.set_attribute("sent.replayed", True)
            return response

    def _record(self, attempt: Attempt) -> None:
        span = trace.get_current_span()
        self._record_wait(span, "slot", attempt.waited_for_slot)
        self._record_wait(span, "rate_limit", attempt.waited_for_limit)
        error = attempt.error
        if not (isinstance(error, SentTimeoutError) and error.retry_after is not None):  # then nothing was sent
            outcome = _outcome(attempt.status, error)
            event: Attributes = {"sent.attempt.number": attempt.number, "sent.attempt.duration": attempt.seconds}
            if attempt.request_id is not None:
                event["sent.request_id"] = attempt.request_id
            span.add_event("sent.attempt", event | outcome)
            labels = {"http.request.method": attempt.method, "url.template": attempt.path}
            self._request_duration.record(attempt.seconds, self._server | labels | outcome)
        self._record_wait(span, "retry", attempt.retry_in or 0.0)
        if self._hook is not None:
            self._hook(attempt)

    def _record_wait(self, span: trace.Span, reason: str, seconds: float) -> None:
        if seconds > 0:
            span.add_event("sent.wait", {"sent.wait.reason": reason, "sent.wait.duration": seconds})
            self._wait_duration.record(seconds, self._server | {"sent.wait.reason": reason})


def _outcome(status: int | None, error: Exception | None) -> Attributes:
    """The result of an attempt or a call, as attributes of the HTTP conventions."""
    attributes: Attributes = {}
    if status is not None:
        attributes["http.response.status_code"] = status
    if error is not None:
        kind = type(error)
        is_status = status is not None and status >= 400
        attributes["error.type"] = str(status) if is_status else f"{kind.__module__}.{kind.__qualname__}"
    return attributes


def _call_attributes(attempts: int, request_id: str | None) -> Attributes:
    attributes: Attributes = {"sent.attempts": attempts}
    if attempts > 1:
        attributes["http.request.resend_count"] = attempts - 1
    if request_id is not None:
        attributes["sent.request_id"] = request_id
    return attributes
