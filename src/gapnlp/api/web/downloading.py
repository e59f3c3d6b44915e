"""Results and reports as files."""

from __future__ import annotations

import re

from starlette.responses import Response

from gapnlp.api.downloads import send_file
from gapnlp.api.web.site import Site
from gapnlp.api.web.visits import Visit
from gapnlp.errors import NotFound
from gapnlp.records.service import REPORT_FORMATS, RESULT_FORMATS


def save_file(visit: Visit, site: Site) -> Response:
    """Send "report.json", "report.html", "report.xlsx", "result.csv", "result.jsonl" or "result.parquet".

    ?open shows the HTML report instead of saving it. Raises NotFound for another name.
    """
    project, params = visit.need(), visit.request.path_params
    kind, _, form = params["name"].partition(".")
    if kind == "report" and form in REPORT_FORMATS:
        path = site.jobs.report(project, params["job_id"], form, visit.words.ui)
    elif kind == "result" and form in RESULT_FORMATS:
        path = site.jobs.result(project, params["job_id"], form)
    else:
        raise NotFound(f"there is no such file; there are report.{{{','.join(REPORT_FORMATS)}}} and result.*")
    file = site.jobs.get(project, params["job_id"]).file
    response = send_file(visit.request, path, name=_saved_name(file, kind, form))
    if "open" not in visit.request.query_params:
        response.headers["Content-Disposition"] = response.headers["Content-Disposition"].replace(
            "inline", "attachment"
        )
    return response


def _saved_name(file: str, kind: str, form: str) -> str:
    """Name a download after the upload: "reviews-report.xlsx"."""
    stem = re.sub(r"[\x00-\x1f\x7f\"\\/:*?<>|]", "_", file.partition(".")[0])[:100].strip() or "gapnlp"
    return f"{stem}-{kind}.{form}"
