"""Reports to test renderers with, written for this purpose; nothing in them comes from real customers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gapnlp.records.feedback import ColumnRole, Failure, Recognition, Source
from gapnlp.records.labels import ATTRIBUTED_GAPS, DIMENSIONS, GAPS, HEADS
from gapnlp.records.report import (
    SCHEMA_VERSION,
    AuditUsed,
    Breakdown,
    CauseResult,
    Cell,
    Comparison,
    DimensionResult,
    Estimate,
    Evidence,
    GapReport,
    GapResult,
    Importance,
    Intake,
    LabelShare,
    ModelUsed,
    Overall,
    Reference,
)
from gapnlp.taxonomy.catalogue import Term, Wording

NOTHING = Estimate(None, None, None, 2)
SCRIPT = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://evil.example","click")'
HOSTILE = (
    f"{SCRIPT} \"quoted\" 'single' & </mark></details>",
    FORMULA,
    "+1-800 call me",
    "-5 degrees in the room",
    "@everyone look",
    "\tstarts with a tab",
    "\u202ereversed\u202c and \u2066isolated\u2069",
    "zero\u200bwidth \ufeff bom \x00 nul \x0b vt \ud800 lone",
    "👩‍👩‍👧 🇵🇱 parcel lost 😡",
    "{{ 7*7 }} {% raw %} ${x} %s {0}",
)
SENTENCES = {
    "en": (
        "The parcel was promised for Monday and came nine days later, with no word from anyone.",
        "Three emails, three different answers, and in the end nobody could tell me where my order was.",
        "The colour on the website is nothing like the coat I got.",
        "The courier marked it as delivered while I was at home all day.",
    ),
    "pl": (
        "Paczka miała być w poniedziałek, a przyszła po dziewięciu dniach i nikt nie dał znać.",
        "Obsługa nie potrafiła odpowiedzieć na proste pytanie o zwrot.",
        "Na zdjęciu wełna, w rzeczywistości cienki poliester – czuję się oszukana.",
        "Świetny kontakt, pani Żaneta wszystko cierpliwie wyjaśniła.",
    ),
    "zh": (
        "说好周一送到,结果晚了九天,也没有人通知我。",
        "客服只会复制粘贴,问了三遍还是没有解决。",
        "实物和图片差别很大,颜色完全不一样。",
        "退货要自己付国际运费,页面上根本没写。",
    ),
}
CAUSES = {
    "customer": ("past_experience", "price_paid"),
    "knowledge": ("feedback_ignored", "unresearched_needs"),
    "policy": ("rigid_rules",),
    "delivery": ("staff_untrained", "couriers", "capacity"),
    "communication": ("over_promising", "listing_differs", "not_informed"),
}
REMEDIES = ("training", "capacity_planning", "partner_standards", "promise_what_is_delivered", "inform_actively")
GAP_FIGURES = {
    "delivery": (0.231, 0.262, 0.031),
    "communication": (0.142, 0.128, 0.024),
    "policy": (0.081, 0.062, 0.019),
    "customer": (0.055, 0.071, 0.025),
    "knowledge": (0.031, 0.012, 0.012),
}
DIMENSION_FIGURES = {
    "reliability": ((412, 38, 171), 2.8, 0.41),
    "responsiveness": ((205, 21, 148), 3.5, 0.27),
    "assurance": ((96, 12, 131), 4.5, 0.14),
    "empathy": ((61, 9, 118), 5.0, 0.11),
    "tangibles": ((140, 33, 233), 4.8, 0.07),
}


def make_wording(ui: str = "en", *, causes: dict[str, tuple[str, ...]] | None = None) -> Wording:
    """A stand-in for the taxonomy's words, with names as long as real ones."""

    def terms(keys: tuple[str, ...], prefix: str = "") -> dict[str, Term]:
        words = {
            "en": "What it means in one plain sentence.",
            "pl": "Co to znaczy, w jednym zdaniu.",
            "zh": "一句话说明它的含义。",
        }
        return {
            key: Term(_NAMES[ui].get(key, f"{prefix}{key}".replace("_", " ").capitalize()), words[ui]) for key in keys
        }

    all_causes = tuple(cause for found in (causes or CAUSES).values() for cause in found)
    return Wording(
        ui,
        {
            "dimension": terms(DIMENSIONS),
            "gap": terms(GAPS),
            "cause": terms(all_causes),
            "remedy": terms(REMEDIES),
            "sentiment": terms(("neg", "neu", "pos", "mixed")),
            "language": terms(("en", "pl", "zh")),
        },
    )


