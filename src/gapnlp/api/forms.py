"""How the form of an upload is described; it is read by uploads.py, as a stream, so FastAPI cannot tell."""

from __future__ import annotations

from typing import Any

from gapnlp.api.schemas_jobs import JobForm


def _upload_body() -> dict[str, Any]:
    fields = JobForm.model_json_schema()["properties"]
    source = {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "CSV, TSV, XLSX, JSON, JSON Lines or Parquet, also .gz; told by its name's ending",
        },
        "url": {
            "type": "string",
            "maxLength": 2000,
            "description": "instead of a file: where it lies in a storage that the server may read",
            "examples": ["s3://exports/2026/reviews.csv"],
        },
    }
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {**source, **{name: _plain(field) for name, field in fields.items()}},
                    "oneOf": [{"required": ["file"]}, {"required": ["url"]}],
                    "additionalProperties": False,
                },
                "example": {"file": "id,review,stars\n1,It came late.,1\n", "by": "store", "period": "month"},
            }
        },
    }


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    """Leave out that a field may be null: in a form it is there or not."""
    kept = {k: v for k, v in field.items() if k not in ("anyOf", "title", "default")}
    for choice in field.get("anyOf", []):
        if choice.get("type") != "null":
            kept |= choice
    return kept


UPLOAD_BODY = _upload_body()
