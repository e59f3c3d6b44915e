"""`gapnlp keys` and `gapnlp worker` from the outside."""

from __future__ import annotations

import builtins
import re

import pytest
import typer
from typer.testing import CliRunner

from gapnlp.cli.keys import keys
from gapnlp.cli.worker import worker
from gapnlp.errors import InputError, MissingExtra, NotFound
from gapnlp.service.keys import KeyService
from gapnlp.settings import read_settings


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("GAPNLP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("GAPNLP_DATABASE_URL", raising=False)
    return tmp_path / "data"


def run(*arguments: str, command: object = keys) -> str:
    """Give the standard output. Raises what the command raised."""
    app = typer.Typer()
    if isinstance(command, typer.Typer):
        app.add_typer(command, name="keys")
    else:
        app.command("worker")(command)
        app.callback()(lambda: None)
    result = CliRunner().invoke(app, arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_secret_alone_goes_to_standard_output_and_opens_the_project(data):
    out = run("keys", "create", "--project", "shop", "--name", "zendesk", "--scope", "classify", "--days", "30")
    secret = out.strip()
    service = KeyService(read_settings())
    key = service.check(secret)
    service.close()
    assert (key.project, key.name, key.scopes) == ("shop", "zendesk", ("classify",))
    assert 29 < (key.expires - key.created).days + 1 <= 30
    default = run("keys", "create", "--project", "shop", "--name", "page").strip()
    service = KeyService(read_settings())
    assert service.check(default).scopes == ("classify", "jobs")
    service.close()


def test_keys_are_listed_without_secrets_and_revoked(data):
    secrets = [run("keys", "create", "--project", "shop", "--name", name).strip() for name in ("first", "[red]second")]
    prefix = re.fullmatch(r"gapnlp_(\w+?)_.*", secrets[0])[1]
    run("keys", "revoke", prefix)
    listed = run("keys", "list")
    assert "revoked" in listed and "in use" in listed and "[red]second" in listed
    assert not any(secret.rpartition("_")[2] in listed for secret in secrets)
    service = KeyService(read_settings())
    assert service.check(secrets[0]) is None
    service.close()
    with pytest.raises(NotFound):
        run("keys", "revoke", "0000000000")


def test_wrong_keys_are_refused(data):
    with pytest.raises(InputError, match="scopes"):
        run("keys", "create", "--project", "shop", "--name", "x", "--scope", "root")
    with pytest.raises(InputError, match="project"):
        run("keys", "create", "--project", "../x", "--name", "x")
    with pytest.raises(InputError, match="expires"):
        run("keys", "create", "--project", "shop", "--name", "x", "--days", "0")


def test_a_worker_wants_a_database_that_it_can_share(data):
    with pytest.raises(InputError, match="GAPNLP_DATABASE_URL"):
        run("worker", command=worker)
    assert not (data / "engine.sqlite").exists()


def test_without_the_extra_it_says_what_to_install(data, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "pydantic_settings" or name == "gapnlp.service.keys":
            raise ModuleNotFoundError("No module named 'alembic'", name="alembic")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"pip install 'gapnlp\[api\]'"):
        run("keys", "list")
