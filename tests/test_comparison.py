"""Copy against complaints end to end inside one process, with the shipped bundles."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from gapnlp import comparison, jobs
from gapnlp.classifier.bundle import default_models_folder
from gapnlp.classifier.states import MANIFEST
from gapnlp.comparison import CopyOptions, compare
from gapnlp.errors import InputError, ModelError
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.jobs import Inputs, recognise_inputs
from gapnlp.records.promises import Ledger, LedgerEntry
from gapnlp.reporting.ledger_json import render_ledger_json
from gapnlp.scoring.local import ScorerSettings

pytestmark = pytest.mark.usefixtures("shared_cues")


COPY = {
    "en": "# A little shop with a big heart\n\nEvery order is delivered within 2 days. Refunds are paid within 5 days."
    "\n\n- Our phone line is always answered.\n\nLife is a journey.\n",
    "pl": "# Sklep z wielkim sercem\n\nKażde zamówienie dostarczamy w ciągu 2 dni. Pieniądze zwracamy w ciągu 5 dni."
    "\n\n- Nasza infolinia odbiera telefony całą dobę.\n\nPoczuj magię chwili.\n",
    "zh": "# 家的味道，梦的远方\n\n所有订单两天内送达。不满意五天内全额退款。"
    "\n\n- 客服电话随时有人接听。\n\n生活的美好滋味。\n",
}
# "#" is a number of days beyond what was promised; the first two break the first and the last promise.
SAID = {
    "en": (
        "My order was delivered after # days, far too late.",
        "Nobody ever answers the phone.",
        "A lovely scarf, the colour is beautiful.",
        "I bought it for my sister.",
    ),
    "pl": (
        "Paczkę dostarczono dopiero po # dniach, strasznie długa dostawa.",
        "Nikt nie odbiera telefonu.",
        "Śliczny szalik, piękny kolor.",
        "Kupiłam go dla siostry.",
    ),
    "zh": ("订单等了#天才送达，太慢了。", "客服电话一直没人接。", "围巾很漂亮，颜色很好看。", "这是给我姐姐买的。"),
}
DELIVERY = {"en": "delivered", "pl": "dostarczamy", "zh": "送达"}
PHONE = {"en": "phone", "pl": "telefon", "zh": "电话"}
ROWS = 40


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "CHUNK_ROWS", 5)
    monkeypatch.setattr(jobs, "CHUNK_ROWS", 5)
    monkeypatch.setattr(jobs, "_SNAPSHOT_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def json_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots and pages take most of the time; one test writes them all."""
    if "all_forms" in request.fixturenames:
        return

    def write(ledger: Ledger, folder: Path, *, ui: str) -> None:
        (folder / "ledger.json").write_bytes(render_ledger_json(ledger, ui))

    monkeypatch.setattr(comparison, "write_ledger", write)


@pytest.fixture
def all_forms() -> None:
    """Asks for the real writing of the ledger."""


def write_reviews(path: Path, texts: Sequence[str], *, stores: Sequence[str] = ("North",)) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["review_id", "review", "date", "store"])
        for n, text in enumerate(texts):
            writer.writerow([f"r{n}", text, f"2025-{1 + n % 6:02d}-{1 + n % 28:02d}", stores[n % len(stores)]])
    return path


def reviews(folder: Path, language: str, rows: int = ROWS) -> Path:
    said = SAID[language]
    texts = [said[n % len(said)].replace("#", str(6 + n % 5)) for n in range(rows)]
    return write_reviews(folder / f"reviews-{language}.csv", texts)


def copy(folder: Path, text: str, name: str = "copy.md") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def recognised(path: Path, **columns) -> Inputs:
    return recognise_inputs([path], ColumnOptions(**columns), scorer=ScorerSettings(), workers=1)


def ignore(_: int) -> None:
    """Progress that nobody looks at."""


def make(inputs: Inputs, out: Path, *paths: Path, on_progress=ignore, **options) -> Ledger:
    return compare(inputs, out, options=CopyOptions(paths, **options), on_progress=on_progress)


