"""The few sentences that a marketing lead reads first, put together from the ledger's figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gapnlp.records.promises import VERDICTS, Ledger, LedgerEntry, ToldQuantity, Uncovered
from gapnlp.reporting.anchors import promise_anchor
from gapnlp.reporting.formats import clean, clip
from gapnlp.reporting.ledger_words import subject_name, write_amount, write_limit
from gapnlp.reporting.summary import Finding, Tile, say_interval
from gapnlp.reporting.words import Words

_PROMISES, _SUBJECTS, _SILENT, _TEXT, _SHORT = 3, 3, 3, 110, 60
# Full stops would stand before the closing mark of a quotation in the middle of a sentence.
_STOPS = ".。"

Placed = tuple[int, LedgerEntry]


def write_ledger_tiles(ledger: Ledger, words: Words) -> tuple[Tile, ...]:
    """Write the large figures at the top: how many promises there are, and how many of each verdict."""
    whole, say = words.formats.whole, words.say
    tiles = [Tile(whole(len(ledger.entries)), say("tile.promises"), words.count("count.units", len(ledger.units)))]
    for verdict in VERDICTS:
        n = sum(entry.verdict == verdict for entry in ledger.entries)
        tiles.append(Tile(whole(n), say(f"tile.{verdict}"), say(f"tile.{verdict}_note")))
    return tuple(tiles)


def write_ledger_summary(ledger: Ledger, words: Words) -> tuple[Finding, ...]:
    """Write the findings: broken promises, kept ones, silent ones, praise and complaints that no promise covers."""
    if not ledger.entries:
        none = Finding(words.say("summary.broken"), words.say("summary.no_promises"), "")
        return (none, *_subjects(ledger, words))
    placed = list(enumerate(ledger.entries))
    return (
        *_broken(ledger, placed, words),
        *_kept(placed, words),
        *_silent(placed, words),
        *_subjects(ledger, words),
    )


def write_told(words: Words, told: ToldQuantity) -> str:
    """Say what was promised, and the middle and spread of what customers tell."""
    unit = told.promised.unit
    return words.say(
        "told.sentence",
        promised=write_limit(words, told.promised),
        median=write_amount(words, told.median, unit),
        low=write_amount(words, told.low_quartile, unit),
        high=write_amount(words, told.high_quartile, unit),
        n=words.formats.whole(told.n),
    )


def short_text(text: str, length: int) -> str:
    """Put a promise's words on one line of at most `length` code points."""
    return clip(" ".join(clean(text).split()), length)


def _broken(ledger: Ledger, placed: Sequence[Placed], words: Words) -> Iterator[Finding]:
    topic = words.say("summary.broken")
    found = [(i, e) for i, e in placed if e.verdict in ("broken", "at_risk") and e.break_share.value]
    if not found:
        yield Finding(topic, words.say("summary.broken_none" if ledger.items else "summary.no_items"), "")
    for place, entry in found[:_PROMISES]:
        detail = words.say("format.sentence_gap").join(_broken_detail(ledger, entry, words))
        yield Finding(topic, _headline("summary.broken_headline", entry, words), detail, promise_anchor(place))


def _broken_detail(ledger: Ledger, entry: LedgerEntry, words: Words) -> Iterable[str]:
    if entry.break_share.low is not None and entry.break_share.high is not None:
        yield words.say("summary.interval", **say_interval(ledger.level, entry.break_share, words))
    if entry.told:
        yield write_told(words, entry.told)
    if entry.suggested:
        yield words.say("summary.suggested", suggested=short_text(entry.suggested, _TEXT))


def _headline(key: str, entry: LedgerEntry, words: Words) -> str:
    share = entry.keep_share if key.startswith("summary.kept") else entry.break_share
    promise = short_text(entry.promise.text, _TEXT).rstrip(_STOPS)
    return words.say(key, promise=promise, share=words.formats.percent(share.value or 0.0))


def _kept(placed: Sequence[Placed], words: Words) -> Iterator[Finding]:
    topic = words.say("summary.kept")
    found = sorted(
        ((i, e) for i, e in placed if e.verdict == "kept"),
        key=lambda pair: -(pair[1].keep_share.value or 0.0),
    )
    for place, entry in found[:_PROMISES]:
        known = entry.break_share.value is not None
        share = words.formats.percent(entry.break_share.value or 0.0)
        detail = words.say("summary.kept_detail", share=share) if known else ""
        yield Finding(topic, _headline("summary.kept_headline", entry, words), detail, promise_anchor(place))


def _silent(placed: Sequence[Placed], words: Words) -> Iterator[Finding]:
    found = [(i, e) for i, e in placed if e.verdict == "silent"]
    if not found:
        return
    named = (
        words.say("format.quoted", text=short_text(e.promise.text, _SHORT).rstrip(_STOPS)) for _, e in found[:_SILENT]
    )
    examples = words.say("summary.silent_examples", promises=words.say("format.join").join(named))
    detail = words.say("format.sentence_gap").join((words.say("summary.silent_detail"), examples))
    headline = words.count("count.silent", len(found))
    yield Finding(words.say("verdict.silent"), headline, detail, promise_anchor(found[0][0]))


def _subjects(ledger: Ledger, words: Words) -> Iterator[Finding]:
    yield from _uncovered("praised", ledger.praised, words)
    yield from _uncovered("uncovered", ledger.complaints, words)


def _uncovered(kind: str, found: Sequence[Uncovered], words: Words) -> Iterator[Finding]:
    shown = [entry for entry in found if entry.share.value][:_SUBJECTS]
    if not shown:
        return
    named = (
        words.say(
            "format.label",
            name=subject_name(words, entry.subject),
            value=words.formats.percent(entry.share.value or 0.0),
        )
        for entry in shown
    )
    headline = words.say("format.list").join(named)
    yield Finding(words.say(f"summary.{kind}"), headline, words.say(f"summary.{kind}_detail"), kind)
