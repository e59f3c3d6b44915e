"""Encoders of Polish and Chinese made from a small random BERT that stands in for MiniLM, on made texts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from gapnlp.classifier.encoder import encoder_inputs
from gapnlp.errors import InputError, ModelError
from training.alignment import align, translate_vectors
from training.material import banned_keys, read_development, read_material
from training.public_texts import CLASSES, SETS, read_pairs, read_texts

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("sentencepiece")

from training import pretraining  # noqa: E402
from training.bases import load_base  # noqa: E402
from training.pretraining import PretrainingRecipe, make_encoder  # noqa: E402
from training.pretraining_fit import (  # noqa: E402
    UNLABELLED,
    Draws,
    PretrainingNetwork,
    PretrainingSettings,
    Rows,
    fit_body,
    mask_tokens,
)
from training.vocabulary import (  # noqa: E402
    MASK,
    PAD,
    SEPARATOR,
    SPECIAL,
    START,
    English,
    learn_tokenizer,
    start_vectors,
)

# English words and what they are in the two languages; digits are the same in all.
WORDS = {
    "room": ("pokój", "房间"),
    "waiter": ("kelner", "店员"),
    "food": ("jedzenie", "饭菜"),
    "doctor": ("lekarz", "医生"),
    "parcel": ("paczka", "包裹"),
    "good": ("dobry", "很好"),
    "bad": ("zły", "差劲"),
    "slow": ("powolny", "太慢"),
    "clean": ("czysty", "干净"),
}
LANGUAGES = {"pl": 0, "zh": 1}
# Words of gold texts alone: no encoder may know them.
GOLD_WORDS = {"pl": ("gżegżółka", "żyrafa"), "zh": ("鱻", "麤")}
THINGS, JUDGEMENTS = list(WORDS)[:5], list(WORDS)[5:]


def english_text(number: int) -> str:
    """One of 400 sentences."""
    thing, judgement = THINGS[number % 5], JUDGEMENTS[number // 5 % 4]
    return f"{thing} {number // 20} is {judgement}"


def own_text(language: str, number: int) -> str:
    """The same sentence in another language: 'is' has no word of its own."""
    words = [WORDS[w][LANGUAGES[language]] if w in WORDS else w for w in english_text(number).split() if w != "is"]
    return ("" if language == "zh" else " ").join(words)


def sentiment(number: int) -> str:
    return "negative" if JUDGEMENTS[number // 5 % 4] in ("bad", "slow") else "positive"


def gold_text(language: str, which: int) -> str:
    return "，".join([GOLD_WORDS[language][which] * 9] * 3)


def write_rows(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)


def reviews(language: str, name: str, numbers: range) -> list[dict]:
    """Reviews, and the two gold texts among them, many times over so that their words would be learnt."""
    rows = [
        {"id": f"{name}-{n}", "lang": language, "text": own_text(language, n), "sentiment": sentiment(n)}
        for n in numbers
    ]
    gold = [{"id": "gold", "lang": language, "text": gold_text(language, i % 2)} for i in range(20)]
    return rows + [row | {"sentiment": "positive"} for row in gold]


def captions(language: str, name: str, numbers: range) -> list[dict]:
    text = english_text if language == "en" else lambda n: own_text(language, n)
    return [
        {"id": f"{name}-train-{n}", "lang": language, "text_a": text(n), "text_b": text((n + 1) % 400)} for n in numbers
    ]


def write_public(folder: Path) -> Path:
    for i, part in enumerate(SETS["zh"][:-1]):
        write_rows(folder / f"{part.name}.jsonl.gz", reviews("zh", part.name, range(40 * i, 40 * i + 40)))
    both = [
        {"id": f"mabsa-hotel-{lang}-train-{n}", "lang": lang, "text": text}
        for n in range(400)
        for lang, text in (("en", english_text(n)), ("zh", own_text("zh", n)))
    ]
    gold = [{"id": f"mabsa-hotel-{lang}-dev-0", "lang": lang, "text": gold_text("zh", 0)} for lang in ("en", "zh")]
    write_rows(folder / "m_absa_en_zh.jsonl.gz", both + gold)
    write_rows(folder / "polemo_sentences.jsonl.gz", reviews("pl", "polemo", range(300)))
    write_rows(folder / "ceneo_pl.jsonl.gz", reviews("pl", "ceneo", range(20)))
    write_rows(folder / "cds_pl.jsonl.gz", captions("pl", "cds_pl", range(50)))
    write_rows(folder / "sick_pl.jsonl.gz", captions("pl", "sick_pl", range(400)))
    write_rows(folder / "sick_en.jsonl.gz", captions("en", "sick_en", range(400)))
    return folder


def gold_item(language: str, which: int) -> dict:
    text = gold_text(language, which)
    labels = {"sentiment": "pos", "dimensions": {}, "gaps": [], "expectation": "none", "churn": False}
    return {"id": f"{language}-{which}", "lang": language, "text": text, "segments": [
        {"start": 0, "end": 9 * len(GOLD_WORDS[language][which]), **labels}
    ]}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    """Gold and public sets; the public sets hold gold's texts too."""
    root = tmp_path_factory.mktemp("pretraining")
    (root / "gold").mkdir()
    for which, name in enumerate(("train", "dev")):
        lines = [json.dumps(gold_item(language, which)) + "\n" for language in LANGUAGES]
        (root / "gold" / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    return root / "gold", write_public(root / "public")


@pytest.fixture(scope="module")
def minilm(tmp_path_factory) -> Path:
    """A small random BERT that knows the English words."""
    folder = tmp_path_factory.mktemp("minilm")
    torch.manual_seed(1)
    tokenizer = learn_tokenizer([english_text(n) for n in range(400)] * 3, "pl", size=200)
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=128,
    )  # fmt: skip
    body = transformers.BertModel(config)
    torch.nn.init.normal_(body.embeddings.word_embeddings.weight, mean=0.5)
    pretraining.write_encoder(folder, body, tokenizer, record={})
    return folder


