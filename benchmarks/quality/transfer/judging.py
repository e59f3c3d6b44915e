"""A task's answers -> figures with intervals over rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.counting import Estimate, Values, draw_weights, estimate, f1_score
from benchmarks.quality.transfer.learning import FEATURE_SETS, Targets, learn_by_folds
from benchmarks.quality.transfer.tasks import Group, Task
from benchmarks.quality.transfer.views import View, fold_of
from gapnlp.records.labels import LABEL_INDEX, Labels, sentiment_label

UNTAUGHT = "ours, untaught"
_REPLICATES = 1_000
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure of one classifier. question: the set's own, or a group's name. positives: rows where it is "yes"."""

    question: str
    figure: str
    classifier: str
    rows: int
    positives: int | None
    found: Estimate


def judge(task: Task, rows: Sequence[Mapping[str, Any]], views: Sequence[View]) -> list[Finding]:
    """Answer a task in every way and measure the answers.

    rows: those of the task; views: one a fold, over the same rows.
    """
    folds = np.asarray([fold_of(r["text"]) for r in rows])
    said = [task.categories(r) for r in rows]
    names = sorted(frozenset().union(*said))
    native = np.asarray([[n in s for n in names] for s in said])
    grouped = np.asarray([[not s.isdisjoint(g.categories) for g in task.groups] for s in said]).reshape(len(rows), -1)
    scores = learn_by_folds(
        [r["text"] for r in rows],
        task.language,
        targets=np.hstack([native, grouped]).astype(bool),
        folds=folds,
        features=[v.features for v in views],
    )
    answers = {name: found[:, : len(names)] for name, found in scores.items()}
    if task.sentiments:
        answers[UNTAUGHT] = _by_sentiment(task.sentiments, names, folds, views)
    findings = _judge_classes(answers, native) if task.target == "classes" else _judge_aspects(answers, native)
    decided = {name: found[:, len(names) :] > 0 for name, found in scores.items()}
    if task.groups:
        decided[UNTAUGHT] = _by_groups(task.groups, folds, views)
        findings += _judge_groups(task.groups, decided, grouped)
    return findings


def _by_sentiment(
    sentiments: Mapping[str, str], names: Sequence[str], folds: NDArray[np.intp], views: Sequence[View]
) -> Values:
    """Mean probability of the sentiment that stands for each class, each row by its own fold's classifier."""
    columns = [LABEL_INDEX[sentiment_label(sentiments[n])] for n in names]
    return np.asarray([views[fold].means[i][columns] for i, fold in enumerate(folds)])


def _by_groups(groups: Sequence[Group], folds: NDArray[np.intp], views: Sequence[View]) -> Targets:
    return np.asarray([[_says(views[fold].labels[i], g) for g in groups] for i, fold in enumerate(folds)])


def _says(segments: Sequence[Labels], group: Group) -> bool:
    return any(x.sentiment in group.sentiments or any(d in x.dimensions for d in group.dimensions) for x in segments)


def _judge_classes(answers: Mapping[str, Values], truth: Targets) -> list[Finding]:
    """Accuracy and macro-F1 of the class with the highest score."""
    findings = []
    for name, scores in _ordered(answers):
        guess = np.eye(truth.shape[1], dtype=bool)[scores.argmax(axis=1)]
        counts = count(truth, guess)
        for figure, statistic in (("accuracy", accuracy), ("macro-F1", macro_f1)):
            findings.append(Finding("class", figure, name, len(truth), None, with_interval(counts, statistic)))
    return findings


def _judge_aspects(answers: Mapping[str, Values], truth: Targets) -> list[Finding]:
    """Micro-F1 over pairs of row and category."""
    return [
        Finding("category", "micro-F1", name, len(truth), None, with_interval(count(truth, scores > 0), micro_f1))
        for name, scores in _ordered(answers)
    ]


def _judge_groups(groups: Sequence[Group], decided: Mapping[str, Targets], truth: Targets) -> list[Finding]:
    return [
        Finding(
            group.name,
            "F1",
            name,
            len(truth),
            int(truth[:, i].sum()),
            with_interval(count(truth[:, [i]], guess[:, [i]]), micro_f1),
        )
        for i, group in enumerate(groups)
        for name, guess in _ordered(decided)
    ]


def _ordered(answers: Mapping[str, NDArray[Any]]) -> list[tuple[str, NDArray[Any]]]:
    return [(name, answers[name]) for name in (UNTAUGHT, *FEATURE_SETS) if name in answers]


def count(truth: Targets, guess: Targets) -> NDArray[np.int64]:
    """Hits, false alarms and misses, shape (n_rows, n_columns, 3)."""
    return np.stack([truth & guess, ~truth & guess, truth & ~guess], axis=-1).astype(np.int64)


def accuracy(sums: Values) -> Values:
    """Share of rows whose one class was found, from sums (n_replicates, n_classes, 3)."""
    return np.asarray(sums[..., 0].sum(axis=-1) / (sums[..., 0] + sums[..., 2]).sum(axis=-1))


def macro_f1(sums: Values) -> Values:
    """Mean F1 over classes, (n_replicates,)."""
    return np.asarray(np.nanmean(f1_score(sums), axis=-1))


def micro_f1(sums: Values) -> Values:
    """F1 over all columns together, (n_replicates,)."""
    return f1_score(sums.sum(axis=-2))


def with_interval(counts: NDArray[np.int64], statistic: Callable[[Values], Values]) -> Estimate:
    """Put a figure beside its percentiles over bootstrap replicates of rows, drawn in chunks to spare memory."""
    flat = counts.reshape(len(counts), -1).astype(np.float64)
    shape = (-1, *counts.shape[1:])
    draws = [
        statistic((draw_weights(len(counts), _CHUNK, seed=seed) @ flat).reshape(shape))
        for seed in range(_REPLICATES // _CHUNK)
    ]
    value = statistic(flat.sum(axis=0).reshape(shape))
    return estimate(float(value[0]), np.concatenate(draws))
