"""Ledger -> XLSX for analysts: every figure with its interval in columns of its own, and no cell that can run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gapnlp.records.promises import CopyUnit, Ledger, LedgerEntry, Quantity, ToldQuantity
from gapnlp.records.report import Evidence
from gapnlp.reporting.ledger_summary import short_text, write_ledger_summary, write_ledger_tiles
from gapnlp.reporting.ledger_words import subject_name, words_for, write_limit
from gapnlp.reporting.sheet_parts import (
    Column,
    Row,
    Sheet,
    Value,
    estimate_cells,
    estimate_columns,
    evidence_columns,
    evidence_row,
    finding_rows,
    intake_columns,
    source_rows,
    summary_columns,
)
from gapnlp.reporting.to_xlsx import write_workbook
from gapnlp.reporting.words import Words

_ABOUT = 120


def render_ledger_xlsx(ledger: Ledger, ui: str = "en") -> bytes:
    """Render the ledger as an Excel workbook; the same ledger always gives the same bytes."""
    words = words_for(ledger, ui)
    return write_workbook({words.say(f"sheet.{name}"): build(ledger, words) for name, build in SHEETS.items()}, words)


def summary_sheet(ledger: Ledger, words: Words) -> Sheet:
    """List the page's tiles, findings and caveats; a draft says first that it is one."""
    rows: list[Row] = [(words.say("page.draft_title"), words.say("page.draft_text"), "")] if ledger.draft else []
    rows.extend(finding_rows(write_ledger_tiles(ledger, words), write_ledger_summary(ledger, words)))
    rows.extend((words.say("summary.caveats"), words.caveat(key), "") for key in ledger.caveats)
    return summary_columns(words), rows


def promises_sheet(ledger: Ledger, words: Words) -> Sheet:
    """Give one row per promise, in the ledger's order."""
    say = words.say
    columns = (
        Column(say("promises.number"), "whole", 6),
        Column(say("promises.promise"), width=60),
        Column(say("promises.verdict"), width=16),
        *estimate_columns(words, say("promises.breaks"), "share"),
        *estimate_columns(words, say("promises.keeps"), "share"),
        Column(say("one_by_one.breaking_items"), "whole"),
        Column(say("one_by_one.keeping_items"), "whole"),
        Column(say("promises.effect"), "scale"),
        *_quantity_columns(words),
        Column(say("sheet.told"), "scale"),
        Column(say("sheet.told_low"), "scale"),
        Column(say("sheet.told_high"), "scale"),
        Column(say("sheet.told_n"), "whole", 10),
        Column(say("sheet.suggested"), width=60),
        *_unit_columns(words),
        Column(say("sheet.probability"), "share", 12),
    )
    return columns, (_promise_row(place, entry, words) for place, entry in enumerate(ledger.entries, start=1))


def _promise_row(place: int, entry: LedgerEntry, words: Words) -> Row:
    verdict = f"verdict.{entry.verdict}"
    return (
        place,
        entry.promise.text,
        words.say(verdict) if words.has(verdict) else entry.verdict,
        *estimate_cells(entry.break_share),
        *estimate_cells(entry.keep_share),
        entry.breaks,
        entry.keeps,
        entry.effect,
        *_quantity_cells(entry.promise.quantity, words),
        *_told_cells(entry.told),
        entry.suggested,
        *_unit_cells(entry.promise, words),
        entry.promise.probability,
    )


def trend_sheet(ledger: Ledger, words: Words) -> Sheet:
    """Give one row per promise and period."""
    columns = (
        Column(words.say("promises.number"), "whole", 6),
        Column(words.say("promises.promise"), width=60),
        Column(words.say("period.cell"), width=12),
        *estimate_columns(words, words.say("promises.breaks"), "share"),
    )
    rows = (
        (place, entry.promise.text, point.label, *estimate_cells(point.share))
        for place, entry in enumerate(ledger.entries, start=1)
        for point in entry.trend
    )
    return columns, rows


def evidence_sheet(ledger: Ledger, words: Words) -> Sheet:
    """List every sentence kept, with the promise or subject that it speaks of and where it stands."""
    return evidence_columns(words), (evidence_row(about, e, words) for about, e in _all_evidence(ledger, words))


def _all_evidence(ledger: Ledger, words: Words) -> Iterator[tuple[str, Evidence]]:
    def pair(left: str, right: str) -> str:
        return words.say("format.label", name=left, value=right)

    for place, entry in enumerate(ledger.entries, start=1):
        promise = f"{place}. {short_text(entry.promise.text, _ABOUT)}"
        for key, found in (("breaking", entry.breaking), ("keeping", entry.keeping)):
            yield from ((pair(words.say(f"one_by_one.{key}"), promise), e) for e in found)
    for key, subjects in (("praised", ledger.praised), ("uncovered", ledger.complaints)):
        for subject in subjects:
            about = pair(words.say(f"summary.{key}"), subject_name(words, subject.subject))
            yield from ((about, e) for e in subject.evidence)


