"""Answers on every ticket by an adapter that has not seen it, for each penalty that may be chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gapnlp.retraining.training.fit import Penalties, Problem, Weights, fit_weights
from gapnlp.retraining.training.objective import bag_loss
from gapnlp.retraining.training.pieces import Pieces

Matrix = NDArray[np.float64]
FOLDS = 5
# From the strongest to the weakest, so that a tie goes to the stronger and each fit starts from its neighbour's.
GRID = tuple(Penalties(s, n) for s, n in product((100.0, 15.0), (10.0, 2.0, 0.5)))
# Losses closer than this share of the best are a tie.
_TIE = 0.002
OnStep = Callable[[], None]


@dataclass(frozen=True, slots=True)
class CrossFit:
    """What cross-fitting gave. folds: of each bag, (n_bags,). logits: under the penalties chosen, (n_segments, 33).

    losses: mean over bags of the loss, by penalty of GRID.
    """

    folds: NDArray[np.intp]
    penalties: Penalties
    logits: Matrix
    losses: tuple[float, ...]


def assign_folds(groups: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """Deal tickets to folds at random; what is of one ticket stays together. Shape (n_bags,)."""
    count = int(groups.max()) + 1 if len(groups) else 0
    dealt = np.random.default_rng(seed).permutation(count) % FOLDS
    found: NDArray[np.intp] = dealt[groups]
    return found


def cross_fit(problem: Problem, folds: NDArray[np.intp], pieces: Pieces, on_step: OnStep) -> CrossFit:
    """Fit on all folds but one, answer that one, for every penalty; then choose the penalty that loses least.

    A finished fold is kept in `pieces`, so a killed run goes on after it. on_step: called after every fold.
    """
    own = int(problem.targets.lengths.sum())
    logits = np.zeros((len(GRID), own, problem.offset.shape[1]))
    losses = np.zeros(len(GRID))
    for fold in range(FOLDS):
        held = folds == fold
        if held.any():
            rows = np.repeat(held, problem.targets.lengths)
            piece = pieces.keep(f"fold-{fold}", partial(_fit_fold, problem, held))
            logits[:, rows] = piece["logits"]
            losses += piece["losses"]
        on_step()
    mean = losses / max(len(folds), 1)
    best = choose_penalty(mean)
    return CrossFit(folds, GRID[best], logits[best], tuple(map(float, mean)))


def _fit_fold(problem: Problem, held: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    train, test = problem.take(~held), problem.take(held)
    own = int(test.targets.lengths.sum())
    logits, losses = [], []
    found: Weights | None = None
    for penalties in GRID:
        found = fit_weights(train, penalties, found)
        logits.append(found.logits(test)[:own])
        losses.append(bag_loss(logits[-1], test.targets)[0].sum())
    return {"logits": np.stack(logits), "losses": np.asarray(losses)}


def choose_penalty(losses: Sequence[float] | Matrix) -> int:
    """Take the strongest of the penalties that lose about least."""
    limit = min(losses) * (1 + _TIE)
    return next(i for i, loss in enumerate(losses) if loss <= limit)
