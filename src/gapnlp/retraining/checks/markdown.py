"""DataReport -> Markdown for people; texts are quoted only on request, escaped and cut."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from gapnlp.records.feedback import Recognition, Source
from gapnlp.retraining.checks.agreement import GOOD, TENTATIVE, Agreement
from gapnlp.retraining.checks.rarity import RULE
from gapnlp.retraining.checks.report import DataReport
from gapnlp.retraining.checks.texts import Place
from gapnlp.retraining.labels.dataset import LabelledRows

# Rows listed under one heading; all are in the JSON.
LISTED = 50
_QUOTED = 160
# Roles of columns that are named beside the text's.
_TOLD = ("labels", "annotator", "ticket")
# Every mark that means something within a line, and what would make an address a link.
_MARKS = re.compile(r"([\\`*_{}\[\]!|~$@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)
_HTML = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;"})

Quote = Callable[[Place], str]


def render_markdown(report: DataReport, *, quotes: bool = False, test: LabelledRows | None = None) -> str:
    """Write the report. quotes: also quote the rows' texts; test: where leaks are quoted from."""
    quote = _quoter(report, test) if quotes else _no_quote
    sections = (
        _overview(report),
        _failures(report),
        _names(report),
        _labels(report),
        _duplicates(report, quote),
        _leaks(report, quote),
        _contradictions(report, quote),
        _suspects(report, quote),
        _agreement(report.agreement),
    )
    return "\n".join(line for section in sections for line in (*section, ""))


