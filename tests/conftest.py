"""What several suites need: a tiny labelled set in three languages, and bundles trained on it by the real recipe."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

pytest_plugins = ["tests.postgres_server"]

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "models"
LANGUAGES = ("en", "pl", "zh")
ITEMS = 150

# sentiment, dimensions, gaps, expectation, churn, then the sentence in English, Polish and Chinese; # is a number.
STATEMENTS = (
    ("neg", {"reliability": "neg"}, ["delivery"], "none", False,
     "The parcel came # days late.",
     "Paczka przyszła # dni po terminie.",
     "包裹晚了#天才送到。"),
    ("neg", {"reliability": "neg"}, ["communication"], "unmet", False,
     "They promised # o'clock and nobody came.",
     "Obiecali godzinę # i nikt nie przyjechał.",
     "说好#点来，结果没有人来。"),
    ("pos", {"reliability": "pos"}, [], "met", False,
     "It arrived on day # just as promised.",
     "Dotarło w dniu # dokładnie tak, jak obiecano.",
     "第#天准时到了，和承诺的一样。"),
    ("neg", {"responsiveness": "neg"}, ["delivery"], "none", False,
     "I called # times and nobody answered.",
     "Dzwoniłam # razy i nikt nie odbierał.",
     "打了#次电话都没有人接。"),
    ("pos", {"responsiveness": "pos"}, [], "none", False,
     "They replied within # minutes.",
     "Odpisali w # minut.",
     "#分钟就回复了我。"),
    ("neg", {"assurance": "neg"}, ["delivery"], "none", False,
     "The clerk at desk # knew nothing.",
     "Sprzedawca przy stanowisku # nic nie wiedział.",
     "#号柜台的店员什么都不懂。"),
    ("pos", {"assurance": "pos"}, [], "none", False,
     "The expert in room # explained all of it.",
     "Ekspertka w pokoju # wszystko wyjaśniła.",
     "#号房的专家讲解得很清楚。"),
    ("neg", {"empathy": "neg"}, ["knowledge"], "none", False,
     "We asked for it # times and the firm ignores us.",
     "Prosiliśmy # razy, a firma nas lekceważy.",
     "我们提了#次意见，公司根本不听。"),
    ("pos", {"empathy": "pos"}, [], "exceeded", False,
     "They kindly waited # hours for me, more than I hoped.",
     "Miło czekali na mnie # godzin, więcej niż liczyłem.",
     "他们贴心地等了我#小时，超出预期。"),
    ("neg", {"tangibles": "neg"}, ["policy"], "none", False,
     "Room # is old and dirty.",
     "Pokój # jest stary i brudny.",
     "#号房间又旧又脏。"),
    ("pos", {"tangibles": "pos"}, [], "none", False,
     "Room # is clean and bright.",
     "Pokój # jest czysty i jasny.",
     "#号房间又干净又明亮。"),
    ("neg", {"tangibles": "neg"}, ["customer"], "unmet", False,
     "For # hundred I expected a better room.",
     "Za # stów spodziewałam się lepszego pokoju.",
     "花了#百块，以为房间会更好。"),
    ("neg", {}, [], "none", True,
     "I will never come back, not in # years.",
     "Nigdy tu nie wrócę, nawet za # lat.",
     "#年之内再也不会来了。"),
    ("neu", {}, [], "none", False,
     "I ordered it in week #.",
     "Zamówienie złożyłam w tygodniu #.",
     "我是第#周下的单。"),
    ("mixed", {"tangibles": "neu"}, ["delivery"], "none", False,
     "Lamp # is pretty but the box was torn.",
     "Lampa # jest ładna, ale pudełko było podarte.",
     "#号灯很漂亮，但是盒子破了。"),
)  # fmt: skip


def gold_item(language: str, number: int, *, statements: int = 3) -> dict:
    """An item of the gold format: some statements one after the other, with their offsets."""
    text, segments = "", []
    for k in range(statements):
        sentiment, dimensions, gaps, expectation, churn, *sentences = STATEMENTS[(number * 4 + k * 7) % len(STATEMENTS)]
        sentence = sentences[LANGUAGES.index(language)].replace("#", str(2 + (number + k) % 7))
        text += " " if text else ""
        segments.append(
            {"start": len(text), "end": len(text) + len(sentence), "sentiment": sentiment, "dimensions": dimensions}
            | {"gaps": gaps, "expectation": expectation, "churn": churn}
        )
        text += sentence
    stratum = "random" if number % 4 else "enriched"
    domain = ("shop", "hotel", "clinic")[number % 3]  # each large enough to be held out by the recipe
    item = {"id": f"{language}-{number}", "lang": language, "domain": domain, "stratum": stratum}
    return item | {"text": text, "segments": segments}


def write_lines(path: Path, rows: list[dict]) -> Path:
    """Write JSON Lines, gzipped where the name says so."""
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def write_gold(folder: Path) -> Path:
    """Write train.jsonl and dev.jsonl with ITEMS and 12 items a language."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, numbers in (("train", range(ITEMS)), ("dev", range(1000, 1012))):
        write_lines(folder / f"{name}.jsonl", [gold_item(lang, n) for n in numbers for lang in LANGUAGES])
    return folder


def write_public(folder: Path) -> Path:
    """Write stand-ins of the public sets, with the fields that the recipe reads."""
    folder.mkdir(parents=True, exist_ok=True)
    good, bad = ("good", "dobre", "很好"), ("bad", "złe", "很差")
    names = {"airline_tweets": 0, "mams_acsa": 0, "complaints_acl19": 0, "m_absa_en_zh": 0, "polemo_sentences": 1}
    names |= {"chnsenticorp_hotel": 2, "waimai_10k": 2, "online_shopping_9_cats": 2}
    for name, language in names.items():
        rows = []
        for n in range(40):
            word, polarity = (good[language], "positive") if n % 2 else (bad[language], "negative")
            aspects = [{"category": ("staff", "service", "ambience")[n % 3], "polarity": polarity}]
            row = {"text": f"{word} {name} {n}", "sentiment": polarity, "aspects": aspects, "complaint": n % 2}
            rows.append(row | {"lang": LANGUAGES[language]})
        write_lines(folder / f"{name}.jsonl.gz", rows)
    return folder


@pytest.fixture(scope="session")
def tiny_gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small gold set, with the stand-ins of the public sets in `public` beside it."""
    folder = tmp_path_factory.mktemp("made")
    write_public(folder / "public")
    return write_gold(folder / "gold")


@pytest.fixture(scope="session")
def tiny_models(tiny_gold: Path) -> Path:
    """Models folder trained on the small gold set. Copy it before changing anything in it."""
    from training.linear import main as train

    out = tiny_gold.parent / "models"
    train(["--gold", str(tiny_gold), "--out", str(out), "--gold-only"])
    return out


@pytest.fixture
def changed_models(tiny_models: Path, tmp_path: Path) -> Path:
    """A copy of the small models folder that a test may spoil."""
    return Path(shutil.copytree(tiny_models, tmp_path / "models"))


@pytest.fixture(scope="session")
def shared_cues() -> Iterator[None]:
    """Build each language's cue patterns once for all scorers of the session: it is most of a scorer's start."""
    from gapnlp.scoring import scorer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scorer, "CueMatcher", cache(scorer.CueMatcher))
        yield
