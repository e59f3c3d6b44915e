"""Ledgers to test renderers with, written for this purpose; nothing in them comes from real customers or copy."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from gapnlp.records.promises import (
    LEDGER_SCHEMA_VERSION,
    VERDICTS,
    CopyUnit,
    EntityRow,
    Ledger,
    LedgerEntry,
    Quantity,
    ToldQuantity,
    TrendPoint,
    Uncovered,
)
from gapnlp.records.report import Estimate, ModelUsed

UNKNOWN = Estimate(None, None, None, 3)
# Copy, verdict, shares of items that break and keep it, limit and what is told, suggested wording.
PROMISES = (
    (
        "Your order is with you within 2 days, wherever you live in the country.",
        "broken",
        0.231,
        0.041,
        (2, "day", "<="),
        (5, 3, 9),
        "Most orders are with you within 5 days.",
    ),
    (
        "Refunds reach your account within 5 working days.",
        "broken",
        0.142,
        0.018,
        (5, "day", "<="),
        (12.5, 8, 21),
        "Most refunds reach your account within 13 days.",
    ),
    (
        "Our support team answers every e-mail within 24 hours.",
        "at_risk",
        0.081,
        0.052,
        (24, "hour", "<="),
        (30, 12, 52),
        None,
    ),
    ("Obsługa po polsku, 7 dni w tygodniu.", "at_risk", 0.064, 0.031, None, None, None),
    (
        "At least 50 Mbit/s in every room.",
        "at_risk",
        0.047,
        0.012,
        (50, "Mbit/s", ">="),
        (18, 9, 31),
        "Usually 18 Mbit/s in the rooms.",
    ),
    ("Free returns, no questions asked.", "kept", 0.012, 0.087, (0, "price", "="), (0, 0, 4.5), None),
    ("每一件商品都是正品，假一赔十。", "kept", 0.004, 0.066, None, None, None),
    ("Friendly staff who know the range and take their time.", "kept", 0.009, 0.153, None, None, None),
    ("Every parcel leaves in packaging made without plastic.", "silent", None, None, None, None, None),
    ("We plant a tree for every order over 200 zł.", "silent", None, None, (200, "PLN", ">"), None, None),
)
SLOGANS = ("The best coats in the world.", "Shopping as it should be.", "买得放心，穿得开心。")


def make_quantity(value: float, unit: str, comparator: str) -> Quantity:
    """A promised quantity; the words do not matter to renderers."""
    return Quantity(float(value), unit, comparator, f"{value} {unit}", 4, 10)


def make_unit(n: int, text: str, **changes: object) -> CopyUnit:
    """One unit of copy; a promise unless told otherwise."""
    language = "zh" if "一" <= text[0] <= "龥" else "pl" if "ł" in text else "en"
    unit = CopyUnit(
        f"u{n}", text, ("landing.html", "campaign.docx, page 2")[n % 2], None, language, True, False,
        0.95 - 0.01 * (n % 9),
        ("reliability", "responsiveness", None)[n % 3], ("delivery_time", "refunds", None)[n % 3], None,
    )  # fmt: skip
    return replace(unit, **changes)


def around(value: float | None, n: int, half: float = 0.018) -> Estimate:
    """A share with an interval, or an unknown one."""
    return UNKNOWN if value is None else Estimate(value, max(value - half, 0.0), min(value + half, 1.0), n)


def make_trend(share: float, points: int) -> tuple[TrendPoint, ...]:
    """Months, one of them without a figure."""
    return tuple(
        TrendPoint(
            f"20{24 + i // 12}-{1 + i % 12:02d}",
            UNKNOWN if i == 4 else around(share * (0.6 + 0.07 * (i % 13)), 90, 0.4 * share + 0.01),
        )
        for i in range(points)
    )


def make_entry(samples: ModuleType, place: int) -> LedgerEntry:
    """One promise of PROMISES with its figures and sentences, hostile ones among them."""
    text, verdict, breaks, keeps, limit, told, suggested = PROMISES[place]
    quantity = make_quantity(*limit) if limit else None
    return LedgerEntry(
        promise=make_unit(place + 1, text, quantity=quantity),
        breaks=round((breaks or 0) * 1204 * 0.9),
        keeps=round((keeps or 0) * 1204 * 0.9),
        break_share=around(breaks, 1204),
        keep_share=around(keeps, 1204, 0.01),
        told=ToldQuantity(quantity, *map(float, told), 41 + place) if told else None,
        trend=make_trend(breaks, 14) if breaks and breaks > 0.05 else (),
        effect=None if breaks is None else round(0.4 * (keeps - breaks) - 0.21, 3),
        verdict=verdict,
        suggested=suggested,
        breaking=samples.make_sentences(place * 20, 6) if breaks else (),
        keeping=samples.make_sentences(place * 20 + 9, 4) if keeps else (),
    )


def make_uncovered(samples: ModuleType, subject: str, place: int) -> Uncovered:
    """A subject that no promise covers."""
    items = 96 - 17 * place
    return Uncovered(subject, items, around(items / 1204, 1204, 0.012), samples.make_sentences(place * 7, 3))


def make_ledger(samples: ModuleType) -> Ledger:
    """A ledger with something in every field but entities."""
    entries = tuple(make_entry(samples, place) for place in range(len(PROMISES)))
    slogans = tuple(
        make_unit(50 + i, text, is_promise=False, puffery=True, probability=0.08) for i, text in enumerate(SLOGANS)
    )
    other = make_unit(60, "The shop was founded by two sisters.", is_promise=False, probability=0.02)
    return Ledger(
        schema_version=LEDGER_SCHEMA_VERSION,
        copy=("landing.html", "campaign.docx"),
        inputs=samples.make_inputs(),
        models=(ModelUsed("en", "linear-en", "2026.1", 0.61), ModelUsed("zh", "linear-zh", "2026.1", None)),
        level=0.95,
        units=(*(entry.promise for entry in entries), *slogans, other),
        items=1204,
        segments=2840,
        languages={"en": 702, "pl": 391, "zh": 111},
        entries=entries,
        praised=tuple(make_uncovered(samples, s, i) for i, s in enumerate(("courtesy", "packaging", "breakfast"))),
        complaints=tuple(
            make_uncovered(samples, s, i)
            for i, s in enumerate(("size_fit", "app_stability", "phone_contact", "brand_new"))
        ),
        entities=(),
        draft=False,
        caveats=("matcher_error", "self_selected"),
    )


def make_draft(samples: ModuleType) -> Ledger:
    """The same promises, not published yet."""
    return replace(make_ledger(samples), draft=True)


def make_empty_ledger(samples: ModuleType) -> Ledger:
    """Copy without a promise, and no comments."""
    full = make_ledger(samples)
    return replace(
        full, units=full.units[-1:], items=0, segments=0, languages={}, entries=(), praised=(), complaints=(),
        inputs=(), models=(), caveats=("no_promises", "no_items"),
    )  # fmt: skip


def make_unanswered_ledger(samples: ModuleType) -> Ledger:
    """Promises without any comment: nothing is known of them."""
    full = make_ledger(samples)
    none = Estimate(None, None, None, 0)
    entries = tuple(
        replace(
            entry, breaks=0, keeps=0, break_share=none, keep_share=none, told=None, trend=(), effect=None,
            verdict="silent", suggested=None, breaking=(), keeping=(),
        )
        for entry in full.entries
    )  # fmt: skip
    return replace(
        full, entries=entries, items=0, segments=0, languages={}, praised=(), complaints=(), caveats=("no_items",)
    )


def make_hostile_ledger(samples: ModuleType) -> Ledger:
    """Hostile strings wherever a string can come from outside."""
    full = make_ledger(samples)
    entries = tuple(
        replace(
            entry,
            promise=replace(entry.promise, text=text, source=text, entity=text, language=samples.SCRIPT, subject=text),
            suggested=text,
            trend=tuple(replace(point, label=text) for point in entry.trend),
        )
        for entry, text in zip(full.entries, samples.HOSTILE, strict=False)
    )
    slogans = tuple(
        replace(make_unit(i, "x", puffery=True, is_promise=False), text=text) for i, text in enumerate(samples.HOSTILE)
    )
    uncovered = tuple(replace(full.praised[0], subject=text) for text in samples.HOSTILE)
    entities = tuple(EntityRow(text, 3, 40, around(0.2, 40)) for text in samples.HOSTILE)
    return replace(
        full, copy=samples.HOSTILE, entries=entries, units=(*(e.promise for e in entries), *slogans),
        praised=uncovered, complaints=uncovered, entities=entities, languages={samples.SCRIPT: 4},
        caveats=(samples.SCRIPT,),
    )  # fmt: skip


def make_entities(n: int) -> tuple[EntityRow, ...]:
    """Listings, every seventh with too few comments for a figure."""
    shares = (None if i % 7 == 0 else (i * 37 % 100) / 100 for i in range(n))
    return tuple(
        EntityRow(f"Listing {i:03d} – Zakopane", 3 + i % 9, i % 80, around(share, i % 80, 0.08))
        for i, share in enumerate(shares)
    )


def make_large_ledger(samples: ModuleType, text: str = "", *, entries: int = 200) -> Ledger:
    """Many promises of every verdict and 500 listings; text: put in place of every sentence and name."""
    full = make_ledger(samples)
    evidence = tuple(samples.make_evidence(i, text=text or None) for i in range(10))
    evidence = tuple(replace(e, before=text[:80], after=text[:80], item_id=text or "R-1") for e in evidence)
    made = []
    for i in range(entries):
        entry = full.entries[i % len(full.entries)]
        promise = replace(entry.promise, id=f"u{i}", text=text or f"{entry.promise.text} ({i})", source=text or "a.md")
        made.append(
            replace(
                entry, promise=promise, breaking=evidence, keeping=evidence, trend=make_trend(0.1, 48),
                verdict=VERDICTS[i % 4],
            )
        )  # fmt: skip
    return replace(
        full, entries=tuple(made), units=tuple(e.promise for e in made), entities=make_entities(500),
        copy=tuple(f"{i}.md" for i in range(300)), complaints=full.complaints * 20, praised=full.praised * 20,
    )  # fmt: skip
