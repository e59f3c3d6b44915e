"""Exports of labelling tools and help desks: Argilla, Label Studio, doccano, Prodigy, Zendesk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gapnlp.ingest.header_names import fold_header
from gapnlp.ingest.items import plain_text
from gapnlp.retraining.labels.cells import as_list, clean_name, clean_names
from gapnlp.retraining.labels.label_files import LabelFile
from gapnlp.retraining.labels.named import SAID, UNSURE, WHOLE, Annotated, Answer, LabelOptions, RecordProblem
from gapnlp.retraining.labels.tables import flat_row, plain_id, prepare_table

Annotate = Callable[[Mapping[str, object]], Annotated]
# (question, annotator) -> the names chosen.
Choices = list[tuple[str, str | None, tuple[str, ...]]]


def recognise_argilla(file: LabelFile) -> str | None:
    """Argilla 2 and Feedback records of 1 have fields and responses, older ones of 1 an annotation and its agent."""
    if fits_most(file, lambda r: "fields" in r and "responses" in r):
        return "records with fields and responses"
    old = fits_most(file, lambda r: "annotation" in r and ("annotation_agent" in r or "prediction_agent" in r))
    return "records with annotation and annotation_agent" if old else None


def prepare_argilla(file: LabelFile, options: LabelOptions) -> Annotate:
    """Read Argilla's records; names carry their question where the file has several."""
    questions = {question for record in file.values() for question, _, _ in _safely(argilla_choices, record)}

    def annotate(record: Mapping[str, object]) -> Annotated:
        answers = _by_annotator(argilla_choices(record), several=len(questions - {""}) > 1)
        return Annotated(argilla_fields(record), answers)

    return annotate


def argilla_choices(record: Mapping[str, object]) -> Choices:
    """List what was submitted about one of Argilla's records. Raises RecordProblem for labels of parts of a text."""
    responses = record.get("responses")
    if isinstance(responses, list):
        return [c for response in responses if isinstance(response, dict) for c in _feedback_choices(response)]
    if isinstance(responses, dict):
        return [
            (question, _person(entry.get("user_id")), _names(entry.get("value")))
            for question, entries in responses.items()
            for entry in _dicts(entries)
            if entry.get("status") in (None, "submitted")
        ]
    annotation = record.get("annotation")
    if annotation is None or record.get("status") == "Discarded":
        return []
    return [("annotation", _person(record.get("annotation_agent")), _names(annotation))]


def _feedback_choices(response: Mapping[str, object]) -> Choices:
    """One user's response to a Feedback record of Argilla 1; drafts and discarded ones say nothing."""
    values = response.get("values")
    if response.get("status", "submitted") != "submitted" or not isinstance(values, dict):
        return []
    person = _person(response.get("user_id"))
    return [(question, person, _names(v.get("value"))) for question, v in values.items() if isinstance(v, dict)]


def argilla_fields(record: Mapping[str, object]) -> dict[str, object]:
    """Give the fields of one of Argilla's records, its metadata among them."""
    fields = record.get("fields")
    if not isinstance(fields, dict):
        inputs = record.get("inputs")
        fields = {"text": record["text"]} if record.get("text") else inputs if isinstance(inputs, dict) else {}
    metadata = record.get("metadata")
    extra = metadata if isinstance(metadata, dict) else {}
    number = record.get("external_id") or record.get("id")
    return {**flat_row(extra), **flat_row(fields), **({"id": number} if number is not None else {})}


def recognise_label_studio(file: LabelFile) -> str | None:
    """Label Studio's JSON holds tasks with data and annotations (once called completions)."""
    tasks = fits_most(file, lambda r: isinstance(r.get("data"), dict) and ("annotations" in r or "completions" in r))
    return "tasks with data and annotations" if tasks else None


