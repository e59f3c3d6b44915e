"""`gapnlp keys`: access keys of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gapnlp.records.service import ApiKey
    from gapnlp.service.keys import KeyService

keys = typer.Typer(help="Make, list and revoke access keys of the service.", no_args_is_help=True)


@keys.command("create")
def create_key(
    project: Annotated[
        str,
        typer.Option("--project", metavar="NAME", help="Whose jobs and reports the key opens.", show_default=False),
    ],
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the key is for, to tell it apart.", show_default=False)
    ],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", metavar="SCOPE", help="classify, jobs or admin; may be repeated. Without: the first two."
        ),
    ] = None,
    days: Annotated[float | None, typer.Option("--days", min=0, help="Days until it expires; without: never.")] = None,
) -> None:
    """Make a key. The secret is printed this once; only a hash of it is stored.

    [bold]Example:[/] gapnlp keys create --project shop --name zendesk --scope classify --days 365
    """
    from datetime import UTC, datetime, timedelta

    from gapnlp.cli.screen import ERRORS

    expires = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    with _service() as service:
        key, secret = service.create(project, name, scope or ["classify", "jobs"], expires)
    ERRORS.print(f"key {key.prefix} for project {key.project}; keep its secret, it is not shown again:")
    typer.echo(secret)


@keys.command("list")
def list_keys() -> None:
    """List all keys, oldest first."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from gapnlp.cli.screen import OUTPUT

    with _service() as service:
        found = service.list()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("key", "project", "name", "scopes", "created", "state"):
        table.add_column(heading, overflow="fold")
    for key in found:
        day = key.created.date().isoformat()
        table.add_row(key.prefix, key.project, escape(key.name), " ".join(key.scopes), day, _state(key))
    OUTPUT.print(table)


@keys.command("revoke")
def revoke_key(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The key's name in `gapnlp keys list`.", show_default=False)
    ],
) -> None:
    """Revoke a key for good."""
    from gapnlp.cli.screen import ERRORS

    with _service() as service:
        revoked = service.revoke(key)
    ERRORS.print(f"key {revoked.prefix} of project {revoked.project} is revoked")


@contextmanager
def _service() -> Iterator[KeyService]:
    from gapnlp.cli.service_extra import needs_service

    with needs_service():
        from gapnlp.service.keys import KeyService
        from gapnlp.settings import read_settings

        service = KeyService(read_settings())
    try:
        yield service
    finally:
        service.close()


def _state(key: ApiKey) -> str:
    from datetime import UTC, datetime

    if key.revoked is not None:
        return f"revoked {key.revoked.date().isoformat()}"
    if key.expires is None:
        return "in use"
    return f"{'expired' if key.expires <= datetime.now(UTC) else 'until'} {key.expires.date().isoformat()}"
