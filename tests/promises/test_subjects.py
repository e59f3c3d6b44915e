"""The lexicon of subjects: the same keys in three languages, cues that compile, sentences that hit their subject."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import pytest

from gapnlp.errors import InputError
from gapnlp.promises.subjects import (
    KINDS,
    SubjectReader,
    load_subject_cues,
    load_subjects,
    parse_character_cue,
    parse_word_cue,
)
from gapnlp.records.labels import DIMENSIONS, LANGUAGES


@cache
def reader(language: str) -> SubjectReader:
    return SubjectReader(language)


def hits(text: str, language: str) -> set[tuple[str, str]]:
    return {(hit.subject, hit.kind) for hit in reader(language).read(text)}


def subjects(text: str, language: str) -> set[str]:
    return {subject for subject, _ in hits(text, language)}


def table(language: str) -> dict:
    return tomllib.loads(files("gapnlp.promises").joinpath(f"subjects_{language}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_speaks_of_every_subject(language):
    assert set(table(language)) - {"general"} == set(load_subjects())


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_no_other_fields_and_no_cue_twice(language):
    for key, kinds in table(language).items():
        if key == "general":
            assert set(kinds) == {"ignored", "numbers"}
            continue
        assert set(kinds) <= set(KINDS), key
        for kind, cues in kinds.items():
            assert len(cues) == len(set(cues)), (key, kind)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cue_compiles(language):
    parse = parse_character_cue if language == "zh" else parse_word_cue
    lists = load_subject_cues(language)
    for cue in [*lists.ignored, *(cue for cues in lists.cues.values() for cue in cues)]:
        assert list(parse(cue)), cue


def test_every_subject_has_a_theme_a_dimension_and_a_description():
    assert len(load_subjects()) > 80
    for key, subject in load_subjects().items():
        assert subject.key == key
        assert subject.dimension in DIMENSIONS
        assert subject.theme
        assert subject.description
    assert {s.dimension for s in load_subjects().values()} == set(DIMENSIONS)


EXAMPLES = {
    "en": (
        ("Every order is shipped within 2 days.", "delivery_time"),
        ("My parcel took nine days to arrive.", "delivery_time"),
        ("We refund the full amount, no questions asked.", "refunds"),
        ("I am still waiting for my money back.", "refunds"),
        ("Nobody picks up the phone.", "phone_contact"),
        ("Breakfast was cold by eight.", "breakfast"),
        ("The rooms are quiet.", "noise"),
        ("The wifi kept dropping.", "wifi"),
        ("They added a resort fee of 30 dollars.", "hidden_fees"),
        ("Free parking for every guest.", "parking"),
        ("The receptionist was rude to my mother.", "courtesy"),
        ("The towels were stained.", "linen_towels"),
        ("Cancel your membership at any time.", "cancellation"),
        ("We saw a cockroach behind the bed.", "pests"),
    ),
    "pl": (
        ("Wysyłamy każde zamówienie w ciągu 24 godzin.", "delivery_time"),
        ("Paczka szła dziewięć dni.", "delivery_time"),
        ("Zwrot pieniędzy w ciągu 5 dni.", "refunds"),
        ("Nadal czekam na zwrot pieniędzy.", "refunds"),
        ("Nikt nie odbiera telefonu.", "phone_contact"),
        ("Śniadanie było zimne.", "breakfast"),
        ("Pokoje są ciche.", "noise"),
        ("Wi-Fi ciągle się rozłączało.", "wifi"),
        ("Bezpłatny parking dla gości.", "parking"),
        ("Recepcjonistka była niegrzeczna.", "courtesy"),
        ("Ręczniki były poplamione.", "linen_towels"),
        ("W łazience był karaluch.", "pests"),
    ),
    "zh": (
        ("所有订单48小时内发货。", "delivery_time"),
        ("等了九天快递才到。", "delivery_time"),
        ("不满意全额退款。", "refunds"),
        ("到现在还没退款。", "refunds"),
        ("客服电话一直打不通。", "phone_contact"),
        ("早餐是凉的，没什么可吃。", "breakfast"),
        ("隔音太差，半夜很吵。", "noise"),
        ("房间的无线网络连不上。", "wifi"),
        ("免费停车场。", "parking"),
        ("前台服务员态度很差。", "courtesy"),
        ("毛巾有污渍。", "linen_towels"),
        ("床边有蟑螂。", "pests"),
    ),
}


@pytest.mark.parametrize(("language", "text", "subject"), [(k, *x) for k, v in EXAMPLES.items() for x in v])
def test_sentences_hit_their_subject(language, text, subject):
    assert subject in subjects(text, language)


FAULTS = {
    "en": (("The wifi did not work.", "wifi"), ("The room was filthy.", "cleaning")),
    "pl": (("Pokój był brudny.", "cleaning"), ("Nikt nie odbiera telefonu.", "phone_contact")),
    "zh": (("房间很脏。", "cleaning"), ("隔音太差。", "noise")),
}


@pytest.mark.parametrize(("language", "text", "subject"), [(k, *x) for k, v in FAULTS.items() for x in v])
def test_a_fault_is_told_from_a_topic(language, text, subject):
    assert (subject, "fault") in hits(text, language)


PRAISES = {
    "en": (("A spotless room.", "cleaning"), ("The staff were very friendly.", "courtesy")),
    "pl": (("Pokój był bardzo czysty.", "cleaning"), ("Bardzo miła obsługa.", "courtesy")),
    "zh": (("房间很干净。", "cleaning"), ("服务员态度很好。", "courtesy")),
}


@pytest.mark.parametrize(("language", "text", "subject"), [(k, *x) for k, v in PRAISES.items() for x in v])
def test_a_praise_is_told_from_a_topic(language, text, subject):
    assert (subject, "praise") in hits(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We walked along in order to see the old town."),
        ("en", "Of course it was Tuesday."),
        ("pl", "We wtorek widzieliśmy stary zamek."),
        ("zh", "昨天是星期二。"),
        *((language, text) for language in LANGUAGES for text in ("", " ", "🙂", "...", "12")),
    ],
)
def test_texts_about_nothing_hit_nothing(language, text):
    assert reader(language).read(text) == ()


@pytest.mark.parametrize(("language", "text"), [(k, x[0]) for k, v in EXAMPLES.items() for x in v])
def test_hits_lie_within_the_text_in_order(language, text):
    found = reader(language).read(text)
    assert found
    assert [(h.start, h.end) for h in found] == sorted((h.start, h.end) for h in found)
    for hit in found:
        assert 0 <= hit.start < hit.end <= len(text)
        assert hit.theme == load_subjects()[hit.subject].theme
        assert hit.kind in KINDS


def test_case_and_accents_do_not_matter():
    assert hits("MY PARCEL TOOK NINE DAYS", "en") == hits("my parcel took nine days", "en") != set()
    assert hits("Reczniki byly poplamione", "pl") == hits("Ręczniki były poplamione", "pl") != set()
    assert hits("They didn’t answer the phone", "en") == hits("They didn't answer the phone", "en") != set()


def test_a_gap_does_not_reach_over_the_end_of_a_sentence():
    assert ("refunds", "fault") in hits("They refused to refund us", "en")
    assert ("refunds", "fault") not in hits("They refused. Refund policy", "en")


def test_latin_words_in_chinese_have_borders():
    assert "app_stability" in subjects("app老是闪退", "zh")
    assert subjects("happy", "zh") == set()


def test_a_reader_gives_the_same_answer_again():
    for language, examples in EXAMPLES.items():
        fresh = SubjectReader(language)
        for text, _ in examples:
            assert fresh.read(text) == fresh.read(text) == reader(language).read(text)


def test_another_language_is_refused():
    with pytest.raises(InputError, match="en, pl, zh"):
        SubjectReader("de")


@pytest.mark.parametrize("cue", ["", "...", "... late", "late ...", "next-day", "a.b"])
def test_a_cue_of_words_that_cannot_be_read_is_named(cue):
    with pytest.raises(ValueError, match="subject cue"):
        list(parse_word_cue(cue))


@pytest.mark.parametrize("cue", ["[慢|太慢", "慢", "...慢了", "太慢...", "[|慢]"])
def test_a_cue_of_characters_that_cannot_be_read_is_named(cue):
    with pytest.raises(ValueError, match="subject cue"):
        list(parse_character_cue(cue))


def test_a_phrase_is_a_choice_of_its_own():
    assert list(parse_word_cue("car_park|parking ... full")) == [
        ((False, ("parking",)), (True, ("full",))),
        ((False, ("car",)), (False, ("park",)), (True, ("full",))),
    ]
    assert list(parse_character_cue("[退款|退钱]...#天")) == [("退款", "#天"), ("退钱", "#天")]