def prepare_label_studio(file: LabelFile, options: LabelOptions) -> Annotate:
    """Read Label Studio's tasks; names carry their control's name where the file has several."""
    questions = {question for task in file.values() for question, _, _ in _safely(task_choices, task)}

    def annotate(task: Mapping[str, object]) -> Annotated:
        choices = task_choices(task)
        return Annotated(task_fields(task), _by_annotator(choices, several=len(questions - {""}) > 1))

    return annotate


def task_fields(task: Mapping[str, object]) -> dict[str, object]:
    """Give the fields of one of Label Studio's tasks; its number where its data have no id."""
    data = task.get("data")
    fields = flat_row(data) if isinstance(data, dict) else {}
    number = {"id": task["id"]} if "id" in task and not any(fold_header(f) == "id" for f in fields) else {}
    return {**fields, **number}


def task_choices(task: Mapping[str, object]) -> Choices:
    """List what was submitted about one of Label Studio's tasks. Raises RecordProblem for labels of parts of a text."""
    found: Choices = []
    for annotation in _dicts(task.get("annotations", task.get("completions"))):
        if annotation.get("was_cancelled") or annotation.get("skipped"):
            continue
        results = _dicts(annotation.get("result"))
        person = _completed_by(annotation.get("completed_by"))
        for result in _whole_choices(results):
            value = result["value"]
            names = _names(value.get("choices") if isinstance(value, dict) else None)
            found.append((clean_name(result.get("from_name")), person, names))
        if not results:
            found.append(("", person, ()))
    return found


