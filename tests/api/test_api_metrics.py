from __future__ import annotations

import gc
import weakref

from prometheus_client.parser import text_string_to_metric_families

from gapnlp.api.metrics import Metrics
from gapnlp.errors import StoreError


def samples(metrics: Metrics) -> dict[tuple, float]:
    body, _ = metrics.render()
    families = text_string_to_metric_families(body.decode())
    return {(s.name, *sorted(s.labels.items())): s.value for f in families for s in f.samples}


def test_requests_and_their_seconds():
    metrics = Metrics()
    for status, seconds in ((200, 0.02), (200, 0.2), (503, 0.001)):
        metrics.begin_request()
        metrics.end_request("POST", "/classify", status=status, seconds=seconds)
    metrics.begin_request()
    found = samples(metrics)
    route = (("method", "POST"), ("route", "/classify"))
    assert found["gapnlp_http_requests_total", *route, ("status", "200")] == 2
    assert found["gapnlp_http_requests_total", *route, ("status", "503")] == 1
    assert found["gapnlp_http_request_seconds_bucket", ("le", "0.05"), *route] == 2
    assert found["gapnlp_http_request_seconds_count", *route] == 3
    assert found["gapnlp_http_requests_in_flight",] == 1


def test_queue_batches_jobs_and_models_are_asked_for_at_each_reading():
    metrics, waiting, jobs = Metrics(), [3], {"queued": 1, "failed": 0}
    metrics.watch_queue(lambda: waiting[0])
    metrics.watch_jobs(lambda: jobs)
    metrics.watch_models(lambda: {"pl": "linear-pl-1+ab"})
    metrics.observe_batch(5)
    assert samples(metrics)["gapnlp_classify_queue_texts",] == 3
    waiting[0], jobs["queued"] = 0, 4
    found = samples(metrics)
    assert found["gapnlp_classify_queue_texts",] == 0
    assert found["gapnlp_jobs", ("state", "queued")] == 4
    assert found["gapnlp_jobs", ("state", "failed")] == 0
    assert found["gapnlp_model", ("language", "pl"), ("version", "linear-pl-1+ab")] == 1
    assert found["gapnlp_classify_batch_texts_bucket", ("le", "4.0")] == 0
    assert found["gapnlp_classify_batch_texts_bucket", ("le", "8.0")] == 1


def test_a_database_that_is_away_leaves_a_gap_and_the_rest_stands():
    def away() -> dict[str, int]:
        raise StoreError("the database does not answer")

    metrics = Metrics()
    metrics.watch_jobs(away)
    found = samples(metrics)
    assert not [key for key in found if key[0] == "gapnlp_jobs"]
    assert "gapnlp_classify_queue_texts" in {key[0] for key in found}
    assert "process_resident_memory_bytes" in {key[0] for key in found}


def test_each_app_has_its_own():
    one, other = Metrics(), Metrics()
    one.observe_batch(2)
    assert samples(one)["gapnlp_classify_batch_texts_count",] == 1
    assert samples(other)["gapnlp_classify_batch_texts_count",] == 0


def test_metrics_that_nobody_holds_go_away():
    metrics = Metrics()
    metrics.render()
    registry = weakref.ref(metrics.registry)
    del metrics
    gc.collect()
    assert registry() is None


def test_the_format_is_the_one_that_is_asked_for():
    metrics = Metrics()
    assert metrics.render()[1].startswith("text/plain")
    assert metrics.render("application/openmetrics-text; version=1.0.0")[1].startswith("application/openmetrics-text")
    assert metrics.render("application/openmetrics-text")[0].endswith(b"# EOF\n")
