"""The recipe of the promise bundle and the benchmark on small made-up cases: features, targets, files, form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks import promises as benchmark
from gapnlp.classifier.bundle import choose_bundle, default_models_folder, read_manifest, read_verified
from gapnlp.promises.detect import UNIT_FEATURES
from gapnlp.promises.match import MATCH_FEATURES, read_models
from gapnlp.records.promises import RELATIONS
from gapnlp.scoring.loading import load
from training import promises as recipe
from training.promise_cases import case_unit_features, read_cases

# language -> units of copy (text, promise, puffery), and segments (text, broken promise, kept promise) by their places.
CASES = {
    "shop_en": (
        [
            ("A shop with a big heart.", False, True),
            ("Every order is delivered within 2 days.", True, False),
            ("Our phone line is always answered.", True, False),
            ("Founded in 1987 by two brothers.", False, False),
        ],
        [
            ("My order was delivered after 9 days.", 1, None),
            ("It took 8 days to be delivered, far too late.", 1, None),
            ("My order was delivered in 2 days, great.", None, 1),
            ("Nobody ever answers the phone.", 2, None),
            ("They answered the phone at once.", None, 2),
            ("I have a dog.", None, None),
        ],
    ),
    "sklep_pl": (
        [
            ("Sklep z wielkim sercem.", False, True),
            ("Każde zamówienie dostarczamy w ciągu 2 dni.", True, False),
            ("Nasza infolinia odbiera telefony całą dobę.", True, False),
        ],
        [
            ("Zamówienie dostarczono dopiero po 9 dniach.", 1, None),
            ("Dostarczono w 2 dni, super.", None, 1),
            ("Nikt nie odbiera telefonu.", 2, None),
            ("Telefon odebrali od razu.", None, 2),
            ("Mam psa.", None, None),
        ],
    ),
    "shangdian_zh": (
        [
            ("家的味道，梦的远方。", False, True),
            ("所有订单两天内送达。", True, False),
            ("客服电话随时有人接听。", True, False),
        ],
        [
            ("订单等了九天才送达。", 1, None),
            ("订单两天就送达了，很快。", None, 1),
            ("客服电话一直没人接。", 2, None),
            ("客服电话马上就接了。", None, 2),
            ("我有一只狗。", None, None),
        ],
    ),
    "silent_en": (
        [("The little cafe with a big heart.", False, True), ("Free parking for every guest.", True, False)],
        [],
    ),
}


def write_case(folder: Path, units, segments) -> None:
    folder.mkdir(parents=True)
    rows = [
        {"id": f"s{i + 1}", "text": text, "is_promise": promise, "puffery": puffery}
        for i, (text, promise, puffery) in enumerate(units)
    ]
    pairs = []
    for i, (text, broken, kept) in enumerate(segments):
        relations = [
            {"promise": f"s{place + 1}", "relation": relation}
            for relation, place in (("breaks", broken), ("keeps", kept))
            if place is not None
        ]
        pairs.append({"id": f"x-{i}#0", "text": text, "context": text, "relations": relations})
    for name, content in (("promises.jsonl", rows), ("pairs.jsonl", pairs)):
        lines = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in content)
        (folder / name).write_text(lines, encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cases")
    for name, (units, segments) in CASES.items():
        write_case(root / name, units, segments)
    (root / "README.md").write_text("no case", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def prepared(folder: Path):
    return recipe.prepare(read_cases(folder))


@pytest.fixture(scope="module")
def table(prepared):
    return recipe.fit_table(prepared)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def case(folder: Path, name: str):
    return next(c for c in read_cases(folder) if c.name == name)


def test_cases_are_read_by_name_with_their_language(folder):
    assert [(c.name, c.language) for c in read_cases(folder)] == [
        ("shangdian_zh", "zh"),
        ("shop_en", "en"),
        ("silent_en", "en"),
        ("sklep_pl", "pl"),
    ]


def test_targets_by_hand(folder):
    shop = case(folder, "shop_en")
    assert shop.promises == [1, 2]
    assert shop.targets("breaks").astype(int).tolist() == [[1, 0], [1, 0], [0, 0], [0, 1], [0, 0], [0, 0]]
    assert shop.targets("keeps").astype(int).tolist() == [[0, 0], [0, 0], [1, 0], [0, 0], [0, 1], [0, 0]]
    assert case(folder, "silent_en").targets("breaks").shape == (0, 1)


def test_a_relation_to_what_is_no_promise_is_left_out(tmp_path):
    units, _ = CASES["shop_en"]
    write_case(tmp_path / "c", units, [("It came late.", 0, None)])
    assert not read_cases(tmp_path)[0].targets("breaks").any()


def test_unlabelled_pairs_have_no_targets(tmp_path):
    write_case(tmp_path / "c", *CASES["shop_en"])
    path = tmp_path / "c" / "pairs.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps({"id": r["id"], "text": r["text"]}) + "\n" for r in rows), encoding="utf-8")
    (found,) = read_cases(tmp_path)
    assert not found.targets("breaks").any()
    assert found.context_texts == found.segment_texts


def test_features_of_cases(folder, prepared):
    for found in prepared:
        n = len(found.case.pairs) * len(found.case.promises)
        assert found.pairs.shape == (n, len(MATCH_FEATURES))
        assert found.units.shape == (len(found.case.units), len(UNIT_FEATURES))
        assert {r: t.shape for r, t in found.relations.items()} == dict.fromkeys(RELATIONS, (n,))
        assert np.isfinite(found.pairs).all()
        assert np.array_equal(found.units, case_unit_features(found.case))


def test_f1_by_hand():
    yes, no = np.array([True, True, False]), np.array([True, False, True])
    assert recipe.f1(yes, no) == pytest.approx(0.5)
    assert recipe.f1(yes, yes) == 1
    assert recipe.f1(~yes & yes, ~yes & yes) == 1
    assert recipe.f1(yes, ~yes) == 0


def test_the_table_is_read_again_and_knows_its_cases(prepared, table):
    models = read_models(json.dumps(table).encode())
    assert set(models) == {"en", "pl", "zh"}
    for found in prepared:
        model = models[found.case.language]
        broken = model.relations["breaks"].probabilities(found.pairs)
        if broken.size:
            assert broken[found.relations["breaks"]].min() > broken[~found.relations["breaks"]].max()
        promise = model.promise.probabilities(found.units)
        assert promise[found.is_promise].min() > promise[~found.is_promise].max()


def test_errors_count_the_held_out_pairs_of_the_language(prepared, table):
    for language in ("en", "pl", "zh"):
        for relation in RELATIONS:
            tp, fp, fn = table["languages"][language]["errors"][relation]
            own = [p for p in prepared if p.case.language == language]
            assert tp + fn == sum(int(p.relations[relation].sum()) for p in own)
            assert fp <= sum(int((~p.relations[relation]).sum()) for p in own)


def test_a_languages_own_cases_count_twice(prepared):
    for found in prepared:
        for language in ("en", "pl", "zh"):
            assert recipe._weight(found, language) == (2.0 if found.case.language == language else 1.0)


def test_a_case_left_out_is_not_seen(prepared, folder, tmp_path):
    """Changing a case's labels changes nothing in the model that is fitted without it."""
    shutil.copytree(folder, tmp_path / "cases")
    pairs = tmp_path / "cases" / "shop_en" / "pairs.jsonl"
    rows = [json.loads(line) for line in pairs.read_text(encoding="utf-8").splitlines()]
    pairs.write_text("".join(json.dumps({**r, "relations": []}) + "\n" for r in rows), encoding="utf-8")
    other = recipe.prepare(read_cases(tmp_path / "cases"))
    first, second = (recipe.model_without(p, "shop_en") for p in (prepared, other))
    for relation in RELATIONS:
        assert np.array_equal(first.relations[relation].weights, second.relations[relation].weights)
        assert first.relations[relation].threshold == second.relations[relation].threshold


