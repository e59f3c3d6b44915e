"""`gapnlp serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gapnlp.cli import options as o

if TYPE_CHECKING:
    from gapnlp.settings import Settings


def serve(
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on; other than loopback only with a key.")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="Port; 0 takes any free one.")] = None,
    keep_days: Annotated[
        float | None,
        typer.Option("--keep-days", metavar="DAYS", help="Delete ended jobs, with every text, after so many days."),
    ] = None,
    models: o.ModelsOption = None,
) -> None:
    """Serve the page and the API; all other settings come from the environment (GAPNLP_...).

    [bold]Example:[/] gapnlp serve --port 8000
    """
    from gapnlp.cli.screen import ERRORS
    from gapnlp.cli.service_extra import needs_service

    with needs_service():
        from gapnlp.api.serving import run_server
        from gapnlp.settings import read_settings

    settings = read_settings(host=host, port=port, keep_days=keep_days, models=models)
    _refuse_open_door(settings)
    run_server(settings, lambda address: ERRORS.print(f"serving at {address}; Ctrl-C stops", soft_wrap=True))


def _refuse_open_door(settings: Settings) -> None:
    """Raise InputError when others could reach a server that asks nobody for a key."""
    from gapnlp.api.access import is_loopback
    from gapnlp.errors import InputError
    from gapnlp.service.keys import KeyService

    if is_loopback(settings.host):
        return
    keys = KeyService(settings)
    try:
        if not keys.any():
            raise InputError(
                f"--host {settings.host} can be reached by others, and this server has no access keys yet; make one "
                "first: gapnlp keys create, or serve on 127.0.0.1"
            )
    finally:
        keys.close()
