"""The app: its parts, the layers around its routes, and how it starts and stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.concurrency import run_in_threadpool

from gapnlp.api.access import Access
from gapnlp.api.batching import PoolLimits, ScoringPool
from gapnlp.api.body import BodyLimit
from gapnlp.api.events import Streams
from gapnlp.api.headers import SecurityHeaders
from gapnlp.api.memory import AnswerMemory, MemoryLimits
from gapnlp.api.observability import install
from gapnlp.api.openapi import install_openapi
from gapnlp.api.problems import UnexpectedErrors, install_problems
from gapnlp.api.rates import RateLimiter
from gapnlp.api.reloading import ModelWatch, ServedModels
from gapnlp.api.routes import classify, docs, info, jobs, results, webhooks
from gapnlp.api.routes import corrections as corrections_routes
from gapnlp.api.tracing import NO_NATIVE_TELEMETRY
from gapnlp.api.uploads import UploadGate
from gapnlp.api.web.pages import add_pages
from gapnlp.api.webhooks.signatures import INTERCOM_WINDOW
from gapnlp.records.labels import LANGUAGES
from gapnlp.scoring.scorer import Scorer
from gapnlp.service.corrections import CorrectionService
from gapnlp.service.jobs import JobService
from gapnlp.service.keys import KeyService
from gapnlp.settings import Settings

ROUTERS = (
    *(classify.router, jobs.router, results.router, corrections_routes.router),
    *(webhooks.router, info.router, info.health),
)
_DESCRIPTION = """Find where a service falls short, from customers' own words: five SERVQUAL dimensions and five service
gaps, in English, Polish and Chinese.

Every error is `application/problem+json` (RFC 9457). Long work answers 202 with a Location. Lists come in pages: ask
again with `cursor` = `next`."""
_TAGS = {
    "classify": "texts in, labels out",
    "jobs": "uploads that become reports",
    "results": "what jobs have made",
    "corrections": "what labels should be, for the next training",
    "webhooks": "for support tools",
    "about": "what is measured, and with which models",
    "health": "for whoever keeps the server running",
}


def create_app(
    settings: Settings,
    *,
    jobs: JobService | None = None,
    keys: KeyService | None = None,
    corrections: CorrectionService | None = None,
    make_scorer: Callable[[], Scorer] | None = None,
) -> FastAPI:
    """Make the app.

    jobs, keys, corrections: given ones are started and stopped by who gives them; without, the app makes its own when
    it starts.
    make_scorer: what /classify scores with; when not given, the settings' models, followed when they change.
    """
    app = FastAPI(
        title="gapnlp",
        version=version("gapnlp"),
        description=_DESCRIPTION,
        openapi_tags=[{"name": name, "description": what} for name, what in _TAGS.items()],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        generate_unique_id_function=lambda route: route.name,
        telemetry=NO_NATIVE_TELEMETRY,
    )
    state = app.state
    state.settings, state.jobs, state.keys, state.corrections = settings, jobs, keys, corrections
    # A request as large as is allowed has to fit into an empty queue.
    queue = max(settings.classify_queue, settings.classify_documents)
    limits = PoolLimits(queue=queue, batch=settings.classify_batch)
    state.models = ServedModels(settings, make_scorer)
    state.pool = ScoringPool(state.models.make, limits)
    state.memory = AnswerMemory()
    # Replays are refused after the window, so they are remembered for as long.
    state.deliveries = AnswerMemory(MemoryLimits(seconds=INTERCOM_WINDOW + 60.0))
    state.uploads, state.streams, state.scoring_requests = UploadGate(), Streams(), 0
    for router in ROUTERS:
        app.include_router(router)
    docs.add_reference(app)
    install_problems(app)
    install_openapi(app, settings)
    add_pages(app)
    _add_layers(app, settings)
    _watch(app, settings)
    return app


def _watch(app: FastAPI, settings: Settings) -> None:
    """Add logs and metrics outside of all other layers, and connect what they ask for."""
    metrics, pool, models = install(app, settings), app.state.pool, app.state.models
    metrics.watch_models(lambda: _served(pool))
    metrics.watch_reloads(lambda: models.reloads, lambda: models.fault is not None)
    metrics.watch_queue(lambda: pool.waiting)
    metrics.watch_jobs(lambda: app.state.jobs.counts())
    pool.on_batch = metrics.observe_batch


def _add_layers(app: FastAPI, settings: Settings) -> None:
    """Put the layers around the routes; the one that is added last is the outermost."""
    json_bytes = 4 * settings.classify_documents * settings.classify_characters + 100_000
    app.add_middleware(BodyLimit, most_bytes=json_bytes)
    app.add_middleware(Access, keys=lambda: app.state.keys, rates=RateLimiter(settings.rate_limit))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["X-API-Key", "Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
            expose_headers=["Location", "Retry-After", "Idempotent-Replayed"],
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(UnexpectedErrors)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    async with AsyncExitStack() as stack:
        if state.keys is None:
            state.keys = await run_in_threadpool(KeyService, state.settings)
            stack.push_async_callback(run_in_threadpool, state.keys.close)
        if state.jobs is None:
            state.jobs = JobService(state.settings)
            await run_in_threadpool(state.jobs.start)
            stack.push_async_callback(run_in_threadpool, state.jobs.stop)
        if state.corrections is None:
            state.corrections = await run_in_threadpool(CorrectionService, state.settings)
            stack.push_async_callback(run_in_threadpool, state.corrections.close)
        watch = ModelWatch(state.models, state.pool)
        watch.start()
        stack.push_async_callback(run_in_threadpool, watch.stop)
        state.pool.start()
        stack.push_async_callback(run_in_threadpool, state.pool.stop)
        yield
        state.streams.stopping.set()


def _served(pool: ScoringPool) -> Mapping[str, str]:
    """Tell the version of each language's model as predictions name it; nothing before the models are loaded."""
    scorer = pool.scorer
    return {x: scorer.classifier(x).version for x in LANGUAGES} if scorer is not None else {}
