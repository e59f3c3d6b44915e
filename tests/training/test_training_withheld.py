"""Bundles fitted without a public set: no row of it, no copy, and no further head that lives on it."""

from __future__ import annotations

import json

import pytest

import training.linear
from gapnlp.errors import InputError
from tests.conftest import write_lines
from training.auxiliary import read_auxiliary, text_key
from training.material import read_development
from training.withheld import read_withheld


@pytest.fixture
def public(tiny_gold, tmp_path):
    """Rows of two domains, one of them a gold item's copy and one with its identifier."""
    item = read_development(tiny_gold, "en").records
    rows = [
        {"id": "a", "text": item[0].text.upper(), "domain": "hotel"},
        {"id": item[1].id, "text": "another text", "domain": "hotel"},
        {"id": "c", "text": item[2].text, "domain": "clinic"},
    ]
    write_lines(tmp_path / "stays.jsonl.gz", rows)
    return tmp_path


@pytest.mark.parametrize(("names", "stripped"), [(["stays:hotel"], 2), (["stays"], 3), ([], 0)])
def test_copies_and_identifiers_are_stripped_and_nothing_else(tiny_gold, public, names, stripped):
    material = read_development(tiny_gold, "en")
    kept = read_withheld(public, names).strip(material)
    assert kept.records == material.records[stripped:]
    assert len(kept.texts) == sum(kept.lengths) == len(kept.targets)


def test_an_unknown_set_or_domain_is_named(public):
    with pytest.raises(InputError, match="tweets.jsonl.gz"):
        read_withheld(public, ["tweets"])
    with pytest.raises(InputError, match="no row of domain 'bank'"):
        read_withheld(public, ["stays:bank"])


def test_a_head_whose_rows_are_all_withheld_is_not_made(tiny_gold):
    folder = tiny_gold.parent / "public"
    names = {head.name for head in read_auxiliary(folder, "zh", banned=set())}
    assert names == {"waimai_positive", "reviews_positive"}
    keys = {text_key(f"{word} waimai_10k {n}") for word in ("很好", "很差") for n in range(40)}
    assert {head.name for head in read_auxiliary(folder, "zh", banned=keys)} == {"reviews_positive"}


def test_the_recipe_fits_without_a_set_and_says_so(tiny_gold, tmp_path):
    item = read_development(tiny_gold, "pl").records[0]
    public = tmp_path / "public"
    public.mkdir()
    write_lines(public / "polemo_sentences.jsonl.gz", [{"id": item.id, "text": "coś", "sentiment": "positive"}])
    options = ["--gold", str(tiny_gold), "--public", str(public), "--out", str(tmp_path / "models")]
    training.linear.main([*options, "--language", "pl", "--gold-only", "--trial", "--without", "polemo_sentences"])
    card = json.loads((tmp_path / "models" / "linear-pl" / "card.json").read_text(encoding="utf-8"))
    assert card["without"] == ["polemo_sentences"]
    assert card["auxiliary"] == []
