"""From a dropped file to a started job: take the upload, show its columns, let them be corrected, start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from gapnlp.api.web.columns import CHOICES, SAMPLE_ROWS, list_choices, take_sample, wordiest
from gapnlp.api.web.drafts import Draft
from gapnlp.api.web.forms import write_size
from gapnlp.api.web.home import home_values, job_address
from gapnlp.api.web.rendering import PAGE_HEADERS, go, show
from gapnlp.api.web.site import Site
from gapnlp.api.web.visits import Visit
from gapnlp.classifier.bundle import QUALITIES
from gapnlp.errors import InputError
from gapnlp.ingest.columns import TEXT_ROLES
from gapnlp.ingest.counting import estimate_rows
from gapnlp.ingest.readers import ENDINGS, format_of
from gapnlp.records.feedback import Recognition
from gapnlp.records.periods import PERIODS
from gapnlp.records.service import JobOptions


@dataclass(frozen=True, slots=True)
class Look:
    """What was found out about a draft. head: header and first rows. fault: why it cannot be used as it is."""

    recognition: Recognition | None
    head: tuple[tuple[str, ...], ...]
    fault: str


async def take_upload(visit: Visit, site: Site) -> Response:
    """Keep an uploaded file until its columns are confirmed."""
    project, file, path = visit.need(), visit.form.file, visit.form.path
    if file is None or path is None or not path.stat().st_size:
        return await refuse_upload(visit, site, visit.words.say("web.error.no_file"), status=422)
    if not file.lower().endswith(tuple(ENDINGS)):
        kinds = ", ".join(ENDINGS)
        return await refuse_upload(visit, site, visit.words.say("web.error.kind", kinds=kinds), status=422)
    try:
        draft = await site.gate.run(lambda: _take(site, project, file=file, path=path))
    except InputError as error:
        said = visit.words.say("web.columns.problem")
        return await refuse_upload(visit, site, said, detail=str(error), status=422)
    return _lead(visit, f"/page/uploads/{draft.token}")


async def refuse_upload(visit: Visit, site: Site, problem: str, *, status: int, detail: str = "") -> Response:
    """Say on the first page why an upload was not taken. detail: the server's own words."""
    if visit.part == "upload":
        return JSONResponse({"problem": problem, "detail": detail}, status, headers=dict(PAGE_HEADERS))
    values = await run_in_threadpool(lambda: home_values(visit, site, problem=problem, detail=detail))
    return show(visit, "home.html.j2", values, status=status)


def too_large(visit: Visit, site: Site) -> str:
    """Say that an upload is too large, and how large it may be."""
    return visit.words.say("web.error.too_large", size=write_size(site.settings.upload_bytes, visit.words.formats))


def show_columns(visit: Visit, site: Site) -> Response:
    """Show how an upload was understood."""
    project, token = visit.need(), visit.request.path_params["token"]
    if job := site.drafts.job_of(project, token):
        return go(f"/page/jobs/{job}")
    draft = site.drafts.get(project, token)
    options = JobOptions(ui=visit.words.ui, quality=site.settings.quality)
    look = _look(site, draft, options)
    dated = look.recognition is not None and any(c.role == "date" for c in look.recognition.columns)
    return _columns_page(visit, draft, look, options=options, period="month" if dated else "")


def choose_columns(visit: Visit, site: Site) -> Response:
    """Start the job with the columns that were chosen, or show how the file is understood with them."""
    project, token = visit.need(), visit.request.path_params["token"]
    if job := site.drafts.job_of(project, token):
        return go(f"/page/jobs/{job}")
    draft, options = site.drafts.get(project, token), _options(visit, site)
    look = _look(site, draft, options)
    if look.fault or visit.field("action") != "start":
        return _columns_page(visit, draft, look, options=options, period=options.period or "")
    started = site.jobs.submit(project, draft.path, file=draft.file, options=options, idempotency_key=f"page-{token}")
    site.drafts.finish(draft, started.id)
    return go(job_address(started))


def discard_upload(visit: Visit, site: Site) -> Response:
    """Delete an upload that is not wanted after all."""
    project, token = visit.need(), visit.request.path_params["token"]
    site.drafts.discard(site.drafts.get(project, token))
    return go("/")


def _take(site: Site, project: str, *, file: str, path: Path) -> Draft:
    """Keep an upload whose limits hold and whose rows can be read; another is deleted. Raises InputError."""
    draft = site.drafts.begin(project, file, path)
    try:
        site.jobs.first_rows(draft.path, file=draft.file, limit=1)
    except InputError:
        site.drafts.discard(draft)
        raise
    return draft


def _lead(visit: Visit, path: str) -> Response:
    """Send the visitor on; the page's script is told where instead, as it cannot see a redirect."""
    if visit.part == "upload":
        return JSONResponse({"go": path}, headers=dict(PAGE_HEADERS))
    return go(path)


def _look(site: Site, draft: Draft, options: JobOptions) -> Look:
    """Recognise a draft's columns; where that fails, still show which columns there are. Raises InputError."""
    head = site.jobs.first_rows(draft.path, file=draft.file, limit=SAMPLE_ROWS)
    try:
        recognition = site.jobs.preview(draft.project, draft.path, file=draft.file, options=options)
    except InputError as error:
        rest = None if options.text else _rest_of(site, draft, head, options=options)
        return Look(rest, head, str(error))
    return Look(recognition, head, "")


def _rest_of(site: Site, draft: Draft, head: Sequence[Sequence[str]], *, options: JobOptions) -> Recognition | None:
    """Recognise the other columns of a file without a known text column, as if its wordiest were the text.

    The visitor still has to name the text: a column is never taken for it silently.
    """
    provisional = replace(options, text=wordiest(head))
    try:
        found = site.jobs.preview(draft.project, draft.path, file=draft.file, options=provisional)
    except InputError:
        return None
    return replace(found, columns=tuple(c for c in found.columns if c.role not in TEXT_ROLES))


def _columns_page(visit: Visit, draft: Draft, look: Look, *, options: JobOptions, period: str) -> Response:
    rows = estimate_rows([draft.path])
    values = {
        "draft": draft,
        "look": look,
        "needs_text": bool(look.fault) and options.text is None and look.recognition is not None,
        "options": options,
        "choices": list_choices(look.recognition, options),
        "columns": look.head[0],
        "sample": take_sample(look.head, look.recognition),
        "rows": None if rows is None else max(1, rows - (format_of(draft.path) == "csv")),
        "period": period,
        "periods": tuple(PERIODS),
        "qualities": QUALITIES,
    }
    template = "columns_form.html.j2" if visit.part == "columns" else "columns.html.j2"
    return show(visit, template, values, status=422 if look.fault else 200)


def _options(visit: Visit, site: Site) -> JobOptions:
    """Read the form: an empty choice leaves a role to recognition."""
    chosen = {role: visit.field(f"column_{role}") or None for role in CHOICES}
    period, quality = visit.field("period"), visit.field("quality")
    return JobOptions(
        **chosen,
        period=period if period in PERIODS else None,
        ui=visit.words.ui,
        redact=visit.field("redact") == "on",
        quality=quality if quality in QUALITIES else site.settings.quality,
    )
