"""Settings: read from the environment, refused with the name of the setting, without its value."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gapnlp.errors import InputError
from gapnlp.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def _without_environment(monkeypatch):
    import os

    for name in [n for n in os.environ if n.startswith("GAPNLP_")]:
        monkeypatch.delenv(name)


def test_defaults_are_safe():
    settings = read_settings()
    assert settings.host == "127.0.0.1"
    assert settings.database_url is None
    assert settings.cors_origins == settings.storage_prefixes == ()
    assert settings.otel_endpoint is None
    assert settings.zendesk_secrets == settings.intercom_secrets == settings.freshdesk_tokens == {}
    assert settings.keep_days is None


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("GAPNLP_PORT", "9000")
    monkeypatch.setenv("GAPNLP_DATA_DIR", "/srv/gapnlp")
    monkeypatch.setenv("GAPNLP_KEEP_DAYS", "0.5")
    monkeypatch.setenv("GAPNLP_CORS_ORIGINS", "https://a.example, https://b.example,")
    monkeypatch.setenv("GAPNLP_ZENDESK_SECRETS", '{"shop": "s3cret"}')
    settings = read_settings()
    assert (settings.port, settings.data_dir, settings.keep_days) == (9000, Path("/srv/gapnlp"), 0.5)
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.zendesk_secrets["shop"].get_secret_value() == "s3cret"


def test_the_command_line_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("GAPNLP_PORT", "9000")
    assert read_settings(port=1, host=None).port == 1
    assert read_settings(port=None).port == 9000


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("GAPNLP_DATABASE_URL", "postgresql://u:s3cret@h/d")
    monkeypatch.setenv("GAPNLP_INTERCOM_SECRETS", '{"shop": "s3cret"}')
    settings = read_settings()
    assert "s3cret" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("PORT", "s3cret"), ("KEEP_DAYS", "0"), ("LOG_LEVEL", "LOUD"), ("QUALITY", "best")],
)
def test_wrong_values_are_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(f"GAPNLP_{name}", value)
    with pytest.raises(InputError, match=f"GAPNLP_{name}: ") as caught:
        read_settings()
    assert "s3cret" not in str(caught.value)


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        Settings().port = 1
