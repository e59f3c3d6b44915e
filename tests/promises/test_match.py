"""Judging pairs: probabilities by hand, weights that are refused, quantities, and verdicts that no batch changes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from gapnlp.classifier.bundle import choose_bundle, read_manifest, read_verified
from gapnlp.errors import ModelError
from gapnlp.promises import match
from gapnlp.promises.detect import UNIT_FEATURES
from gapnlp.promises.match import MATCH_FEATURES, QUANTITY_FEATURES, Head, Matcher, PromiseModel, read_models
from gapnlp.promises.pair_features import FEATURES, PairContext, Texts
from gapnlp.records.labels import LABELS
from gapnlp.records.promises import RELATIONS
from gapnlp.scoring.loading import load
from gapnlp.scoring.scorer import Scorer
from gapnlp.text.normalise import normalise


@cache
def scorer() -> Scorer:
    return load()


@cache
def shipped() -> dict[str, PromiseModel]:
    return read_models(read_verified(choose_bundle(read_manifest(), "mul"))["weights.json"])


def texts(sentences, language: str) -> Texts:
    plain = [normalise(t, language) for t in sentences]
    return Texts(plain, plain, scorer().classifier(language).predict([[t] for t in plain]).values)


def matcher(promises, languages=("en", "en"), *, said=(), model: PromiseModel | None = None) -> Matcher:
    context = PairContext(languages, sample=[*promises, *said])
    return Matcher(languages, texts(promises, languages[1]), model=model or shipped()[languages[0]], context=context)


def judged(said, promises, languages=("en", "en"), **options):
    return matcher(promises, languages, said=said, **options).judge(texts(said, languages[0]))


def head(weights: dict[str, float], bias: float, names=MATCH_FEATURES, *, threshold: float = 0.5) -> Head:
    values = np.array([weights.get(name, 0.0) for name in names])
    return Head(np.zeros(len(names)), np.ones(len(names)), values, bias, threshold)


def made_model(breaks: Head, keeps: Head) -> PromiseModel:
    unit = head({}, 0.0, UNIT_FEATURES)
    return PromiseModel(unit, unit, {"breaks": breaks, "keeps": keeps}, {})


NEVER = head({}, -50.0)


def test_probabilities_by_hand():
    one = Head(np.array([1.0, 10.0]), np.array([2.0, 5.0]), np.array([3.0, -1.0]), 0.5, 0.5)
    # (3 - 1) / 2 * 3 - (20 - 10) / 5 * 1 + 0.5 = 1.5
    found = one.probabilities(np.array([[3.0, 20.0], [1.0, 10.0]]))
    assert found == pytest.approx([1 / (1 + np.exp(-1.5)), 1 / (1 + np.exp(-0.5))])
    cube = np.array([[[3.0, 20.0], [1.0, 10.0]]])
    assert one.probabilities(cube).tolist() == [found.tolist()]


def test_extreme_log_odds_do_not_overflow():
    one = Head(np.zeros(1), np.ones(1), np.array([1e6]), 0.0, 0.5)
    assert one.probabilities(np.array([[1e6], [-1e6]])).tolist() == [1.0, 0.0]


def table() -> dict:
    def entry(size: int) -> dict:
        return {"centre": [0.0] * size, "scale": [1.0] * size, "weights": [0.5] * size, "bias": -1, "threshold": 0.4}

    language = {
        "promise": entry(len(UNIT_FEATURES)),
        "puffery": entry(len(UNIT_FEATURES)),
        "relations": {r: entry(len(MATCH_FEATURES)) for r in RELATIONS},
        "errors": {r: [3, 2, 1] for r in RELATIONS},
    }
    names = {"unit_features": list(UNIT_FEATURES), "match_features": list(MATCH_FEATURES)}
    return {"format": match.FORMAT, **names, "languages": {"en": language}}


def test_weights_are_read():
    models = read_models(json.dumps(table()).encode())
    assert list(models) == ["en"]
    assert models["en"].errors == {"breaks": (3, 2, 1), "keeps": (3, 2, 1)}
    assert models["en"].relations["keeps"].threshold == 0.4
    assert models["en"].promise.bias == -1.0


def spoilt(path: tuple, value) -> bytes:
    content = table()
    place = content
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        spoilt(("format",), 99),
        spoilt(("unit_features",), [*UNIT_FEATURES[1:], UNIT_FEATURES[0]]),
        spoilt(("match_features",), list(FEATURES)),
        spoilt(("languages",), []),
        spoilt(("languages", "en", "promise"), None),
        spoilt(("languages", "en", "promise", "bias"), "many"),
        spoilt(("languages", "en", "promise", "weights"), [1.0]),
        spoilt(("languages", "en", "puffery", "scale"), None),
        spoilt(("languages", "en", "relations", "keeps"), None),
        spoilt(("languages", "en", "relations", "breaks", "centre"), [0.0] * len(FEATURES)),
        spoilt(("languages", "en", "errors", "breaks"), [1, 2]),
        spoilt(("languages", "en", "errors"), None),
    ],
    ids=range(17),
)
def test_other_weights_are_refused(content):
    with pytest.raises(ModelError, match="rebuild or reinstall"):
        read_models(content)


def test_the_shipped_bundle_speaks_three_languages():
    assert set(shipped()) == {"en", "pl", "zh"}
    for model in shipped().values():
        assert set(model.relations) == set(model.errors) == set(RELATIONS)
        assert all(min(counts) >= 0 and counts[0] >= 1 for counts in model.errors.values())
        assert all(0 < h.threshold < 1 for h in (model.promise, model.puffery, *model.relations.values()))


PROMISES = {
    "en": ["Every order is delivered within 2 days.", "Our phone line is always answered.", "Every room is quiet."],
    "pl": ["Każde zamówienie dostarczamy w ciągu 2 dni.", "Zawsze odbieramy telefon.", "Wszystkie pokoje są ciche."],
    "zh": ["所有订单两天内送达。", "客服电话随时有人接听。", "每间客房都很安静。"],
}
BROKEN = {
    "en": [
        "My order was delivered after 9 days.",
        "Nobody ever answers the phone.",
        "The room was so noisy that we could not sleep.",
    ],
    "pl": [
        "Zamówienie dostarczono dopiero po 9 dniach.",
        "Nikt nie odbiera telefonu.",
        "W pokoju było bardzo głośno, straszny hałas.",
    ],
    "zh": ["订单等了九天才送达。", "客服电话一直没人接。", "房间隔音很差，太吵了。"],
}
KEPT = {
    "en": "My order was delivered in 2 days, great delivery.",
    "pl": "Zamówienie dostarczono w 2 dni, super szybka dostawa.",
    "zh": "订单两天就送达了，送货很快，很满意。",
}
OFF_TOPIC = {"en": "My sister has a dog.", "pl": "Moja siostra ma psa.", "zh": "我姐姐养了一只狗。"}


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_obvious_complaints_break_their_promise(language):
    found = judged(BROKEN[language], PROMISES[language], (language, language))
    for place, verdicts in enumerate(found):
        relations = {j: v.relation for j, v in verdicts}
        assert relations.get(place) == "breaks", (place, verdicts)


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_other_matters_say_nothing(language):
    (found,) = judged([OFF_TOPIC[language]], PROMISES[language], (language, language))
    assert found == ()


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_praise_never_breaks(language):
    (found,) = judged([KEPT[language]], PROMISES[language], (language, language))
    assert {v.relation for _, v in found} <= {"keeps"}
    assert 0 in {j for j, _ in found}


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_what_is_told_beyond_the_promise_stands_on_the_verdict(language):
    (found, *_) = judged(BROKEN[language], PROMISES[language], (language, language))
    verdict = dict(found)[0]
    assert (verdict.told.value, verdict.told.unit) == (9.0, "day")
    assert verdict.excess == 7.0
    assert normalise(BROKEN[language][0], language)[verdict.told.start : verdict.told.end] == verdict.told.text
    assert verdict.promise == ""


def test_a_kept_quantity_stands_on_a_kept_verdict():
    (found,) = judged([KEPT["en"]], PROMISES["en"])
    verdict = dict(found)[0]
    assert (verdict.relation, verdict.told.value, verdict.excess) == ("keeps", 2.0, 0.0)


def test_a_quantity_that_says_otherwise_is_left_out():
    always_breaks = made_model(head({}, 5.0), NEVER)
    ((_, kept),) = judged(["Delivered in 1 day."], PROMISES["en"][:1], model=always_breaks)[0]
    assert (kept.relation, kept.told, kept.excess) == ("breaks", None, None)
    ((_, broken),) = judged(["Delivered in 5 days."], PROMISES["en"][:1], model=always_breaks)[0]
    assert (broken.told.value, broken.excess) == (5.0, 3.0)


def test_the_worst_of_several_quantities_counts():
    always_breaks = made_model(head({}, 5.0), NEVER)
    said = ["One parcel came after 1 day, one after 4 days, one after 12 days."]
    ((_, verdict),) = judged(said, PROMISES["en"][:1], model=always_breaks)[0]
    assert (verdict.told.value, verdict.excess) == (12.0, 10.0)


def test_quantity_features():
    said = ["After 9 days.", "After 1 day.", "Soon."]
    features, compared = matcher(PROMISES["en"]).features(texts(said, "en"))
    assert features.shape == (3, 3, len(MATCH_FEATURES))
    places = [MATCH_FEATURES.index(name) for name in QUANTITY_FEATURES]
    assert features[..., places][:, 0].tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]
    assert not features[..., places][:, 1:].any()
    assert [sorted(row) for row in compared] == [[0], [0], []]


def test_the_relation_further_above_its_threshold_wins():
    said, promises = ["It was so."], ["Every room is quiet."]
    near = made_model(head({}, 1.0, threshold=0.7), head({}, 0.5, threshold=0.3))  # 0.73 / 0.7 < 0.62 / 0.3
    ((_, verdict),) = judged(said, promises, model=near)[0]
    assert verdict.relation == "keeps"
    assert verdict.probability == pytest.approx(0.6225)
    assert judged(said, promises, model=made_model(head({}, 0.8, threshold=0.7), NEVER)) == [()]


@pytest.mark.parametrize("block", [1, 2, 3, 500])
def test_blocks_do_not_change_verdicts(monkeypatch, block):
    said = [*BROKEN["en"], KEPT["en"], OFF_TOPIC["en"], *BROKEN["en"][::-1], KEPT["en"]]
    whole = judged(said, PROMISES["en"])
    assert any(whole)
    monkeypatch.setattr(match, "_BLOCK", block)
    assert judged(said, PROMISES["en"]) == whole
    assert whole[:3] == whole[7:4:-1]


@pytest.mark.parametrize("language", ["en", "pl", "zh"])
def test_one_by_one_gives_the_same_verdicts(language):
    said = [*BROKEN[language], KEPT[language], OFF_TOPIC[language]]
    judge = matcher(PROMISES[language], (language, language), said=said)
    alone = [judge.judge(texts([t], language))[0] for t in said]
    assert judge.judge(texts(said, language)) == alone


def test_nothing_against_nothing():
    assert judged([], PROMISES["en"]) == []
    empty = matcher([])
    assert empty.judge(texts(BROKEN["en"], "en")) == [(), (), ()]


@pytest.mark.parametrize(("said", "copy"), [("en", "zh"), ("en", "pl"), ("pl", "en"), ("zh", "en")])
def test_copy_in_another_language_than_the_complaints(said, copy):
    """No n-gram is shared, so fewer pairs pass the threshold; but the right promise stays the likeliest."""
    judge = matcher(PROMISES[copy], (said, copy), said=BROKEN[said])
    features, compared = judge.features(texts(BROKEN[said], said))
    assert shipped()[said].relations["breaks"].probabilities(features).argmax(axis=1).tolist() == [0, 1, 2]
    told, comparison = compared[0][0]
    assert (told.value, comparison.by) == (9.0, 7.0)


def test_verdicts_do_not_depend_on_what_else_stands_in_a_model():
    model = shipped()["en"]
    other = replace(model, puffery=NEVER, errors={})
    assert judged(BROKEN["en"], PROMISES["en"], model=other) == judged(BROKEN["en"], PROMISES["en"])


def test_labels_are_what_the_features_expect():
    assert texts(["It came late."], "en").values.shape == (1, len(LABELS))
