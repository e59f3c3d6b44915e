"""Transfer checks: mapping, folds without what they judge, figures, the command on a small set."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from benchmarks.quality.linear_recipe import fit_on
from benchmarks.quality.transfer import __main__ as command
from benchmarks.quality.transfer.judging import UNTAUGHT, accuracy, count, judge, macro_f1, micro_f1, with_interval
from benchmarks.quality.transfer.learning import FEATURE_SETS, learn_by_folds
from benchmarks.quality.transfer.tasks import Group, Task, read_tasks, spread
from benchmarks.quality.transfer.views import FOLDS, View, Viewer, fold_of, seen_items, segments_of
from gapnlp.errors import InputError
from gapnlp.ingest.gold import read_gold
from gapnlp.records.labels import DIMENSIONS, LABELS, LANGUAGES, SENTIMENTS, Labels

WORDS = {"positive": "clean and bright", "negative": "old and dirty", "neutral": "ordered in week"}


def rows_of(n: int, field: str = "sentiment") -> list[dict]:
    kinds = list(WORDS)
    return [
        {"id": f"x-{i}", "lang": "en", "text": f"Room {i} {WORDS[kinds[i % 3]]} {i % 7}.", field: kinds[i % 3]}
        for i in range(n)
    ]


def task(**changes) -> Task:
    fields = {"name": "t", "file": "made", "language": "en", "target": "classes", "field": "sentiment"}
    return Task(**{**fields, "published": "nothing", **changes})


def view_of(labels: list, rows: int) -> View:
    return View([(x,) for x in labels], np.zeros((rows, len(LABELS))), np.zeros((rows, 2 * len(LABELS))), 0)


def test_the_mapping_names_only_what_exists():
    tasks = read_tasks()
    assert len({t.name for t in tasks}) == len(tasks) >= 10
    for t in tasks:
        assert t.language in LANGUAGES
        assert t.target in ("classes", "aspects")
        assert t.sentiments or t.groups
        assert set(t.sentiments.values()) <= set(SENTIMENTS)
        for group in t.groups:
            assert group.categories
            assert bool(group.dimensions) != bool(group.sentiments)
            assert set(group.dimensions) <= set(DIMENSIONS) and set(group.sentiments) <= set(SENTIMENTS)


def test_a_category_stands_in_one_group_only():
    for t in read_tasks():
        categories = [c for g in t.groups for c in g.categories]
        assert len(categories) == len(set(categories)), t.name


def test_rows_without_the_field_or_of_another_domain_are_no_part_of_a_task():
    hotel = task(only={"domain": "hotel"})
    assert hotel.concerns({"sentiment": "positive", "domain": "hotel"})
    assert not hotel.concerns({"sentiment": "positive", "domain": "medicine"})
    assert not hotel.concerns({"domain": "hotel"})


def test_aspects_are_a_set_of_categories():
    row = {"aspects": [{"category": "staff"}, {"category": "staff"}, {"category": "place"}]}
    assert task(target="aspects", field="aspects").categories(row) == {"staff", "place"}
    assert task(field="complaint").categories({"complaint": 1}) == {"1"}


def test_a_trial_takes_rows_from_all_over_a_file():
    rows = [{"id": i} for i in range(100)]
    assert [r["id"] for r in spread(rows, 4)] == [0, 25, 50, 75]
    assert spread(rows, None) == spread(rows, 200) == rows


def test_copies_of_a_text_share_a_fold():
    assert fold_of("The room was dirty!") == fold_of("the room  was DIRTY")
    assert {fold_of(f"Room {i} was dirty") for i in range(60)} == set(range(FOLDS))


def test_gold_items_of_held_rows_are_found_by_text_id_and_segment(tiny_gold):
    gold = [i for i in read_gold(tiny_gold / "train.jsonl") if i.language == "en"][:9]
    whole = {"id": "other", "text": gold[0].text.upper()}
    same_id = {"id": gold[1].id, "text": "something else altogether"}
    segment = {"id": "third", "text": gold[2].segments[0].text}
    short = {"id": "fourth", "text": "Great!"}
    found = seen_items(gold, [whole, same_id, segment, short])
    holders = {g.id for g in gold if gold[2].segments[0].text in g.text}
    assert found == {gold[0].id, gold[1].id} | holders
    assert seen_items(gold, [short]) == frozenset()


def test_each_fold_is_judged_by_a_classifier_that_never_saw_its_texts(tiny_gold, monkeypatch):
    gold = [i for i in read_gold(tiny_gold / "train.jsonl") if i.language == "en"][:60]
    rows = [{"id": f"r{i}", "text": item.text} for i, item in enumerate(gold)]
    fitted: list[set[str]] = []

    def remember(items, language):
        fitted.append({i.text for i in items})
        return fit_on(gold, language)

    monkeypatch.setattr("benchmarks.quality.transfer.views.fit_on", remember)
    views = Viewer(gold).view_all(rows, "en")
    assert len(views) == len(fitted) == FOLDS
    for fold, (view, texts) in enumerate(zip(views, fitted, strict=True)):
        held = {r["text"] for r in rows if fold_of(r["text"]) == fold}
        assert held and not held & texts
        assert view.left_out >= 1
        assert len(view.labels) == len(rows)
        assert view.features.shape == (len(rows), 2 * len(LABELS))


def test_a_set_that_gold_does_not_hold_needs_one_classifier(tiny_gold, monkeypatch):
    gold = [i for i in read_gold(tiny_gold / "train.jsonl") if i.language == "en"]
    calls: list[int] = []
    monkeypatch.setattr(
        "benchmarks.quality.transfer.views.fit_on", lambda items, x: calls.append(len(items)) or fit_on(items, x)
    )
    Viewer(gold).view_all([{"id": "a", "text": "An unheard of text."}, {"id": "b", "text": "Another."}], "en")
    assert calls == [len(gold)]


def test_a_text_without_a_word_still_has_an_answer():
    assert segments_of("!!!", "en") == ["!!!"]
    assert segments_of("Good room. Bad food there.", "en") == ["Good room.", "Bad food there."]


def test_figures_against_a_count_by_hand():
    truth = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=bool)
    guess = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], dtype=bool)
    sums = count(truth, guess).sum(axis=0)[None].astype(float)
    assert accuracy(sums)[0] == 0.75
    assert macro_f1(sums)[0] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert micro_f1(sums)[0] == pytest.approx(0.75)
    found = with_interval(count(truth, guess), accuracy)
    assert found.value == 0.75 and found.low < 0.75 <= found.high


def test_a_rows_own_label_does_not_reach_the_model_that_judges_it():
    """With labels that nothing explains, cross-validated answers are no better than chance."""
    rng = np.random.default_rng(0)
    texts = [f"room {rng.integers(0, 50)} item {i}" for i in range(300)]
    targets = rng.random((300, 1)) < 0.5
    folds = np.asarray([fold_of(t) for t in texts])
    # Features that know every label outside the fold, and nothing inside it.
    features = [np.where((folds != f)[:, None], targets.astype(float), 0.5) for f in range(FOLDS)]
    scores = learn_by_folds(texts, "en", targets=targets, folds=folds, features=features)
    for name in FEATURE_SETS:
        assert abs(((scores[name] > 0) == targets).mean() - 0.5) < 0.12, name


def test_a_set_is_answered_in_every_way():
    rows = rows_of(150)
    sentiments = {"positive": "pos", "negative": "neg", "neutral": "neu"}
    faults = Group("fault", ("negative",), sentiments=("neg",))
    kinds = [Labels(sentiments[r["sentiment"]], {}) for r in rows]
    views = [view_of(kinds, len(rows)) for _ in range(FOLDS)]
    for view in views:
        for i, row in enumerate(rows):
            view.means[i, LABELS.index(f"sentiment:{sentiments[row['sentiment']]}")] = 0.9
    findings = judge(task(sentiments=sentiments, groups=(faults,)), rows, views)
    found = {(f.question, f.figure, f.classifier): f.found.value for f in findings}
    assert found["class", "accuracy", UNTAUGHT] == found["fault", "F1", UNTAUGHT] == 1.0
    assert found["class", "accuracy", "n-grams"] > 0.9
    assert found["fault", "F1", "n-grams"] > 0.9
    # All-zero features say nothing: the model that has only these cannot tell classes apart.
    assert found["class", "accuracy", "ours"] < 0.6
    assert {f.positives for f in findings if f.question == "fault"} == {50}


def test_the_command_measures_and_resumes(tiny_gold, tmp_path, monkeypatch, capsys):
    public = tmp_path / "public"
    public.mkdir()
    lines = "".join(json.dumps(row) + "\n" for row in rows_of(60))
    (public / "made.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    made = task(sentiments={"positive": "pos", "negative": "neg", "neutral": "neu"})
    monkeypatch.setattr(command, "read_tasks", lambda: [made])
    options = [
        "--gold",
        str(tiny_gold),
        "--public",
        str(public),
        "--out",
        str(tmp_path),
        "--cache",
        str(tmp_path / "c"),
    ]
    command.main(options)
    content = json.loads((tmp_path / "transfer.json").read_text(encoding="utf-8"))
    assert content[0]["task"] == "t"
    assert {f["classifier"] for f in content[0]["findings"]} == {UNTAUGHT, *FEATURE_SETS}
    first = (tmp_path / "transfer.md").read_text(encoding="utf-8")
    assert "| class | accuracy | 60 |" in first
    monkeypatch.setattr(command, "judge", lambda *a: pytest.fail("made again"))
    command.main(options)
    assert (tmp_path / "transfer.md").read_text(encoding="utf-8") == first
    assert "Room" not in "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "c").iterdir())


def test_an_unknown_task_and_an_absent_set_are_refused(tiny_gold, tmp_path, capsys):
    options = ["--gold", str(tiny_gold), "--public", str(tmp_path), "--out", str(tmp_path)]
    for more, words in ((["--tasks", "MAMZ"], "is unknown; choose from"), (["--tasks", "MAMS"], "cannot be read")):
        with pytest.raises(SystemExit) as stopped:
            command.main([*options, *more])
        assert stopped.value.code == InputError.exit_code
        assert words in capsys.readouterr().err
