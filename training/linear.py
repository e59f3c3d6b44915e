"""The recipe of the fast bundles: `python -m training.linear --gold ../shared/gold --public ../shared/public`.

Per language: n-gram heads on labelled segments (stage one), further heads on public labelled sets, then calibrated
heads on both in context (stage two). Thresholds and error rates come from out-of-fold predictions; the development
split is only measured. Deterministic: the same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gapnlp.classifier.bundle import FORMAT
from gapnlp.classifier.decision import Abstention
from gapnlp.classifier.features import FEATURES
from gapnlp.records.labels import LABELS, LANGUAGES
from training.auxiliary import Auxiliary
from training.bundle_files import finish_bundle, json_bytes, tensor_bytes
from training.decisions import decision_rules
from training.drift_reference import measure_drift_reference
from training.linear_fit import LinearFit, eight_bits, fit_linear, out_of_domain
from training.material import describe_rows, fingerprint
from training.withheld import Scope

RELEASE = "1.1.0"


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the bundles asked for, measure them on the development split, write the manifest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--public", type=Path, help="folder of the public sets; default: public beside the gold folder")
    parser.add_argument("--out", type=Path, default=Path("models"), help="models folder (default: models)")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: all")
    Scope.add_options(parser)
    options = parser.parse_args(arguments)
    folders = Folders(options.gold, options.public or options.gold.parent / "public", options.out)
    with threadpool_limits(1):  # threads would sum in another order each time
        for language in options.language or LANGUAGES:
            _make_bundle(language, folders, Scope.chosen(options))


class Folders(NamedTuple):
    """Where gold and the public sets are, and where bundles go."""

    gold: Path
    public: Path
    out: Path


def _make_bundle(language: str, folders: Folders, scope: Scope) -> None:
    started = time.perf_counter()
    gold, public, out = folders
    train, development, further = scope.read(gold, public, language)
    print(f"{language}: {len(train.texts):,} labelled segments, {len(further)} further heads", file=sys.stderr)
    fit = fit_linear(train, further)
    elsewhere = fit.values if scope.trial else out_of_domain(fit, train)
    thresholds, rules = decision_rules(fit.values, elsewhere, train)
    abstention = Abstention(**rules["abstention"]) if rules["abstention"] else None
    reference = measure_drift_reference(fit, elsewhere, train, rules=(thresholds, abstention))
    card = {
        "format": FORMAT,
        "name": f"linear-{language}",
        "kind": "linear",
        "language": language,
        "quality": "fast",
        "base": None,
        "release": RELEASE,
        "labels": list(LABELS),
        "auxiliary": [{"name": h.name, "rows": len(h.texts), "positive": sum(h.targets)} for h in further],
        "features": [asdict(spec) for spec in FEATURES[language]],
        "rows": describe_rows(train),
        "fingerprint": fingerprint(gold, language, gold_only=scope.gold_only) | _versions(further),
        **rules,
        "drift_reference": asdict(reference),
        **scope.card(),
    }
    contents = {
        "vocabulary.json": json_bytes([list(v.get_feature_names_out()) for v in fit.vectorizers]),
        "weights.safetensors": tensor_bytes(_tensors(fit)),
    }
    finish_bundle(out, card, contents, development=development)
    headline = card["metrics"]["headline"]
    found = "not measurable" if headline is None else f"{headline:.3f}"
    print(f"{language}: headline {found} on dev; {time.perf_counter() - started:.0f} s", file=sys.stderr)


def _tensors(fit: LinearFit) -> dict[str, NDArray[Any]]:
    first, first_scale = eight_bits(fit.first.weights)
    return {
        "first": first,
        "first_scale": first_scale,
        "first_bias": fit.first.bias.astype(np.float32),
        "centre": fit.centre,
        "scale": fit.scale,
        "second": fit.second.weights,
        "second_bias": fit.second.bias,
        **{f"idf{i}": v.idf_.astype(np.float32) for i, v in enumerate(fit.vectorizers)},
    }


def _versions(further: Sequence[Auxiliary]) -> dict[str, str]:
    rows = hashlib.sha256()
    for head in further:
        for text, target in zip(head.texts, head.targets, strict=True):
            rows.update(f"{head.name}\t{int(target)}\t{text}\n".encode())
    return {
        "auxiliary_sha256": rows.hexdigest(),
        **{name: version(name) for name in ("scikit-learn", "numpy", "scipy")},
    }


if __name__ == "__main__":
    main()
