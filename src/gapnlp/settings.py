"""The service's settings: the only reader of the environment. Every name is prefixed with GAPNLP_.

Lists are written with commas (GAPNLP_CORS_ORIGINS=https://a.example,https://b.example); secrets of webhooks as JSON,
project -> secret (GAPNLP_ZENDESK_SECRETS={"shop": "..."}).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gapnlp.errors import InputError


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Secrets = Mapping[str, SecretStr]


class Settings(BaseSettings):
    """What the service is told by its environment; frozen once read."""

    model_config = SettingsConfigDict(env_prefix="GAPNLP_", frozen=True, extra="ignore")

    # Where things are kept.
    database_url: SecretStr | None = Field(None, description="database; empty: SQLite in the data folder")
    data_dir: Path = Field(Path("gapnlp-data"), description="folder of uploads, results and the SQLite database")
    keep_days: float | None = Field(None, gt=0, description="days after which ended jobs are deleted; empty: never")

    # The server.
    host: str = Field("127.0.0.1", description="address to listen on; other than loopback only with a key")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0: any free one")
    cors_origins: Listed = Field((), description="origins whose pages may call the API")
    rate_limit: int = Field(600, ge=1, description="requests per key and minute")
    shutdown_seconds: float = Field(20.0, ge=0, description="seconds that requests get to end at shutdown")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least level that is logged")
    otel_endpoint: str | None = Field(None, description="OpenTelemetry collector (OTLP over HTTP); empty: off")

    # Scoring.
    models: Path | None = Field(None, description="models folder; empty: the shipped one")
    quality: Literal["fast", "balanced", "accurate"] = Field("balanced", description="default quality of scoring")
    workers: int | None = Field(None, ge=1, description="scoring processes a job; empty: by the upload's size")
    job_slots: int = Field(1, ge=1, description="jobs that one process runs at the same time")
    classify_queue: int = Field(256, ge=1, description="texts that may wait for /classify before it answers 503")
    classify_batch: int = Field(32, ge=1, description="texts scored together by /classify")
    classify_documents: int = Field(100, ge=1, description="documents in one /classify request")
    classify_characters: int = Field(20_000, ge=1, description="characters of one document of /classify")

    # Limits of uploads.
    upload_bytes: int = Field(200_000_000, ge=1, description="bytes of an upload")
    upload_rows: int = Field(2_000_000, ge=1, description="rows of an upload")
    cell_characters: int = Field(100_000, ge=1, description="characters of one cell")
    columns: int = Field(2_000, ge=1, description="columns of an upload")
    decompressed_bytes: int = Field(1_000_000_000, ge=1, description="bytes of a gzip, XLSX or Parquet file unpacked")
    zip_ratio: float = Field(200.0, gt=1, description="unpacked bytes per packed byte of a gzip or XLSX file")
    storage_prefixes: Listed = Field((), description="URL prefixes that jobs may read from, such as s3://bucket/in/")

    # Workers that are gone.
    heartbeat_seconds: float = Field(3.0, gt=0, description="seconds between two signs of life of a process")
    takeover_seconds: float = Field(20.0, gt=0, description="silence after which another process takes over jobs")

    # Webhooks: project -> secret.
    zendesk_secrets: Secrets = Field(default_factory=dict, description="signing secrets of Zendesk webhooks")
    intercom_secrets: Secrets = Field(default_factory=dict, description="client secrets of Intercom apps")
    freshdesk_tokens: Secrets = Field(default_factory=dict, description="header tokens of Freshdesk automations")


def read_settings(**given: Any) -> Settings:
    """Read the environment; given values (of the command line) go before it, None leaves a setting alone.

    Raises InputError that names each setting which cannot be used, never its value.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults = "; ".join(f"GAPNLP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise InputError(f"settings: {faults}; see docs/operations.md") from None