_NAMES: dict[str, dict[str, str]] = {
    "en": {
        "customer": "Customer gap",
        "knowledge": "Knowledge gap",
        "policy": "Policy gap",
        "delivery": "Delivery gap",
        "communication": "Communication gap",
        "en": "English",
        "pl": "Polish",
        "zh": "Chinese",
        "couriers": "Couriers and other intermediaries",
        "staff_untrained": "Staff not trained or not knowing the product",
    },
    "pl": {
        "customer": "Luka klienta",
        "knowledge": "Luka wiedzy",
        "policy": "Luka standardów",
        "delivery": "Luka realizacji",
        "communication": "Luka komunikacji",
        "reliability": "Niezawodność",
        "responsiveness": "Szybkość reakcji",
        "assurance": "Pewność i kompetencja",
        "empathy": "Empatia",
        "tangibles": "Elementy materialne",
        "en": "angielski",
        "pl": "polski",
        "zh": "chiński",
        "couriers": "Kurierzy i inni pośrednicy",
    },
    "zh": {
        "customer": "顾客差距",
        "knowledge": "管理层认知差距",
        "policy": "服务标准差距",
        "delivery": "服务传递差距",
        "communication": "沟通差距",
        "reliability": "可靠性",
        "responsiveness": "响应性",
        "assurance": "保证性",
        "empathy": "移情性",
        "tangibles": "有形性",
        "en": "英语",
        "pl": "波兰语",
        "zh": "中文",
        "couriers": "快递等中间环节",
    },
}


def around(value: float, half: float, n: int, *, low: float = 0.0, high: float = 1.0) -> Estimate:
    """An estimate with a symmetric interval kept inside its scale."""
    return Estimate(value, max(low, value - half), min(high, value + half), n)


def make_evidence(n: int, *, text: str | None = None, language: str = "en", kind: str = "strongest") -> Evidence:
    """One sentence; `n` chooses which and where it stands."""
    said = text if text is not None else SENTENCES[language][n % 4]
    return Evidence(
        item_id=f"R-{1000 + n}",
        file="reviews_2025.csv",
        row=2 + 7 * n,
        start=34,
        end=34 + len(said),
        text=said,
        before="I had ordered twice before. " if language == "en" else "",
        after=" I will not order again." if n % 2 else "",
        language=language,
        kind=kind,
        probability=0.97 - 0.02 * (n % 20),
        date=date(2025, 1 + n % 12, 1 + n % 28) if n % 5 else None,
        rating=float(1 + n % 5) if n % 3 else None,
        group=("Kraków", "London", "上海")[n % 3] if n % 4 else None,
    )