def entry(ledger: Ledger, word: str) -> LedgerEntry:
    (found,) = [e for e in ledger.entries if word in e.promise.text]
    return found


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_obvious_complaints_break_their_promises(tmp_path, language):
    path = copy(tmp_path, COPY[language])
    ledger = make(recognised(reviews(tmp_path, language)), tmp_path / "out", path)
    late, phone = entry(ledger, DELIVERY[language]), entry(ledger, PHONE[language])
    for found in (late, phone):
        assert found.breaks == ROWS // 4
        assert found.keeps == 0
        assert found.verdict == "broken"
        assert found.break_share.low > 0
    assert late.told.median == 8
    assert late.told.n == ROWS // 4
    assert (late.promise.quantity.value, late.promise.quantity.unit) == (2, "day")
    assert late.suggested
    assert late.breaking
    assert {e.text for e in late.breaking} <= {SAID[language][0].replace("#", str(n)) for n in range(6, 11)}
    assert ledger.items == ROWS
    assert ledger.languages == {language: ROWS}
    assert "other_language" not in ledger.caveats
    assert {m.language for m in ledger.models} == {language, "mul"}


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_slogans_are_units_and_not_promises(tmp_path, language):
    ledger = make(recognised(reviews(tmp_path, language, 4)), tmp_path / "out", copy(tmp_path, COPY[language]))
    assert [u.id for u in ledger.units] == [f"u{n + 1}" for n in range(5)]
    assert [u.is_promise for u in ledger.units] == [False, True, True, True, False]
    assert [u.puffery for u in ledger.units] == [True, False, False, False, True]
    assert {e.promise.id for e in ledger.entries} == {"u2", "u3", "u4"}
    assert [u.subject for u in ledger.units[1:4]] == ["delivery_time", "refunds", "phone_contact"]
    assert ledger.units[1].dimension == "reliability"
    assert all(u.language == language for u in ledger.units)


@pytest.mark.parametrize("ui", ["en", "zh"])
def test_all_forms_are_written(tmp_path, all_forms, ui):
    out = tmp_path / "out"
    make(recognised(reviews(tmp_path, "en")), out, copy(tmp_path, COPY["en"]), ui=ui, period="month")
    assert {p.name for p in out.iterdir()} == {"ledger.html", "ledger.json", "ledger.xlsx", "plots"}
    assert any((out / "plots").iterdir())
    content = json.loads((out / "ledger.json").read_text(encoding="utf-8"))
    assert content["schema_version"] == "1.0"
    assert "Nobody ever answers the phone." in (out / "ledger.html").read_text(encoding="utf-8")


class Stop(Exception):
    """Stands for Ctrl-C or a crash at some moment."""


@pytest.mark.parametrize("seed", range(2))
def test_interrupted_and_resumed_gives_the_same_bytes(tmp_path, seed):
    inputs, path = recognised(reviews(tmp_path, "en")), copy(tmp_path, COPY["en"])
    make(inputs, tmp_path / "whole", path, period="month")
    rng, stops = random.Random(seed), 0
    for _ in range(50):
        left = rng.randint(1, 4)

        def on_progress(_: int) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Stop

        try:
            make(inputs, tmp_path / "broken", path, period="month", on_progress=on_progress)
            break
        except Stop:
            stops += 1
            assert [p.name for p in (tmp_path / "broken").iterdir()] == ["ledger.gapnlp-work"]
    assert stops >= 3
    assert [p.name for p in (tmp_path / "broken").iterdir()] == ["ledger.json"]
    whole, broken = (tmp_path / name / "ledger.json" for name in ("whole", "broken"))
    assert broken.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("change", ["copy", "period", "reviews"])
def test_anything_else_starts_afresh(tmp_path, change):
    inputs, path = recognised(reviews(tmp_path, "en")), copy(tmp_path, COPY["en"])
    seen: list[int] = []

    def stop(rows: int) -> None:
        if rows > 20:
            raise Stop

    with pytest.raises(Stop):
        make(inputs, tmp_path / "out", path, on_progress=stop)
    if change == "copy":
        path = copy(tmp_path, COPY["en"].replace("2 days", "3 days"))
    if change == "reviews":
        inputs = recognised(reviews(tmp_path, "en", ROWS + 1))
    make(inputs, tmp_path / "out", path, period="month" if change == "period" else None, on_progress=seen.append)
    assert seen[0] == 0


def test_chunks_do_not_change_the_ledger(tmp_path, monkeypatch):
    inputs, path = recognised(reviews(tmp_path, "en")), copy(tmp_path, COPY["en"])
    small = make(inputs, tmp_path / "small", path)
    for module in (comparison, jobs):
        monkeypatch.setattr(module, "CHUNK_ROWS", 1000)
    assert make(inputs, tmp_path / "large", path) == small