@pytest.fixture(scope="module")
def trained(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with a promise bundle of the small cases, beside the linear ones."""
    out = tmp_path_factory.mktemp("models")
    for language in ("en", "pl", "zh"):
        shutil.copytree(default_models_folder() / f"linear-{language}", out / f"linear-{language}")
    recipe.main(["--cases", str(folder), "--out", str(out)])
    return out


def test_the_bundle_is_in_the_manifest_beside_the_others(trained, folder):
    assert [b.name for b in read_manifest(trained)] == ["linear-en", "linear-pl", "linear-zh", "promises"]
    bundle = choose_bundle(read_manifest(trained), "mul")
    assert bundle.kind == "promises"
    contents = read_verified(bundle)
    assert set(contents) == {"CARD.md", "card.json", "weights.json"}
    assert set(read_models(contents["weights.json"])) == {"en", "pl", "zh"}
    card = json.loads(contents["card.json"])
    assert card["cases"] == sorted(CASES)
    assert set(card["errors"]) == {"en", "pl", "zh"}
    assert load(trained).classifier("en").language == "en"


def test_training_twice_gives_the_same_bytes(trained, folder, tmp_path):
    recipe.main(["--cases", str(folder), "--out", str(tmp_path)])
    for name in ("CARD.md", "card.json", "weights.json"):
        assert (tmp_path / "promises" / name).read_bytes() == (trained / "promises" / name).read_bytes()


def test_the_fingerprint_changes_with_the_cases(trained, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "cases")
    path = tmp_path / "cases" / "shop_en" / "pairs.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("a dog", "a cat"), encoding="utf-8")
    assert recipe._fingerprint(tmp_path / "cases") != recipe._fingerprint(folder)
    card = json.loads((trained / "promises" / "card.json").read_text(encoding="utf-8"))
    assert card["fingerprint"]["cases_sha256"] == recipe._fingerprint(folder)


def test_predictions_have_the_form_that_is_scored(folder, tmp_path):
    """promises.jsonl: every unit's id and yes or no; pairs.jsonl: every pair's id with relations to gold promises."""
    models = read_models(read_verified(choose_bundle(read_manifest(), "mul"))["weights.json"])
    for found in read_cases(folder):
        benchmark.predict(found, models[found.language], tmp_path / found.name)
        units = [json.loads(x) for x in (tmp_path / found.name / "promises.jsonl").read_text("utf-8").splitlines()]
        pairs = [json.loads(x) for x in (tmp_path / found.name / "pairs.jsonl").read_text("utf-8").splitlines()]
        assert [u["id"] for u in units] == [u["id"] for u in found.units]
        assert all(set(u) == {"id", "is_promise"} and isinstance(u["is_promise"], bool) for u in units)
        assert [p["id"] for p in pairs] == [p["id"] for p in found.pairs]
        known = {found.units[i]["id"] for i in found.promises}
        for pair in pairs:
            assert set(pair) == {"id", "relations"}
            assert all(set(r) == {"promise", "relation"} for r in pair["relations"])
            assert {r["promise"] for r in pair["relations"]} <= known
            assert {r["relation"] for r in pair["relations"]} <= set(RELATIONS)


def test_clear_cases_are_predicted_right(folder, tmp_path):
    models = read_models(read_verified(choose_bundle(read_manifest(), "mul"))["weights.json"])
    shop = case(folder, "shop_en")
    found = benchmark.predict(shop, models["en"], tmp_path / "out")
    assert found["promise"].tolist() == [False, True, True, False]
    assert recipe.f1(shop.targets("breaks"), found["breaks"]) >= 0.8


def test_the_baselines_are_similarities(folder):
    shop = case(folder, "shop_en")
    for name in ("words", "TF-IDF"):
        values = benchmark.BASELINES[name](shop)
        assert values.shape == (6, 2)
        assert (values >= 0).all()
        assert (values <= 1 + 1e-9).all()
        assert values[0].argmax() == 0


def test_a_baseline_takes_its_threshold_from_the_other_cases():
    values = [np.array([[0.9, 0.1]]), np.array([[0.8, 0.2]]), np.array([[0.1, 0.3]])]
    gold = [np.array([[True, False]]), np.array([[True, False]]), np.array([[False, True]])]
    # Best on the others lies above all of the third's values.
    assert benchmark._baseline(values, gold, ["en", "en", "en"])[2] == 0.0
    # Alone in its language, it takes what is best on the others all the same.
    assert benchmark._baseline(values, gold, ["en", "en", "pl"])[2] == 0.0


def test_a_baseline_takes_its_threshold_from_its_own_language():
    values = [np.array([[0.3, 0.1]]), np.array([[0.3, 0.2]]), np.array([[0.9, 0.5]]), np.array([[0.9, 0.5]])]
    gold = [np.array([[True, False]])] * 4
    assert benchmark._baseline(values, gold, ["en", "en", "pl", "pl"]) == [1.0, 1.0, 1.0, 1.0]


def test_the_benchmark_prints_figures(folder, tmp_path, monkeypatch, capsys):
    shutil.copytree(folder, tmp_path / "cases", ignore=shutil.ignore_patterns("silent_en"))
    arguments = ["promises", str(tmp_path / "cases"), "--out", str(tmp_path / "o"), "--leave-one-case-out"]
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.setattr(benchmark, "find_spec", lambda name: None)
    benchmark.main()
    shown = capsys.readouterr().out
    for part in ("macro", "promise", "breaks", "keeps", "breaks, words", "keeps, TF-IDF"):
        assert part in shown
    assert {p.name for p in (tmp_path / "o").iterdir()} == set(CASES) - {"silent_en"}
