"""Metrics for Prometheus: what the service does, in numbers alone. docs/operations.md lists them.

No label names a project, a key, a file or an address as it was asked for: labels come from closed lists, so that
neither customers' names nor endless series get into a monitoring system.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from gapnlp.errors import GapnlpError

Counts = Callable[[], Mapping[str, int]]
Versions = Callable[[], Mapping[str, str]]
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

log = logging.getLogger(__name__)


class Metrics:
    """The metrics of one app, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collect in (ProcessCollector, PlatformCollector, GCCollector):
            collect(registry=self.registry)
        Info("gapnlp_build", "The version of gapnlp.", registry=self.registry).info({"version": version("gapnlp")})
        labels = ("method", "route")
        self._requests = Counter(
            "gapnlp_http_requests", "Requests answered.", (*labels, "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "gapnlp_http_request_seconds",
            "Seconds from a request to the end of its answer.",
            labels,
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._in_flight = Gauge("gapnlp_http_requests_in_flight", "Requests being answered.", registry=self.registry)
        self._queue = Gauge("gapnlp_classify_queue_texts", "Texts that wait to be scored.", registry=self.registry)
        self._batches = Histogram(
            "gapnlp_classify_batch_texts", "Texts scored together.", buckets=_TEXTS, registry=self.registry
        )

    def begin_request(self) -> None:
        """Count a request in."""
        self._in_flight.inc()

    def end_request(self, method: str, route: str, *, status: int, seconds: float) -> None:
        """Count a request out. method and route: from closed lists, never as they were sent."""
        self._in_flight.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def observe_batch(self, texts: int) -> None:
        """Note how many texts were scored together."""
        self._batches.observe(texts)

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Ask for the number of waiting texts at each reading."""
        self._queue.set_function(waiting)

    def watch_jobs(self, counts: Counts) -> None:
        """Ask for the jobs by state at each reading."""
        self.registry.register(_Asked("gapnlp_jobs", "Jobs by state.", lambda: _by_state(counts)))

    def watch_models(self, versions: Versions) -> None:
        """Ask for the model version of each language at each reading."""
        self.registry.register(_Asked("gapnlp_model", "Model that serves a language.", lambda: _by_language(versions)))

    def watch_reloads(self, reloads: Callable[[], int], outdated: Callable[[], bool]) -> None:
        """Ask at each reading how often the models were replaced, and whether newer ones could not be loaded."""
        name, told = "gapnlp_model_reloads", "Times that other models took over."
        self.registry.register(_Asked(name, told, lambda: CounterMetricFamily(name, told, reloads())))
        gauge = Gauge("gapnlp_models_outdated", "1: newer models cannot be loaded.", registry=self.registry)
        gauge.set_function(lambda: float(outdated()))

    def render(self, accept: str | None = None) -> tuple[bytes, str]:
        """Write all metrics in the format that an Accept header asks for; returns content and media type."""
        encode, media_type = choose_encoder(accept or "")
        return encode(self.registry), media_type


class _Asked(Collector):
    """Metrics that are asked for at each reading. What cannot be told is left out: a gap in a plot, not a zero."""

    def __init__(self, name: str, documentation: str, ask: Callable[[], Metric]) -> None:
        self._family = GaugeMetricFamily(name, documentation)
        self._ask = ask

    def describe(self) -> Iterator[Metric]:
        """Name the metric without asking."""
        yield self._family

    def collect(self) -> Iterator[Metric]:
        """Ask now."""
        try:
            yield self._ask()
        except GapnlpError as error:
            log.warning("%s cannot be told: %s", self._family.name, error)


def _by_state(counts: Counts) -> GaugeMetricFamily:
    family = GaugeMetricFamily("gapnlp_jobs", "Jobs by state.", labels=("state",))
    for state, count in counts().items():
        family.add_metric((state,), count)
    return family


def _by_language(versions: Versions) -> GaugeMetricFamily:
    family = GaugeMetricFamily("gapnlp_model", "Model that serves a language.", labels=("language", "version"))
    for language, model in versions().items():
        family.add_metric((language, model), 1)
    return family