def recipe(language: str, minilm: Path, *, seed: int = 0, init: str = "minilm") -> PretrainingRecipe:
    settings = PretrainingSettings(epochs=1, seed=seed, batch=16)
    return PretrainingRecipe(language, settings, vocabulary=120, init=init, base=str(minilm))


@pytest.fixture(scope="module", params=LANGUAGES)
def made(request, folders, minilm, tmp_path_factory) -> tuple[str, Path]:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("encoders") / request.param
    make_encoder(recipe(request.param, minilm), folders=folders, out=out)
    return request.param, out


def banned(folders: tuple[Path, Path], language: str) -> set[str]:
    gold, public = folders
    return banned_keys(read_material(gold, public, language, gold_only=True), read_development(gold, language))


def test_alignment_finds_the_words_that_mean_the_same():
    draw = Random(0)
    sentences = [draw.sample(range(10), 4) for _ in range(200)]
    # Token 10 is in every translation, as an article would be; the order says nothing.
    links = align((s, draw.sample([9 - w for w in s] + [10], 5)) for s in sentences)
    for word in range(10):
        own = links.source == word
        assert links.target[own][np.argmax(links.counts[own])] == 9 - word
        assert links.counts[own].max() > 0.8 * links.counts[own].sum()


def test_alignment_explains_every_source_token_once_and_bears_empty_sentences():
    links = align([([1, 2, 2], [5, 6]), ([1], []), ([], [7]), ([3], [5])])
    assert links.counts.sum() == pytest.approx(4)
    assert set(links.target.tolist()) == {5, 6}
    assert not align([]).counts.size


