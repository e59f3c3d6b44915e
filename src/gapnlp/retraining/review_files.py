"""Segments to be labelled -> files: a CSV for spreadsheets, or imports for Label Studio and Argilla.

Where a tool shows suggestions as answers that only need a click, the audit sample has none: people who see an answer
tend to agree with it, and then the audit would measure the model by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from gapnlp.errors import InputError
from gapnlp.export.writers import make_folder, whole_file, write_csv
from gapnlp.records.labels import LABELS
from gapnlp.records.review import ReviewSegment, ReviewTask
from gapnlp.retraining.review_questions import Question, review_questions, suggested_values
from gapnlp.retraining.review_rows import REVIEW_COLUMNS, review_row
from gapnlp.scoring.evidence import given_labels

_GUIDELINES = (
    "Label only the sentence itself; its neighbours are there to understand it. Dimensions and gaps that are left "
    "empty count as not there, an expectation as not mentioned, churn as no."
)
# Where the tools read the text from, and what else is shown.
_SHOWN = (("before", "Before"), ("text", "Sentence"), ("after", "After"))


def write_review(path: Path, tasks: Sequence[ReviewTask], form: str) -> tuple[Path, ...]:
    """Write tasks in a format of FORMATS. Returns the files written: the tasks, then what sets the tool up.

    Raises InputError when the ending of the file does not fit or the folder cannot be made.
    """
    make_folder(path.parent)
    return FORMATS[form](path, tasks)


def check_ending(path: Path, form: str) -> None:
    """Raise InputError when the file's ending is not the format's."""
    ending = ".csv" if form == "csv" else ".json"
    if path.suffix.lower() != ending:
        raise InputError(f"{path.name}: --format {form} writes {ending}; choose that ending")


def _write_csv(path: Path, tasks: Sequence[ReviewTask]) -> tuple[Path, ...]:
    with whole_file(path) as partial:
        write_csv(partial, REVIEW_COLUMNS, [[review_row(task) for task in tasks]])
    return (path,)


def _write_label_studio(path: Path, tasks: Sequence[ReviewTask]) -> tuple[Path, ...]:
    setup = path.with_suffix(".labeling-config.xml")
    _write_text(setup, label_studio_config())
    _write_text(path, _json([_label_studio_task(task) for task in tasks]))
    return path, setup


def _write_argilla(path: Path, tasks: Sequence[ReviewTask]) -> tuple[Path, ...]:
    setup = path.with_suffix(".settings.json")
    _write_text(setup, _json(argilla_settings()))
    _write_text(path, _json([_argilla_record(task) for task in tasks]))
    return path, setup


FORMATS: Mapping[str, Callable[[Path, Sequence[ReviewTask]], tuple[Path, ...]]] = {
    "csv": _write_csv,
    "label-studio": _write_label_studio,
    "argilla": _write_argilla,
}


def label_studio_config() -> str:
    """Make the labelling interface: the sentence between its neighbours, and the questions."""
    view = Xml.Element("View")
    for name, title in _SHOWN:
        Xml.SubElement(view, "Header", value=title, size="5")
        Xml.SubElement(view, "Text", name=name, value=f"${name}")
    for question in review_questions():
        Xml.SubElement(view, "Header", value=question.title, size="5")
        choices = Xml.SubElement(view, "Choices", _choices(question))
        for value, words in question.values.items():
            # Exports give the alias where there is one: the same values as everywhere else.
            Xml.SubElement(choices, "Choice", value=words, alias=value)
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _choices(question: Question) -> dict[str, str]:
    choice = "multiple" if question.several else "single"
    required = {"required": "true"} if question.required else {}
    return {"name": question.name, "toName": "text", "choice": choice, "showInline": "true", **required}


def _label_studio_task(task: ReviewTask) -> dict[str, Any]:
    segment = task.segment
    data = {**_facts(task), **{name: getattr(segment, name) for name, _ in _SHOWN}}
    data["probabilities"] = dict(zip(LABELS, segment.probabilities, strict=True))
    if task.reason == "audit":
        return {"data": data}
    result = [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": values}}
        for name, values in suggested_values(segment.labels).items()
    ]
    prediction = {"model_version": segment.model_version, "score": _confidence(segment), "result": result}
    return {"data": data, "predictions": [prediction]}


def argilla_settings() -> dict[str, Any]:
    """Make the settings of an Argilla 2 dataset, as `rg.Settings.from_json` reads them."""
    fields = [
        {
            "name": name,
            "title": title,
            "required": name == "text",
            "settings": {"type": "text", "use_markdown": False},
        }
        for name, title in _SHOWN
    ]
    metadata = [
        {"name": name, "title": name.replace("_", " "), "type": kind, "settings": {"type": kind}}
        for name, kind in _METADATA.items()
    ]
    return {
        "guidelines": _GUIDELINES,
        "allow_extra_metadata": True,
        "fields": fields,
        "questions": [_argilla_question(q) for q in review_questions()],
        "metadata": metadata,
        "vectors": [],
    }


# What records can be filtered by, with Argilla's type of it.
_METADATA = {
    "reason": "terms",
    "language": "terms",
    "item": "terms",
    "file": "terms",
    "row": "integer",
    "start": "integer",
    "end": "integer",
    "model_version": "terms",
}


def _argilla_question(question: Question) -> dict[str, Any]:
    options = [{"value": value, "text": words} for value, words in question.values.items()]
    # Argilla folds long lists unless told not to, and takes no number below three.
    visible = len(options) if len(options) >= 3 else None
    settings: dict[str, Any] = {"type": "label_selection", "options": options, "visible_options": visible}
    if question.several:
        settings |= {"type": "multi_label_selection", "options_order": "natural"}
    return {"name": question.name, "title": question.title, "required": question.required, "settings": settings}


def _argilla_record(task: ReviewTask) -> dict[str, Any]:
    segment = task.segment
    several = {q.name for q in review_questions() if q.several}
    suggested = {} if task.reason == "audit" else suggested_values(segment.labels)
    return {
        "id": segment.id,
        "fields": {name: getattr(segment, name) for name, _ in _SHOWN if getattr(segment, name)},
        "metadata": {name: value for name, value in _facts(task).items() if name in _METADATA},
        "suggestions": {
            name: {
                "value": values if name in several else values[0],
                "score": None,
                "agent": segment.model_version,
            }
            for name, values in suggested.items()
        },
        "responses": {},
        "vectors": {},
    }


def _facts(task: ReviewTask) -> dict[str, Any]:
    segment = task.segment
    names = ("id", "language", "item", "file", "row", "start", "end", "model_version")
    return {"reason": task.reason, **{name: getattr(segment, name) for name in names}}


def _confidence(segment: ReviewSegment) -> float:
    """Give the least probability among the labels that were given: tools sort by it."""
    given = dict(zip(LABELS, segment.probabilities, strict=True))
    return min(given[label] for label in given_labels(segment.labels))


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _write_text(path: Path, content: str) -> None:
    # Texts can hold lone surrogates, which UTF-8 cannot: they are written as escapes.
    with whole_file(path) as partial:
        partial.write_text(content, encoding="utf-8", errors="backslashreplace", newline="\n")
