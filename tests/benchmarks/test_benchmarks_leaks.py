"""The leak checks on a repository and shared data made here: what they find, what they let pass, what they print."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import leaks, leaks_in_training
from benchmarks.leaks_in_project import find_in_project, says_enough
from benchmarks.leaks_in_training import GIVEN, find_in_training
from benchmarks.shared_texts import Place, read_promise_texts, read_public_texts
from benchmarks.text_keys import compared_key, letters
from gapnlp.errors import InputError

SENTENCE = "The quick brown parcel jumped over the lazy courier."
DEV = "Yesterday the courier left my parcel in the neighbour's pond."
CHINESE = "快递员把我的包裹丢在了雨里面真的太过分了"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "clean.py").write_text('"""Nothing of anybody else."""\n', encoding="utf-8")
    return root


def found(project: Path, text: str = SENTENCE) -> list[str]:
    return find_in_project([Place(text, "public/x.jsonl.gz", "x-1", "train")], project)


@pytest.mark.parametrize(
    "content",
    [
        f"text = '{SENTENCE}'",
        f"# {SENTENCE.upper()}",
        f"   {SENTENCE.replace(' ', '   ')}  ",
        "The quick brown\n# parcel jumped - over the 'lazy' courier!",
        json.dumps({"a": f"Before. {SENTENCE} After."}),
        "The quick brown parcel\\njumped over the &quot;lazy&quot; courier",
    ],
)
def test_a_copied_text_is_found_however_it_is_written(project, content):
    (project / "copy.txt").write_text(content, encoding="utf-8")
    assert found(project) == ["copy.txt holds public/x.jsonl.gz: x-1"]


def test_one_sentence_of_a_longer_text_is_found(project):
    (project / "copy.txt").write_text(SENTENCE, encoding="utf-8")
    assert found(project, f"I ordered a lamp. {SENTENCE} Never again!") == ["copy.txt holds public/x.jsonl.gz: x-1"]
    assert found(project, f"Short.\n{SENTENCE}\nShort.")


def test_chinese_is_found_though_it_has_fewer_characters_and_is_escaped(project):
    (project / "copy.json").write_text(json.dumps({"text": CHINESE}), encoding="utf-8")
    assert "\\u" in (project / "copy.json").read_text(encoding="utf-8")
    assert found(project, CHINESE) == ["copy.json holds public/x.jsonl.gz: x-1"]


def test_short_and_repetitive_texts_say_nothing(project):
    (project / "copy.txt").write_text("Great service! good good good good good good good good", encoding="utf-8")
    assert found(project, "Great service!") == []
    assert found(project, "good good good good good good good good") == []
    assert not says_enough("很好" * 20)


def test_files_that_git_ignores_or_that_are_binary_are_left_out(project):
    (project / ".gitignore").write_text("out/\n", encoding="utf-8")
    (project / "out").mkdir()
    (project / "out" / "copy.txt").write_text(SENTENCE, encoding="utf-8")
    (project / "copy.onnx").write_bytes(b"\0" + SENTENCE.encode())
    assert found(project) == []
    (project / "new.txt").write_text(SENTENCE, encoding="utf-8")  # untracked, but git would add it
    assert found(project) == ["new.txt holds public/x.jsonl.gz: x-1"]


def test_a_folder_without_a_repository_is_refused(tmp_path):
    with pytest.raises(InputError, match="not a git repository"):
        find_in_project([], tmp_path / "nowhere")


def test_a_chinese_character_counts_as_two_letters():
    assert letters(compared_key("很好 ok!")) == 6


@pytest.fixture
def shared(tiny_gold: Path, tmp_path: Path) -> Path:
    """Folder with gold, public and promises of its own."""
    root = tmp_path / "shared"
    shutil.copytree(tiny_gold.parent / "gold", root / "gold")
    shutil.copytree(tiny_gold.parent / "public", root / "public")
    for path in (root / "public").glob("*.gz"):  # further fields that the checks read
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        write_rows(path, [row | {"id": f"{path.name}-{i}"} for i, row in enumerate(rows)])
    dev = [dev_item(f"dev-{x}", x, text) for x, text in (("en", DEV), ("zh", CHINESE))]
    (root / "gold" / "dev.jsonl").write_text("".join(json.dumps(d) + "\n" for d in dev), encoding="utf-8")
    case = root / "promises" / "shop_en"
    case.mkdir(parents=True)
    (case / "copy.md").write_text("# Shop\n\nEvery order leaves our warehouse within a day.\n", encoding="utf-8")
    (case / "pairs.jsonl").write_text(json.dumps({"id": "p1", "text": SENTENCE}) + "\n", encoding="utf-8")
    return root


def dev_item(id_: str, language: str, text: str) -> dict:
    """An item of one segment that leaves out the text's first word."""
    segment = {"start": text.find(" ") + 1, "end": len(text), "sentiment": "neg", "dimensions": {}, "gaps": []}
    return {"id": id_, "lang": language, "text": text, "segments": [segment | {"expectation": "none", "churn": False}]}


