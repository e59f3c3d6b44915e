"""How far a label's mean probability lies from its true share in texts of a kind that was not in training.

Shares in a report are means of calibrated probabilities. In the domains that a bundle was trained on they are nearly
right by construction; in another they are not. Whether a user's export is of a known domain is not known, so the error
that every share carries is taken half from domains that were in training (out of fold) and half from held-out ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gapnlp.records.error_counts import ShareError
from gapnlp.records.labels import HEADS, LABELS

# Segments that a domain (or a stratum of it) needs for its share to say anything.
SMALLEST_GROUP = 100
# A domain with more of the rows than this is not held out: what is left is no longer the classifier in question.
_LARGEST_SHARE = 0.35
# How many groups' worth of belief the mean over all labels has beside a label's own few groups.
_PRIOR_GROUPS = 4
# Segments of an item speak alike, so that their share varies more than that of independent ones.
_DESIGN_EFFECT = 1.5


def held_out_domains(domains: NDArray[np.str_]) -> list[str]:
    """List the domains that say something when held out, and leave enough to train on."""
    names, sizes = np.unique(domains, return_counts=True)
    most = _LARGEST_SHARE * len(domains)
    return [str(n) for n, size in zip(names, sizes, strict=True) if SMALLEST_GROUP <= size <= most]


def measure_share_errors(
    values: Sequence[NDArray[np.float64]],
    targets: NDArray[np.int8],
    *,
    groups: tuple[NDArray[np.str_], NDArray[np.bool_]],
) -> dict[str, ShareError]:
    """Root mean square error of log-odds shares over domains and strata, less the part that sampling explains.

    values: probabilities out of fold, and with domains held out; columns as LABELS. targets: columns as HEADS.
    groups: each row's domain and whether it was drawn at random. Method of moments, as in DerSimonian and Laird (1986),
    drawn toward the mean over labels, since a label's own groups are few.
    """
    domains, random = groups
    known = list(_groups(np.unique(domains), domains, random))
    new = list(_groups(held_out_domains(domains), domains, random))
    excesses = np.zeros(len(LABELS))
    for part, members in zip(values, (known, new), strict=True):
        if members:
            found = np.array([_excess(part[:, j], targets[:, HEADS.index(x)], members) for j, x in enumerate(LABELS)])
            own = len(members) / (len(members) + _PRIOR_GROUPS)
            # Below zero is chance; it must not pull the other labels down.
            excesses += (own * found + (1 - own) * np.maximum(found, 0.0).mean()) / 2
    return {
        label: ShareError(
            spread=round(max(float(excesses[j]), 0.0) ** 0.5, 4),
            positives=int(targets[:, HEADS.index(label)].sum()),
            domains=len(known),
        )
        for j, label in enumerate(LABELS)
    }


def _excess(probabilities: NDArray[np.float64], truth: NDArray[np.int8], members: Sequence[NDArray[np.bool_]]) -> float:
    """Mean squared gap over the groups beyond its sampling variance, weighted by precision."""
    gaps = np.array([_gap(probabilities[m], truth[m]) for m in members])
    weights = 1 / gaps[:, 1]
    return float((weights * (gaps[:, 0] ** 2 - gaps[:, 1])).sum() / weights.sum())


def _groups(names: Iterable[str], domains: NDArray[np.str_], random: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    for domain in names:
        for stratum in (True, False):
            members = (domains == domain) & (random == stratum)
            if members.sum() >= SMALLEST_GROUP:
                yield members


def _gap(probabilities: NDArray[np.float64], truth: NDArray[np.int8]) -> tuple[float, float]:
    """Log-odds of the true share less those of the mean probability, and the sampling variance of the former."""
    positives, n = float(truth.sum()), len(truth)
    share = float(np.clip(probabilities.mean(), 0.5 / n, 1 - 0.5 / n))
    gap = np.log((positives + 0.5) / (n - positives + 0.5)) - np.log(share / (1 - share))
    return float(gap), _DESIGN_EFFECT * (1 / (positives + 0.5) + 1 / (n - positives + 0.5))
