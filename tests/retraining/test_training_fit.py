"""Adapters in memory: what is learnt, what stays the base's, and that the same input gives the same weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.bundle import choose_bundle, read_manifest
from gapnlp.classifier.loaders import load_bundle
from gapnlp.errors import InputError
from gapnlp.records.labels import HEADS
from gapnlp.retraining.training.bags import answer_tickets, make_bags, truth_matrix
from gapnlp.retraining.training.cross_fitting import FOLDS, assign_folds, choose_penalty
from gapnlp.retraining.training.cuts import NEVER, expected_f1_cut
from gapnlp.retraining.training.fit import join_features, learnable, rotate, unrotate
from gapnlp.retraining.training.fitting import fit_adapter
from gapnlp.retraining.training.ngrams import MOST_NGRAMS, encode_ngrams, fit_ngrams
from gapnlp.retraining.training.rows import by_language, fingerprint, settle, text_mark
from tests.retraining.training_samples import ticket, tickets

POSITIVE = HEADS.index("sentiment:pos")


@pytest.fixture(scope="module")
def base(tiny_models):
    return load_bundle(choose_bundle(read_manifest(tiny_models), "en"))


@pytest.fixture(scope="module")
def fitted(base):
    return fit_adapter(tickets(60, several=True), "en", base, seed=3)


def right(truth, answers):
    """Share of given labels that were decided rightly."""
    known = truth >= 0
    return float((answers.decided == (truth == 1))[known].mean())


def test_a_firms_own_words_are_learnt(base, fitted):
    new = tickets(60, start=600, several=True)
    truth = truth_matrix(new)
    before = answer_tickets(base, new, "en")
    after = answer_tickets(AdaptedClassifier(base, fitted.adapter, "a"), new, "en")
    assert right(truth, after) > max(0.97, right(truth, before) + 0.05)
    assert after.values[0, POSITIVE] > 0.5


def test_held_out_answers_come_from_adapters_that_have_not_seen_the_ticket(base, fitted):
    """A ticket whose label is turned round is answered as the others teach, not as it says."""
    rows = tickets(60, several=True)
    turned = [ticket(0, rows[0].text, 1), *rows[1:]]
    found = fit_adapter(turned, "en", base, seed=3)
    assert found.truth[0, POSITIVE] == 0
    assert found.held_out.decided[0, POSITIVE]
    assert right(fitted.truth, fitted.held_out) > 0.9


def test_unlearnt_heads_answer_exactly_as_the_base(base, fitted):
    documents = make_bags(tickets(20, start=100, several=True), "en").documents
    before = base.predict(documents)
    after = AdaptedClassifier(base, fitted.adapter, "a").predict(documents)
    learnt = fitted.adapter.learnt
    untouched = [i for i in range(28) if not learnt[i] and not HEADS[i].startswith("dimension:tang")]
    assert len(untouched) == 28 - 4 - 1 - 3
    assert np.array_equal(before.values[:, untouched], after.values[:, untouched])
    for old, new in zip(before.labels, after.labels, strict=True):
        assert {d: p for d, p in old.dimensions.items() if d != "tangibles"} == {
            d: p for d, p in new.dimensions.items() if d != "tangibles"
        }
        assert set(old.gaps) - {"delivery"} == set(new.gaps) - {"delivery"}
        assert (old.expectation, old.churn) == (new.expectation, new.churn)


def test_the_same_input_gives_the_same_weights_and_another_seed_other_folds(base, fitted):
    again = fit_adapter(tickets(60, several=True), "en", base, seed=3)
    for name in ("signals", "ngrams", "bias", "centre", "scale"):
        assert getattr(again.adapter, name).tobytes() == getattr(fitted.adapter, name).tobytes()
    assert again.held_out.values.tobytes() == fitted.held_out.values.tobytes()
    assert again.adapter.thresholds == fitted.adapter.thresholds
    groups = np.arange(50)
    assert not np.array_equal(assign_folds(groups, 0), assign_folds(groups, 1))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(0, 5))
def test_folds_never_part_a_ticket_and_are_about_even(groups, seed):
    numbers = {g: i for i, g in enumerate(dict.fromkeys(groups))}
    dense = np.asarray([numbers[g] for g in groups])
    folds = assign_folds(dense, seed)
    assert all(len(set(folds[dense == g])) == 1 for g in set(dense))
    sizes = [len(set(dense[folds == f])) for f in range(FOLDS)]
    assert max(sizes) - min(sizes) <= 1


def test_an_earlier_adapter_is_gone_on_from(base, fitted):
    """What only the earlier tickets taught is still known after learning from a few others."""
    few = [replace(t, given={k: v for k, v in t.given.items() if k.startswith("gap")}) for t in tickets(15, start=900)]
    found = fit_adapter(few, "en", base, prior=fitted.adapter)
    new = tickets(30, start=700)
    answers = answer_tickets(AdaptedClassifier(base, found.adapter, "b"), new, "en")
    assert right(truth_matrix(new), answers) > 0.97
    assert (found.adapter.learnt >= fitted.adapter.learnt).all()


def test_further_signals_are_learnt_from(base):
    rows = tickets(40)
    bags = make_bags(rows, "en")
    told = (np.repeat(bags.truth[:, POSITIVE], bags.lengths) == 1).astype(float)
    extra = np.column_stack([4 * told - 2])
    found = fit_adapter(rows, "en", base, extra=extra, extra_names=("told",))
    assert found.adapter.further == ("told",)
    assert found.adapter.signals[POSITIVE, len(HEADS)] > 0
    with pytest.raises(ValueError, match="further signals of"):
        fit_adapter(rows, "en", base, extra=extra[1:])


def test_nothing_to_learn_is_said(base):
    with pytest.raises(InputError, match="no label was given to at least 5 .* nothing can be learnt yet"):
        fit_adapter(tickets(6), "en", base)


def test_heads_are_learnt_by_rule():
    truth = np.full((20, len(HEADS)), -1, dtype=np.int8)
    gap, churn = HEADS.index("gap:policy"), HEADS.index("churn")
    truth[:, gap] = [1] * 5 + [0] * 15
    truth[:, churn] = [1] * 4 + [0] * 16
    truth[:10, POSITIVE], truth[:10, POSITIVE - 2] = 1, 0
    assert set(np.flatnonzero(learnable(truth))) == {gap}
    truth[10:15, POSITIVE - 2] = 1
    assert {POSITIVE, POSITIVE - 2} <= set(np.flatnonzero(learnable(truth)))


def test_rotating_keeps_all_products_and_turns_back():
    bags = make_bags(tickets(30), "en")
    texts = [t for d in bags.documents for t in d]
    ngrams = encode_ngrams(fit_ngrams(bags, "en", None), texts)
    rotated = rotate(ngrams)
    assert rotated.shape == (len(texts), len(texts))
    np.testing.assert_allclose(rotated @ rotated.T, (ngrams @ ngrams.T).toarray(), atol=2e-6)
    wanted = np.random.default_rng(0).normal(size=(2, 5)) @ rotated[:5]  # weights that a fit could find
    back = unrotate(wanted, rotated, ngrams)
    np.testing.assert_allclose(ngrams @ back.T, rotated @ wanted.T, atol=1e-3)
    assert join_features(np.ones((len(texts), 2)), ngrams).shape[1] == 2 + ngrams.shape[1]


def test_a_word_of_one_ticket_alone_is_not_kept_however_often_it_says_it():
    rows = [*tickets(20), ticket(90, "Xyzzyplugh again. Xyzzyplugh. It is xyzzyplugh.", 1)]
    same = replace(rows[-1], id="t91", ticket="t91")
    terms = {t for v in fit_ngrams(make_bags([*rows, same], "en"), "en", None) for t in v.vocabulary}
    assert "zonked" in terms
    assert not {t for t in terms if "xyz" in t or "plugh" in t}
    assert len(terms) <= MOST_NGRAMS


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=40))
def test_no_other_cut_is_expected_to_do_better(values):
    p = np.asarray(values)

    def expected(cut):
        taken = p >= cut
        return 2 * p[taken].sum() / (taken.sum() + p.sum())

    assert expected(expected_f1_cut(p, p)) >= max(expected(x) for x in p) - 1e-4


def test_no_tickets_no_cut():
    assert expected_f1_cut(np.zeros(0), np.zeros(0)) == NEVER


def test_ties_go_to_the_stronger_penalty():
    assert choose_penalty([1.001, 1.0, 1.2]) == 0
    assert choose_penalty([1.1, 1.0, 0.9999]) == 1


def test_annotators_are_settled_by_majority_and_a_draw_is_not_given():
    def said(who, **given):
        named = {k.replace("_", ":"): v for k, v in given.items()}
        return replace(ticket(1, "A text.", 2), given=named, annotator=who)

    (found,) = settle(
        [said("a", gap_policy=True, churn=True), said("b", gap_policy=True, churn=False), said("c", gap_policy=False)]
    )
    assert found.given == {"gap:policy": True}


def test_languages_are_parted_and_others_left_out():
    rows = [*tickets(2), *tickets(1, language="pl", start=5), *tickets(1, language="de", start=9)]
    assert {k: len(v) for k, v in by_language(rows).items()} == {"en": 2, "pl": 1}


def test_a_fingerprint_tells_texts_and_labels_and_tickets_but_not_names():
    rows = tickets(3)
    renamed = [replace(t, id=f"x{i}", ticket=f"x{i}") for i, t in enumerate(rows)]
    assert fingerprint(rows) == fingerprint(renamed)
    assert fingerprint(rows) != fingerprint(tickets(3, start=1))
    assert fingerprint(rows) != fingerprint([replace(t, ticket="x") for t in rows])
    assert fingerprint(rows) != fingerprint([replace(rows[0], given={"churn": True}), *rows[1:]])
    assert text_mark(rows[0]) == text_mark(replace(rows[0], text=rows[0].text.replace(" ", "  ")))