def write_rows(path: Path, rows: list[dict]) -> None:
    path.write_bytes(gzip.compress("".join(json.dumps(r) + "\n" for r in rows).encode()))


def add_row(shared: Path, name: str, row: dict) -> None:
    path = shared / "public" / f"{name}.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    write_rows(path, [*rows, row])


@pytest.fixture
def gold_alone(monkeypatch) -> None:
    """The recipes' own labels and pretraining texts are of the real public sets; here they are left out."""
    sources = {GIVEN: leaks_in_training._gold, "the further heads' rows": leaks_in_training._further_heads}
    monkeypatch.setattr(leaks_in_training, "SOURCES", sources)
    real = leaks_in_training.read_material
    monkeypatch.setattr(
        leaks_in_training, "read_material", lambda g, p, x, gold_only=True: real(g, p, x, gold_only=True)
    )


MAMS_ROW = {"id": "kept-1", "text": SENTENCE, "lang": "en", "aspects": [{"category": "staff", "polarity": "positive"}]}


def test_a_row_of_a_test_part_that_a_head_learns_from_is_a_leak(shared, gold_alone):
    add_row(shared, "mams_acsa", MAMS_ROW | {"split": "test"})
    found, _ = find_in_training(shared / "gold", shared / "public")
    assert [str(leak) for leak in found] == ["public/mams_acsa.jsonl.gz: kept-1 (test) is in the further heads' rows"]
    assert find_in_training(shared / "gold", shared / "public", kept=["final"])[0] == []


def test_a_row_of_a_development_part_is_a_notice(shared, gold_alone):
    add_row(shared, "mams_acsa", MAMS_ROW | {"split": "dev"})
    found, notices = find_in_training(shared / "gold", shared / "public")
    assert found == []
    (notice,) = notices
    assert notice.startswith("1 rows of public sets' development parts are in the further heads' rows")


def test_a_row_of_a_train_part_is_none(shared, gold_alone):
    add_row(shared, "mams_acsa", MAMS_ROW | {"split": "train"})
    assert find_in_training(shared / "gold", shared / "public")[0] == []


def add_to_train(shared: Path, text: str) -> None:
    with (shared / "gold" / "train.jsonl").open("a", encoding="utf-8") as train:
        train.write(json.dumps(dev_item("copy", "en", text)) + "\n")


def test_a_dev_item_that_gold_trains_on_is_a_leak(shared, gold_alone):
    add_to_train(shared, DEV.upper())
    found, _ = find_in_training(shared / "gold", shared / "public")
    assert [str(leak) for leak in found] == [f"gold/dev.jsonl: dev-en (dev) is in {GIVEN}"]


def test_a_segment_that_others_wrote_too_is_a_notice(shared, gold_alone):
    add_to_train(shared, DEV.replace("Yesterday", "Today"))
    found, notices = find_in_training(shared / "gold", shared / "public")
    assert found == []
    assert notices == ["training texts also hold a segment of the dev items dev-en"]


def test_rows_that_gold_itself_is_made_of_are_a_notice(shared, gold_alone):
    add_to_train(shared, SENTENCE)
    add_row(shared, "mams_acsa", MAMS_ROW | {"split": "dev"})
    found, notices = find_in_training(shared / "gold", shared / "public")
    assert found == []  # the recipe keeps gold texts out of the further heads
    assert notices == [f"1 rows of public sets' development parts are in {GIVEN}: do not measure on those"]


def test_the_command_prints_places_but_no_text_and_fails(shared, project, gold_alone, capsys):
    (project / "copy.md").write_text(f"Every order leaves our warehouse within a day. {SENTENCE}", encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        leaks.main(["--gold", str(shared / "gold"), "--project", str(project)])
    printed = capsys.readouterr().out
    assert stopped.value.code == 1
    assert "copy.md holds promises/shop_en/copy.md: line 2" in printed
    assert "copy.md holds promises/shop_en/pairs.jsonl: p1" in printed
    assert "warehouse" not in printed and "parcel jumped" not in printed


def test_the_command_ends_well_where_nothing_is_found(shared, project, gold_alone, capsys):
    with pytest.raises(SystemExit) as stopped:
        leaks.main(["--gold", str(shared / "gold"), "--project", str(project)])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("that bundles are trained on: 0")


def test_folders_without_data_are_refused(tmp_path):
    for read in (read_public_texts, read_promise_texts):
        with pytest.raises(InputError, match="pass --"):
            list(read(tmp_path))


def test_every_text_field_of_a_row_is_read(tmp_path):
    write_rows(tmp_path / "pairs.jsonl.gz", [{"id": 1, "text_a": "one", "text_b": "two", "label": "none"}])
    assert [(p.text, p.id, p.split) for p in read_public_texts(tmp_path)] == [("one", "1", ""), ("two", "1", "")]
