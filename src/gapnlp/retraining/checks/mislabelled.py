"""Rows that are probably mislabelled, by confident learning (Northcutt, Jiang and Chuang 2021).

A plain classifier (character n-grams and logistic regression) judges every row without having seen its text; cleanlab
compares its probabilities with the labels. Where each row has one label they compete; else each label stands alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from gapnlp.errors import MissingExtra
from gapnlp.records.labels import EXPECTATIONS, HEADS, SENTIMENTS, expectation_label, sentiment_label
from gapnlp.retraining.checks.rarity import FEWEST_TEXTS
from gapnlp.retraining.checks.texts import Place, group_tickets, place_of
from gapnlp.retraining.labels.dataset import LabelledRow
from gapnlp.retraining.labels.named import WHOLE
from gapnlp.text.normalise import normalise

FOLDS = 5
# Rows beyond are not looked at, so that a check stays a matter of minutes; the report says so.
MOST_ROWS = 20_000
_SEED = 0
_NOT = "not "
# Labels of which a text has at most one.
_ONE_OF = frozenset((*map(sentiment_label, SENTIMENTS), *map(expectation_label, EXPECTATIONS)))
MISSING = (
    "rows that are probably mislabelled were not looked for: the package cleanlab is missing. "
    'Install it with: pip install "gapnlp[train]"'
)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row whose label is doubtful. given, likely: label by the file and by the classifier ("not X" for its absence).

    confidence: the probability that the classifier, which has not seen the text, gives the file's label; low is worse.
    """

    place: Place
    given: str
    likely: str
    confidence: float


def find_mislabelled(rows: Sequence[LabelledRow]) -> tuple[Suspect, ...]:
    """List rows that are probably mislabelled, worst first; a row may be there for several labels.

    Names that mean the same to gapnlp are not told apart.
    Labels with fewer than FEWEST_TEXTS rows are left out, as nothing can be learnt of them. The same rows give the
    same answer. Raises MissingExtra when cleanlab is not installed.
    """
    if find_spec("cleanlab") is None:
        raise MissingExtra(MISSING)
    rows = rows[:MOST_ROWS]
    tasks = _competing(rows) if has_single_labels(rows) else _standing_alone(rows)
    meaning = {next(iter(r.named.chosen)): r.ticket.given for r in rows if len(r.named.chosen) == 1}
    found = (suspect for task in tasks for suspect in _examine(*task))
    suspects = [s for s in found if s.given not in meaning or meaning[s.given] != meaning.get(s.likely)]
    return _once_an_answer(sorted(suspects, key=lambda s: s.confidence))


def _once_an_answer(suspects: Sequence[Suspect]) -> tuple[Suspect, ...]:
    """Keep the first finding of a row's answer: that a polarity is wrong says so of the dimension's presence, too."""
    first: dict[tuple[Place, str], Suspect] = {}
    for suspect in suspects:
        first.setdefault((suspect.place, _subject(suspect.given.removeprefix(_NOT))), suspect)
    return tuple(first.values())


def _subject(label: str) -> str:
    """Reduce a label to the question that it answers; names of the user's own stay as they are."""
    kind, _, rest = label.partition(":")
    if kind in ("dimension", "presence"):
        return rest.partition(":")[0]
    return kind if label in _ONE_OF else label


def has_single_labels(rows: Sequence[LabelledRow]) -> bool:
    """Tell whether each row was labelled as a whole, with one of several labels."""
    return bool(rows) and all(r.named.answer.covers == WHOLE and len(r.named.chosen) == 1 for r in rows)


def _competing(rows: Sequence[LabelledRow]) -> Iterator[tuple[list[LabelledRow], list[str]]]:
    """Make the one task of rows with one label each: the user's names against each other."""
    names = [next(iter(row.named.chosen)) for row in rows]
    counts = Counter(names)
    kept = [i for i, name in enumerate(names) if counts[name] >= FEWEST_TEXTS]
    yield [rows[i] for i in kept], [names[i] for i in kept]


def _standing_alone(rows: Sequence[LabelledRow]) -> Iterator[tuple[list[LabelledRow], list[str]]]:
    """Make a task a label of gapnlp's: it holds, or it does not; masked rows are left out."""
    by_label: dict[str, list[LabelledRow]] = defaultdict(list)
    for row in rows:
        for label in row.ticket.given:
            by_label[label].append(row)
    for label in HEADS:
        judged = by_label.get(label, [])
        values = [label if row.ticket.given[label] else _NOT + label for row in judged]
        if len(set(values)) == 2 and min(Counter(values).values()) >= FEWEST_TEXTS:
            yield judged, values


def _examine(rows: Sequence[LabelledRow], values: Sequence[str]) -> Iterator[Suspect]:
    """Compare the labels of one task with out-of-sample probabilities."""
    names = sorted(set(values))
    if len(names) < 2 or len(set(group_tickets(row.ticket for row in rows))) < 2:
        return  # nothing to compare with, or nothing to judge it by
    from cleanlab.filter import find_label_issues

    labels = np.array([names.index(value) for value in values])
    probabilities = out_of_sample(rows, labels)
    # One process: results do not depend on it, and small data are done before others have started.
    found = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    for i in map(int, found):
        likely = int(probabilities[i].argmax())
        if likely != labels[i]:
            yield Suspect(place_of(rows[i]), values[i], names[likely], float(probabilities[i, labels[i]]))


def out_of_sample(rows: Sequence[LabelledRow], labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """Judge each row by a classifier that has not seen its text or ticket; shape (n_rows, n_labels).

    The rows are of at least two tickets.
    """
    texts = [normalise(row.ticket.text, row.ticket.language or "en") for row in rows]
    n_labels = int(labels.max()) + 1
    counts: NDArray[np.float64] = np.bincount(labels, minlength=n_labels).astype(np.float64)
    probabilities = np.tile(counts / counts.sum(), (len(rows), 1))
    groups = group_tickets(row.ticket for row in rows)
    folds = StratifiedGroupKFold(min(FOLDS, len(set(groups))), shuffle=True, random_state=_SEED)
    for train, test in folds.split(texts, labels, groups):
        if not len(test) or len(set(labels[train])) < 2:
            continue
        features, model = _fit([texts[i] for i in train], labels[train])
        known = model.predict_proba(_features(features, [texts[i] for i in test]))
        probabilities[test] = 0.0
        probabilities[np.ix_(test, model.classes_)] = known
    return probabilities


def _fit(texts: Sequence[str], labels: NDArray[np.intp]) -> tuple[TfidfVectorizer, Any]:
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=50_000
    )
    features = vectorizer.fit_transform(texts)
    return vectorizer, LogisticRegression(C=4.0, max_iter=200).fit(features, labels)


def _features(vectorizer: TfidfVectorizer, texts: Sequence[str]) -> csr_matrix:
    return vectorizer.transform(texts)