def test_copy_in_another_language_is_named_in_the_caveats(tmp_path):
    ledger = make(recognised(reviews(tmp_path, "zh")), tmp_path / "out", copy(tmp_path, COPY["en"]))
    assert "other_language" in ledger.caveats
    assert ledger.languages == {"zh": ROWS}
    late = entry(ledger, "delivered")
    assert late.breaks == ROWS // 4
    assert late.told.median == 8
    assert {m.language for m in ledger.models} == {"zh", "mul"}


def test_complaints_in_two_languages_count_together(tmp_path):
    texts = [SAID[x][1] for x in ("en", "pl") for _ in range(6)]
    ledger = make(recognised(write_reviews(tmp_path / "r.csv", texts)), tmp_path / "out", copy(tmp_path, COPY["en"]))
    assert ledger.languages == {"en": 6, "pl": 6}
    assert entry(ledger, "phone").breaks >= 6
    assert "other_language" in ledger.caveats


def test_copy_without_promises_gives_no_entry(tmp_path):
    ledger = make(
        recognised(reviews(tmp_path, "en")), tmp_path / "out", copy(tmp_path, "Life is a journey.\n\nA big heart.\n")
    )
    assert ledger.entries == ()
    assert "no_promises" in ledger.caveats
    assert ledger.items == ROWS
    assert any(u.subject == "phone_contact" for u in ledger.complaints)


def test_one_complaint_gives_no_verdict_of_breaking(tmp_path):
    inputs = recognised(write_reviews(tmp_path / "r.csv", [SAID["en"][1]]))
    ledger = make(inputs, tmp_path / "out", copy(tmp_path, COPY["en"]))
    assert ledger.items == 1
    assert "one_item" in ledger.caveats
    phone = entry(ledger, "phone")
    assert (phone.breaks, phone.verdict, phone.told, phone.effect, phone.suggested) == (1, "silent", None, None, None)


def test_feedback_without_a_text_that_can_be_read_gives_no_figure(tmp_path):
    german = "Das Paket kam leider erst nach vielen Tagen an, und niemand hat geantwortet."
    inputs = recognised(write_reviews(tmp_path / "r.csv", ["", german]))
    ledger = make(inputs, tmp_path / "out", copy(tmp_path, COPY["en"]))
    assert ledger.items == 0
    assert "no_items" in ledger.caveats
    assert {e.verdict for e in ledger.entries} == {"silent"}
    assert {e.break_share.value for e in ledger.entries} == {None}


@pytest.mark.parametrize("text", ["", "\n\n  \n"])
def test_empty_copy_is_refused(tmp_path, text):
    with pytest.raises(InputError, match=r"copy\.md: holds no copy"):
        make(recognised(reviews(tmp_path, "en", 4)), tmp_path / "out", copy(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "Wir liefern jede Bestellung innerhalb von zwei Tagen. Unsere Kunden bezahlen keine Gebühren.",
        "Мы доставим каждый заказ за два дня. Наши клиенты не платят комиссию.",
        "12 34 !!!",
    ],
)
def test_copy_in_no_supported_language_is_refused(tmp_path, text):
    with pytest.raises(InputError, match="English, Polish or Chinese"):
        make(recognised(reviews(tmp_path, "en", 4)), tmp_path / "out", copy(tmp_path, text))
    assert not (tmp_path / "out").exists()


LISTINGS = """listing_id,kind,description
North,listing,"Every order is delivered within 2 days. Our phone line is always answered."
South,listing,"Every order is delivered within 2 days. Our phone line is always answered."
Empty,listing,"Our phone line is always answered."
North,draft,"Refunds are paid within 5 days."
"""


def listed(folder: Path, text: str = LISTINGS) -> tuple[Path, Path]:
    """Listings, and reviews in which North is late and South does not answer."""
    late = [SAID["en"][0].replace("#", str(6 + n)) for n in range(6)]
    texts = [t for pair in zip(late, [SAID["en"][1]] * 6, strict=True) for t in pair]
    return copy(folder, text, "listings.csv"), write_reviews(folder / "r.csv", texts, stores=("North", "South"))


