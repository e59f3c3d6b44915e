"""The taxonomy hangs together, says the same in every language, and says what is wrong when it does not."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from gapnlp.errors import InputError
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, SENTIMENTS
from gapnlp.taxonomy.catalogue import (
    UI_LANGUAGES,
    Structure,
    Term,
    Wording,
    check_wording,
    load_cues,
    load_structure,
    load_wording,
    read_cues,
    read_structure,
)

TEN_REMEDIES = (
    "training",
    "incentives",
    "organisation_quality_team",
    "customer_relationship_management",
    "innovation",
    "continuous_improvement",
    "real_time_monitoring",
    "leadership_by_example",
    "open_channels",
    "regular_evaluation",
)
CROSS_BORDER = (
    "customs_not_told",
    "translated_listing_wrong",
    "time_zone_support",
    "local_payment_missing",
    "courier_failure",
    "cross_border_returns",
)
RAW = {
    "remedies": ["training"],
    "effects": ["churn"],
    "expectation_sources": ["price"],
    "gap_remedies": {gap: ["training"] for gap in GAPS},
    "causes": {"slow": {"gap": "delivery", "remedies": ["training"]}},
}


def test_every_gap_has_causes_and_remedies():
    structure = load_structure()
    per_gap = Counter(c.gap for c in structure.causes.values())
    assert all(per_gap[gap] >= 4 for gap in GAPS)
    assert all(structure.gap_remedies[gap] for gap in GAPS)
    assert all(c.remedies for c in structure.causes.values())


def test_causes_stand_in_the_order_of_the_gaps():
    gaps = [c.gap for c in load_structure().causes.values()]
    assert gaps == sorted(gaps, key=GAPS.index)


def test_the_classic_remedies_and_the_cross_border_cases_are_there():
    structure = load_structure()
    assert structure.remedies[:10] == TEN_REMEDIES
    assert set(CROSS_BORDER) <= set(structure.causes)


def test_every_remedy_is_of_use():
    structure = load_structure()
    used = {r for c in structure.causes.values() for r in c.remedies}
    used |= {r for rs in structure.gap_remedies.values() for r in rs}
    assert used == set(structure.remedies)


def test_no_remedy_is_listed_twice_for_a_cause():
    assert all(len(set(c.remedies)) == len(c.remedies) for c in load_structure().causes.values())


def test_keys_are_snake_case():
    structure = load_structure()
    keys = [*structure.causes, *structure.remedies, *structure.effects, *structure.expectation_sources]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", key) for key in keys)


def test_wordings_have_the_same_keys_in_every_language():
    keys = {ui: {kind: set(terms) for kind, terms in load_wording(ui).terms.items()} for ui in UI_LANGUAGES}
    assert keys["en"] == keys["pl"] == keys["zh"]
    assert set(keys["en"]["dimension"]) == set(DIMENSIONS)
    assert set(keys["en"]["sentiment"]) == set(SENTIMENTS)
    assert set(keys["en"]["expectation"]) == set(EXPECTATIONS)
    assert {"en", "pl", "zh", "und"} <= keys["en"]["language"] and len(keys["en"]["language"]) >= 20


@pytest.mark.parametrize("ui", UI_LANGUAGES)
def test_every_term_is_one_sentence_with_a_name_of_its_own(ui):
    for kind, terms in load_wording(ui).terms.items():
        names = [t.name for t in terms.values()]
        assert len(set(names)) == len(names), kind
        for key, term in terms.items():
            assert term.name.strip() == term.name != "", (kind, key)
            assert term.explanation.endswith((".", "。")), (kind, key)
            assert not term.name.endswith((".", "。")), (kind, key)


def test_no_english_is_left_in_chinese():
    for terms in load_wording("zh").terms.values():
        for key, term in terms.items():
            assert not re.search("[A-Za-z]", term.name + term.explanation), key


def test_polish_is_not_english():
    english = load_wording("en")
    for kind, terms in load_wording("pl").terms.items():
        same = [k for k, t in terms.items() if t.explanation == english.term(kind, k).explanation]
        assert not same, kind


@pytest.mark.parametrize(("ui", "says"), [("en", "Customers say"), ("pl", "Klienci mówią"), ("zh", "顾客表示")])
def test_causes_inside_the_firm_are_attributed_to_customers(ui, says):
    wording, structure = load_wording(ui), load_structure()
    attributed = [c.key for c in structure.causes.values() if c.gap in ("knowledge", "policy")]
    texts = [wording.term("cause", k).explanation for k in attributed]
    texts += [wording.term("gap", g).explanation for g in ("knowledge", "policy")]
    own = {"en": "Customers say what they need", "pl": "Klienci sami podpowiadają", "zh": "顾客自己提出"}[ui]
    assert all(text.startswith((says, own)) for text in texts)


@pytest.mark.parametrize("language", UI_LANGUAGES)
def test_every_cause_has_cues_with_examples(language):
    cues = load_cues(language)
    assert list(cues) == list(load_structure().causes)
    for key, cue in cues.items():
        assert cue.patterns, key
        assert len(set(cue.examples)) >= 2 and cue.counterexamples, key
        assert len(set(cue.patterns)) == len(cue.patterns), key


def test_an_unknown_language_is_an_input_error():
    with pytest.raises(InputError, match="'de'"):
        load_wording("de")
    with pytest.raises(InputError, match="en, pl, zh"):
        load_cues("structure")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"causes": {"slow": {"gap": "delivry", "remedies": ["training"]}}}, "unknown gap delivry"),
        ({"causes": {"slow": {"gap": "delivery", "remedies": ["traning"]}}}, "unknown remedy traning"),
        ({"gap_remedies": {g: ["magic"] for g in GAPS}}, "unknown remedy magic"),
        ({"gap_remedies": {"customer": ["training"]}}, "knowledge"),
    ],
)
def test_a_wrong_key_in_the_structure_is_named(change, named):
    with pytest.raises(ValueError, match=named):
        read_structure(RAW | change)


def test_a_cause_without_cues_is_named():
    with pytest.raises(ValueError, match="slow"):
        read_cues({"cause": {"slow": {"patterns": ["late"], "examples": []}}}, read_structure(RAW))


def _wording_without(kind: str, key: str) -> Wording:
    full = load_wording("en")
    terms = {k: {x: t for x, t in ts.items() if (k, x) != (kind, key)} for k, ts in full.terms.items()}
    return Wording("en", terms)


def test_a_missing_or_needless_term_is_named():
    structure: Structure = load_structure()
    with pytest.raises(ValueError, match=r"remedy hiring"):
        check_wording(_wording_without("remedy", "hiring"), structure)
    extra = _wording_without("", "")
    with_extra = Wording("en", {**extra.terms, "effect": {**extra.terms["effect"], "joy": Term("Joy", "Joy.")}})
    with pytest.raises(ValueError, match="unknown effect joy"):
        check_wording(with_extra, structure)
