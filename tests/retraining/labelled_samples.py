"""The same four labelled tickets as every tool exports them; all written for the tests."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import xlsxwriter

# id, text, labels.
TICKETS = (
    ("t1", "The parcel came five days late.", ("late",)),
    ("t2", "Nobody at the desk could answer my question.", ("staff", "late")),
    ("t3", "Pokój był brudny, a obsługa niemiła.", ("staff",)),
    ("t4", "快递晚了三天才送到，客服也不回复。", ("late", "queue")),
)


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def as_json(path: Path, value: object) -> Path:
    return write(path, json.dumps(value, ensure_ascii=False))


def as_jsonl(path: Path, rows: list) -> Path:
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def as_csv(path: Path, header: list[str], rows: list[list[object]]) -> Path:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header, *rows])
    return write(path, buffer.getvalue())


def separated_csv(folder: Path) -> Path:
    rows = [[i, text, "; ".join(labels)] for i, text, labels in TICKETS]
    return as_csv(folder / "separated.csv", ["ticket id", "text", "labels"], rows)


def listed_csv(folder: Path) -> Path:
    rows = [[i, text, json.dumps(labels)] for i, text, labels in TICKETS]
    return as_csv(folder / "listed.csv", ["ticket id", "text", "category"], rows)


def python_listed_csv(folder: Path) -> Path:
    rows = [[i, text, str(list(labels))] for i, text, labels in TICKETS]
    return as_csv(folder / "pandas.csv", ["ticket id", "text", "category"], rows)


def flags_csv(folder: Path) -> Path:
    names = ["late", "staff", "queue"]
    rows = [[i, text, *("1" if n in labels else "0" for n in names)] for i, text, labels in TICKETS]
    return as_csv(folder / "flags.csv", ["ticket id", "text", *names], rows)


def flags_xlsx(folder: Path) -> Path:
    path = folder / "flags.xlsx"
    names = ["late", "staff", "queue"]
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["ticket id", "text", *names])
        for row, (i, text, labels) in enumerate(TICKETS, start=1):
            sheet.write_row(row, 0, [i, text, *("yes" if n in labels else "no" for n in names)])
    return path


def plain_jsonl(folder: Path) -> Path:
    rows = [{"ticket_id": i, "text": t, "tags": list(ls), "annotator": "ann"} for i, t, ls in TICKETS]
    return as_jsonl(folder / "plain.jsonl", rows)


def argilla_2(folder: Path) -> Path:
    rows = [
        {
            "id": i,
            "fields": {"text": text},
            "metadata": {},
            "suggestions": {"topic": {"value": "queue", "score": 0.4, "agent": "model"}},
            "responses": {"topic": [{"value": list(labels), "user_id": "u-1"}]},
            "vectors": {},
            "status": "completed",
            "_server_id": f"s-{i}",
        }
        for i, text, labels in TICKETS
    ]
    return as_json(folder / "argilla2.json", rows)


def argilla_feedback(folder: Path) -> Path:
    rows = [
        {
            "fields": {"text": text},
            "metadata": {},
            "responses": [
                {"user_id": "u-1", "values": {"topic": {"value": list(labels)}}, "status": "submitted"},
                {"user_id": "u-2", "values": {"topic": {"value": ["queue"]}}, "status": "draft"},
            ],
            "suggestions": [],
            "external_id": i,
        }
        for i, text, labels in TICKETS
    ]
    return as_json(folder / "argilla_feedback.json", rows)


def argilla_1(folder: Path) -> Path:
    rows = [
        {
            "id": i,
            "text": text,
            "inputs": {"text": text},
            "prediction": [["queue", 0.3]],
            "prediction_agent": "model",
            "annotation": list(labels),
            "annotation_agent": "u-1",
            "multi_label": True,
            "status": "Validated",
            "metadata": {},
        }
        for i, text, labels in TICKETS
    ]
    return as_jsonl(folder / "argilla1.jsonl", rows)


def label_studio(folder: Path) -> Path:
    rows = [
        {
            "id": n,
            "data": {"text": text, "ticket_id": i},
            "annotations": [
                {
                    "completed_by": {"id": 1, "email": "u-1"},
                    "was_cancelled": False,
                    "result": [
                        {"type": "choices", "from_name": "topic", "to_name": "text", "value": {"choices": list(labels)}}
                    ],
                },
                {"completed_by": 2, "was_cancelled": True, "result": []},
            ],
            "predictions": [],
        }
        for n, (i, text, labels) in enumerate(TICKETS, start=1)
    ]
    return as_json(folder / "project-1.json", rows)


def label_studio_min(folder: Path) -> Path:
    rows = [
        {
            "ticket_id": i,
            "text": t,
            "topic": {"choices": list(ls)},
            "annotator": 1,
            "annotation_id": n,
            "lead_time": 2.5,
        }
        for n, (i, t, ls) in enumerate(TICKETS)
    ]
    return as_json(folder / "project-min.json", rows)


def doccano(folder: Path) -> Path:
    rows = [{"id": i, "text": text, "label": sorted(labels), "Comments": []} for i, text, labels in TICKETS]
    return as_jsonl(folder / "all.jsonl", rows)


def prodigy(folder: Path) -> Path:
    options = [{"id": name, "text": name.title()} for name in ("late", "staff", "queue")]
    rows = [
        {
            "text": text,
            "meta": {"ticket_id": i},
            "options": options,
            "accept": list(labels),
            "answer": "accept",
            "_input_hash": n,
            "_task_hash": -n,
            "_annotator_id": "u-1",
        }
        for n, (i, text, labels) in enumerate(TICKETS, start=1)
    ]
    return as_jsonl(folder / "prodigy.jsonl", rows)


def zendesk_json(folder: Path) -> Path:
    rows = [
        {"id": i, "subject": "", "description": text, "requester_id": 9, "tags": list(labels), "status": "closed"}
        for i, text, labels in TICKETS
    ]
    return as_json(folder / "zendesk.json", {"tickets": rows, "count": len(rows)})


def zendesk_csv(folder: Path) -> Path:
    rows = [[i, "", text, 9, " ".join(labels)] for i, text, labels in TICKETS]
    return as_csv(folder / "zendesk.csv", ["Id", "Subject", "Description", "Requester id", "Tags"], rows)


# Name of the sample -> (the format that it is recognised as, what writes it).
SAMPLES: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "separated_csv": ("table", separated_csv),
    "listed_csv": ("table", listed_csv),
    "python_listed_csv": ("table", python_listed_csv),
    "flags_csv": ("table", flags_csv),
    "flags_xlsx": ("table", flags_xlsx),
    "plain_jsonl": ("table", plain_jsonl),
    "argilla_2": ("argilla", argilla_2),
    "argilla_feedback": ("argilla", argilla_feedback),
    "argilla_1": ("argilla", argilla_1),
    "label_studio": ("label_studio", label_studio),
    "label_studio_min": ("table", label_studio_min),
    "doccano": ("doccano", doccano),
    "prodigy": ("prodigy", prodigy),
    "zendesk_json": ("zendesk", zendesk_json),
    "zendesk_csv": ("zendesk", zendesk_csv),
}
