"""From labelled tickets and a base classifier to an adapter, in memory: see `run` for bundles and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gapnlp.classifier.adapted import Adapter
from gapnlp.classifier.base import Classifier
from gapnlp.errors import InputError
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.training.asking import ask, count_chunks
from gapnlp.retraining.training.bags import make_bags
from gapnlp.retraining.training.cross_fitting import FOLDS
from gapnlp.retraining.training.design import Further, Lesson
from gapnlp.retraining.training.fit import FEWEST, learnable
from gapnlp.retraining.training.learning import FittedAdapter, learn
from gapnlp.retraining.training.pieces import Pieces
from gapnlp.retraining.training.replay import replay_documents

# Called with a stage's name, the steps done and the steps in all.
OnProgress = Callable[[str, int, int], None]
READING, LEARNING = "reading tickets with the base model", "learning and testing"


class FitOptions(TypedDict, total=False):
    """What a fit may be told. seed: deals tickets to folds and draws replayed texts (0).

    prior: an earlier adapter, towards which weights are held. extra: further signals of the tickets' segments,
    cross-fitted, (n_segments, k), with extra_names; extra_replay: those of the segments of `replay_documents`, without
    which their mean stands for them. pieces: where finished work is kept. on_progress: told of every step.
    """

    seed: int
    prior: Adapter | None
    extra: NDArray[np.float64] | None
    extra_names: tuple[str, ...]
    extra_replay: NDArray[np.float64] | None
    pieces: Pieces
    on_progress: OnProgress | None


def fit_adapter(
    tickets: Sequence[LabelledTicket], language: str, base: Classifier, **options: Unpack[FitOptions]
) -> FittedAdapter:
    """Learn an adapter on top of a base classifier that has not seen these tickets.

    Deterministic: the same tickets, options and machine give the same bytes.
    Raises InputError when no label was given often enough to be learnt.
    """
    with threadpool_limits(1):  # threads would sum in another order each time
        lesson = _prepare(tickets, language, base, options)
        told = options.get("on_progress") or say_nothing
        step = Steps(LEARNING, FOLDS + 1, told)
        return learn(lesson, options.get("seed", 0), options.get("pieces", Pieces()), step)


def _prepare(tickets: Sequence[LabelledTicket], language: str, base: Classifier, options: FitOptions) -> Lesson:
    bags = make_bags(tickets, language)
    if not learnable(bags.truth).any():
        raise InputError(
            f"no label was given to at least {FEWEST} tickets in {language!r} and withheld from as many: nothing can "
            "be learnt yet; label more tickets (`gapnlp review` chooses them)"
        )
    written = replay_documents(language, options.get("seed", 0))
    step = Steps(
        READING, count_chunks(bags.documents) + count_chunks(written), options.get("on_progress") or say_nothing
    )
    pieces = options.get("pieces", Pieces())
    own, replay = ask(base, bags.documents, "own", pieces, step), ask(base, written, "replay", pieces, step)
    further = _further(options, len(own.values), len(replay.values))
    return Lesson(language, bags, own, replay, further, options.get("prior"), base.sentiment_factors)


def _further(options: FitOptions, segments: int, replayed: int) -> Further:
    extra = options.get("extra")
    if extra is None:
        return Further((), np.zeros((segments, 0)), np.zeros((replayed, 0)))
    names = options.get("extra_names") or tuple(f"signal-{i}" for i in range(extra.shape[1]))
    replay = options.get("extra_replay")
    if replay is None:
        replay = np.tile(extra.mean(axis=0), (replayed, 1))
    for found, rows in ((extra, segments), (replay, replayed)):
        if found.shape != (rows, len(names)):
            raise ValueError(f"further signals of {rows} segments are wanted, one column a name; got {found.shape}")
    return Further(names, extra, replay)


class Steps:
    """Counts steps of a stage and tells of them."""

    def __init__(self, stage: str, total: int, told: OnProgress) -> None:
        self._stage, self._total, self._told, self._done = stage, total, told, 0

    def __call__(self) -> None:
        """Tell of one more step."""
        self._done += 1
        self._told(self._stage, self._done, self._total)


def say_nothing(stage: str, done: int, total: int) -> None:
    """Stand in where nobody listens."""
