"""`gapnlp worker`."""

from __future__ import annotations

from typing import Annotated

import typer

from gapnlp.cli import options as o


def worker(
    keep_days: Annotated[
        float | None,
        typer.Option("--keep-days", metavar="DAYS", help="Delete ended jobs, with every text, after so many days."),
    ] = None,
    models: o.ModelsOption = None,
) -> None:
    """Run jobs of the service in another process; needs PostgreSQL and the server's data folder.

    All other settings come from the environment (GAPNLP_...), the same as the server's. A worker may be killed at any
    moment: the others take its jobs over.

    [bold]Example:[/] GAPNLP_DATABASE_URL=postgresql://gapnlp@db/gapnlp gapnlp worker
    """
    import signal
    import threading

    from gapnlp.cli.screen import ERRORS
    from gapnlp.cli.service_extra import needs_service
    from gapnlp.errors import InputError

    with needs_service():
        from gapnlp.api.logs import configure_logging
        from gapnlp.service.jobs import JobService
        from gapnlp.service.opening import is_shared
        from gapnlp.settings import read_settings

        settings = read_settings(keep_days=keep_days, models=models)
        if not is_shared(settings):
            raise InputError("a worker needs a database that it shares with the server: set GAPNLP_DATABASE_URL")
        configure_logging(settings.log_level)
        service, ended = JobService(settings), threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        service.start()
    try:
        ERRORS.print("working; Ctrl-C stops")
        ended.wait()
    finally:
        service.stop()