def test_tokens_without_links_enough_get_no_vector():
    vectors = np.eye(3, dtype=np.float32)
    links = align([([0], [1])] * 5 + [([1], [2])])
    values, known = translate_vectors(links, vectors, size=3)
    assert known.tolist() == [True, False, False]
    np.testing.assert_allclose(values[0], vectors[1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_vectors_are_copied_translated_or_drawn(language, folders, minilm):
    base, english = load_base(str(minilm))
    vectors = base.get_input_embeddings().weight.detach().numpy()
    texts = [t.text for t in read_texts(folders[1], language, banned=banned(folders, language))] + ["üüüü üüüü"] * 9
    tokenizer = learn_tokenizer(texts, language, size=120)
    pairs = read_pairs(folders[1], language, banned=banned(folders, language))
    words = start_vectors(tokenizer, English(english, vectors), pairs, random=np.random.RandomState(0))
    for name in (*SPECIAL, "7"):
        place = tokenizer.token_to_id(name)
        assert words.copied[place]
        np.testing.assert_array_equal(words.values[place], vectors[english.token_to_id(name)])
    for word, own in WORDS.items():
        place = tokenizer.token_to_id(own[LANGUAGES[language]])
        if place is not None:
            near = np.linalg.norm(vectors - words.values[place], axis=1).argsort()[:3]
            assert words.translated[place] and english.token_to_id(word) in near
    unseen = [i for name, i in tokenizer.get_vocab().items() if "ü" in name]
    assert unseen and not words.translated[unseen].any() and not words.copied[unseen].any()
    np.testing.assert_allclose(words.values[unseen].mean(axis=1), 0.5, atol=0.5)
    assert words.translated.sum() >= 7


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_of_gold_are_left_out(language, folders):
    for keys, expected in ((set(), True), (banned(folders, language), False)):
        texts = [t.text for t in read_texts(folders[1], language, banned=keys)]
        own = [a for a, _ in read_pairs(folders[1], language, banned=keys)]
        for word in GOLD_WORDS[language]:
            assert any(word in t for t in texts) == expected
        assert any(w in t for t in own for w in GOLD_WORDS[language]) == (expected and language == "zh")
        assert len(texts) > 300 and len(own) >= 400


def test_a_longer_text_is_left_out_when_gold_holds_one_of_its_segments(tmp_path):
    write_rows(tmp_path / "ceneo_pl.jsonl.gz", [{"lang": "pl", "text": "Paczka przyszła późno. Kurier był miły."}])
    for part in SETS["pl"]:
        if part.name != "ceneo_pl":
            write_rows(tmp_path / f"{part.name}.jsonl.gz", [])
    read = read_texts(tmp_path, "pl", banned={"paczkaprzyszłapóźno"})
    assert [t.text for t in read] == ["Kurier był miły."]
    assert read_texts(tmp_path, "pl", banned={"paczkaprzyszłapóźnokurierbyłmiły"}) == []


def test_texts_and_their_sentiments(tmp_path):
    stars = [{"lang": "zh", "text": f"医生{n}", "stars": n} for n in (1.0, 2.0, 3.0, 4.0, 5.0)]
    for part in SETS["zh"]:
        write_rows(tmp_path / f"{part.name}.jsonl.gz", [])
    write_rows(tmp_path / "taiwan_hospital_reviews.jsonl.gz", stars)
    write_rows(tmp_path / "aichallenger2018_sample.jsonl.gz", [{"lang": "zh", "text": "这里的菜很好吃。" * 9}])
    write_rows(tmp_path / "waimai_10k.jsonl.gz", [{"lang": "zh", "text": "臺灣好" * 90, "sentiment": "negative"}])
    first, *hospital = read_texts(tmp_path, "zh", banned=set())
    assert first.text == ("台湾好" * 90)[:140] and CLASSES[first.sentiment] == "negative"
    assert [t.sentiment for t in hospital[:5]] == [0, 0, None, 1, 1]
    assert len(hospital) == 5 + 6 and all(t.sentiment is None for t in hospital[5:])


def test_polish_marks_are_rejoined_and_captions_read_once(tmp_path):
    rows = [{"lang": "pl", "text": "Dobry lekarz , polecam %", "sentiment": "ambiguous"}]
    write_rows(tmp_path / "polemo_sentences.jsonl.gz", rows)
    write_rows(tmp_path / "ceneo_pl.jsonl.gz", [])
    write_rows(tmp_path / "cds_pl.jsonl.gz", [{"lang": "pl", "text_a": "Pies biegnie", "text_b": "Pies biegnie"}] * 2)
    write_rows(tmp_path / "sick_pl.jsonl.gz", [])
    read = read_texts(tmp_path, "pl", banned=set())
    assert [t.text for t in read] == ["Dobry lekarz, polecam%", "Pies biegnie"]
    assert [t.sentiment for t in read] == [CLASSES.index("ambiguous"), None]


def test_a_set_that_is_absent_is_named(folders, tmp_path):
    with pytest.raises(InputError, match=r"waimai_10k\.jsonl\.gz: is not there"):
        read_texts(tmp_path, "zh", banned=set())


def test_masks_spare_special_tokens_and_hide_most_of_what_is_masked():
    torch.manual_seed(0)
    ids = torch.randint(len(SPECIAL), 50, (200, 40))
    ids[:, 0], ids[:, 30], ids[:, 31:] = START, SEPARATOR, PAD
    seen, masked = mask_tokens(ids, 50)
    assert not masked[:, 0].any() and not masked[:, 30:].any()
    assert masked[:, 1:30].float().mean().item() == pytest.approx(0.15, abs=0.02)
    assert torch.equal(seen[~masked], ids[~masked])
    assert (seen[masked] == MASK).float().mean().item() == pytest.approx(0.8, abs=0.05)
    changed = seen[masked & (seen != MASK) & (seen != ids)]
    assert len(changed) > 20 and changed.min() >= len(SPECIAL)


def test_a_body_learns_words_and_sentiment(minilm):
    torch.manual_seed(0)
    base, _ = load_base(str(minilm))
    body = pretraining.take_body(base, size=30, weights=False)
    # A text repeats one of 20 words; the first ten are negative. Every third text is unlabelled.
    ids = [[5 + n % 20] * (6 + n % 3) for n in range(200)]
    truth = [UNLABELLED if n % 3 == 0 else int(n % 20 >= 10) for n in range(200)]
    settings = PretrainingSettings(epochs=20, batch=20, rate=3e-3)
    draws = Draws(np.random.RandomState(0), Random(0))
    seen = []
    losses = fit_body(
        PretrainingNetwork(body), Rows(ids, np.asarray(truth)), settings, draws=draws, on_step=lambda *s: seen.append(s)
    )
    assert [s[0] for s in seen] == list(range(1, 201)) and seen[0][1] == 200
    # Who does not read the rest of the text can only guess one of 20.
    assert seen[0][2] > np.log(20) and losses.masked < np.log(20) - 0.7 and losses.sentiment < 0.3


def test_the_same_seed_gives_the_same_bytes(made, folders, minilm, tmp_path):
    language, out = made
    make_encoder(recipe(language, minilm), folders=folders, out=tmp_path / "again")
    files = sorted(p.name for p in out.iterdir())
    assert {"config.json", "model.safetensors", "pretraining.json", "tokenizer.json"} <= set(files)
    for name in files:
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes(), name
    make_encoder(recipe(language, minilm, seed=1), folders=folders, out=tmp_path / "other")
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != (out / "model.safetensors").read_bytes()


def test_the_folder_loads_and_reads_new_text(made):
    language, out = made
    body, tokenizer = load_base(str(out))
    text = {"pl": "Lekarz 7 dobry kelner zły", "zh": "医生7很好 店员差劲"}[language]
    (found,) = encoder_inputs(tokenizer, [[text]])
    assert tokenizer.token_to_id("[UNK]") not in found.ids
    assert "".join(text[a:b] for a, b in found.offsets) == text.replace(" ", "")
    with torch.inference_mode():
        hidden = body(input_ids=torch.tensor([found.ids])).last_hidden_state
    assert hidden.shape == (1, len(found.ids), 32)
    assert body.config.vocab_size == tokenizer.get_vocab_size() <= 120


def test_an_encoder_knows_no_word_of_gold_and_tells_how_it_was_made(made, folders):
    language, out = made
    _, tokenizer = load_base(str(out))
    for word in GOLD_WORDS[language]:
        assert not any(set(word) - set("awf") <= set(name) for name in tokenizer.get_vocab())
    record = json.loads((out / "pretraining.json").read_text(encoding="utf-8"))
    texts = read_texts(folders[1], language, banned=banned(folders, language))
    assert record["texts"]["read"] == len(texts)
    assert record["recipe"]["language"] == language
    assert sum(record["words"].values()) == tokenizer.get_vocab_size()
    assert record["words"]["translated"] > 5


def test_layers_of_the_base_are_where_pretraining_starts(minilm):
    base, _ = load_base(str(minilm))
    body = pretraining.take_body(base, size=40, weights=True)
    name = "encoder.layer.1.output.dense.weight"
    assert torch.equal(body.state_dict()[name], base.state_dict()[name])
    assert body.get_input_embeddings().weight.shape == (40, 32)
    fresh = pretraining.take_body(base, size=40, weights=False)
    assert not torch.equal(fresh.state_dict()[name], base.state_dict()[name])


def test_a_base_of_another_kind_is_refused():
    body = transformers.DistilBertModel(transformers.DistilBertConfig(vocab_size=9, dim=8, n_layers=1, n_heads=1))
    with pytest.raises(ModelError, match="distilbert"):
        pretraining.take_body(body, size=9, weights=True)


def test_the_command_writes_an_encoder_from_random_weights(folders, minilm, tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "load_base", lambda name: load_base(str(minilm)))
    gold, public = folders
    arguments = ["--gold", str(gold), "--public", str(public), "--language", "pl", "--out", str(tmp_path / "pl")]
    pretraining.main([*arguments, "--init", "random", "--epochs", "0.1", "--vocabulary", "90", "--threads", "1"])
    record = json.loads((tmp_path / "pl" / "pretraining.json").read_text(encoding="utf-8"))
    assert record["words"] == {"drawn": record["recipe"]["vocabulary"]}
    assert record["recipe"]["settings"]["epochs"] == 0.1
    assert load_base(str(tmp_path / "pl"))[0].config.vocab_size == 90


def test_a_file_is_no_place_for_an_encoder(folders, minilm, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"):
        make_encoder(recipe("pl", minilm), folders=folders, out=tmp_path / "file")