def _whole_choices(results: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    """Keep the choices; raises RecordProblem where there are none, or where they are of parts of the text."""
    choices = [(r, r["value"]) for r in results if r.get("type") == "choices" and isinstance(r.get("value"), dict)]
    if results and not choices:
        raise RecordProblem("its annotations hold no choices (parts of a text, stars, comments are not read)")
    if any("start" in value for _, value in choices if isinstance(value, dict)):
        raise RecordProblem("its choices are of parts of the text; export choices of whole texts or sentences")
    return [result for result, _ in choices]


def _completed_by(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("email") or value.get("id")
    return _person(value)


def recognise_doccano(file: LabelFile) -> str | None:
    """JSON Lines of doccano give each text a list called label (labels in early versions) and an id."""
    texts = fits_most(file, lambda r: bool({"text", "data"} & r.keys()) and isinstance(_doccano_list(r), list))
    return "texts with a list of labels, as doccano writes them" if texts and file.nested else None


def prepare_doccano(file: LabelFile, options: LabelOptions) -> Annotate:
    """Read doccano's lines as a table; a list without labels there also stands on texts that nobody looked at."""
    key = "label" if any("label" in record for record in file.head) else "labels"
    read = prepare_table(file, replace(options, labels=options.labels or (key,)))

    def annotate(record: Mapping[str, object]) -> Annotated:
        texts = {"text": record["data"]} if "data" in record and "text" not in record else {}
        rest = {k: v for k, v in record.items() if k not in ("data", "Comments", "annotation_approver")}
        annotated = read({**rest, **texts})
        answers = (a if a.said else replace(a, covers=UNSURE) for a in annotated.answers)
        return replace(annotated, answers=tuple(answers))

    return annotate


def _doccano_list(record: Mapping[str, object]) -> object:
    return record.get("label", record.get("labels"))


def recognise_prodigy(file: LabelFile) -> str | None:
    """Prodigy's tasks carry an answer, and the labels accepted or the one asked about."""
    tasks = fits_most(file, lambda r: "answer" in r and ("accept" in r or "label" in r or "_task_hash" in r))
    return "tasks with an answer, as Prodigy writes them" if tasks else None


def prepare_prodigy(file: LabelFile, options: LabelOptions) -> Annotate:
    """Read Prodigy's tasks: choices (accept), or yes and no to one label (label and answer)."""
    return _annotate_prodigy


def _annotate_prodigy(task: Mapping[str, object]) -> Annotated:
    meta = task.get("meta")
    fields = {"text": task.get("text"), **(flat_row(meta) if isinstance(meta, dict) else {})}
    if "_input_hash" in task and not any(fold_header(f) == "id" for f in fields):
        fields["id"] = task["_input_hash"]
    answer, person = task.get("answer"), _person(task.get("_annotator_id", task.get("_session_id")))
    if answer not in ("accept", "reject"):
        return Annotated(fields, (), "the annotator skipped it")
    if isinstance(task.get("accept"), list):
        if answer == "reject":
            return Annotated(fields, (), "the annotator rejected the task")
        said = dict.fromkeys(_option_names(task), True)
        return Annotated(fields, (Answer(said, WHOLE, person),))
    name = clean_name(task.get("label"))
    if not name:
        raise RecordProblem("it holds neither accept nor label; export text classification tasks")
    return Annotated(fields, (Answer({name: answer == "accept"}, SAID, person),))


def _option_names(task: Mapping[str, object]) -> tuple[str, ...]:
    """Name the accepted options; those numbered by ids that are no words are named by their text."""
    texts = {plain_text(o.get("id")): o.get("text") for o in _dicts(task.get("options")) if not _is_word(o.get("id"))}
    return clean_names(texts.get(plain_text(a)) or a for a in _names(task.get("accept")))


def _is_word(value: object) -> bool:
    return isinstance(value, str) and not value.lstrip("-").isdigit()


def recognise_zendesk(file: LabelFile) -> str | None:
    """Zendesk's tickets have tags beside a subject and a description or comments."""
    names = {fold_header(column) for column in file.layout.columns}
    for record in file.head[:10]:
        names |= {fold_header(key) for key in record}
    fits = {"tags", "subject"} <= names and bool({"description", "comments", "comments[].body"} & names)
    return "tickets with tags and a subject" if fits else None


def prepare_zendesk(file: LabelFile, options: LabelOptions) -> Annotate:
    """Read Zendesk's tags: they hold no spaces, so lists, commas and spaces all part them."""
    return _annotate_zendesk


def _annotate_zendesk(ticket: Mapping[str, object]) -> Annotated:
    key = next((k for k in ticket if fold_header(k) == "tags"), "tags")
    listed = as_list(ticket.get(key))
    tags = clean_names(listed if listed is not None else plain_text(ticket.get(key)).replace(",", " ").split())
    fields = flat_row({k: v for k, v in ticket.items() if k != key})
    return Annotated(fields, (Answer(dict.fromkeys(tags, True), WHOLE if tags else UNSURE),))


def fits_most(file: LabelFile, fits: Callable[[Mapping[str, object]], bool]) -> bool:
    """Tell whether most of the first records fit."""
    count = sum(1 for record in file.head if fits(record))
    return count > 0 and 2 * count > len(file.head)


def _safely(read: Callable[[Mapping[str, object]], Choices], record: Mapping[str, object]) -> Choices:
    """Read a record's choices; one that cannot be read says nothing here, and its reason when it is its turn."""
    try:
        return read(record)
    except RecordProblem:
        return []


def _by_annotator(choices: Choices, *, several: bool) -> tuple[Answer, ...]:
    """One answer an annotator, in order of appearance."""
    said: dict[str | None, dict[str, bool]] = {}
    for question, person, names in choices:
        prefix = f"{clean_name(question)}: " if several and question else ""
        said.setdefault(person, {}).update({prefix + name: True for name in names})
    return tuple(Answer(labels, WHOLE, person) for person, labels in said.items())


def _names(value: object) -> tuple[str, ...]:
    """Read one answer's names: a word, a number, or a list of them."""
    listed = as_list(value)
    if listed is None and isinstance(value, dict):
        raise RecordProblem("its labels mark parts of the text; export labels of whole texts or sentences")
    return clean_names([value] if listed is None else listed)


def _dicts(value: object) -> Iterable[Mapping[str, object]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _person(value: object) -> str | None:
    return plain_id(value) or None if isinstance(value, (str, int, float)) else None
