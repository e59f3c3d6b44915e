"""Finding promises: features that mean the same in each language, and what the shipped bundle makes of clear cases."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gapnlp.classifier.bundle import choose_bundle, read_manifest, read_verified
from gapnlp.promises.detect import UNIT_FEATURES, WORD_KINDS, unit_features
from gapnlp.promises.match import PromiseModel, read_models
from gapnlp.promises.subjects import SubjectReader
from gapnlp.records.labels import LANGUAGES
from gapnlp.text.normalise import normalise


@cache
def models() -> dict[str, PromiseModel]:
    return read_models(read_verified(choose_bundle(read_manifest(), "mul"))["weights.json"])


@cache
def reader(language: str) -> SubjectReader:
    return SubjectReader(language)


def features(text: str, language: str = "en") -> dict[str, float]:
    (row,) = unit_features([text], language, subjects=reader(language))
    return dict(zip(UNIT_FEATURES, row.tolist(), strict=True))


def judged(text: str, language: str) -> tuple[bool, bool]:
    """Whether the shipped bundle calls a text a promise, and whether it calls it a slogan."""
    rows = unit_features([normalise(text, language)], language, subjects=reader(language))
    heads = models()[language].promise, models()[language].puffery
    promise, puffery = (bool(h.probabilities(rows)[0] >= h.threshold) for h in heads)
    return promise, puffery and not promise


PROMISES = {
    "en": (
        "Every order is delivered within 2 days, guaranteed.",
        "We refund the full price within 5 days.",
        "Our phone line is answered 24 hours a day, every day of the year.",
        "You never pay a booking fee.",
        "Every room is cleaned every day.",
        "Free parking is included for every guest.",
        "If we are late, your next month is free.",
    ),
    "pl": (
        "Każde zamówienie dostarczamy w ciągu 2 dni.",
        "Zwracamy pełną kwotę w ciągu 5 dni.",
        "Nasza infolinia odbiera telefony całą dobę.",
        "Bezpłatny parking dla każdego gościa.",
        "Każdy pokój sprzątamy codziennie.",
        "Zawsze odpowiadamy na wiadomości w ciągu godziny.",
    ),
    "zh": (
        "所有订单两天内送达。",
        "不满意五天内全额退款。",
        "客服电话24小时有人接听。",
        "为每位客人提供免费停车。",
        "每间客房每天打扫。",
        "我们承诺三十分钟内回复您的消息。",
    ),
}
SLOGANS = {
    "en": ("The little shop with a big heart.", "Life is a journey.", "The best coffee in the world, made with love."),
    "pl": ("Sklep z wielkim sercem.", "Twój uśmiech, nasza pasja.", "Poczuj magię chwili."),
    "zh": ("家的味道，梦的远方。", "生活的美好滋味。", "用心做好每一天。"),
}
HISTORY = {
    "en": "Founded in 1987 by two brothers.",
    "pl": "Firma powstała w 1987 roku.",
    "zh": "公司成立于1987年。",
}


@pytest.mark.parametrize(("language", "text"), [(k, t) for k, v in PROMISES.items() for t in v])
def test_a_clear_promise_is_one(language, text):
    assert judged(text, language) == (True, False)


@pytest.mark.parametrize(("language", "text"), [(k, t) for k, v in SLOGANS.items() for t in v])
def test_a_slogan_is_puffery_and_no_promise(language, text):
    assert judged(text, language) == (False, True)


@pytest.mark.parametrize(("language", "text"), HISTORY.items())
def test_history_is_no_promise(language, text):
    assert judged(text, language)[0] is False


def test_the_order_and_the_shape():
    assert len(UNIT_FEATURES) == len(set(UNIT_FEATURES))
    for language in LANGUAGES:
        found = unit_features(PROMISES[language], language, subjects=reader(language))
        assert found.shape == (len(PROMISES[language]), len(UNIT_FEATURES))
        alone = [unit_features([t], language, subjects=reader(language)) for t in PROMISES[language]]
        assert np.array_equal(found, np.vstack(alone))
        assert unit_features([], language, subjects=reader(language)).shape == (0, len(UNIT_FEATURES))


def test_each_feature_by_hand():
    found = features("We deliver your parcel within 2 days!")
    assert found["length"] == pytest.approx(np.log1p(37))
    assert (found["short"], found["exclamation"], found["question"], found["no_stop"]) == (1, 1, 0, 0)
    assert (found["quantity"], found["quantities"], found["absolute"]) == (1, 1, 0)
    assert (found["first_person"], found["second_person"], found["any_subject"]) == (1, 1, 1)
    assert found["no_subject_no_quantity"] == 0
    assert found["year"] == 0


@pytest.mark.parametrize(
    ("text", "language", "name", "value"),
    [
        ("Do you deliver?", "en", "question", 1),
        ("可以退款吗", "zh", "question", 1),
        ("Since 1987", "en", "year", 1),
        ("Since 1987", "en", "any_history", 1),
        ("Order 71987", "en", "year", 0),
        ("Always open", "en", "absolute", 1),
        ("Zawsze otwarte", "pl", "absolute", 1),
        ("Fresh, warm, soft, sweet, crisp, light", "en", "commas", 4),
        ("早餐、晚餐，都有", "zh", "commas", 2),
        ("no stop", "en", "no_stop", 1),
        ("停。", "zh", "no_stop", 0),
        ("We guarantee it", "en", "any_commit", 1),
        ("Gwarantujemy to", "pl", "any_commit", 1),
        ("我们保证", "zh", "any_commit", 1),
        ("Na pewno pomożemy", "pl", "first_person", 1),
        ("您的", "zh", "second_person", 1),
        ("The street was quiet", "en", "second_person", 0),
    ],
)
def test_single_features(text, language, name, value):
    assert features(text, language)[name] == value


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["", " ", "🙂", "?!", "x" * 3000])
def test_odd_texts_give_finite_numbers(text, language):
    values = features(text, language)
    assert all(np.isfinite(v) for v in values.values())
    assert values["quantity"] == 0


def test_word_kinds_are_counted_up_to_four():
    assert features("every every every every every every")["scope"] == 4
    for kind in WORD_KINDS:
        assert kind in UNIT_FEATURES
        assert f"any_{kind}" in UNIT_FEATURES