def make_sentences(start: int, n: int) -> tuple[Evidence, ...]:
    """Sentences in three languages, both kinds, and hostile ones among them."""
    found = []
    for i in range(start, start + n):
        kind = "strongest" if i % 2 else "typical"
        hostile = HOSTILE[i // 4 % len(HOSTILE)] if i % 4 == 3 else None
        found.append(make_evidence(i, text=hostile, language=("en", "pl", "zh")[i % 3], kind=kind))
    return tuple(found)


def make_gap(gap: str, place: int) -> GapResult:
    """One gap with its causes; the knowledge gap cannot be corrected."""
    raw, corrected, half = GAP_FIGURES[gap]
    segments = round(raw * 2840)
    causes = tuple(
        CauseResult(
            cause, n, around(n / segments, 0.05, segments), REMEDIES[i : i + 2], make_sentences(place * 40 + i, 3)
        )
        for i, (cause, n) in enumerate((c, max(segments // (2 + i), 0)) for i, c in enumerate(CAUSES[gap]))
    )
    return GapResult(
        gap=gap,
        segments=segments,
        items=round(segments * 0.8),
        raw_share=around(raw, half / 2, 2840),
        corrected_share=NOTHING if gap == "knowledge" else around(corrected, half, 2840),
        item_share=around(raw * 1.6, half, 1204),
        attributed=gap in ATTRIBUTED_GAPS,
        dimensions={"reliability": segments // 2, "assurance": segments // 9},
        causes=causes,
        unexplained=segments // 5,
        remedies=REMEDIES[:3],
        evidence=make_sentences(place * 50, 10),
    )


def make_dimension(dimension: str, place: int) -> DimensionResult:
    """One dimension; empathy has too little for importance, reliability has a reference."""
    (neg, neu, pos), perception, share = DIMENSION_FIGURES[dimension]
    n = neg + neu + pos
    known = dimension != "empathy"
    return DimensionResult(
        dimension=dimension,
        segments=n,
        items=round(n * 0.8),
        counts={"neg": neg, "neu": neu, "pos": pos},
        segment_share=around(n / 2840, 0.02, 2840),
        item_share=around(n / 1500, 0.03, 1204),
        perception=around(perception, 0.25, n, low=1, high=7),
        breach_rate=around(0.71, 0.11, 48) if dimension == "reliability" else NOTHING,
        reference=Reference(6.1, "Customer survey, spring 2025") if dimension == "reliability" else None,
        servqual_gap=Estimate(-3.3, -3.6, -3.0, n) if dimension == "reliability" else None,
        importance=Importance(around(share, 0.06, 900), around(9.3, 2.2, 900, high=100)) if known else None,
        negative=make_sentences(place * 30, 10),
        positive=make_sentences(place * 30 + 15, 6),
    )


def make_comparisons(shift: float, n: int, *, differs: bool) -> tuple[Comparison, ...]:
    """All measures of a cell, `shift` away from the rest as a part of each scale."""
    found = []
    for i, dimension in enumerate(DIMENSIONS):
        value = 3.2 + 0.35 * i + shift * 3
        sure = differs and i % 2 == 0
        rest, q = 3.2 + 0.35 * i, 0.004 if sure else 0.4
        found.append(
            Comparison(
                f"perception:{dimension}", around(value, 0.5, n, low=1, high=7), rest, value - rest, q / 2, q, sure
            )
        )
    found.append(Comparison("sentiment", around(-0.2 + shift, 0.1, n, low=-1), -0.2, shift, 0.03, 0.06, False))
    for i, gap in enumerate(GAPS):
        rest = 0.28 - 0.05 * i
        sure = differs and i == 3
        value = max(rest - shift * 0.3, 0.0)
        found.append(
            Comparison(f"gap:{gap}", around(value, 0.05, n), rest, value - rest, 0.01, 0.03 if sure else 0.3, sure)
        )
    return tuple(found)


def make_periods() -> Breakdown:
    """A year of months, one of them too small."""
    cells = []
    for month in range(1, 13):
        enough = month != 2
        shift = 0.22 - 0.035 * month
        comparisons = make_comparisons(shift, 90, differs=month in (1, 11, 12)) if enough else ()
        cells.append(
            Cell(f"2025-{month:02d}", 100 if enough else 11, 236, enough, comparisons, make_sentences(month * 3, 3))
        )
    return Breakdown("period", "month", 30, 4, 0.05, tuple(cells))


def make_groups(
    names: tuple[str, ...] = ("Warszawa – Arkadia", "London", "上海旗舰店", SCRIPT, FORMULA, "Kiosk"),
) -> Breakdown:
    """Groups with friendly and hostile names, the last too small to speak."""
    cells = []
    for i, name in enumerate(names):
        enough = i < len(names) - 1
        comparisons = make_comparisons((i % 5 - 2) * 0.12, 150, differs=i % 2 == 0) if enough else ()
        cells.append(
            Cell(name, 300 - 10 * (i % 30) if enough else 7, 700, enough, comparisons, make_sentences(i * 5, 4))
        )
    return Breakdown("group", 'store <b>"x"', 30, 12, 0.05, tuple(cells))


def make_inputs() -> tuple[Recognition, ...]:
    """Two files, one recognised by preset."""
    columns = (
        ColumnRole("Review Id", "id", "header of the Trustpilot export"),
        ColumnRole("Review Content", "text", "header of the Trustpilot export"),
        ColumnRole("Review Stars", "rating", "header of the Trustpilot export"),
        ColumnRole("Location Name", "group", "named with --by"),
        ColumnRole(SCRIPT, "ignored", "not needed"),
    )
    other = (ColumnRole("Treść opinii", "text", "Polish header"), ColumnRole("评论时间", "date", "Chinese header"))
    return (
        Recognition("reviews_2025.csv", "csv", "utf-8-sig", ",", "Trustpilot", columns, (1, 5), "ab" * 32),
        Recognition("opinie.tsv", "csv", "cp1250", "\t", None, other),
    )


def make_intake() -> Intake:
    """Every row accounted for, with failures of each kind."""
    failures = (
        Failure(Source("reviews_2025.csv", 17), "failed", "the row has 9 cells where the header has 5"),
        Failure(Source("reviews_2025.csv", 40), "duplicate", "the same id as row 12", "R-7"),
        Failure(Source("opinie.tsv", 3), "empty", "no text"),
        Failure(Source(SCRIPT, 8), "unsupported", "language: de"),
    )
    noticed = (Failure(Source("reviews_2025.csv", 77), "notice", "date '31/02/2025' is no date"),)
    return Intake(
        read=1260, scored=1204, failed=3, duplicate=31, empty=9, unsupported=13,
        languages={"en": 702, "pl": 391, "zh": 111}, unsupported_languages={"de": 11, "uk": 2},
        failures=failures, notices=1, noticed=noticed,
    )  # fmt: skip


def make_shares() -> tuple[LabelShare, ...]:
    """Shares of an audit that asked for all but gaps; the knowledge gap cannot be corrected either."""
    return tuple(make_share(label, place) for place, label in enumerate(HEADS))


def make_share(label: str, place: int) -> LabelShare:
    kind, _, gap = label.partition(":")
    counted = around(0.04 + place / 100, 0.02, 2840)
    if kind == "gap":
        corrected = None if gap == "knowledge" else around(0.05 + place / 100, 0.03, 2840)
        used = "counted" if gap == "knowledge" else "corrected"
        return LabelShare(label, counted, corrected, None, weight=0.0, positives=0, rare=False, used=used)
    positives = max(0, place - 3)
    audited = around(0.031 + place / 100, 0.04, 103)
    return LabelShare(
        label, counted, None, audited, weight=0.5, positives=positives, rare=positives < 5, used="audited"
    )


def make_report() -> GapReport:
    """A report with something in every field."""
    sentiment = {"neg": (0.43, 0.02), "neu": (0.18, 0.015), "pos": (0.34, 0.02), "mixed": (0.05, 0.01)}
    return GapReport(
        schema_version=SCHEMA_VERSION,
        inputs=make_inputs(),
        intake=make_intake(),
        models=(
            ModelUsed("en", "linear-en", "2026.1", 0.61),
            ModelUsed("pl", "linear-pl", "2026.1", 0.57),
            ModelUsed("zh", "linear-zh", "2026.1", None),
        ),
        level=0.95,
        items=1204,
        segments=2840,
        first=date(2025, 1, 3),
        last=date(2025, 12, 29),
        overall=Overall(
            sentiment={key: around(value, half, 2840) for key, (value, half) in sentiment.items()},
            churn=around(0.083, 0.016, 1204),
            breach_rate=around(0.64, 0.08, 131),
            expectations={"unmet": 84, "met": 31, "exceeded": 16},
            mean_satisfaction=around(0.512, 0.021, 977),
        ),
        outcome="rating",
        outcome_items=977,
        explained=0.46,
        dimensions=tuple(make_dimension(dimension, i) for i, dimension in enumerate(DIMENSIONS)),
        gaps=tuple(make_gap(gap, i) for i, gap in enumerate(GAPS)),
        shares=make_shares(),
        audit=AuditUsed("audit.csv", segments=103, items=91, waiting=4, unmatched=2, enough=True),
        breakdowns=(make_periods(), make_groups()),
        caveats=("self_selected", "not_corrected", "attributed_gaps", "no_reference", "small_cells"),
    )


def make_empty_report() -> GapReport:
    """A report of files in which nothing could be scored."""
    full = make_report()
    none = Estimate(None, None, None, 0)
    dimensions = tuple(
        DimensionResult(
            d, 0, 0, dict.fromkeys(("neg", "neu", "pos"), 0), none, none, none, none, None, None, None, (), ()
        )
        for d in DIMENSIONS
    )
    gaps = tuple(GapResult(gap, 0, 0, none, none, none, gap in ATTRIBUTED_GAPS, {}, (), 0, (), ()) for gap in GAPS)
    intake = replace(
        full.intake,
        read=2,
        scored=0,
        failed=0,
        duplicate=0,
        empty=2,
        unsupported=0,
        languages={},
        unsupported_languages={},
    )
    return replace(
        full, intake=intake, models=(), items=0, segments=0, first=None, last=None,
        overall=Overall(dict.fromkeys(("neg", "neu", "pos", "mixed"), none), none, none, {}, None),
        outcome="sentiment", outcome_items=0, explained=None, dimensions=dimensions, gaps=gaps, shares=(), audit=None,
        breakdowns=(Breakdown("period", "month", 30, 0, 0.05, ()),), caveats=("no_items",),
    )  # fmt: skip