def test_listings_meet_their_own_reviews_alone(tmp_path):
    path, said = listed(tmp_path)
    ledger = make(recognised(said, by="store"), tmp_path / "out", path, where=("kind", "listing"))
    breaks = {(e.promise.entity, "phone" in e.promise.text): e.breaks for e in ledger.entries}
    assert breaks == {
        ("North", False): 6,
        ("North", True): 0,
        ("South", False): 0,
        ("South", True): 6,
        ("Empty", True): 0,
    }
    assert {e.break_share.n for e in ledger.entries if e.promise.entity == "North"} == {6}
    rows = {r.entity: (r.promises, r.items) for r in ledger.entities}
    assert rows == {"North": (2, 6), "South": (2, 6), "Empty": (1, 0)}
    assert "entities_without_items" in ledger.caveats


def test_where_chooses_rows(tmp_path):
    path, said = listed(tmp_path)
    ledger = make(recognised(said, by="store"), tmp_path / "out", path, where=("kind", "draft"))
    assert [u.text for u in ledger.units] == ["Refunds are paid within 5 days."]
    with pytest.raises(InputError, match="--where"):
        make(recognised(said, by="store"), tmp_path / "other", path, where=("kind", "nothing"))


def test_promises_of_the_whole_firm_meet_every_review(tmp_path):
    path, said = listed(tmp_path)
    firm = copy(tmp_path, "Every parcel is delivered within 2 days.\n", "firm.md")
    ledger = make(recognised(said, by="store"), tmp_path / "out", path, firm, where=("kind", "listing"))
    found = entry(ledger, "parcel")
    assert found.promise.entity is None
    assert found.breaks == 6
    assert found.break_share.n == 12


def test_listings_without_by_are_refused(tmp_path):
    path, said = listed(tmp_path)
    with pytest.raises(InputError, match="--by"):
        make(recognised(said), tmp_path / "out", path)


def test_a_draft_is_marked_and_ranked(tmp_path):
    draft = "Our phone line is always answered.\n\nRefunds are paid within 5 days.\n"
    path = copy(tmp_path, draft, "new.md")
    ledger = make(recognised(reviews(tmp_path, "en")), tmp_path / "out", path, draft=True)
    assert ledger.draft
    assert ledger.copy == ("new.md",)
    assert ["phone" in e.promise.text for e in ledger.entries] == [True, False]


def test_trends_by_period(tmp_path):
    inputs, path = recognised(reviews(tmp_path, "en")), copy(tmp_path, COPY["en"])
    ledger = make(inputs, tmp_path / "out", path, period="month")
    assert [p.label for p in entry(ledger, "phone").trend] == [f"2025-0{m}" for m in range(1, 7)]
    assert all(e.trend == () for e in make(inputs, tmp_path / "other", path).entries)


def test_what_no_promise_covers_is_named(tmp_path):
    copied = copy(tmp_path, "Refunds are paid within 5 days.\n")
    ledger = make(recognised(reviews(tmp_path, "en")), tmp_path / "out", copied)
    assert "phone_contact" in {u.subject for u in ledger.complaints}
    covered = make(recognised(reviews(tmp_path, "en")), tmp_path / "other", copy(tmp_path, COPY["en"]))
    assert "phone_contact" not in {u.subject for u in covered.complaints}


def test_redaction_reaches_the_ledger(tmp_path):
    texts = [f"Nobody ever answers the phone, write to anna.nowak{n}@example.com instead." for n in range(4)]
    path = write_reviews(tmp_path / "r.csv", texts)
    scorer = ScorerSettings(redact=True)
    inputs = recognise_inputs([path], ColumnOptions(), scorer=scorer, workers=1)
    make(inputs, tmp_path / "out", copy(tmp_path, COPY["en"]))
    assert "anna.nowak" not in (tmp_path / "out" / "ledger.json").read_text(encoding="utf-8")


def test_models_without_promises_are_refused(tmp_path):
    path = reviews(tmp_path, "en", 4)
    first, *bundles = (default_models_folder() / MANIFEST).read_text(encoding="utf-8").split("[[bundle]]")
    others = [b for b in bundles if 'name = "promises"' not in b]
    (tmp_path / MANIFEST).write_text("[[bundle]]".join([first, *others]), encoding="utf-8")
    inputs = recognise_inputs([path], ColumnOptions(), scorer=ScorerSettings(tmp_path), workers=1)
    with pytest.raises(ModelError, match="no promise bundle"):
        make(inputs, tmp_path / "out", copy(tmp_path, COPY["en"]))