def uncovered_sheet(ledger: Ledger, words: Words) -> Sheet:
    """Give one row per subject that customers praise or complain of and no promise covers."""
    say = words.say
    columns = (
        Column(say("sheet.about"), width=30),
        Column(say("sheet.subject"), width=34),
        Column(say("count.items_label"), "whole"),
        *estimate_columns(words, say("gaps.item_share"), "share"),
    )
    rows = (
        (say(f"summary.{key}"), subject_name(words, found.subject), found.items, *estimate_cells(found.share))
        for key, subjects in (("praised", ledger.praised), ("uncovered", ledger.complaints))
        for found in subjects
    )
    return columns, rows


def entities_sheet(ledger: Ledger, words: Words) -> Sheet:
    """Give one row per listing."""
    say = words.say
    columns = (
        Column(say("entities.entity"), width=40),
        Column(say("entities.promises"), "whole"),
        Column(say("count.items_label"), "whole"),
        *estimate_columns(words, say("entities.break_share"), "share"),
    )
    return columns, ((row.entity, row.promises, row.items, *estimate_cells(row.break_share)) for row in ledger.entities)


def copy_sheet(ledger: Ledger, words: Words) -> Sheet:
    """Give one row per unit of the copy: promise, slogan or neither."""
    say = words.say
    columns = (
        Column(say("sheet.id"), width=8),
        Column(say("sheet.sentence"), width=80),
        Column(say("sheet.is_promise"), width=10),
        Column(say("sheet.puffery"), width=10),
        Column(say("sheet.probability"), "share", 12),
        *_quantity_columns(words),
        *_unit_columns(words),
    )
    yes_no = {True: say("page.yes"), False: say("page.no")}
    rows = (
        (
            unit.id,
            unit.text,
            yes_no[unit.is_promise],
            yes_no[unit.puffery],
            unit.probability,
            *_quantity_cells(unit.quantity, words),
            *_unit_cells(unit, words),
        )
        for unit in ledger.units
    )
    return columns, rows


def data_sheet(ledger: Ledger, words: Words) -> Sheet:
    """List what was read: copy, comments by language, what was recognised in each file, and the models."""
    return intake_columns(words), _data_rows(ledger, words)


def _data_rows(ledger: Ledger, words: Words) -> Iterator[Row]:
    for name in ledger.copy:
        yield (words.say("data.copy"), name, None, None, None, None)
    yield (words.say("data.judged"), None, ledger.items, None, None, None)
    for code, n in ledger.languages.items():
        yield (words.say("data.languages"), None, n, None, words.language(code), None)
    yield from source_rows(ledger.inputs, ledger.models, words)


def _quantity_columns(words: Words) -> tuple[Column, ...]:
    return (
        Column(words.say("sheet.promised"), width=20),
        Column(words.say("sheet.promised_value"), "scale", 10),
        Column(words.say("sheet.unit"), width=10),
    )


def _quantity_cells(quantity: Quantity | None, words: Words) -> tuple[Value, ...]:
    return (write_limit(words, quantity), quantity.value, quantity.unit) if quantity else (None, None, None)


def _told_cells(told: ToldQuantity | None) -> tuple[Value, ...]:
    return (told.median, told.low_quartile, told.high_quartile, told.n) if told else (None, None, None, None)


def _unit_columns(words: Words) -> tuple[Column, ...]:
    return tuple(
        Column(words.say(key), width=width)
        for key, width in (
            ("sheet.dimension", 20),
            ("sheet.subject", 26),
            ("sheet.source", 30),
            ("sheet.entity", 26),
            ("data.language", 12),
        )
    )


def _unit_cells(unit: CopyUnit, words: Words) -> tuple[Value, ...]:
    return (
        words.name("dimension", unit.dimension) if unit.dimension else None,
        subject_name(words, unit.subject) if unit.subject else None,
        unit.source,
        unit.entity,
        words.language(unit.language),
    )


SHEETS: Mapping[str, Callable[[Ledger, Words], Sheet]] = {
    "summary": summary_sheet,
    "promises": promises_sheet,
    "trend": trend_sheet,
    "evidence": evidence_sheet,
    "uncovered": uncovered_sheet,
    "entities": entities_sheet,
    "copy": copy_sheet,
    "intake": data_sheet,
}
