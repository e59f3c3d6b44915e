"""OpenTelemetry spans of requests: off unless GAPNLP_OTEL_ENDPOINT names a collector (extra `otel`).

Spans say method, route, status and project, as the log does. FastAPI has telemetry of its own, which sends addresses
and query strings to whatever collector the process's environment names; NO_NATIVE_TELEMETRY keeps it off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gapnlp.api.logs import REQUEST_ID
from gapnlp.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig
    from opentelemetry.trace import Span

NO_NATIVE_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
_TRACES_PATH = "/v1/traces"
# Seconds that one sending may take, also the last one at shutdown: a collector that is gone must not hold up the end.
_SENDING_SECONDS = 3


class Tracing:
    """Makes spans and sends them, in batches, from a thread of its own."""

    def __init__(self, endpoint: str) -> None:
        """Get ready to send to a collector, over HTTP. Raises MissingExtra, InputError when it is no http(s) URL."""
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError:
            raise MissingExtra("GAPNLP_OTEL_ENDPOINT needs OpenTelemetry; run: pip install 'gapnlp[otel]'") from None
        resource = Resource.create({"service.name": "gapnlp", "service.version": version("gapnlp")})
        self._provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=traces_url(endpoint), timeout=_SENDING_SECONDS)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("gapnlp")

    @contextmanager
    def request(self, headers: Mapping[str, str]) -> Iterator[Span]:
        """Make the span of a request the current one; it goes on the caller's trace when `traceparent` names one."""
        from opentelemetry.trace import SpanKind, use_span
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        parent = TraceContextTextMapPropagator().extract(headers)
        span = self._tracer.start_span("request", context=parent, kind=SpanKind.SERVER)
        # An exception's message may quote a text.
        with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            yield span

    def close(self) -> None:
        """Send what is left and end the thread."""
        self._provider.shutdown()


def make_tracing(endpoint: str | None) -> Tracing | None:
    """Make the tracing that the settings ask for; None when they ask for none."""
    return Tracing(endpoint) if endpoint else None


def traces_url(endpoint: str) -> str:
    """Complete a collector's base address as OTLP over HTTP has it; an address with a path is left as it is."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("GAPNLP_OTEL_ENDPOINT is no http(s) address; write it as http://collector:4318")
    return endpoint if parts.path.strip("/") else endpoint.rstrip("/") + _TRACES_PATH


def trace_id(span: Span) -> str:
    """Write a span's trace as 32 hexadecimal digits."""
    return format(span.get_span_context().trace_id, "032x")


def describe(span: Span, fields: Mapping[str, Any]) -> None:
    """Name a request's span and give it what the log line has."""
    from opentelemetry.trace import StatusCode

    span.update_name(f"{fields['method']} {fields['route']}")
    span.set_attribute("http.request.method", fields["method"])
    span.set_attribute("http.route", fields["route"])
    span.set_attribute("http.response.status_code", fields["status"])
    for name in ("project", "milliseconds", "complete"):
        if fields.get(name) is not None:
            span.set_attribute(f"gapnlp.{name}", fields[name])
    span.set_attribute("gapnlp.request_id", REQUEST_ID.get() or "")
    if fields["status"] >= 500:
        span.set_status(StatusCode.ERROR)