def escape(text: str) -> str:
    """Make text harmless in Markdown and HTML: on one line, every mark escaped, cut at 160 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    cut = line if len(line) <= _QUOTED else line[: _QUOTED - 1] + "…"
    return _MARKS.sub(r"\\\1", cut.translate(_HTML))


def _overview(report: DataReport) -> list[str]:
    lines = ["# Check of labelled tickets", ""]
    lines += [
        f"- {escape(f.recognition.file)}: read as {f.format} ({escape(f.why)}); text from "
        + (_columns(f.recognition, "text") or "its parts")
        + "".join(f"; {role} from {names}" for role in _TOLD if (names := _columns(f.recognition, role)))
        for f in report.data.files
    ]
    confirmed = "confirmed" if report.mapping.confirmed else "**not confirmed yet**: training refuses it"
    judged = ", ".join(report.mapping.judged) or "nothing (absent labels are masked)"
    meant = f"The mapping is {confirmed}. Judged as a whole: {judged}."
    if report.data.files and all(f.own for f in report.data.files):
        meant = "The labels are gapnlp's own, so no mapping is needed. What was left open is masked."
    languages = ", ".join(f"{language} {count:,}" for language, count in report.languages.items())
    lines += [f"- {meant}", f"- Languages: {languages or 'none'}.", ""]
    summary = report.summary().items()
    return lines + _table(("what", "how many"), [(k, "not checked" if n < 0 else f"{n:,}") for k, n in summary])


def _columns(recognition: Recognition, role: str) -> str:
    return ", ".join(escape(column.column) for column in recognition.columns if column.role == role)


def _failures(report: DataReport) -> list[str]:
    failures = report.data.failures
    lines = ["## Rows that were not used", ""]
    if not failures:
        return [*lines, "None."]
    for reason, count in Counter(f.reason for f in failures).most_common():
        first = [_source(f.source) for f in failures if f.reason == reason][:5]
        more = " ..." if count > len(first) else ""
        lines.append(f"- {count:,} × {escape(reason)}: {'; '.join(first)}{more}")
    return lines


def _names(report: DataReport) -> list[str]:
    means = report.mapping.means
    every = dict.fromkeys((*report.names, *report.data.unmapped))
    rows = [(escape(name), f"{report.names.get(name, 0):,}", _meaning(name, means)) for name in every]
    return ["## Your labels", "", *_table(("label", "rows", "means"), rows)]


def _meaning(name: str, means: Mapping[str, Sequence[str]]) -> str:
    if name not in means:
        return "**not in the mapping**: ignored"
    return ", ".join(means[name]) or "ignored"


def _labels(report: DataReport) -> list[str]:
    rows = [(c.label, f"{c.yes:,}", f"{c.no:,}", f"{c.masked:,}", c.state) for c in report.counts]
    lines = ["## gapnlp's labels", "", RULE, ""]
    lines += _table(("label", "texts yes", "texts no", "rows masked", "state"), rows)
    if any(c.state == "one-sided" for c in report.counts):
        lines += ["", "One-sided: nothing says when the label does not hold. Where whoever labelled looked for it in"]
        lines += ["every text, name its group under `judged` in the mapping."]
    return lines


def _duplicates(report: DataReport, quote: Quote) -> list[str]:
    lines = [", ".join(_place(p) for p in r.places[:6]) + quote(r.places[0]) for r in report.duplicates]
    note = "The same text more than once (letter case, addresses, handles and outer marks do not matter)."
    return _listing("Texts that repeat", note, lines)


def _leaks(report: DataReport, quote: Quote) -> list[str]:
    if report.leaks is None:
        return ["## Leaks into the test set", "", "Not checked: no test file was given (--test)."]
    what = {"text": "the same text as", "ticket": "another text of the ticket of"}
    lines = [f"test {_place(k.test)} is {what[k.why]} {_place(k.train)}{quote(k.test)}" for k in report.leaks]
    return _listing("Leaks into the test set", "Take these rows out of one of the two files.", lines)


def _contradictions(report: DataReport, quote: Quote) -> list[str]:
    lines = [
        f"{_place(c.first)} and {_place(c.second)} differ in {escape(', '.join(c.labels))}{quote(c.first)}"
        for c in report.contradictions
    ]
    return _listing("Contradicting labels", "One text, labelled differently by the same hand.", lines)


def _suspects(report: DataReport, quote: Quote) -> list[str]:
    if report.suspects is None:
        return ["## Probably mislabelled", "", f"Not checked: {report.note}"]
    lines = [
        f"{_place(s.place)}: {escape(s.given)}, more likely {escape(s.likely)} ({s.confidence:.2f}){quote(s.place)}"
        for s in report.suspects
    ]
    note = "By confident learning; worst first, in brackets how likely the given label looks. Look before you change."
    return _listing("Probably mislabelled", f"{note} {report.note}".strip(), lines)


def _agreement(agreement: Iterable[Agreement]) -> list[str]:
    rows = [
        (escape(a.label), "no variation" if a.alpha is None else f"{a.alpha:.2f}", f"{a.texts:,}", _reading(a))
        for a in agreement
        if a.texts
    ]
    lines = ["## Agreement of annotators", ""]
    if not rows:
        return [*lines, "Not measured: no text was labelled by two named annotators."]
    lines += [f"Krippendorff's alpha: 1 is perfect, 0 chance; {GOOD} is good, below {TENTATIVE} do not rely on it.", ""]
    return lines + _table(("label", "alpha", "texts", "reading"), rows)


def _reading(found: Agreement) -> str:
    if found.alpha is None:
        return ""
    return "good" if found.alpha >= GOOD else "tentative" if found.alpha >= TENTATIVE else "do not rely on it"


def _listing(title: str, note: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return [f"## {title}", "", "None."]
    shown = [f"- {line}" for line in lines[:LISTED]]
    more = [f"- ... and {len(lines) - LISTED:,} more, in the JSON beside this report"] if len(lines) > LISTED else []
    return [f"## {title} ({len(lines):,})", "", note, "", *shown, *more]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def _place(place: Place) -> str:
    return escape(str(place))


def _source(source: Source) -> str:
    return f"{escape(source.file)}, row {source.row}"


def _no_quote(place: Place) -> str:
    return ""


def _quoter(report: DataReport, test: LabelledRows | None) -> Quote:
    """Find the text of a row, for a report that may quote it."""
    rows = (*report.data.rows, *(test.rows if test else ()))
    texts = {(row.named.source, row.named.id): row.named.text for row in rows}

    def quote(place: Place) -> str:
        return f": “{escape(texts.get((place.source, place.id), ''))}”"

    return quote
