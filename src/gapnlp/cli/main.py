"""The command line: `gapnlp --help`. Exit codes: 0 done, 1 unexpected, 2 input or usage, 3 models, 4 work file,
5 a package is missing, 130 stopped by Ctrl-C.
"""  # noqa: D205

from __future__ import annotations

import sys
from typing import Any

import typer
from rich.markup import escape

from gapnlp.cli.classify import classify
from gapnlp.cli.compare import compare
from gapnlp.cli.drift import drift
from gapnlp.cli.evaluate import evaluate
from gapnlp.cli.keys import keys
from gapnlp.cli.labels import labels
from gapnlp.cli.models import models
from gapnlp.cli.report import report
from gapnlp.cli.review import review
from gapnlp.cli.score import score
from gapnlp.cli.screen import ERRORS
from gapnlp.cli.serve import serve
from gapnlp.cli.train import train
from gapnlp.cli.worker import worker
from gapnlp.errors import GapnlpError

app = typer.Typer(
    help="Find where a service falls short, from customers' own words: five SERVQUAL dimensions and five service gaps, "
    "in English, Polish and Chinese, offline.",
    epilog="Exit codes: 0 done, 1 unexpected, 2 input or usage, 3 models, 4 work file, 5 missing package, 130 stopped.",
    no_args_is_help=True,
    # Tracebacks with local variables would print customers' texts.
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (report, score, classify, compare, review, evaluate, drift, train, serve, worker):
    app.command()(command)
app.add_typer(keys, name="keys")
app.add_typer(labels, name="labels")
app.add_typer(models, name="models")

_STOPPED = 130
# The class of usage errors. Newer versions of typer carry a private copy of click, so it is not imported by name.
_USAGE_ERRORS: Any = typer.BadParameter.__bases__


def main() -> None:
    """Run the command line; errors that gapnlp raises on purpose become one plain message and an exit code."""
    try:
        code = app(standalone_mode=False)
    except GapnlpError as error:
        ERRORS.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        code = _STOPPED
    except _USAGE_ERRORS as error:
        error.show()
        sys.exit(error.exit_code)
    if code == _STOPPED:  # typer itself turns Ctrl-C into this code
        ERRORS.print(
            "\nstopped; report, score, compare and train go on where they were when you run the same command again"
        )
    sys.exit(code if isinstance(code, int) else 0)
